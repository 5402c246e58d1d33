"""Lines that nobody waits for: kept in order, bounded in bytes, due after a while or when there are many.

Not thread-safe: `CommitQueue` uses it under its lock.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence


class DeferredLines:
    """The lines of `commit_later`. Each call's may be cut anywhere: they are records, and no answer depends on them.

    >>> waiting = DeferredLines(due_bytes=100, due_s=1.0)
    >>> waiting.put([b"a", b"bc"], size_bytes=5, now_s=10.0)
    >>> waiting.due_at_s, waiting.take(room_bytes=4), waiting.take(room_bytes=4), waiting.due_at_s
    (11.0, [b'a'], [b'bc'], inf)
    """

    def __init__(self, *, due_bytes: int, due_s: float) -> None:
        self.size_bytes = 0
        self._due_bytes = due_bytes
        self._due_s = due_s
        self._groups: deque[tuple[float, deque[bytes]]] = deque()

    @property
    def due_at_s(self) -> float:
        """From when on they should go out by themselves: the past if they are many, never if there are none."""
        if not self._groups:
            return math.inf
        return -math.inf if self.size_bytes >= self._due_bytes else self._groups[0][0] + self._due_s

    def put(self, lines: Sequence[bytes], size_bytes: int, now_s: float) -> None:
        """Keep lines of so many bytes."""
        self._groups.append((now_s, deque(lines)))
        self.size_bytes += size_bytes

    def take(self, room_bytes: int, *, at_least_one: bool = False) -> list[bytes]:
        """Take out the oldest lines that fit; if asked so, one even if it does not."""
        taken: list[bytes] = []
        while self._groups:
            lines = self._groups[0][1]
            needed = len(lines[0]) + 1
            if needed > room_bytes and (taken or not at_least_one):
                break
            taken.append(lines.popleft())
            room_bytes -= needed
            self.size_bytes -= needed
            if not lines:
                self._groups.popleft()
        return taken

    def take_all(self) -> list[bytes]:
        """Take out whatever waits."""
        return self.take(self.size_bytes)
