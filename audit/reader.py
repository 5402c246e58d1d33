"""Verified reading: nothing leaves here that does not agree with its hashes, its position and its chain.

A blob is read in ranges of at most 4 MiB (a GET over very many blocks breaks off in Azurite) and frame by frame, so
that a blob of any size takes the memory of one frame. Reading stops at the first byte that does not verify and says
why (`finding`); it never raises for what the bytes are, only `Unavailable` and `NotFound` for the store. A blob that is
still written to is read up to its last whole frame.
"""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import msgspec

from audit.errors import NotFound
from audit.frames import (
    MAX_HEADER_BYTES,
    BadFrame,
    FrameKind,
    Header,
    Place,
    Torn,
    check_body,
    check_place,
    decode_header,
    head_of,
    header_line,
)
from audit.layout import HOUR_S, LOG, day_prefixes, hour_start_s, parse_name
from audit.records import Record, decode_record, timestamp
from audit.store import BlobInfo, Store
from audit.window import Hasher, Window

_FIRST_READ_BYTES = 64 * 1024  # of a frame whose length is not known yet
_LATE_S = HOUR_S  # a record made just before the hour may be appended in the next
_LISTED_BY_DAY = 400  # days; beyond, one listing of the whole log is cheaper than one for each day
_log = logging.getLogger(__name__)

Broken = Literal["altered", "torn", "after close"]


@dataclass(frozen=True)
class Frame:
    """A verified frame. `head` is what the next frame names as its `previous`."""

    kind: FrameKind
    blob: str
    offset: int
    sequence: int
    count: int
    length: int
    sha256: str
    previous: str
    append_us: int
    head: str
    end: int  # position of the first byte after it
    body: bytes

    @cached_property
    def lines(self) -> list[bytes]:
        """The records, one JSON line each, without newlines."""
        return self.body.split(b"\n")[:-1]


@dataclass(frozen=True)
class BlobReading:
    """All verified frames of a blob; `closed` means that its last one is a `close`."""

    name: str
    frames: list[Frame]
    state: Literal["open", "closed"]
    size_bytes: int  # of the blob as far as it was read, verified or not
    finding: str | None  # why the reading stopped before the blob's end


@dataclass(frozen=True, order=True)
class Position:
    """Where a record stands in the log."""

    blob: str
    sequence: int  # of its frame
    line: int  # in the frame's body, from 0


class BlobReader:
    """Iterates over a blob's verified frames; then `place`, `closed`, `size_bytes` and `finding` tell how it ended.

    `place` is where the next frame would belong; give it to a new reader to go on later from there. `hasher` takes in
    all bytes that are read, from there on; after `read_to_end` these are all there are, verified or not.
    """

    def __init__(self, store: Store, name: str, place: Place | None = None, hasher: Hasher | None = None) -> None:
        self.name = name
        self.place = place or Place()
        self.closed = False
        self.finding: str | None = None
        self.finding_kind: Broken = "altered"  # if there is a finding
        self._bytes = Window(store, name, self.place.offset, hasher)

    @property
    def size_bytes(self) -> int:
        """How long the blob is, as far as it was read."""
        return self._bytes.end

    def __iter__(self) -> Iterator[Frame]:
        while self.finding is None and self._bytes.has(1):
            if self.closed:
                self._stop("after close", "bytes after `close`")
                return
            try:
                frame = self._next()
            except BadFrame as problem:
                self._stop("torn" if isinstance(problem, Torn) else "altered", str(problem))
                return
            self.place = Place(frame.end, frame.sequence + 1, frame.head)
            self.closed = frame.kind == "close"
            yield frame

    def read_to_end(self) -> None:
        """Read what follows the last verified frame too, to hash it; `size_bytes` is then the blob's whole length."""
        self._bytes.pass_by()

    def _stop(self, kind: Broken, why: str) -> None:
        self.finding_kind = kind
        self.finding = f"at offset {self.place.offset}: {why}"

    def _next(self) -> Frame:
        line = self._bytes.header_line()
        header = decode_header(line)
        check_place(header, self.name, self.place)
        body = self._bytes.take(len(line) + 1, header.length)
        check_body(header, body)
        return _frame(header, line, body)


def read_blob(store: Store, name: str) -> BlobReading:
    """All of a blob that verifies. Raises `NotFound` and `Unavailable`, nothing for what the bytes are."""
    reader = BlobReader(store, name)
    frames = list(reader)
    finding = reader.finding or (None if frames else "the blob is empty: its writer died before its first frame")
    return BlobReading(name, frames, "closed" if reader.closed else "open", reader.size_bytes, finding)


def read_frame(store: Store, name: str, offset: int) -> Frame | None:
    """The frame that begins at this position of a blob, without the blob before it; `None` if none verifies there.

    Proven: header and body are whole and agree with each other, they were written for this blob and this position, and
    the frame that follows names this one's head as what it goes on from, unless the blob ends here. Not proven: that
    the frames before are whole and lead here, and those after the next; `verify` and `BlobReader` do that. Raises
    `NotFound` and `Unavailable`.
    """
    data = store.read(name, offset, _FIRST_READ_BYTES)
    try:
        line = header_line(data)
        header = decode_header(line)
        end = len(line) + 1 + header.length
        if len(data) < end + MAX_HEADER_BYTES and len(data) == _FIRST_READ_BYTES:
            data += store.read(name, offset + len(data), end + MAX_HEADER_BYTES - len(data))
        check_place(header, name, Place(offset, header.sequence, header.previous))
        check_body(header, data[len(line) + 1 : end])
        frame = _frame(header, line, data[len(line) + 1 : end])
        _check_next(frame, data[end:])
    except BadFrame:
        return None
    return frame


