"""The segment of one closed blob, made from its frames. Cold path only: imports numpy.

A blob alone decides its segment, whose bytes are the same whoever makes it. Entries are gathered up to a file's worth,
sorted and stored, so that a blob of any length takes the memory of one file: the files of such a segment overlap, and
merging puts them in order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from audit.id_index import (
    ENTRY_BYTES,
    FILE_ENTRIES,
    IndexFile,
    Segment,
    encode_file,
    encode_segment,
    hash_of,
    segment_of,
    tag_of,
)
from audit.identities import identities
from audit.layout import parse_name
from audit.reader import BlobReading, Frame
from audit.records import Kind
from audit.store import Store

type Rows = npt.NDArray[np.uint64]  # one row an entry: hash; tag and blob; offset

_STORED = np.dtype(">u8")
_KEY_BYTES = 12  # hash and tag


class BlobSegment:
    """The segment of one closed blob: give it every frame, then `finish`; without that it is not there."""

    def __init__(self, derived: Store, blob: str, size_bytes: int) -> None:
        self._writer = SegmentWriter(derived, segment_of(day_of(blob), [(blob, size_bytes)]))
        self._keys: list[bytes] = []
        self._offsets: list[npt.NDArray[np.uint64]] = []
        self._waiting = 0

    def add(self, frame: Frame) -> None:
        """Take the frame's ids."""
        keys = _keys(frame)
        self._keys.append(keys)
        self._offsets.append(np.full(len(keys) // _KEY_BYTES, frame.offset, np.uint64))
        self._waiting += len(self._offsets[-1])
        if self._waiting >= FILE_ENTRIES:
            self._store()

    def finish(self) -> Segment:
        """Store the rest; from then on the segment is there."""
        self._store()
        return self._writer.finish()

    def _store(self) -> None:
        if self._waiting:
            self._writer.add(sort(_rows(self._keys, self._offsets)))
        self._keys, self._offsets, self._waiting = [], [], 0


def index_blob(derived: Store, reading: BlobReading) -> bool:
    """Store the segment of a blob that was read; `False` if it is not closed or does not verify to its end."""
    if reading.state != "closed" or reading.finding:
        return False
    segment = BlobSegment(derived, reading.name, reading.size_bytes)
    for frame in reading.frames:
        segment.add(frame)
    segment.finish()
    return True


def day_of(blob: str) -> str:
    """The day under which a blob is indexed."""
    name = parse_name(blob)
    if name is None:
        raise ValueError(f"{blob!r} is no blob of the log")
    return name.hour.rpartition("/")[0]


def sort(rows: Rows) -> Rows:
    """The rows in the order of their bytes, each once."""
    order = np.lexsort((rows[:, 2], rows[:, 1], rows[:, 0]))
    rows = rows[order]
    again = np.all(rows[1:] == rows[:-1], axis=1)
    return np.delete(rows, np.flatnonzero(again) + 1, axis=0) if again.any() else rows


class SegmentWriter:
    """Stores a segment: files as they fill, the `.json` last."""

    def __init__(self, derived: Store, segment: Segment) -> None:
        self._derived = derived
        self._segment = segment
        self._files: list[IndexFile] = []

    def add(self, rows: Rows) -> None:
        """Store sorted rows, in as many files as they take."""
        for start in range(0, len(rows), FILE_ENTRIES):
            part = rows[start : start + FILE_ENTRIES]
            number = len(self._files)
            self._files.append(IndexFile(len(part), f"{int(part[0, 0]):016x}", f"{int(part[-1, 0]):016x}"))
            data = encode_file(self._segment.name, number, part.astype(_STORED).tobytes())
            self._derived.put(self._segment.file_path(number), data, overwrite=True)

    def finish(self) -> Segment:
        """Store the `.json`; from then on the segment is there."""
        segment = segment_of(self._segment.day, self._segment.blobs.items(), self._files)
        self._derived.put(segment.path, encode_segment(segment), overwrite=True, content_type="application/json")
        return segment


def rows_of(entries: bytes) -> Rows:
    """Stored entries as rows.

    >>> rows_of(bytes(23) + b"\\x07").tolist()
    [[0, 0, 7]]
    """
    return np.frombuffer(entries, _STORED).reshape(-1, ENTRY_BYTES // 8).astype(np.uint64)


def _rows(keys: list[bytes], offsets: list[npt.NDArray[np.uint64]]) -> Rows:
    parts: Any = np.frombuffer(b"".join(keys), [("hash", ">u8"), ("tag", ">u4")])
    rows = np.empty((len(parts), 3), np.uint64)
    rows[:, 0] = parts["hash"]
    rows[:, 1] = parts["tag"].astype(np.uint64) << np.uint64(32)  # and the blob's number, which is 0
    rows[:, 2] = np.concatenate(offsets)
    return rows


def _keys(frame: Frame) -> bytes:
    """Hash and tag of every id, model and kind in a frame, each once."""
    tags: dict[tuple[str, Kind], bytes] = {}
    keys = set()
    for one in identities(frame):
        of = (one.model, one.kind)
        tag = tags.get(of) or tags.setdefault(of, tag_of(*of))
        keys.add(hash_of(one.id) + tag)
    return b"".join(keys)
