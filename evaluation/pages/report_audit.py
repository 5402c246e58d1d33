"""What the page of a report draws and says of its audit section; empty for a report that has none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from audit.notes import VERDICTS
from evaluation.pages import numbers
from evaluation.pages.plots.whole import Part, whole
from evaluation.pages.render import markup
from evaluation.pages.text import LongText
from evaluation.report_format import Audit, AuditorNote, BlobStates, ChosenInstances, DigestStates, SampleReplay

REPLAY_LEVELS = {"equal": "ok", "different": "alert"}
NOTE_LEVELS = {"confirmed": "ok", "disputed": "alert"}
FIGURES = {
    "verified": "log files verified",
    "findings": "findings in the log",
    "replay": "replays that differ",
    "overdue": "hours without a digest that was due",
    "not made": "the section itself",
}
MEASURES = {"distance": "Distance", "confidence": "Confidence", "score": "Score", "error": "Error"}
REASONS = {
    "not_run": "the model was not run on it",
    "run_ended": "its run was ended at its limit",
    "redacted": "the log does not hold its features",
    "bundle_gone": "its bundle is not in the models folder",
    "bundle_of_another": "its bundle is another model's",
    "bundle_altered": "its bundle is not what it was",
    "policies_gone": "the log does not hold its policies",
    "run_incomplete": "rows of its run are not in the log",
    "run_unclear": "the log contradicts itself on its run",
    "input_cut": "the log does not hold its whole batch",
    "judged_otherwise": "this code judges its batch otherwise",
    "model_error": "the model cannot be run here",
    "timeout": "its run took too long here",
    "hardware_unknown": "it differs, on unknown hardware",
    "not_found": "its record was not found in the log",
    "run_too_large": "its run is too large",
    "no_time": "there was no time left",
    "replay_failed": "the replays broke off before it",
}


@dataclass(frozen=True)
class AuditView:
    """What the template needs beside the section itself."""

    blobs_plot: Any
    replay_plot: Any
    digests: list[tuple[str, int]]
    notes: list[dict[str, Any]]
    read: str
    measures: dict[str, str]
    reasons: dict[str, str]
    replay_levels: dict[str, str]


def audit_view(audit: Audit | None) -> AuditView | None:
    """The view of a section, if there is one."""
    if audit is None:
        return None
    return AuditView(
        blobs_plot=markup(whole(_blob_parts(audit.integrity.blobs), "The log’s files of this window", "file")),
        replay_plot=markup(whole(_replay_parts(audit.replay), "What came of the replays", "instance")),
        digests=_digests(audit.integrity.digests),
        notes=[_note(note) for note in audit.notes.newest],
        read=_read(audit.integrity.read_bytes, audit.integrity.stored_bytes),
        measures=MEASURES,
        reasons=REASONS,
        replay_levels=REPLAY_LEVELS,
    )


def write_figure(figure: str | None, value: float | None) -> str:
    """The verdict's number: a share of files, or a count."""
    if value is None or figure == "verified":
        return numbers.percent(value)
    return numbers.count(int(value))


def measured(chosen: ChosenInstances, value: float | None) -> str:
    """By how much an instance is strange."""
    return numbers.percent(value) if chosen.measure == "confidence" else numbers.number(value)


def _blob_parts(blobs: BlobStates) -> list[Part]:
    return [
        Part("as a digest lists them, byte for byte", blobs.verified, "f-scored"),
        Part("as long as a digest lists them, not read again", blobs.listed, "f-listed"),
        Part("closed and whole, no digest yet", blobs.sealed, "f-sealed"),
        Part("not read again, no digest yet", blobs.unread, "f-unread"),
        Part("still open", blobs.open, "f-error"),
        Part("damaged", blobs.damaged, "f-failed"),
    ]


def _replay_parts(replay: SampleReplay) -> list[Part]:
    return [
        Part("the same to the last bit", replay.equal, "f-scored"),
        Part("different on the same hardware", replay.different, "f-failed"),
        Part("different on other hardware", replay.other_hardware, "f-abstained"),
        Part("cannot be replayed", replay.cannot, "f-error"),
        Part("left out", replay.left_out, "f-unread"),
    ]


def _digests(digests: DigestStates) -> list[tuple[str, int]]:
    """The hours by their digests; what there is none of goes without saying."""
    rows = [
        ("with a good signature", digests.valid),
        ("signature not checked", digests.not_checked),
        ("signed by an unknown key", digests.unknown_key),
        ("with a wrong signature", digests.bad_signature),
        ("not readable", digests.unreadable),
        ("missing", digests.missing),
        ("none yet, as in all hours before", digests.before_first),
    ]
    return [(words, amount) for words, amount in rows if amount]


def _note(note: AuditorNote) -> dict[str, Any]:
    return {
        "id": note.id,
        "when": numbers.when(note.ts),
        "verdict": note.verdict,
        "level": NOTE_LEVELS.get(note.verdict, "none"),
        "meaning": VERDICTS.get(note.verdict),
        "author": note.author,
        "comment": LongText(note.comment),
    }


def _read(read_bytes: int, stored_bytes: int) -> str:
    if not stored_bytes:
        return "There is no file of an hour that was over"
    if read_bytes == stored_bytes:
        return "Every file of an hour that was over was read again for this report, to its last byte"
    share = numbers.percent(read_bytes / stored_bytes)
    return f"Of the bytes of hours that were over, {share} were read again for this report, drawn by lot"
