"""Records of chosen instances, found in the log again: what they were answered, and where a replay begins.

An instance's time is known, so its record lies in a blob of that hour or of the next. Where the index of ids covers
those blobs, all ids are looked up in it together and only their frames are read; each other blob is read once, for all
ids. Every record comes from a frame that verified (`audit.lookup` does the same for one id). Blobs that would have to
be read whole are bounded in bytes: what is not found then is said to be so.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from audit.errors import NotFound, Unavailable
from audit.id_index import hash_of, tags_of
from audit.id_lookup import look_up_all
from audit.id_segments import Segments, covered
from audit.layout import HOUR_S, hour_of
from audit.reader import BlobReader, Frame, Position, blobs, frame_records, read_frame
from audit.records import Record, decode_record, encoded_text
from audit.store import BlobInfo, Store
from evaluation.vouching.chosen import Chosen
from evaluation.windows import at

type Found = tuple[Record, Position]
type Key = tuple[str, str]  # id and server time

MOST_FRAMES = 100  # twice as many as instances are looked for
ONE_READ_BYTES = 512 * 1024  # reading a frame by its position takes about as long as reading on for so many bytes

_log = logging.getLogger(__name__)


class _Facts(msgspec.Struct):
    """Of a line, what decides whether it is one of those looked for."""

    id: str


_facts = msgspec.json.Decoder(_Facts)


def champion_records(
    log: Store, derived: Store, model: str, chosen: Iterable[Chosen], most_bytes: int
) -> dict[Key, Found]:
    """The champion's record of each instance, as far as they are found. Raises `Unavailable` for the log."""
    wanted = {(one.id, one.ts) for one in chosen}
    if not wanted:
        return {}
    hours = sorted({hour for _, ts in wanted for hour in _hours(ts)})
    search = _Search(log, model, wanted)
    infos = [info for hour in hours for info in blobs(log, hour)]
    indexed = _frames(derived, model, {name for name, _ in wanted}, {hour.rpartition("/")[0] for hour in hours})
    for info in infos:
        offsets = indexed.of(info)
        if offsets is None or not search.at(info.name, offsets):
            most_bytes -= search.whole(info, most_bytes)
    return search.found


@dataclass
class _Search:
    log: Store
    model: str
    wanted: set[Key]
    found: dict[Key, Found] = field(default_factory=dict)

    def at(self, blob: str, offsets: Sequence[int]) -> bool:
        """Take the records of these frames; False if one is not what it was when it was indexed."""
        names = [encoded_text(name) for name, _ in self.wanted]
        for offset in offsets:
            try:
                frame = read_frame(self.log, blob, offset)
            except NotFound:
                return True
            if frame is None:
                _log.warning("%s: no frame verifies at offset %d, where the index has one", blob, offset)
                return False
            for name in names:
                if name in frame.body:
                    self._take(frame_records(frame, name))
        return True

    def whole(self, info: BlobInfo, most_bytes: int) -> int:
        """Read a blob for what is still missing; returns the bytes that this took."""
        if len(self.found) == len(self.wanted) or info.size_bytes > most_bytes:
            return 0
        ids = {name for name, _ in self.wanted}
        try:
            for frame in BlobReader(self.log, info.name):
                self._take(_of_ids(frame, ids))
        except NotFound:
            pass  # listed a moment ago; the section's integrity tells
        return info.size_bytes

    def _take(self, records: Iterable[Found]) -> None:
        for record, position in records:
            key = (record.id, record.ts)
            own = record.kind == "score" and record.role == "champion" and record.model == self.model
            if own and key in self.wanted:
                self.found.setdefault(key, (record, position))


def _of_ids(frame: Frame, ids: set[str]) -> Iterator[Found]:
    """The records of a frame that have one of the ids; of other lines no more is decoded than shows that."""
    if frame.kind != "records":
        return
    for number, line in enumerate(io.BytesIO(frame.body)):  # not all lines at once: there may be millions
        try:
            if _facts.decode(line).id in ids:
                yield decode_record(line), Position(frame.blob, frame.sequence, number)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue


def _hours(ts: str) -> list[str]:
    """The hours in whose blobs a record of this time may lie; none for what is no time."""
    try:
        return [hour_of(at(ts)), hour_of(at(ts) + HOUR_S)]
    except (ValueError, OverflowError):
        return []


@dataclass(frozen=True)
class _Indexed:
    """What the index covers, and in which frames the ids stand."""

    covered: dict[str, int] = field(default_factory=dict)
    offsets: dict[str, set[int]] = field(default_factory=dict)

    def of(self, info: BlobInfo) -> list[int] | None:
        """Positions of frames in a blob; None if it is to be read whole: the index does not cover it, or ids that were
        used again and again stand in so many frames that reading on is cheaper."""
        if self.covered.get(info.name) != info.size_bytes:
            return None
        offsets = self.offsets.get(info.name, set())
        return sorted(offsets) if len(offsets) <= MOST_FRAMES + info.size_bytes // ONE_READ_BYTES else None


def _frames(derived: Store, model: str, ids: set[str], days: set[str]) -> _Indexed:
    segments, hashes, tags = Segments(derived), [hash_of(name) for name in sorted(ids)], tags_of(model)
    try:
        segments.refresh(days)
        found = look_up_all(segments, hashes, days)
    except Unavailable as problem:
        _log.warning("the index cannot be read, the log is read instead: %s", problem)
        return _Indexed()
    offsets: dict[str, set[int]] = {}
    for segment, entries in found:
        names = list(segment.blobs)
        for entry in (entry for listed in entries.values() for entry in listed if entry.tag in tags):
            offsets.setdefault(names[entry.blob], set()).add(entry.offset)
    return _Indexed(covered(segment for segment, _ in found), offsets)
