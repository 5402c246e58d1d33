"""Logs whose writers, hours and ids a test chooses, to be indexed and searched."""

from __future__ import annotations

from typing import Any

from audit.appender import Appender
from audit.id_upkeep import Upkeep, keep_index
from audit.memory_store import MemoryStore
from audit.reader import listed_blobs
from audit.records import Record, encode_record, timestamp
from audit.store import Store
from tests.audit.examples import NOON_S, Clock, appender

MIDNIGHT_S = NOON_S + 12 * 3600  # the day after begins
HOURS_LATER_S = NOON_S + 48 * 3600


class Writers:
    """Several writers with one clock; hours are counted from noon."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.clock = Clock()
        self.store = store or MemoryStore(self.clock)
        self._writers: dict[str, Appender] = {}

    def add(self, hour: float, *records: Record, writer: str = "w") -> None:
        """One frame."""
        self.clock.now_s = NOON_S + hour * 3600
        if writer not in self._writers:
            self._writers[writer] = appender(self.store, writer=writer, clock=self.clock)
        self._writers[writer].append([encode_record(record) for record in records])

    def close(self, *names: str) -> None:
        """The writers leave, all or these."""
        for name in names or list(self._writers):
            self._writers.pop(name).leave()


def record(name: str, hour: float = 0.0, **fields: Any) -> Record:
    given: dict[str, Any] = {"kind": "score", "model": "wine", "outcome": "scored"} | fields
    return Record(v=1, id=name, ts=timestamp(NOON_S + hour * 3600), writer="w", **given)


def keep(log: Store, derived: Store, now_s: float = HOURS_LATER_S, **options: Any) -> Upkeep:
    """Index all of the log."""
    return keep_index(log, derived, listed_blobs(log), now_s, **options)


def contents(store: MemoryStore) -> dict[str, bytes]:
    return {info.name: store.read(info.name) for info in store.list()}


def closed_day(hours: int = 6, writers: int = 2, frames: int = 3, rows: int = 4) -> Writers:
    """A log of closed blobs: some writers in each of some hours, `i-{hour}-{writer}-{frame}-{row}`."""
    log = Writers()
    for hour in range(hours):
        for writer in range(writers):
            for frame in range(frames):
                names = [f"i-{hour}-{writer}-{frame}-{row}" for row in range(rows)]
                log.add(hour, *(record(name, hour) for name in names), writer=f"w{writer}")
    log.close()
    return log
