"""A store that loses calls as it is told to: what a network can do to an append, one call at a time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from audit.errors import Ambiguous, AuditError, Unavailable
from audit.store import BlobInfo, Store

Fate = Literal["ok", "down", "lost", "reply lost", "late", "twice", "bug"]


class FaultyStore:
    """Wraps a store. `fates` says what happens to the next calls that change something; then all goes well.

    `down`: refused, nothing done. `lost`: it never arrives, `Ambiguous`. `reply lost`: done, `Ambiguous`. `late`:
    `Ambiguous`, and it arrives when `deliver_late` is called. `twice`: done, and done again by a proxy that retries,
    whose second answer comes back. `bug`: done, and an exception that no store should let through. While `outage` is
    set every call is refused; the next `reads_fail` reads are.
    """

    def __init__(self, store: Store, fates: Iterable[Fate] = ()) -> None:
        self._store = store
        self._late: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self.fates: deque[Fate] = deque(fates)
        self.reads_fail = 0
        self.outage = False
        self.calls: list[str] = []

    def deliver_late(self) -> None:
        """Let the calls that were under way arrive, each at most once."""
        late, self._late = self._late, []
        for call in late:
            try:
                call()
            except AuditError as refusal:
                self.calls.append(f"late call refused: {type(refusal).__name__}")

    def create(self, name: str) -> None:
        self._change("create", lambda: self._store.create(name))

    def append(self, name: str, data: bytes, at: int) -> None:
        self._change("append", lambda: self._store.append(name, data, at))

    def put(self, name: str, data: bytes, *, overwrite: bool, content_type: str = "application/octet-stream") -> None:
        self._change("put", lambda: self._store.put(name, data, overwrite=overwrite, content_type=content_type))

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        self._refuse_reads()
        return self._store.read(name, start, length)

    def size(self, name: str) -> int:
        self._refuse_reads()
        return self._store.size(name)

    def list(self, prefix: str = "") -> Iterator[BlobInfo]:
        self._refuse_reads()
        return self._store.list(prefix)

    def delete(self, name: str) -> None:
        self._change("delete", lambda: self._store.delete(name))

    def _refuse_reads(self) -> None:
        if self.outage:
            raise Unavailable("outage")
        if self.reads_fail:
            self.reads_fail -= 1
            raise Unavailable("read refused")

    def _change(self, what: str, call: Callable[[], None]) -> None:
        with self._lock:
            if self.outage:
                raise Unavailable("outage")
            fate: Fate = self.fates.popleft() if self.fates else "ok"
            self.calls.append(f"{what}: {fate}")
        if fate == "down":
            raise Unavailable("connection refused")
        if fate == "late":
            self._late.append(call)
        elif fate != "lost":
            call()
        if fate == "twice":
            call()
        if fate == "bug":
            raise RuntimeError("nobody expected this")
        if fate not in ("ok", "twice"):
            raise Ambiguous("the reply was lost")
