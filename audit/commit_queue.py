"""What waits for the log, bounded in bytes, and whose turn the next frame is.

A commit is a request's records. One that fits a frame is small and goes out whole; a larger one is spread over frames
and answered when all are in. Lines that nobody waits for are deferred. While several kinds wait, they take turns:

- Every second frame is the small commits': all that fit, the oldest first. So a small commit waits for the frame under
  way, for at most one frame of another kind, and for its own, as long as small ones alone do not fill a frame.
- The frames between are in turn those of the large commit that came first, and of deferred lines if they are due. So
  a large commit gets at least every fourth frame, however many small ones come, and large ones are finished in the
  order in which they came. Small commits ride along in its frames, in up to half of each.
- Deferred lines that are not due ride along in frames that stay below 16 KiB: those take no longer for it.

Frames are no larger than 512 KiB, for whoever comes next waits for the one under way: see docs/decisions/0011.

Not promised: order between commits.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from audit.commit import Commit, checked_size
from audit.deferred_lines import DeferredLines
from audit.errors import QueueFull, Unavailable

FRAME_BYTES = 512 * 1024
DEFERRED_FRAME_BYTES = 256 * 1024  # and as many waiting are due
RIDE_BYTES = 16 * 1024  # of a frame up to which deferred lines may fill it
_FOR_SMALL = 8  # large commits leave an eighth of the queue to small ones
_MOST_PASSED = 100  # small commits looked at that do not fit a frame


@dataclass
class Batch:
    """The lines of one frame and the commits that have lines in it."""

    lines: list[bytes] = field(default_factory=list)
    size_bytes: int = 0
    commits: list[Commit] = field(default_factory=list)
    unfinished: Commit | None = None  # has more to come
    deferred: int = 0  # lines of nobody who waits

    def finished(self) -> list[Commit]:
        """The commits whose last line is in this frame."""
        return [commit for commit in self.commits if commit is not self.unfinished]


class Changed(Protocol):
    """As much of a `threading.Condition` as the queue needs: its lock, and to wait for news."""

    def __enter__(self) -> bool: ...

    def __exit__(self, *raised: object) -> None: ...

    def wait(self, timeout: float) -> bool:
        """Let go of the lock until there is news, or for so long."""

    def notify(self) -> None:
        """There is news for who waits."""


class CommitQueue:
    """Commits wait here; callers in any thread put, one thread takes."""

    def __init__(
        self,
        limit_bytes: int,
        frame_bytes: int = FRAME_BYTES,
        *,
        later_s: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
        changed: Changed | None = None,
    ) -> None:
        self._limit_bytes = limit_bytes
        self._frame_bytes = frame_bytes
        self._small: deque[Commit] = deque()
        self._large: deque[Commit] = deque()
        self._small_bytes = 0
        self._large_bytes = 0
        self._deferred = DeferredLines(due_bytes=min(DEFERRED_FRAME_BYTES, limit_bytes), due_s=later_s)
        self._small_was_last = False
        self._deferred_was_last = False  # of the others
        self._monotonic = monotonic
        self._changed = changed or threading.Condition(threading.Lock())
        self._awaited = False
        self._refusal: str | None = None
        self._closed = False

    def put(self, commit: Commit) -> None:
        """`QueueFull` when it does not fit, `Unavailable` while commits are refused."""
        with self._changed:
            self._check_open()
            if self._small_bytes + self._large_bytes + commit.size_bytes > self._limit_for(commit):
                raise QueueFull(self._too_much(commit))
            commit.since_s = self._monotonic()
            if self._is_small(commit):
                self._small.append(commit)
                self._small_bytes += commit.size_bytes
            else:
                self._large.append(commit)
                self._large_bytes += commit.size_bytes
            self._wake()

    def put_later(self, lines: Sequence[bytes]) -> None:
        """Lines that nobody waits for; raises as `put`, for a bound of their own that is as large."""
        size_bytes = checked_size(lines)
        with self._changed:
            self._check_open()
            if self._deferred.size_bytes + size_bytes > self._limit_bytes:
                raise QueueFull(f"{self._deferred.size_bytes} bytes of records that can wait do so already")
            due_at_s = self._deferred.due_at_s
            self._deferred.put(lines, size_bytes, self._monotonic())
            if self._deferred.due_at_s < due_at_s:
                self._wake()

    def refuse(self, reason: str | None) -> None:
        """From now on refuse commits for this reason; `None`: take them again. Deferred lines wait till then."""
        with self._changed:
            if not self._closed:
                self._refusal = reason

    def close(self, reason: str) -> None:
        """Refuse commits for good, and end a `take` that waits. From now on deferred lines are due."""
        with self._changed:
            self._closed = True
            self._refusal = reason
            self._changed.notify()

    def take(self, timeout_s: float) -> Batch | None:
        """The next frame's lines, waiting for some if there are none; `None` after `timeout_s` or `close`."""
        ends_s = self._monotonic() + timeout_s
        with self._changed:
            while True:
                now_s = self._monotonic()
                due_at_s = self._deferred_due_at_s()
                if self._small or self._large or due_at_s <= now_s:
                    return self._cut(deferred_due=due_at_s <= now_s)
                if self._closed or now_s >= ends_s:
                    return None
                self._awaited = True
                self._changed.wait(min(due_at_s, ends_s) - now_s)
                self._awaited = False

    def drop_begun(self) -> Commit | None:
        """Forget, and return, the commit of which a part was taken and another waits; there is at most one."""
        with self._changed:
            if not self._large or not self._large[0].sent:
                return None
            commit = self._large.popleft()
            self._large_bytes -= commit.size_bytes
            return commit

    def drop_deferred(self) -> int:
        """Forget all deferred lines; how many there were."""
        with self._changed:
            return len(self._deferred.take_all())

    def remove_older(self, since_s: float) -> list[Commit]:
        """Take out, and return, what was put at or before `since_s` (monotonic) and of which nothing was sent yet."""
        with self._changed:
            old_small = _remove_older(self._small, since_s)
            old_large = _remove_older(self._large, since_s)
            self._small_bytes -= sum(commit.size_bytes for commit in old_small)
            self._large_bytes -= sum(commit.size_bytes for commit in old_large)
            return old_small + old_large

    def _check_open(self) -> None:
        if self._refusal is not None:
            raise Unavailable(self._refusal)

    def _is_small(self, commit: Commit) -> bool:
        return commit.size_bytes <= self._frame_bytes

    def _limit_for(self, commit: Commit) -> int:
        """Room is left to small commits by all large ones but the first."""
        first = self._is_small(commit) or not self._large
        return self._limit_bytes if first else self._limit_bytes - self._limit_bytes // _FOR_SMALL

    def _wake(self) -> None:
        if self._awaited:
            self._changed.notify()

    def _deferred_due_at_s(self) -> float:
        if self._closed and self._deferred.size_bytes:
            return -math.inf
        return math.inf if self._refusal is not None else self._deferred.due_at_s

    def _cut(self, *, deferred_due: bool) -> Batch:
        """The frame of whoever's turn it is."""
        batch = Batch()
        others = bool(self._large) or deferred_due
        self._small_was_last = bool(self._small) and not (self._small_was_last and others)
        if self._small_was_last:
            self._fill(batch)
        elif self._large and not (deferred_due and not self._deferred_was_last):
            self._deferred_was_last = False
            self._take_part(self._large[0], batch, self._frame_bytes - min(self._small_bytes, self._frame_bytes // 2))
            self._fill(batch)
        else:
            self._deferred_was_last = True
            self._take_deferred(batch, DEFERRED_FRAME_BYTES, at_least_one=True)
        self._take_deferred(batch, RIDE_BYTES)
        return batch

    def _fill(self, batch: Batch) -> None:
        """All small commits that fit; what does not fit lets others pass, but is the first of the next such frame."""
        passed: deque[Commit] = deque()
        while self._small and len(passed) < _MOST_PASSED:
            commit = self._small.popleft()
            if batch.size_bytes + commit.size_bytes > self._frame_bytes:
                passed.append(commit)
                continue
            batch.lines.extend(commit.lines)
            batch.size_bytes += commit.size_bytes
            batch.commits.append(commit)
            self._small_bytes -= commit.size_bytes
        self._small.extendleft(reversed(passed))

    def _take_part(self, commit: Commit, batch: Batch, room_bytes: int) -> None:
        """As many lines as fit; a line that is larger than a frame may be goes all the same, alone."""
        start, taken = commit.sent, 0
        for line in commit.lines[start:]:
            if commit.sent > start and taken + len(line) + 1 > room_bytes:
                break
            batch.lines.append(line)
            taken += len(line) + 1
            commit.sent += 1
        batch.size_bytes += taken
        batch.commits.append(commit)
        commit.size_bytes -= taken
        self._large_bytes -= taken
        if commit.sent == len(commit.lines):
            self._large.popleft()
        else:
            batch.unfinished = commit

    def _take_deferred(self, batch: Batch, up_to_bytes: int, *, at_least_one: bool = False) -> None:
        lines = self._deferred.take(up_to_bytes - batch.size_bytes, at_least_one=at_least_one)
        batch.lines.extend(lines)
        batch.size_bytes += sum(map(len, lines)) + len(lines)
        batch.deferred += len(lines)

    def _too_much(self, commit: Commit) -> str:
        if commit.size_bytes > self._limit_bytes:
            return (
                f"{commit.size_bytes} bytes of records do not fit the log's queue of {self._limit_bytes} bytes: send "
                "fewer instances in a request, or raise HYPERPLANE_QUEUE_BYTES"
            )
        waiting_bytes = self._small_bytes + self._large_bytes
        return f"{waiting_bytes} bytes of records wait for the log already: send fewer requests at a time"


def _remove_older(commits: deque[Commit], since_s: float) -> list[Commit]:
    old = [commit for commit in commits if commit.since_s <= since_s and not commit.sent]
    if old:
        gone = set(map(id, old))
        kept = [commit for commit in commits if id(commit) not in gone]
        commits.clear()
        commits.extend(kept)
    return old
