"""The log's writer: many callers, one append at a time, and nobody is answered before the bytes are durable.

Group commit, as in PostgreSQL: while an append is under way, what arrives queues up; then all of it goes out in the
next. No timer, so a lone request waits for nothing, and a busy service makes few, larger appends. One background thread
does the blocking calls; it answers each event loop once a frame.

When the store fails, the frame is tried again for a short while (`give_up_s`; `resolve_s` when a reply was lost). Then
everything that waits is failed, new commits are refused at once, and the thread keeps probing until the store is back:
no restart, no timer to wait for. A lost reply that cannot be settled in time is `Ambiguous`; nothing is accepted until
it is settled.

Lines that nobody waits for (`commit_later`) ride along in frames that stay small, or go out by themselves after a
while; `audit.commit_queue` says in which order all of it goes. Of them only this is promised: each is in the log at
most once, in the order in which they were handed over, and if some are given up, the service's own log counts them.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from audit.appender import Appender, Receipt
from audit.commit import Commit, answer, checked_size
from audit.commit_queue import FRAME_BYTES, Batch, CommitQueue
from audit.errors import Ambiguous, AuditError, Unavailable
from audit.layout import new_writer_id
from audit.store import Store

__all__ = ["LogWriter", "Receipt", "new_writer_id"]

_IDLE_S = 30.0  # how often an idle writer looks whether its hour is over
_LONGEST_PAUSE_S = 0.5
_LINES_AT_ONCE = 1000  # to check them takes a millisecond
_log = logging.getLogger(__name__)


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
        self.last_error: str | None = None
        self._appender = Appender(store, writer_id=writer_id, opening=opening, clock=clock, blob_blocks=blob_blocks)
        self._queue = CommitQueue(queue_bytes, frame_bytes, later_s=later_s)
        self._give_up_s = give_up_s
        self._resolve_s = resolve_s
        self._first_pause_s = first_pause_s
        self._probe_s = probe_s
        self._down = False
        self._stopping = False
        self._batch: Batch | None = None  # what the thread is writing
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._process = os.getpid()

    @property
    def healthy(self) -> bool:
        """Whether commits are taken: false from giving up on the store until it is back, and after `close`."""
        return not (self._down or self._stopping)

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
        self._stopping = True
        self._queue.close("the log is closed: this process is shutting down")
        with self._starting:
            thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
        answer(self._queue.remove_older(time.monotonic()), Unavailable("the log was closed before this was recorded"))
        self._say_given_up(self._queue.drop_deferred(), "the log was closed before they were written")

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
            if self._thread is None and not self._stopping:
                self._thread = threading.Thread(target=self._run, args=(eager,), name="audit-log-writer", daemon=True)
                self._thread.start()

    def _run(self, eager: bool) -> None:
        try:
            self._write_until_closed(eager)
        except Exception as bug:
            self._died(bug)
            raise

    def _write_until_closed(self, eager: bool) -> None:
        if eager:
            self._probe()
        while True:
            batch = self._queue.take(0.0 if self._stopping else self._probe_s if self._down else _IDLE_S)
            if batch is not None:
                self._write(batch)
            elif self._stopping:
                break
            elif self._down:
                self._probe()
            else:
                self._appender.leave_past_hour()
        self._appender.leave()

    def _write(self, batch: Batch) -> None:
        self._batch = batch
        try:
            receipt = self._append(batch.lines)
        except AuditError as error:
            self._fail(batch, error)
            return
        self._recovered()
        for commit in batch.commits:
            commit.receipts.append(receipt)
        answer(batch.finished())
        self._batch = None

    def _append(self, lines: Sequence[bytes]) -> Receipt:
        """The frame's receipt, with patience; `Unavailable` or `Ambiguous` when patience ends."""
        began_s = time.monotonic()
        pause_s = self._first_pause_s
        while True:
            try:
                receipt = self._appender.resolve() if self._appender.pending else self._appender.append(lines)
                if receipt is not None:
                    return receipt
                continue  # fenced while pending: these lines are not in and go to the next blob
            except Unavailable as problem:
                self.last_error = str(problem)
                self._spare_the_waiting(problem, began_s)
                patience_s = self._resolve_s if self._appender.pending else self._give_up_s
                if self._stopping or time.monotonic() - began_s + pause_s > patience_s:
                    return self._last_try(problem)
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _last_try(self, problem: Unavailable) -> Receipt:
        """Patience has ended: rather certainly not recorded than unknown."""
        if not self._appender.pending:
            raise problem
        try:
            receipt = self._appender.refuse()
        except Ambiguous as unsettled:
            raise Ambiguous(f"outcome unknown: {unsettled}") from unsettled
        if receipt is None:
            raise Unavailable(f"not recorded: {problem}") from problem
        return receipt

    def _spare_the_waiting(self, problem: Unavailable, began_s: float) -> None:
        """Fail what has waited long enough behind a frame that is stuck, and soon let nobody begin to wait."""
        error = f"the log cannot be written: {problem}"
        now_s = time.monotonic()
        if now_s - began_s > self._give_up_s:
            self._refuse(error)
        waiting = self._queue.remove_older(now_s - self._give_up_s)
        if waiting:
            answer(waiting, Unavailable(error))

    def _refuse(self, error: str) -> None:
        if not self._down:
            _log.error("requests are refused until the log can be written again: %s", error)
        self._queue.refuse(error)
        self._down = True

    def _fail(self, batch: Batch, problem: AuditError) -> None:
        self.last_error = str(problem)
        error = f"the log cannot be written: {problem}"
        self._refuse(error)
        commits = self._stopped_by(batch)
        begun = [commit for commit in commits if commit.receipts]
        answer(begun, Ambiguous(f"a part of this is recorded, the rest is not: {problem}"))
        answer((commit for commit in commits if not commit.receipts), problem)
        answer(self._queue.remove_older(time.monotonic()), Unavailable(error))
        self._say_given_up(batch.deferred, str(problem))

    def _stopped_by(self, batch: Batch) -> list[Commit]:
        """Whose lines a frame has, and the large commit between two of whose frames it came."""
        begun = self._queue.drop_begun()
        return batch.commits if begun is None or begun in batch.commits else [*batch.commits, begun]

    def _say_given_up(self, count: int, why: str) -> None:
        if count:
            _log.error("%d records that no answer waited for are given up: %s", count, why)

    def _died(self, bug: Exception) -> None:
        """The thread ends by an error of its own: nobody may wait for it, and health shows it until a restart."""
        self._down = True
        self.last_error = f"the log's writer stopped by an error of its own: {type(bug).__name__}: {bug}"
        self._queue.close(self.last_error)
        batch = self._batch or Batch()
        answer(self._stopped_by(batch), Ambiguous(f"outcome unknown: {self.last_error}"))
        answer(self._queue.remove_older(time.monotonic()), Unavailable(self.last_error))
        self._say_given_up(batch.deferred + self._queue.drop_deferred(), self.last_error)

    def _probe(self) -> None:
        try:
            if self._appender.pending:
                self._appender.refuse()
            self._appender.probe()
        except AuditError as problem:
            self.last_error = str(problem)
        else:
            self._recovered()

    def _recovered(self) -> None:
        self.last_error = None
        if self._down:
            self._down = False
            self._queue.refuse(None)
            _log.warning("the log can be written again")


async def _checked_in_parts(lines: Sequence[bytes]) -> int:
    """`checked_size`, but the event loop gets its turn in between."""
    size_bytes = checked_size(lines[:_LINES_AT_ONCE])
    for start in range(_LINES_AT_ONCE, len(lines), _LINES_AT_ONCE):
        await asyncio.sleep(0)
        size_bytes += checked_size(lines[start : start + _LINES_AT_ONCE])
    return size_bytes
