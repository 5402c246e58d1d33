"""Finding an instance's records by its id, with the index where there is one and by reading the log where not.

Blobs that the index covers are read at the frames that it names. All others are read whole: those still open, those not
indexed yet, those whose part of the index is damaged or gone (a warning says so). The records are the same either way,
in the same order, verified and compared with the id. What the index cannot do is show a record that somebody who may
write to the derived container left out of it: ask without it (`derived=None`) to be sure.

A UUIDv7 says when it was made, so the score is in that hour or the next and its labels are later. For an id that a
client chose, all hours count, the newest first. Lines are decoded only where the id's bytes occur in a frame.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from audit.errors import NotFound, Unavailable
from audit.id_index import hash_of, tags_of
from audit.id_lookup import look_up_all
from audit.id_segments import Segments, covered
from audit.ids import id_time_s
from audit.layout import HOUR_S, hour_of
from audit.reader import BlobReader, Position, between, frame_records, listed_blobs, read_frame
from audit.records import Record, encoded_text
from audit.store import BlobInfo, Store

_ONE_READ_BYTES = 512 * 1024  # reading a frame by its position takes about as long as reading on for so many bytes
_log = logging.getLogger(__name__)

type Pair = tuple[Record, Position]


def find(
    store: Store,
    instance_id: str,
    model: str | None = None,
    since_s: float | None = None,
    until_s: float | None = None,
    derived: Store | None = None,
) -> list[Pair]:
    """All records of an instance, oldest first: scores, labels and notes. An empty list: no such id in that time."""
    found = search(store, instance_id, model, since_s, until_s, derived)
    return sorted(found, key=lambda pair: (pair[0].ts, pair[1]))


def search(
    store: Store,
    instance_id: str,
    model: str | None = None,
    since_s: float | None = None,
    until_s: float | None = None,
    derived: Store | None = None,
    *,
    progress: Callable[[int, int, str], None] | None = None,
) -> Iterator[Pair]:
    """The same records as they are found: the likeliest hours first. `progress`: hours read, hours in all, hour."""
    needle = encoded_text(instance_id)
    since, until = between(since_s, until_s)
    listed = listed_blobs(store, since_s, None if until_s is None else until_s + HOUR_S)
    scored, number = False, 0
    for hours in _order(list(listed), id_time_s(instance_id)):
        if scored:
            return
        places = _places(derived, instance_id, model, hours)
        for hour in hours:
            if progress:
                progress(number, len(listed), hour)
            number += 1
            for record, position in _in_hour(store, listed[hour], needle, places):
                if record.id != instance_id or model not in (None, record.model):
                    continue
                if since <= record.ts and (until is None or record.ts < until):
                    scored = scored or record.kind == "score"
                    yield record, position


def _order(listed: list[str], made_s: float | None) -> tuple[list[str], list[str]]:
    """Hours in the order of looking, and those that can hold nothing once the score was found."""
    newest_first = listed[::-1]
    if made_s is None or not 0 <= made_s < 2**37:
        return newest_first, []
    own, following = hour_of(made_s), hour_of(made_s + HOUR_S)
    likely = [hour for hour in (own, following) if hour in listed]
    later = [hour for hour in newest_first if hour > following]
    return likely + later, [hour for hour in newest_first if hour < own]


@dataclass(frozen=True)
class _Places:
    """What the index says of an id: the blobs that it covers, and where in them the id stands."""

    covered: dict[str, int] = field(default_factory=dict)
    offsets: dict[str, list[int]] = field(default_factory=dict)

    def of(self, info: BlobInfo) -> list[int] | None:
        """Positions of frames in a blob; `None` if the blob is to be read whole."""
        if self.covered.get(info.name) != info.size_bytes:
            return None
        offsets = self.offsets.get(info.name, [])
        return offsets if len(offsets) <= 1 + info.size_bytes // _ONE_READ_BYTES else None


def _places(derived: Store | None, instance_id: str, model: str | None, hours: Iterable[str]) -> _Places:
    days = {hour.rpartition("/")[0] for hour in hours}
    if derived is None or not days:
        return _Places()
    try:
        return _looked_up(Segments(derived), instance_id, model, days)
    except Unavailable as problem:
        _log.warning("the index cannot be read, the log is read instead: %s", problem)
        return _Places()


def _looked_up(segments: Segments, instance_id: str, model: str | None, days: set[str]) -> _Places:
    segments.refresh(days)
    wanted, tags = hash_of(instance_id), None if model is None else tags_of(model)
    offsets: dict[str, set[int]] = {}
    found = look_up_all(segments, [wanted], days)
    for segment, entries in found:
        names = list(segment.blobs)
        for entry in entries.get(wanted, []):
            if tags is None or entry.tag in tags:
                offsets.setdefault(names[entry.blob], set()).add(entry.offset)
    return _Places(covered(segment for segment, _ in found), {name: sorted(at) for name, at in offsets.items()})


def _in_hour(store: Store, blobs: list[BlobInfo], needle: bytes, places: _Places) -> Iterator[Pair]:
    for info in blobs:
        try:
            offsets = places.of(info)
            indexed = None if offsets is None else _at(store, info.name, offsets, needle)
            yield from _whole(store, info.name, needle) if indexed is None else indexed
        except NotFound:
            continue  # listed a moment ago; `verify` reports what is gone


def _at(store: Store, name: str, offsets: list[int], needle: bytes) -> list[Pair] | None:
    """The records in these frames of a blob; `None` if one is not what it was when it was indexed."""
    found: list[Pair] = []
    for offset in offsets:
        frame = read_frame(store, name, offset)
        if frame is None:
            _log.warning("%s: no frame verifies at offset %d, where the index has one; it is read whole", name, offset)
            return None
        found += frame_records(frame, needle)
    return found


def _whole(store: Store, name: str, needle: bytes) -> Iterator[Pair]:
    for frame in BlobReader(store, name):
        if needle in frame.body:
            yield from frame_records(frame, needle)
