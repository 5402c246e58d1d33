"""Ends runs of a model that take longer than they may; one thread for all runs of the process.

A run is announced by `watch` before it begins and taken back by `forget` after it has ended: two dictionary operations
without a lock, 0.3 µs together; with the `RunOptions` that ONNX Runtime looks at, a run takes 1 µs more. The thread
wakes four times a second while models run, and sleeps once none has run for a second. So a run is ended at its limit or
up to a quarter of a second later.

ONNX Runtime looks at `RunOptions.terminate` before each node of the graph, also in the body of a Loop, and the run then
raises. What cannot be ended is one node that computes for long, such as the product of two huge matrices: it goes on
to its end, and the run is ended there. The session may be used again at once.

A run that has ended by itself when the thread ends it keeps its answer: the flag belongs to that one run, and nobody
looks at it afterwards.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

_TICK_S = 0.25
_IDLE_TICKS = 4  # without any run; then the thread sleeps until the next one


class Terminable(Protocol):
    """`onnxruntime.RunOptions`, as far as it matters here."""

    terminate: bool


class Watchdog:
    """Watches runs from any number of threads. Its own thread starts with the first run."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, tick_s: float = _TICK_S) -> None:
        self._clock = clock
        self._tick_s = tick_s
        # Deadline, owner and thread; every use of it is atomic.
        self._runs: dict[Terminable, tuple[float, object, int]] = {}
        self._ran = False  # since the thread looked last
        self._asleep = True
        self._wake = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def watch(self, run: Terminable, limit_s: float, owner: object = None) -> None:
        """A run begins; unless it is forgotten before, it is ended `limit_s` from now."""
        self._runs[run] = (self._clock() + limit_s, owner, threading.get_ident())
        self._ran = True
        if self._asleep:  # looked at after the run was stored; the thread does both in the other order
            self._rouse()

    def forget(self, run: Terminable) -> None:
        """A run has ended."""
        del self._runs[run]

    def end_overdue(self) -> None:
        """Tell every run that is over its limit to end; what the thread does at each tick."""
        now_s = self._clock()
        for run, (deadline_s, _, _) in self._runs.copy().items():
            if now_s >= deadline_s:
                run.terminate = True

    def end_runs_of(self, owner: object) -> None:
        """Tell every run of an owner to end now."""
        for run, (_, its_owner, _) in self._runs.copy().items():
            if its_owner is owner:
                run.terminate = True

    def end_runs_in(self, thread: int | None) -> None:
        """Tell every run that a thread is in to end now: that of a model that is being loaded has no owner yet that
        anybody could name."""
        for run, (_, _, its_thread) in self._runs.copy().items():
            if its_thread == thread:
                run.terminate = True

    def _rouse(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._keep_watch, name="watchdog", daemon=True)
                self._thread.start()
        self._wake.set()

    def _keep_watch(self) -> None:
        while True:
            self._sleep()
            quiet = 0
            while quiet < _IDLE_TICKS:
                time.sleep(self._tick_s)
                self.end_overdue()
                quiet = 0 if self._ran or self._runs else quiet + 1
                self._ran = False

    def _sleep(self) -> None:
        self._wake.clear()
        self._asleep = True
        if not self._runs:
            self._wake.wait()
        self._asleep = False


WATCHDOG = Watchdog()
"""The process's own."""
