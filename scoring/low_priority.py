"""A thread for work that may wait: it gets the processor when others do not need it.

Made for runs of a model, during which ONNX Runtime does not hold the interpreter. Python code of low priority would
hold up everybody else's whenever it is put to sleep while it holds the interpreter.

On Linux a thread can have a priority of its own; elsewhere the thread is an ordinary one. `ThreadPoolExecutor` would
not do: at the end of a process it takes no more work before anybody can finish theirs.
"""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
from collections.abc import Callable
from typing import Any

_NICE = 19  # a seventieth of the time of those with 0, should they want all of it; never nothing


class LowPriorityThread:
    """Works for one other thread, which waits. Starts with its first work."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._work: queue.SimpleQueue[Callable[[], Any] | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[Any, Exception | None]] = queue.SimpleQueue()
        self._started = False

    def run[T](self, work: Callable[[], T]) -> T:
        """What the work returns; raises what it raises."""
        if not self._started:
            self._started = True
            threading.Thread(target=self._serve, name=self._name, daemon=True).start()
        self._work.put(work)
        value, problem = self._done.get()
        if problem is not None:
            raise problem
        result: T = value
        return result

    def end(self) -> None:
        """End the thread after the work that it has."""
        self._work.put(None)

    def _serve(self) -> None:
        give_way()
        while (work := self._work.get()) is not None:
            try:
                self._done.put((work(), None))
            except Exception as problem:  # noqa: BLE001  raised again where it is waited for
                self._done.put((None, problem))


def give_way() -> None:
    """Lower the priority of the calling thread, for good."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # a sandbox may forbid it
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