def _check_next(frame: Frame, data: bytes) -> None:
    """`BadFrame` unless the blob ends here, or goes on from this frame."""
    if not data:
        return
    if frame.kind == "close":
        raise BadFrame("bytes after `close`")
    check_place(decode_header(header_line(data)), frame.blob, Place(frame.end, frame.sequence + 1, frame.head))


def listed_blobs(store: Store, since_s: float | None = None, until_s: float | None = None) -> dict[str, list[BlobInfo]]:
    """The log's blobs by hour, both sorted, of the hours that overlap [since, until); from one listing."""
    found: dict[str, list[BlobInfo]] = {}
    for prefix in log_prefixes(since_s, until_s):
        for info in store.list(prefix):
            name = parse_name(info.name)
            if name and info.append and in_hours(name.hour, since_s, until_s):
                found.setdefault(name.hour, []).append(info)
    return dict(sorted(found.items()))


def hours(store: Store, since_s: float | None = None, until_s: float | None = None) -> list[str]:
    """The UTC hours that have blobs and overlap [since, until), sorted: `["2026/11/23/14", …]`."""
    found = set()
    for prefix in log_prefixes(since_s, until_s):
        for info in store.list(prefix):
            name = parse_name(info.name)
            if name and in_hours(name.hour, since_s, until_s):
                found.add(name.hour)
    return sorted(found)


def blobs(store: Store, hour: str) -> list[BlobInfo]:
    """The log's blobs of an hour by name; foreign ones are left to `verify`."""
    return [info for info in store.list(f"{LOG}{hour}/") if parse_name(info.name) and info.append]


def records(
    store: Store, since_s: float | None = None, until_s: float | None = None
) -> Iterator[tuple[Record, Position]]:
    """Every verified record with `since <= ts < until`, by blob and then by position; streams."""
    since, until = between(since_s, until_s)
    for hour in hours(store, since_s, None if until_s is None else until_s + _LATE_S):
        for info in blobs(store, hour):
            for record, position in blob_records(store, info.name):
                if since <= record.ts and (until is None or record.ts < until):
                    yield record, position


def blob_records(store: Store, name: str, needle: bytes = b"") -> Iterator[tuple[Record, Position]]:
    """Every verified record of a blob, of lines with `needle` only; none if it is not there (any more)."""
    try:
        for frame in BlobReader(store, name):
            if needle in frame.body:
                yield from frame_records(frame, needle)
    except NotFound:
        _log.warning("%s was listed but is not there any more", name)


def frame_records(frame: Frame, needle: bytes = b"") -> Iterator[tuple[Record, Position]]:
    """The records of a frame, of lines with `needle` only; lines that are no records are left out with one warning."""
    if frame.kind != "records":
        return
    unreadable: list[str] = []
    for number, line in enumerate(io.BytesIO(frame.body)):  # not all lines at once: 100 MiB may be as many newlines
        if needle not in line:
            continue
        try:
            record = decode_record(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            unreadable = unreadable or [f"line {number} is no record: {str(problem)[:200]}"]
            continue
        yield record, Position(frame.blob, frame.sequence, number)
    if unreadable:
        _log.warning("%s: frame %d, %s; there may be more such lines", frame.blob, frame.sequence, unreadable[0])


def between(since_s: float | None, until_s: float | None) -> tuple[str, str | None]:
    """The bounds as texts to compare a record's `ts` with; no `since` is the empty text, no `until` is `None`."""
    return timestamp(since_s) if since_s is not None else "", None if until_s is None else timestamp(until_s)


def log_prefixes(since_s: float | None, until_s: float | None, root: str = LOG) -> list[str]:
    """Listing prefixes that together hold all hours that overlap [since, until), and maybe more."""
    if since_s is None:
        return [root]
    until_s = max(time.time(), since_s) + 24 * HOUR_S if until_s is None else until_s
    if until_s - since_s > _LISTED_BY_DAY * 24 * HOUR_S or since_s < 0:
        return [root]
    return list(day_prefixes(since_s, until_s, root))


def in_hours(hour: str, since_s: float | None, until_s: float | None) -> bool:
    """Whether the hour overlaps [since, until)."""
    start_s = hour_start_s(hour)
    if start_s is None:
        return False
    return (since_s is None or start_s + HOUR_S > since_s) and (until_s is None or start_s < until_s)


def _frame(header: Header, line: bytes, body: bytes) -> Frame:
    return Frame(
        kind=header.kind,
        blob=header.blob,
        offset=header.offset,
        sequence=header.sequence,
        count=header.count,
        length=header.length,
        sha256=header.sha256,
        previous=header.previous,
        append_us=header.append_us,
        head=head_of(line),
        end=header.offset + len(line) + 1 + header.length,
        body=body,
    )
