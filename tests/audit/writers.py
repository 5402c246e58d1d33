"""Writers that lose patience quickly, and a store that waits for the test."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from audit.memory_store import MemoryStore
from audit.store import Store
from audit.writer import LogWriter, new_writer_id


class GatedStore(MemoryStore):
    """Appends of records wait until the gate is opened, so that a test decides what queues up meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.waiting = threading.Event()

    def append(self, name: str, data: bytes, at: int) -> None:
        if at:
            self.waiting.set()
            assert self.gate.wait(20), "the test never opened the gate"
        super().append(name, data, at)


def writer_on(store: Store, **options: float) -> LogWriter:
    """A writer that loses patience quickly."""
    patience = {"give_up_s": 0.05, "resolve_s": 0.2, "first_pause_s": 0.005} | options
    return LogWriter(store, writer_id=new_writer_id(), opening={"code": "test"}, **patience)  # type: ignore[arg-type]


def wait_until(condition: Callable[[], bool], what: str, timeout_s: float = 10) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, f"never happened: {what}"
        time.sleep(0.002)
