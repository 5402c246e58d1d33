"""Audit sections to draw: an ordinary one, an empty one, and one in which everything that can go wrong did."""

from __future__ import annotations

from evaluation import report_format as f
from evaluation.format.audit import ReplayVerdict

BLOB = "log/v1/2026/11/23/14/20261123T140506-3f9c2a71-0.jsonl"


def example_audit() -> f.Audit:
    """A day that verifies, with a sample, strange instances and two notes."""
    return f.Audit(
        verdict=f.Verdict(
            level="ok",
            sentence="22 of 24 log files are byte for byte as digests list them. The signatures are good.",
            figure="verified",
            value=22 / 24,
        ),
        integrity=f.LogIntegrity(
            sentence="22 of 24 log files are byte for byte as digests list them. The signatures are good.",
            blobs=f.BlobStates(verified=22, sealed=1, open=1),
            digests=f.DigestStates(hours=24, valid=23, missing=1, newest="2026-11-23T22:00:00Z"),
            stored_bytes=4_200_000,
            read_bytes=4_200_000,
        ),
        sample=f.InstanceSample(
            sentence="20 instances drawn at random from 4,120 that were judged.",
            seed="breast-cancer:2026-11-23T00:00:00Z:2026-11-24T00:00:00Z",
            of=4120,
            instances=[instance(n, replay="equal" if n % 5 else "cannot") for n in range(20)],
        ),
        strangest=strangest("malignant"),
        replay=f.SampleReplay(
            sentence="16 of 20 instances got the recorded answer again, bit for bit. Of the others 4 cannot be.",
            equal=16,
            cannot=4,
            reasons=[f.Count(name="not_run", count=3, of="cannot"), f.Count(name="bundle_gone", count=1, of="cannot")],
        ),
        notes=f.AuditorNotes(
            confirmed=1,
            disputed=1,
            newest=[
                note("disputed", "R. Okafor", "The radius is that of another patient.\nSee 17."),
                note("confirmed", "M. Ito"),
            ],
        ),
    )


def troubled_audit(hostile: str) -> f.Audit:
    """A log that was altered, replays that differ; texts of strangers are `hostile`."""
    finding = f.Finding(blob=BLOB, what=f"altered: its SHA-256 is {'5e' * 32}, not {hostile}, by digest/v1/…")
    sentence = "25 findings in the log of this window: it is not what it was when it was written."
    differing = [
        f.ReplayedInstance(id=hostile, verdict="different", sentence=f"The answer differs by 0.2 {hostile}."),
        f.ReplayedInstance(id="b", verdict="other hardware", sentence="But computed on another processor."),
    ]
    return f.Audit(
        verdict=f.Verdict(level="alert", sentence=f"{sentence} {hostile}", figure="findings", value=25, threshold=0),
        integrity=f.LogIntegrity(
            sentence=sentence,
            blobs=f.BlobStates(verified=900, listed=9000, sealed=3, open=2, damaged=1, unread=4),
            digests=f.DigestStates(hours=700, valid=1, not_checked=2, unknown_key=3, bad_signature=4, unreadable=5),
            stored_bytes=10**12,
            read_bytes=10**9,
            findings=[finding] * 20,
            findings_total=25,
        ),
        sample=f.InstanceSample(
            sentence="1 instance drawn at random from 1 that were judged.",
            seed=hostile,
            of=1,
            instances=[
                f.AuditedInstance(id=hostile, ts=hostile, version=hostile, outcome=hostile, answer=hostile,
                                  truth=hostile, replay="different"),
                f.AuditedInstance(id="b" * 200, ts="2026-11-23T14:05:06.123456Z", replay="other hardware"),
            ],
        ),
        strangest=strangest(hostile),
        replay=f.SampleReplay(
            sentence=f"The replays broke off: {hostile}.", equal=1, different=1, other_hardware=1, cannot=1, left_out=1,
            reasons=[f.Count(name=hostile, count=1, of="cannot"), f.Count(name="no_time", count=1, of="left_out")],
            differing=differing,
        ),
        notes=f.AuditorNotes(disputed=1, newest=[note(hostile, hostile, f"{hostile}\n" * 20)], hours_left=3),
    )  # fmt: skip


def empty_audit() -> f.Audit:
    """Of a window in which there was nothing."""
    nothing = "The log holds no files of this window."
    lists = [
        f.ChosenInstances(name=name, title=name, measure="distance", sentence="There is none.")
        for name in ("farthest", "least_confident", "wrong")
    ]
    return f.Audit(
        verdict=f.Verdict(level="no data", sentence=nothing),
        integrity=f.LogIntegrity(sentence=nothing),
        sample=f.InstanceSample(sentence="There was no judged instance to draw from."),
        strangest=lists,
        replay=f.SampleReplay(sentence="There was no instance to replay."),
    )


def instance(n: int, *, measure: float | None = None, replay: ReplayVerdict | None = None) -> f.AuditedInstance:
    """The nth instance of an afternoon."""
    return f.AuditedInstance(
        id=f"patient-{n}" if n % 3 else f"0192f0c1-7b5a-7cc3-8d4e-2f1a3b4c5d{n:02d}",
        ts=f"2026-11-23T14:{n:02d}:06.123456Z",
        version="1",
        outcome="scored" if n % 5 else "abstained",
        answer="benign" if n % 5 else None,
        truth="malignant" if n % 7 == 0 else None,
        measure=measure,
        replay=replay,
    )


def strangest(truth: str) -> list[f.ChosenInstances]:
    """Three lists, the last of them wrong answers."""
    far = [instance(n, measure=9.1 - n / 7) for n in range(10)]
    unsure = [instance(n, measure=0.5 + n / 900) for n in range(10)]
    missed = [f.AuditedInstance(id=f"m-{n}", ts="2026-11-23T09:00:00.000000Z", version="1", outcome="scored",
                                answer="benign", truth=truth, measure=0.99 - n / 100) for n in range(3)]  # fmt: skip
    return [
        f.ChosenInstances(
            name="farthest", title="Farthest from the training data", measure="distance",
            sentence="By their distance to the nearest training centre.", instances=far,
        ),
        f.ChosenInstances(
            name="least_confident", title="Least confident", measure="confidence",
            sentence="By the largest probability of their answer.", instances=unsure,
        ),
        f.ChosenInstances(
            name="wrong", title="Wrong with high confidence", measure="confidence",
            sentence="3 of 188 labelled instances were wrong; here by the largest probability.", instances=missed,
        ),
    ]  # fmt: skip


def note(verdict: str, author: str, comment: str = "") -> f.AuditorNote:
    """A note of the afternoon."""
    return f.AuditorNote(
        id="patient-17", ts="2026-11-23T16:20:00.000000Z", verdict=verdict, author=author, comment=comment
    )
