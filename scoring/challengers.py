"""Challengers: other versions that score what the champion scored, for comparison, and never for the client.

A request is offered once its records are durable and its answer is made. One thread works the offers off, for each
challenger of the model in the order of serving.toml; `scoring.shadow` says what it records. Requests for a version that
is not the champion, and bodies that were no request, are not offered.

**Nothing a challenger does changes or delays the champion's answer.** It may raise, hang, be slow, need other features,
or be refused when it is loaded:

- Its runs have a thread of low priority (`scoring.low_priority`), and are ended after `challenger_timeout_s`; what was
  not computed by then is `failed` with the reason `timeout`.
- After three requests in a row that were ended so, it rests for a minute, and twice as long each time that the next
  request is ended too, so that a hung challenger takes no processor from the champion; meanwhile its records say
  `failed`, `timeout`, without a run.
- What waits is bounded (`scoring.backlog`). A request that does not fit is recorded the same way; when even its ids do
  not fit, it is counted.
- Its records are handed over by `commit_later` and so cost the champion no append. If the log refuses them even after a
  few seconds, they are counted. The log may also lose lines that it took so; it then says how many.
- The first offer, or two seconds without one, loads the challengers: a cold start does not wait for them.

What was counted, and what failed, is told in one line a minute at most, from the event loop, because lines of other
threads are lost in Azure. At the end what still waits is worked off for two seconds, then dropped with one line; a run
that is under way is ended, because a process that exits in the middle of one is aborted.

Two things cannot be had. Python code of two threads takes turns, so a large request in a challenger's hands can hold up
the event loop for some milliseconds at a time (`sys.setswitchinterval`). And a challenger that crashes the process, or
that computes for minutes in a single node of its graph, is beyond what a thread can contain.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Protocol

from audit.errors import AuditError
from scoring.backlog import Backlog, Waiting
from scoring.catalog import Catalog, Served
from scoring.errors import ScoringError
from scoring.low_priority import LowPriorityThread
from scoring.score import Scored
from scoring.shadow import Shadow, failed, shadow
from scoring.watchdog import WATCHDOG

_LOAD_AFTER_S = 2.0
_TOLD_EVERY_S = 60.0
_TIMEOUTS_IN_A_ROW = 3
_REST_S = 60.0
_LONGEST_REST_S = 3600.0
_LAST_PATIENCE_S = 1.0
_LAST_TRIES = 10
_COMMIT_BYTES = 2**20
_COMMIT_PAUSES_S = (0.1, 0.5, 2.0)  # between tries, while the log takes no lines

_log = logging.getLogger(__name__)


class LaterWriter(Protocol):
    """What challengers need of `audit.writer.LogWriter`."""

    def commit_later(self, lines: Sequence[bytes]) -> None: ...


class Challengers:
    """One process's challengers. `offer` is for the event loop; `close` ends the thread."""

    def __init__(
        self,
        catalog: Catalog,
        writer: LaterWriter,
        *,
        backlog: Backlog | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._catalog = catalog
        self._writer = writer
        self._backlog = backlog or Backlog()
        self._clock = clock
        self._troubles = Troubles(clock)
        self._rests = {(model, version): Rest() for model in catalog.models for version in catalog.challengers(model)}
        self._models = {model for model, _ in self._rests}
        self._closing = threading.Event()
        self._given_up = False
        self._runner = LowPriorityThread("challenger-runs")
        self._thread = threading.Thread(target=self._work, name="challengers", daemon=True)
        if self._models:
            self._thread.start()

    def offer(self, scored: Scored) -> None:
        """A request that the champion has answered; a matter of microseconds, and never raises."""
        if scored.call.model not in self._models or not scored.call.champion:
            return
        if not self._backlog.put(scored.call, scored.ids, scored.request, scored.size_bytes):
            self._troubles.add(f"{scored.call.model}: instances not even recorded, too many wait", len(scored.ids))
        self._troubles.tell()

    def close(self, patience_s: float = 2.0) -> None:
        """Work off what waits, as long as it takes but at most `patience_s`. May be called twice."""
        if not self._models:
            return
        self._closing.set()
        self._backlog.end()
        self._thread.join(patience_s)
        self._given_up = True
        self._end_run()
        dropped = self._backlog.drop()
        self._backlog.end()  # the one before may be among what was dropped
        if dropped:
            self._troubles.add("instances dropped at the end of the process", dropped)
        self._troubles.tell(at_once=True)

    def _end_run(self) -> None:
        """Ended, a run is over within a node of its graph; the next may begin, so this is done more than once."""
        for _ in range(_LAST_TRIES):
            if not self._thread.is_alive():
                break
            for model, version in self._rests:
                if self._catalog.is_loaded(model, version):
                    self._catalog.get(model, version).model.end_runs()
            WATCHDOG.end_runs_in(self._thread.ident)  # the first run of one that is being loaded
            self._thread.join(_LAST_PATIENCE_S / _LAST_TRIES)
        self._runner.end()

    def _work(self) -> None:
        waiting = self._backlog.take(_LOAD_AFTER_S)
        for model, version in self._rests:
            if not self._given_up:
                self._served(model, version)
        if waiting is None and not self._closing.is_set():
            waiting = self._backlog.take()
        while waiting is not None and not self._given_up:
            for version in self._catalog.challengers(waiting.call.model):
                served = self._served(waiting.call.model, version)
                if served is not None and not self._given_up:
                    self._challenge(served, waiting)
            waiting = self._backlog.take()

    def _served(self, model: str, version: str) -> Served | None:
        """The challenger, None if it was refused: readiness lists the problem."""
        try:
            return self._catalog.get(model, version)
        except ScoringError:
            return None

    def _challenge(self, served: Served, waiting: Waiting) -> None:
        try:
            self._record(served, self._shadow(served, waiting).lines)
        except Exception as problem:  # noqa: BLE001  whatever a challenger raises, the thread goes on
            self._tell(served, f"not recorded, {type(problem).__name__}", len(waiting.ids))

    def _shadow(self, served: Served, waiting: Waiting) -> Shadow:
        rest = self._rests[served.name, served.version]
        if waiting.request is None or rest.lasts(self._clock()):
            self._tell(served, "not run, it is too slow for what is asked", len(waiting.ids))
            return failed(served, waiting, "timeout")
        try:
            limit_s = self._catalog.challenger_timeout_s(served.name)
            made = shadow(served, waiting, waiting.request, limit_s, self._runner)
        except Exception as problem:  # noqa: BLE001  and its instances are recorded
            self._tell(served, f"failed: {type(problem).__name__}", len(waiting.ids))
            return failed(served, waiting, "model_error")
        rest.after(made, self._clock())
        for run in made.runs:
            if run.reason is not None:
                why = "took too long" if run.reason == "timeout" else run.error
                self._tell(served, f"failed: {why}", len(run.rows))
        return made

    def _record(self, served: Served, lines: Sequence[bytes]) -> None:
        for part in _parts(lines):
            if not self._commit(part):
                self._tell(served, "not recorded, the log did not take them", len(part))

    def _commit(self, lines: Sequence[bytes]) -> bool:
        for pause_s in (*_COMMIT_PAUSES_S, None):
            try:
                self._writer.commit_later(lines)
            except AuditError:
                if pause_s is None or self._closing.wait(pause_s):
                    return False
            else:
                return True
        return False

    def _tell(self, served: Served, what: str, instances: int) -> None:
        self._troubles.add(f"{served.name}/{served.version}: {what}", instances)


class Rest:
    """When a challenger that keeps running into its limit is left alone."""

    def __init__(self) -> None:
        self._timeouts = 0  # in a row
        self._until_s = 0.0

    def lasts(self, now_s: float) -> bool:
        """Whether it rests."""
        return now_s < self._until_s

    def after(self, made: Shadow, now_s: float) -> None:
        """Take note of what came of a request."""
        if not any(run.reason == "timeout" for run in made.runs):
            self._timeouts = 0
            return
        self._timeouts += 1
        doublings = self._timeouts - _TIMEOUTS_IN_A_ROW
        if doublings >= 0:
            self._until_s = now_s + min(_REST_S * 2.0 ** min(doublings, 16), _LONGEST_REST_S)


class Troubles:
    """What went wrong, counted by any thread and told now and then by one."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._told_s = float("-inf")

    def add(self, what: str, instances: int) -> None:
        """So many instances had this trouble."""
        with self._lock:
            self._counts[what] += instances

    def tell(self, *, at_once: bool = False) -> None:
        """Log one line on all of it, unless there was one a short while ago."""
        if not self._counts or (not at_once and self._clock() < self._told_s + _TOLD_EVERY_S):
            return
        with self._lock:
            counts, self._counts = self._counts, Counter()
        self._told_s = self._clock()
        told = "; ".join(f"{what} ({count:,} instances)" for what, count in sorted(counts.items()))
        _log.warning("challengers, which no answer depends on: %s", told)


def _parts(lines: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Lines in parts of about a mebibyte, for a part is taken by the log whole or not at all."""
    ends = [end // _COMMIT_BYTES for end in accumulate(map(len, lines))]
    start = 0
    for row in range(1, len(lines) + 1):
        if row == len(lines) or ends[row] != ends[row - 1]:
            yield lines[start:row]
            start = row
