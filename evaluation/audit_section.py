"""The audit section: whether this report can be believed, and which instances to look at.

An integrity finding alerts, and so does a replay that gives another answer on the same hardware. What could not be
done is said and does not alarm: no digest yet, no public key, a replay that cannot be. Digests that were due and are
not there warn: the timer stands still, or the signing key is lost.

The parts stand in `evaluation.vouching`, each of which says what it costs and what it promises. The section reads the
log, and is made before `evaluation.report.build_report`, which is pure and takes it as it is.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from audit.errors import Unavailable
from audit.records import Record
from audit.store import Store
from evaluation.label_join import Joined
from evaluation.pages.numbers import counted
from evaluation.profile import Profile
from evaluation.report import Evidence, primary_version
from evaluation.report_format import (
    Audit,
    AuditedInstance,
    ChosenInstances,
    InstanceSample,
    LogIntegrity,
    SampleReplay,
    Verdict,
)
from evaluation.vouching.chosen import Chosen, Wrong, champions, farthest, least_confident, sample, wrong
from evaluation.vouching.found import Found, Key, champion_records
from evaluation.vouching.log_integrity import Looked, Progress, log_integrity
from evaluation.vouching.means import Means
from evaluation.vouching.notes import auditor_notes
from evaluation.vouching.sample_replay import SampleReplays, replay_sample

TEXT = 60  # characters of an answer or a truth

_log = logging.getLogger(__name__)


def audit_section(
    log: Store, derived: Store, evidence: Evidence, means: Means | None = None, progress: Progress | None = None
) -> Audit:
    """Look and replay; without `means` no signature is checked and nothing replayed. Raises `Unavailable`.

    Whatever else goes wrong, in a log that anybody may have written to, costs the report this section and warns.
    """
    try:
        return _made(log, derived, evidence, means or Means(), progress)
    except Unavailable:
        raise
    except Exception as problem:  # noqa: BLE001 - no log must be able to keep its report from being made
        _log.exception("the audit section cannot be made")
        return _not_made(f"This section could not be made: {type(problem).__name__}: {problem}"[:300])


def _made(log: Store, derived: Store, evidence: Evidence, means: Means, progress: Progress | None) -> Audit:
    looked = _looked(log, evidence, means, progress)
    profiles = champions(profile for found in evidence.hours.values() for profile in found)
    seed = f"{evidence.model}:{evidence.window.since}:{evidence.window.until}"
    drawn, lists = sample(profiles, seed), _strangest(evidence, profiles)
    wanted = [*drawn, *(one for chosen, _ in lists for one in chosen)]
    records = champion_records(log, derived, evidence.model, wanted, means.read_bytes)
    replays = replay_sample(drawn, records, means)
    about = _About(records, _truths(evidence.joined, {one.id for one in wanted}))
    return Audit(
        verdict=audit_verdict(looked, replays.told),
        integrity=looked.integrity,
        sample=_sample(drawn, seed, profiles, about, replays),
        strangest=[
            msgspec.structs.replace(told, instances=[about.of(one) for one in chosen]) for chosen, told in lists
        ],
        replay=replays.told,
        notes=auditor_notes(log, evidence.hours, evidence.model, evidence.as_of),
    )


def _not_made(why: str) -> Audit:
    return Audit(
        verdict=Verdict(level="warn", sentence=why, figure="not made"),
        integrity=LogIntegrity(sentence=why),
        sample=InstanceSample(sentence="None was drawn."),
        replay=SampleReplay(sentence="Nothing was replayed."),
    )


def _looked(log: Store, evidence: Evidence, means: Means, progress: Progress | None) -> Looked:
    """The log's integrity, once for all models of a run."""
    window, as_of = evidence.window, evidence.as_of
    key = (window.since, window.until, as_of)
    if key not in means.looked:
        keys = means.keys() if means.keys else None
        means.looked[key] = log_integrity(log, window, as_of, keys, most_bytes=means.read_bytes, progress=progress)
    return means.looked[key]


def audit_verdict(looked: Looked, replay: SampleReplay) -> Verdict:
    """What the section comes to."""
    integrity = looked.integrity
    differ = f"{counted(replay.different, 'replayed instance')} got another answer on the same hardware."
    if integrity.findings_total:
        sentence = f"{integrity.sentence} {_first(integrity)}" + (f" And {differ}" if replay.different else "")
        return _verdict("alert", sentence, "findings", integrity.findings_total)
    if replay.different:
        return _verdict("alert", differ, "replay", replay.different)
    if looked.overdue:
        hours = f"{counted(looked.overdue, 'hour')} at the end {'has' if looked.overdue == 1 else 'have'}"
        sentence = f"{hours} no digest, though it was due: the hourly timer stands still, or its key is lost."
        return _verdict("warn", sentence, "overdue", looked.overdue)
    blobs = integrity.blobs
    if not blobs.verified:
        return Verdict(level="no data", sentence=integrity.sentence)
    total = sum(msgspec.structs.astuple(blobs))
    sentence = integrity.sentence + (f" {replay.sentence}" if replay.equal else "")
    return Verdict(level="ok", sentence=sentence, figure="verified", value=blobs.verified / total)


