"""The part of a blob that is in memory while it is read from its start to its end."""

from __future__ import annotations

from typing import Protocol

from audit.frames import MAX_HEADER_BYTES, header_line
from audit.store import Store

RANGE_BYTES = 4 * 1024 * 1024


class Hasher(Protocol):
    """What `hashlib.sha256()` gives."""

    def update(self, data: bytes, /) -> None:
        """Take in the next bytes."""


class Window:
    """The part of a blob that is in memory: bytes [start, end), where `start` is the next frame's offset.

    `hasher`, if one is given, is told every byte from the first `start` on, once, as it is read.
    """

    def __init__(self, store: Store, name: str, start: int, hasher: Hasher | None = None) -> None:
        self._store = store
        self._name = name
        self._start = start
        self._hasher = hasher
        self._data = bytearray()
        self._at_end = False

    @property
    def end(self) -> int:
        return self._start + len(self._data)

    def has(self, size_bytes: int) -> bool:
        """Whether so many bytes follow; reads on as far as it must. A short answer is the blob's end."""
        while len(self._data) < size_bytes and not self._at_end:
            self._data += self._chunk()
        return len(self._data) >= size_bytes

    def header_line(self) -> bytes:
        if self._data.find(b"\n", 0, MAX_HEADER_BYTES) < 0:
            self.has(MAX_HEADER_BYTES)
        return header_line(self._data)

    def take(self, skip: int, size_bytes: int) -> bytes:
        """Bytes after the first `skip`, at most `size_bytes`; the window then begins behind them."""
        self.has(skip + size_bytes)
        with memoryview(self._data) as view:
            taken = bytes(view[skip : skip + size_bytes])
        if len(taken) == size_bytes:
            del self._data[: skip + size_bytes]
            self._start += skip + size_bytes
        return taken

    def pass_by(self) -> None:
        """Read on to the blob's end without keeping anything."""
        while not self._at_end:
            self._start = self.end
            self._data.clear()
            self._data += self._chunk()

    def _chunk(self) -> bytes:
        chunk = self._store.read(self._name, self.end, RANGE_BYTES)
        self._at_end = len(chunk) < RANGE_BYTES
        if self._hasher is not None:
            self._hasher.update(chunk)
        return chunk
