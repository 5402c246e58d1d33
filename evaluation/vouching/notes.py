"""Auditors' notes of a window: those that were written in it, on whichever instance of the model.

A note may come long after its instance, and a day's report is not made again for it; so a report tells what was found
in its time, as it tells of labels by their instances but of notes by themselves. Which hours have notes is known from
the profiles (records that are neither scores nor errors nor labels); the notes themselves are read from the log, from
verified frames, the newest hours first and at most `MOST_BYTES` of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from audit.layout import hour_of
from audit.notes import AUTHOR_CHARACTERS, VERDICTS
from audit.reader import Position, blob_records, blobs
from audit.records import Record
from audit.store import Store
from evaluation.profile import Profile
from evaluation.report_format import AuditorNote, AuditorNotes
from evaluation.windows import at

NEWEST = 20
COMMENT = 500  # characters
MOST_BYTES = 256 * 1024 * 1024
_NEEDLE = b'"kind":"note"'  # as our encoder writes it, which makes every line of the log

type Found = tuple[Record, Position]


def auditor_notes(
    log: Store, hours: Mapping[str, Sequence[Profile]], model: str, as_of: str, most_bytes: int = MOST_BYTES
) -> AuditorNotes:
    """The notes; `hours` are profiles by the start of their hour. Raises `Unavailable`."""
    noted = sorted((start for start, profiles in hours.items() if has_notes(profiles)), reverse=True)
    found: list[Found] = []
    left = 0
    for start in noted:
        infos = blobs(log, hour_of(at(start)))
        size_bytes = sum(info.size_bytes for info in infos)
        if left or size_bytes > most_bytes:
            left += 1
            continue
        most_bytes -= size_bytes
        found += [pair for info in infos for pair in _notes_of(log, info.name, model, as_of)]
    counts = Counter(_field(record, "verdict") for record, _ in found)
    newest = sorted(found, key=lambda pair: (pair[0].ts, pair[1]), reverse=True)[:NEWEST]
    return AuditorNotes(
        **{verdict: counts[verdict] for verdict in VERDICTS},
        newest=[_told(record) for record, _ in newest],
        hours_left=left,
    )


def has_notes(profiles: Iterable[Profile]) -> bool:
    """Whether records were counted that are neither scores nor request errors nor labels."""
    return any(one.records > one.requests + sum(one.labels.values()) for one in profiles if one.role == "-")


def _notes_of(log: Store, name: str, model: str, as_of: str) -> Iterator[Found]:
    for record, position in blob_records(log, name, _NEEDLE):
        if record.kind == "note" and record.model == model and record.ts <= as_of:
            yield record, position


def _told(record: Record) -> AuditorNote:
    comment = _field(record, "comment")
    return AuditorNote(
        id=record.id[:200],
        ts=record.ts,
        verdict=_field(record, "verdict")[:40],
        author=_field(record, "author")[:AUTHOR_CHARACTERS],
        comment=comment if len(comment) <= COMMENT else f"{comment[:COMMENT]}…",
    )


def _field(record: Record, name: str) -> str:
    """A text of the note; the empty one for anything else that a hostile writer put there."""
    y: Any = record.y
    value = y.get(name) if isinstance(y, dict) else None
    return value if isinstance(value, str) else ""
