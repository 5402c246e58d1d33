"""What waits for the log, bounded in bytes, and how it is cut into frames.

A commit is a request's records. Whole commits share a frame as long as they fit; a commit that is larger than a frame
is spread over several and answered when all are in.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import threading
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from audit.appender import Receipt
from audit.errors import AuditError, QueueFull, Unavailable
from audit.frames import MAX_BODY_BYTES

type _Future = asyncio.Future[list[Receipt]] | concurrent.futures.Future[list[Receipt]]
_log = logging.getLogger(__name__)


class Commit:
    """One caller's lines and the future that it waits for; `loop` is the future's, `None` for a waiting thread."""

    __slots__ = ("future", "lines", "loop", "receipts", "sent", "since_s", "size_bytes")

    def __init__(self, lines: Sequence[bytes], future: _Future, loop: asyncio.AbstractEventLoop | None) -> None:
        self.lines = lines
        self.future = future
        self.loop = loop
        self.size_bytes = _checked_size(lines)  # of what is still to be sent
        self.sent = 0  # lines
        self.receipts: list[Receipt] = []
        self.since_s = time.monotonic()


@dataclass
class Batch:
    """The lines of one frame and the commits that have lines in it; the last one may have more to come."""

    lines: list[bytes] = field(default_factory=list)
    size_bytes: int = 0
    commits: list[Commit] = field(default_factory=list)
    unfinished: Commit | None = None

    def finished(self) -> list[Commit]:
        """The commits whose last line is in this frame."""
        return self.commits[:-1] if self.unfinished else self.commits


class CommitQueue:
    """Commits wait here; callers in any thread put, one thread takes."""

    def __init__(self, limit_bytes: int, frame_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._frame_bytes = frame_bytes
        self._commits: deque[Commit] = deque()
        self._size_bytes = 0
        self._changed = threading.Condition(threading.Lock())
        self._awaited = False
        self._refusal: str | None = None
        self._closed = False

    def put(self, commit: Commit) -> None:
        """`QueueFull` when it does not fit, `Unavailable` while commits are refused."""
        with self._changed:
            if self._refusal is not None:
                raise Unavailable(self._refusal)
            if self._size_bytes + commit.size_bytes > self._limit_bytes:
                raise QueueFull(self._too_much(commit))
            self._commits.append(commit)
            self._size_bytes += commit.size_bytes
            if self._awaited:
                self._changed.notify()

    def refuse(self, reason: str | None) -> None:
        """From now on refuse commits for this reason; `None`: take them again."""
        with self._changed:
            if not self._closed:
                self._refusal = reason

    def close(self, reason: str) -> None:
        """Refuse commits for good, and end a `take` that waits."""
        with self._changed:
            self._closed = True
            self._refusal = reason
            self._changed.notify()

    def take(self, timeout_s: float) -> Batch | None:
        """The next frame's lines, waiting for some if there are none; `None` after `timeout_s` or `close`."""
        with self._changed:
            if not self._commits:
                self._awaited = True
                self._changed.wait(timeout_s)
                self._awaited = False
            return self._cut() if self._commits else None

    def drop(self, commit: Commit) -> None:
        """Forget the rest of a commit of which a part was taken."""
        with self._changed:
            if self._commits and self._commits[0] is commit:
                self._commits.popleft()
                self._size_bytes -= commit.size_bytes

    def remove_older(self, since_s: float) -> list[Commit]:
        """Take out, and return, what was put at or before `since_s` (monotonic) and of which nothing was sent yet."""
        with self._changed:
            old = [commit for commit in self._commits if commit.since_s <= since_s and not commit.sent]
            if old:
                gone = set(map(id, old))
                self._commits = deque(commit for commit in self._commits if id(commit) not in gone)
                self._size_bytes -= sum(commit.size_bytes for commit in old)
            return old

    def _cut(self) -> Batch:
        batch = Batch()
        while self._commits:
            commit = self._commits[0]
            if batch.size_bytes + commit.size_bytes <= self._frame_bytes:
                self._take_rest(commit, batch)
                continue
            if not batch.lines or commit.size_bytes > self._frame_bytes:
                self._take_part(commit, batch)
            break
        return batch

    def _take_rest(self, commit: Commit, batch: Batch) -> None:
        batch.lines.extend(commit.lines[commit.sent :] if commit.sent else commit.lines)
        batch.size_bytes += commit.size_bytes
        batch.commits.append(commit)
        self._size_bytes -= commit.size_bytes
        commit.size_bytes = 0
        self._commits.popleft()

    def _take_part(self, commit: Commit, batch: Batch) -> None:
        """As many lines as fit; a line that is larger than a frame may be goes alone."""
        start, taken = commit.sent, 0
        for line in commit.lines[start:]:
            if batch.lines and batch.size_bytes + len(line) + 1 > self._frame_bytes:
                break
            batch.lines.append(line)
            batch.size_bytes += len(line) + 1
            taken += len(line) + 1
            commit.sent += 1
        if commit.sent == start:
            return
        batch.commits.append(commit)
        commit.size_bytes -= taken
        self._size_bytes -= taken
        if commit.sent == len(commit.lines):
            self._commits.popleft()
        else:
            batch.unfinished = commit

    def _too_much(self, commit: Commit) -> str:
        if commit.size_bytes > self._limit_bytes:
            return (
                f"{commit.size_bytes} bytes of records do not fit the log's queue of {self._limit_bytes} bytes: send "
                "fewer instances in a request, or raise HYPERPLANE_QUEUE_BYTES"
            )
        return f"{self._size_bytes} bytes of records wait for the log already: send fewer requests at a time"


def answer(commits: Iterable[Commit], error: AuditError | None = None) -> None:
    """Give every commit its receipts, or an error of its own; one wake-up for each event loop, however many commits."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Commit]] = {}
    for commit in commits:
        if commit.loop is None:
            _settle([commit], error)
        else:
            by_loop.setdefault(commit.loop, []).append(commit)
    for loop, waiting in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, waiting, error)
        except RuntimeError:
            _log.warning("%d commits were answered after their event loop had closed", len(waiting))


def _settle(commits: list[Commit], error: AuditError | None) -> None:
    for commit in commits:
        if commit.future.done():  # the caller was cancelled, or went away
            continue
        if error is None:
            commit.future.set_result(commit.receipts)
        else:
            commit.future.set_exception(type(error)(*error.args))


def _checked_size(lines: Sequence[bytes]) -> int:
    size_bytes = 0
    for line in lines:
        if b"\n" in line:
            raise ValueError("a record holds a newline; records are one line each")
        if len(line) >= MAX_BODY_BYTES:
            raise ValueError(f"a record of {len(line)} bytes does not fit a frame of {MAX_BODY_BYTES}")
        size_bytes += len(line) + 1
    return size_bytes
