"""What the log's writer does, one turn after the other: take a frame's lines, append them, answer whoever waits.

When the store fails, the frame is tried again for a short while (`give_up_s`; `resolve_s` when a reply was lost). Then
everything that waits is failed, new commits are refused at once, and the loop keeps probing until the store is back:
no restart, no timer to wait for. A lost reply that cannot be settled in time is `Ambiguous`; nothing is accepted until
it is settled.

There is no thread, clock or sleep in here but those that are given, so that a simulator can drive the very loop that
runs in production (tests/audit/simulation). `LogWriter` runs it in its thread.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from audit.appender import Appender, Receipt
from audit.commit import Commit, answer
from audit.commit_queue import Batch, CommitQueue
from audit.errors import Ambiguous, AuditError, Unavailable

_LONGEST_PAUSE_S = 0.5
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Patience:
    """How long is waited for what, in seconds."""

    give_up_s: float = 3.0  # for a store that is down
    resolve_s: float = 10.0  # for the outcome of an append whose reply was lost
    first_pause_s: float = 0.02  # before an append is tried again; doubles each time
    probe_s: float = 0.5  # between two looks whether the store is back
    idle_s: float = 30.0  # how often an idle writer looks whether its hour is over


class CommitLoop:
    """One thread makes the turns; `stop` and `abandon` may come from another."""

    def __init__(
        self,
        queue: CommitQueue,
        appender: Appender,
        patience: Patience,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.last_error: str | None = None
        self.down = False  # from giving up on the store until it is back
        self.stopping = False
        self.given_up = 0  # records that no answer waited for and that may not be in
        self._queue = queue
        self._appender = appender
        self._patience = patience
        self._monotonic = monotonic
        self._sleep = sleep
        self._batch: Batch | None = None  # what is being written

    def turn(self) -> bool:
        """Write the next frame, or do what is to be done while there is none; false when it was the last turn."""
        last = self.stopping  # before the queue is found empty: what was put before `stop` is still written
        batch = self._queue.take(self._wait_s())
        if batch is not None:
            self._write(batch)
        elif last:
            self._appender.leave()
            return False
        elif self.down:
            self.probe()
        else:
            self._appender.leave_past_hour()
        return True

    def probe(self) -> None:
        """Look whether the store can be written; opens a blob if there is none."""
        try:
            self._settle()
            self._appender.probe()
        except AuditError as problem:
            self.last_error = str(problem)
        else:
            self._recovered()

    def stop(self, reason: str) -> None:
        """Refuse commits for good; what waits is still written, then comes the last turn."""
        self._queue.close(reason)
        self.stopping = True

    def abandon(self) -> None:
        """After `stop`, when it was waited for long enough: what was not begun to be written never will be."""
        unrecorded = Unavailable("the log was closed before this was recorded")
        answer(self._queue.remove_older(self._monotonic()), unrecorded)
        self._say_given_up(self._queue.drop_deferred(), "the log was closed before they were written")

    def died(self, bug: Exception) -> None:
        """A turn ended by an error of its own: nobody may wait for another, and health shows it until a restart."""
        self.down = True
        self.last_error = f"the log's writer stopped by an error of its own: {type(bug).__name__}: {bug}"
        self._queue.close(self.last_error)
        batch = self._batch or Batch()
        answer(self._stopped_by(batch), Ambiguous(f"outcome unknown: {self.last_error}"))
        answer(self._queue.remove_older(self._monotonic()), Unavailable(self.last_error))
        self._say_given_up(batch.deferred + self._queue.drop_deferred(), self.last_error)

    def _wait_s(self) -> float:
        if self.stopping:
            return 0.0
        return self._patience.probe_s if self.down else self._patience.idle_s

    def _write(self, batch: Batch) -> None:
        self._batch = batch
        try:
            self._settle()
            receipt = self._append(batch.lines)
        except AuditError as error:
            self._fail(batch, error)
            return
        self._recovered()
        for commit in batch.commits:
            commit.receipts.append(receipt)
        answer(batch.finished())
        self._batch = None

    def _settle(self) -> None:
        """What is in doubt of an earlier frame is settled first: its receipt must never be taken for another's."""
        if not self._appender.pending:
            return
        try:
            self._appender.refuse()
        except Ambiguous as problem:
            raise Unavailable(f"it is not known yet if an append before this is in: {problem}") from problem

    def _append(self, lines: Sequence[bytes]) -> Receipt:
        """The frame's receipt, with patience; `Unavailable` or `Ambiguous` when patience ends."""
        began_s = self._monotonic()
        pause_s = self._patience.first_pause_s
        while True:
            try:
                receipt = self._appender.resolve() if self._appender.pending else self._appender.append(lines)
                if receipt is not None:
                    return receipt
                continue  # fenced while pending: these lines are not in and go to the next blob
            except Unavailable as problem:
                self.last_error = str(problem)
                self._spare_the_waiting(problem, began_s)
                patience_s = self._patience.resolve_s if self._appender.pending else self._patience.give_up_s
                if self.stopping or self._monotonic() - began_s + pause_s > patience_s:
                    return self._last_try(problem)
            self._sleep(pause_s)
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
        now_s = self._monotonic()
        if now_s - began_s > self._patience.give_up_s:
            self._refuse(error)
        waiting = self._queue.remove_older(now_s - self._patience.give_up_s)
        if waiting:
            answer(waiting, Unavailable(error))

    def _refuse(self, error: str) -> None:
        if not self.down:
            _log.error("requests are refused until the log can be written again: %s", error)
        self._queue.refuse(error)
        self.down = True

    def _fail(self, batch: Batch, problem: AuditError) -> None:
        self.last_error = str(problem)
        error = f"the log cannot be written: {problem}"
        self._refuse(error)
        commits = self._stopped_by(batch)
        begun = [commit for commit in commits if commit.receipts]
        answer(begun, Ambiguous(f"a part of this is recorded, the rest is not: {problem}"))
        answer((commit for commit in commits if not commit.receipts), problem)
        answer(self._queue.remove_older(self._monotonic()), Unavailable(error))
        self._say_given_up(batch.deferred, str(problem))

    def _stopped_by(self, batch: Batch) -> list[Commit]:
        """Whose lines a frame has, and the large commit between two of whose frames it came."""
        begun = self._queue.drop_begun()
        return batch.commits if begun is None or begun in batch.commits else [*batch.commits, begun]

    def _say_given_up(self, count: int, why: str) -> None:
        self.given_up += count
        if count:
            _log.error("%d records that no answer waited for are given up: %s", count, why)

    def _recovered(self) -> None:
        self.last_error = None
        if self.down:
            self.down = False
            self._queue.refuse(None)
            _log.warning("the log can be written again")