def _verdict(level: Any, sentence: str, figure: str, value: int) -> Verdict:
    return Verdict(level=level, sentence=sentence, figure=figure, value=value, threshold=0)


def _first(integrity: LogIntegrity) -> str:
    found = integrity.findings[0]
    return f"The first: {found.blob}, {found.what}."


def _strangest(evidence: Evidence, profiles: Sequence[Profile]) -> list[tuple[list[Chosen], ChosenInstances]]:
    manifests = {version: found.manifest for version, found in evidence.references.items()}
    primary = manifests.get(primary_version(evidence))
    missed = wrong(evidence.joined, manifests, primary.task if primary else None)
    far, unsure = farthest(profiles), least_confident(profiles)
    sure = missed.measure == "error"
    return [
        (far, ChosenInstances(
            name="farthest", title="Farthest from the training data", measure="distance",
            sentence="By their distance to the nearest training centre." if far else "No distance was measured.",
        )),
        (unsure, ChosenInstances(
            name="least_confident", title="Least confident", measure="confidence",
            sentence="By the largest probability of their answer." if unsure else "No answer had probabilities.",
        )),
        (missed.chosen, ChosenInstances(
            name="wrong", title="Farthest from the truth" if sure else "Wrong with high confidence",
            measure=missed.measure, sentence=_wrong_sentence(missed),
        )),
    ]  # fmt: skip


def _wrong_sentence(missed: Wrong) -> str:
    if not missed.labelled:
        return "No truth has come yet to hold an answer against."
    if not missed.wrong:
        return f"None of {counted(missed.labelled, 'labelled instance')} was wrong."
    if missed.measure == "error":
        return f"By the size of the error, of {counted(missed.labelled, 'labelled instance')}."
    by = "the largest probability" if missed.measure == "confidence" else "the size of the score"
    return f"{missed.wrong:,} of {counted(missed.labelled, 'labelled instance')} were wrong; here by {by}."


def _sample(
    drawn: Sequence[Chosen], seed: str, profiles: Sequence[Profile], about: _About, replays: SampleReplays
) -> InstanceSample:
    of = sum(kept.n for profile in profiles for kept in profile.distributions.values())
    told = f"{counted(len(drawn), 'instance')} drawn at random from {of:,} that were judged."
    return InstanceSample(
        sentence=told if drawn else "There was no judged instance to draw from.",
        seed=seed,
        of=of,
        instances=[
            msgspec.structs.replace(about.of(one), replay=replays.verdicts.get(place))
            for place, one in enumerate(drawn)
        ],
    )


@dataclass(frozen=True)
class _About:
    """What is known of chosen instances: their records, and the truth by id."""

    records: Mapping[Key, Found]
    truths: Mapping[str, str]

    def of(self, one: Chosen) -> AuditedInstance:
        found = self.records.get((one.id, one.ts))
        record = found[0] if found else None
        return AuditedInstance(
            id=one.id[:200],
            ts=one.ts,
            version=record.version if record else None,
            outcome=record.outcome if record else None,
            answer=_answer(record) if record else None,
            truth=self.truths.get(one.id),
            measure=one.measure,
        )


def _answer(record: Record) -> str | None:
    y = record.y or {}
    value = y["label"] if y.get("label") is not None else y.get("value")
    return None if value is None else _text(value)


def _truths(joined: Joined, ids: set[str]) -> dict[str, str]:
    """The newest label of each of these ids that was scored by a champion."""
    found = {}
    for (_, role), rows in sorted(joined.pairs.items()):
        if role != "champion":
            continue
        own = rows[rows["id"].isin(list(ids))]
        for name, label, value in zip(own["id"], own["truth_label"], own["truth_value"], strict=True):
            found[str(name)] = _text(msgspec.json.decode(label) if isinstance(label, str) else float(value))
    return found


def _text(value: object) -> str:
    """A label or value as people read it, bounded.

    >>> _text("yes"), _text(True), _text(1.5)
    ('yes', 'true', '1.5')
    """
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= TEXT else f"{text[:TEXT]}…"
