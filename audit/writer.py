"""The log's writer: many callers, one append at a time, and nobody is answered before the bytes are durable.

Group commit, as in PostgreSQL: while an append is under way, what arrives queues up; then all of it goes out in the
next. No timer, so a lone request waits for nothing, and a busy service makes few, larger appends. One background thread
does the blocking calls; it answers each event loop once a frame. `audit.commit_loop` says what it does when the store
fails.

Lines that nobody waits for (`commit_later`) ride along in frames that stay small, or go out by themselves after a
while; `audit.commit_queue` says in which order all of it goes. Of them only this is promised: each is in the log at
most once, in the order in which they were handed over, and if some are given up, the service's own log counts them.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from audit.appender import Appender, Receipt
from audit.commit import Commit, checked_size
from audit.commit_loop import CommitLoop, Patience
from audit.commit_queue import FRAME_BYTES, CommitQueue
from audit.errors import Ambiguous, Unavailable
from audit.layout import new_writer_id
from audit.store import Store

__all__ = ["LogWriter", "Receipt", "new_writer_id"]

_LINES_AT_ONCE = 1000  # to check them takes a millisecond


class LogWriter:
    """Commits lines to the log from any thread or event loop. The thread starts with the first commit or `start`."""

    def __init__(
        self,
        store: Store,
        *,
        writer_id: str,
        opening: Mapping[str, str],
        clock: Callable[[], float] = time.time,
        queue_bytes: int = 64 * 1024 * 1024,
        frame_bytes: int = FRAME_BYTES,
        blob_blocks: int = 40_000,
        give_up_s: float = 3.0,
        resolve_s: float = 10.0,
        first_pause_s: float = 0.02,
        probe_s: float = 0.5,
        later_s: float = 1.0,
    ) -> None:
        self.writer_id = writer_id
        self._queue = CommitQueue(queue_bytes, frame_bytes, later_s=later_s)
        self._loop = CommitLoop(
            self._queue,
            Appender(store, writer_id=writer_id, opening=opening, clock=clock, blob_blocks=blob_blocks),
            Patience(give_up_s, resolve_s, first_pause_s, probe_s),
        )
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._process = os.getpid()

    @property
    def healthy(self) -> bool:
        """Whether commits are taken: false from giving up on the store until it is back, and after `close`."""
        return not (self._loop.down or self._loop.stopping)

    @property
    def last_error(self) -> str | None:
        """Why the log cannot be written, or could not at the last try; `None` while all is well."""
        return self._loop.last_error

    async def commit(self, lines: Sequence[bytes]) -> list[Receipt]:
        """Return when all lines are durable: the receipts of the frames that hold them, in order.

        `Unavailable`: none of it is in, send it again later; `QueueFull`: the same, and slow down; `Ambiguous`: all or
        a part of it may be in. `ValueError` for a line that holds a newline.
        """
        if not lines:
            return []
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Receipt]] = loop.create_future()
        self._put(Commit(lines, await _checked_in_parts(lines), future, loop))
        return await future

    def commit_blocking(self, lines: Sequence[bytes], timeout_s: float) -> list[Receipt]:
        """`commit` for a thread without an event loop; `Ambiguous` when it took longer than `timeout_s`."""
        if not lines:
            return []
        future: concurrent.futures.Future[list[Receipt]] = concurrent.futures.Future()
        self._put(Commit(lines, checked_size(lines), future, None))
        try:
            return future.result(timeout_s)
        except TimeoutError:
            raise Ambiguous(f"the log took longer than {timeout_s} s; it may still record this") from None

    def commit_later(self, lines: Sequence[bytes]) -> None:
        """Hand over lines that nobody waits for; returns at once, from any thread.

        They are written within about `later_s` while the store is well, after it is back if it is not, and at the
        latest on `close`. `Unavailable`: commits are refused at present; `QueueFull`: as much as `queue_bytes` waits
        already, beside what waits of commits; in both cases none of it will be written. `ValueError` as in `commit`.
        """
        if lines:
            self._check_process()
            self._queue.put_later(lines)
            self._ensure_thread(eager=False)

    def start(self) -> None:
        """Start the thread now, which opens the blob ahead of the first commit; a store that is down does no harm."""
        self._ensure_thread(eager=True)

    def close(self, timeout_s: float = 5) -> None:
        """Commit what waits, end the blob with a `close` frame, end the thread. May be called twice."""
        if os.getpid() != self._process:
            return  # in a fork: thread and blob belong to the parent
        self._loop.stop("the log is closed: this process is shutting down")
        with self._starting:
            thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
        self._loop.abandon()

    def _put(self, commit: Commit) -> None:
        self._check_process()
        self._queue.put(commit)
        self._ensure_thread(eager=False)

    def _check_process(self) -> None:
        if os.getpid() != self._process:  # a fork has no thread to write, and two processes never share a blob
            raise Unavailable("this process was forked from the one that writes; it needs a LogWriter of its own")

    def _ensure_thread(self, *, eager: bool) -> None:
        if self._thread is not None:
            return
        with self._starting:
            if self._thread is None and not self._loop.stopping:
                self._thread = threading.Thread(target=self._run, args=(eager,), name="audit-log-writer", daemon=True)
                self._thread.start()

    def _run(self, eager: bool) -> None:
        try:
            if eager:
                self._loop.probe()
            while self._loop.turn():
                pass
        except Exception as bug:
            self._loop.died(bug)
            raise


async def _checked_in_parts(lines: Sequence[bytes]) -> int:
    """`checked_size`, but the event loop gets its turn in between."""
    size_bytes = checked_size(lines[:_LINES_AT_ONCE])
    for start in range(_LINES_AT_ONCE, len(lines), _LINES_AT_ONCE):
        await asyncio.sleep(0)
        size_bytes += checked_size(lines[start : start + _LINES_AT_ONCE])
    return size_bytes
