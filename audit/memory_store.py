"""A store in a dictionary, for benchmarks, trials and tests: no network, gone with the process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from audit.errors import Conflict, Exists, NotFound
from audit.store import BlobInfo


@dataclass
class _Blob:
    append: bool
    modified_s: float
    data: bytearray = field(default_factory=bytearray)
    content_type: str = "application/octet-stream"


class MemoryStore:
    """A `Store` that keeps its blobs in memory; safe to use from many threads.

    >>> store = MemoryStore()
    >>> store.create("a")
    >>> store.append("a", b"one", at=0)
    >>> store.read("a", 1)
    b'ne'
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._blobs: dict[str, _Blob] = {}

    def create(self, name: str) -> None:
        with self._lock:
            if name in self._blobs:
                raise Exists(f"{name}: there is a blob of that name already")
            self._blobs[name] = _Blob(append=True, modified_s=self._clock())

    def append(self, name: str, data: bytes, at: int) -> None:
        with self._lock:
            blob = self._blob(name)
            if not blob.append:
                raise Conflict(f"{name}: not an append blob")
            if len(blob.data) != at:
                raise Conflict(f"{name}: is {len(blob.data)} bytes long, not {at}")
            blob.data += data
            blob.modified_s = self._clock()

    def put(self, name: str, data: bytes, *, overwrite: bool, content_type: str = "application/octet-stream") -> None:
        with self._lock:
            if name in self._blobs and not overwrite:
                raise Exists(f"{name}: there is a blob of that name already")
            self._blobs[name] = _Blob(False, self._clock(), bytearray(data), content_type)

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        with self._lock:
            data = self._blob(name).data
            return bytes(data[start : None if length is None else start + length])

    def size(self, name: str) -> int:
        with self._lock:
            return len(self._blob(name).data)

    def list(self, prefix: str = "") -> Iterator[BlobInfo]:
        with self._lock:
            found = sorted(
                ((name, blob) for name, blob in self._blobs.items() if name.startswith(prefix)),
                key=lambda pair: pair[0],
            )
            infos = [BlobInfo(name, len(blob.data), blob.append, blob.modified_s) for name, blob in found]
        return iter(infos)

    def delete(self, name: str) -> None:
        with self._lock:
            self._blobs.pop(name, None)

    def _blob(self, name: str) -> _Blob:
        try:
            return self._blobs[name]
        except KeyError:
            raise NotFound(f"{name}: there is no such blob") from None
