"""What replays may cost together: the time they take, and the bytes of records that they hold at once.

A stranger may ask for a replay over HTTP, and whoever wrote the log chose what is in it. So a request's replays end at
a time, and what was not replayed by then says so (`no_time`). A command takes as long as it needs. Both hold at most
`HELD_BYTES` of lines, whatever the log claims of its runs; a run that is larger than that is not replayed
(`run_too_large`). It is as much as one request's records may be (`HYPERPLANE_QUEUE_BYTES`) unless that was raised.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

HELD_BYTES = 64 * 1024 * 1024


class ReplayLimits:
    """The limits of some replays, and how much of them is used up; for one thread.

    >>> limits = ReplayLimits(held_bytes=10)
    >>> limits.take(7), limits.take(4), limits.is_over()
    (True, False, False)
    """

    def __init__(
        self,
        seconds: float | None = None,
        *,
        held_bytes: int = HELD_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._ends_s = math.inf if seconds is None else clock() + seconds
        self._room_bytes = held_bytes

    def is_over(self) -> bool:
        """Whether the time is up."""
        return self._clock() >= self._ends_s

    def run_s(self, most_s: float) -> float:
        """How long a run of a model may take that has a limit of its own."""
        return min(most_s, self._ends_s - self._clock())

    def take(self, size_bytes: int) -> bool:
        """Whether so many more bytes may be held; they are counted if so."""
        if size_bytes > self._room_bytes:
            return False
        self._room_bytes -= size_bytes
        return True

    def give_back(self, size_bytes: int) -> None:
        """So many bytes are held no longer."""
        self._room_bytes += size_bytes
