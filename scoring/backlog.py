"""Requests that wait for the challengers, bounded in number and bytes; the event loop puts, one thread takes.

What does not fit any more is kept without its instances, as ids alone, so that its records can still say that the
challengers were not run on it. When there are too many of these too, they are only counted.
"""

from __future__ import annotations

import queue
import threading

import msgspec

from scoring.evidence import Call
from scoring.protocols.protocol import ScoreRequest

MOST_REQUESTS = 1_000
MOST_BYTES = 32 * 2**20  # of the champion's records, whose instances take two to three times that in memory
MOST_SKIPPED = 100_000  # instances


class Waiting(msgspec.Struct, frozen=True):
    """A request that the champion has answered."""

    call: Call  # as the champion's records have it
    ids: list[str]
    request: ScoreRequest | None  # None: there was no room for its instances
    size_bytes: int


class Backlog:
    """A queue that refuses rather than grows."""

    def __init__(
        self, most_requests: int = MOST_REQUESTS, most_bytes: int = MOST_BYTES, most_skipped: int = MOST_SKIPPED
    ) -> None:
        self._most = (most_requests, most_bytes, most_skipped)
        self._queue: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._requests = self._bytes = self._skipped = 0

    def put(self, call: Call, ids: list[str], request: ScoreRequest, size_bytes: int) -> bool:
        """Keep a request, at least its ids; False if there is room for neither. Never blocks for long."""
        most_requests, most_bytes, most_skipped = self._most
        with self._lock:
            if self._requests < most_requests and self._bytes + size_bytes <= most_bytes:
                self._requests += 1
                self._bytes += size_bytes
                self._queue.put(Waiting(call, ids, request, size_bytes))
                return True
            if self._skipped + len(ids) > most_skipped:
                return False
            self._skipped += len(ids)
        self._queue.put(Waiting(call, ids, None, 0))
        return True

    def take(self, timeout_s: float | None = None) -> Waiting | None:
        """The oldest; None after `timeout_s`, or when `end` was called and all before it was taken."""
        try:
            waiting = self._queue.get(timeout=timeout_s)
        except queue.Empty:
            return None
        if waiting is not None:
            with self._lock:
                if waiting.request is None:
                    self._skipped -= len(waiting.ids)
                else:
                    self._requests -= 1
                    self._bytes -= waiting.size_bytes
        return waiting

    def end(self) -> None:
        """Let `take` give None once all is taken that was put before."""
        self._queue.put(None)

    def drop(self) -> int:
        """Forget all that waits; how many instances these were."""
        dropped = 0
        while not self._queue.empty():
            waiting = self.take(0)
            dropped += 0 if waiting is None else len(waiting.ids)
        return dropped
