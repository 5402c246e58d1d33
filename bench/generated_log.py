"""A log of many records, written through the log's own framing and not through HTTP: a day of several writers.

Records are like those of the demos: ten features, every second instance with an id of the client's own, the other with
a UUIDv7 of ours; one record in fifty is a label for an instance of the same hour, one in a hundred is abstained, one in
a hundred thousand failed. Values are drawn from a few thousand instances: what they are does not matter to the log.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import batched
from threading import Lock

from audit.appender import Appender
from audit.ids import new_id
from audit.layout import HOUR_S
from audit.records import Record, encode_record, timestamp
from audit.store import Store

HOURS = 24
WRITERS = 3
MODEL = "diabetes"
FEATURES = ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6")
_ROWS = 500  # of a request, and of its frame
_SAMPLED = 200  # one id in so many is told, to be looked for
_DAY_S = 24 * HOUR_S

Progress = Callable[[int, int, str], None]


@dataclass
class Written:
    """What was written, as far as a benchmark needs to know it."""

    records: int = 0
    size_bytes: int = 0
    client_ids: list[str] = field(default_factory=list)  # a sample
    uuids: list[str] = field(default_factory=list)  # a sample


def write_log(store: Store, records: int, progress: Progress | None = None) -> Written:
    """Write so many records into the hours of the day before yesterday; a writer is a thread."""
    written, lock = Written(), Lock()
    began_s = time.time() // _DAY_S * _DAY_S - 2 * _DAY_S

    def tell(lines: int, size_bytes: int) -> None:
        with lock:
            written.records += lines
            written.size_bytes += size_bytes
            if progress:
                progress(written.records, records, "records")

    def write(number: int) -> None:
        share = records // WRITERS + (number < records % WRITERS)
        _write(_Writer(store, number, began_s, written), share, tell)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    return written


def _write(writer: _Writer, records: int, tell: Callable[[int, int], None]) -> None:
    for hour in range(HOURS):
        share = records // HOURS + (hour < records % HOURS)
        for lines in batched(writer.lines(hour, share), _ROWS, strict=False):
            writer.appender.append(lines)
            tell(len(lines), sum(map(len, lines)) + len(lines))
    writer.appender.leave()


class _Writer:
    """One writer, its clock, and what it draws."""

    def __init__(self, store: Store, number: int, began_s: float, written: Written) -> None:
        self._draw = random.Random(number)  # noqa: S311  nothing secret
        self._name = f"generated-{number}"
        self._began_s = self._now_s = began_s
        self._written = written
        self._instances = [{name: self._draw.gauss(0, 0.05) for name in FEATURES} for _ in range(2_000)]
        self._count = 0
        about = {"code": "bench"}
        self.appender = Appender(store, writer_id=self._name, opening=about, clock=lambda: self._now_s)

    def lines(self, hour: int, count: int) -> Iterator[bytes]:
        """The records of an hour, evenly over its time."""
        last = ""
        for row in range(count):
            self._now_s = self._began_s + (hour + row / count) * HOUR_S
            self._count += 1
            if self._count % 50 == 0:
                yield self._label(last)
            else:
                last = self._new_id()
                yield self._score(last, row)

    def _new_id(self) -> str:
        if self._count % 2:
            name, sample = new_id(lambda: int(self._now_s * 1e9)), self._written.uuids
        else:
            name, sample = f"patient-{self._name[-1]}{self._count:09}", self._written.client_ids
        if self._count % _SAMPLED in (2, 3):
            sample.append(name)
        return name

    def _score(self, name: str, row: int) -> bytes:
        outcome = "abstained" if self._count % 100 == 7 else "failed" if self._count % 100_000 == 9 else "scored"
        request = f"{self._name}-{self._count // _ROWS}"
        return encode_record(
            Record(
                v=1,
                kind="score",
                id=name,
                ts=timestamp(self._now_s),
                model=MODEL,
                writer=self._name,
                request=request,
                row=row % _ROWS,
                rows=_ROWS,
                run=(request, row % _ROWS, _ROWS),
                version="1",
                bundle="c0ffee" * 10 + "0000",
                role="champion",
                outcome=outcome,
                reasons=[] if outcome == "scored" else ["low_confidence"],
                x=self._draw.choice(self._instances),
                y={"value": self._draw.gauss(150, 40)} if outcome == "scored" else None,
                us={"decode": 5, "judge": 22, "infer": 35, "encode": 3},
            )
        )

    def _label(self, name: str) -> bytes:
        return encode_record(
            Record(
                v=1,
                kind="label",
                id=name,
                ts=timestamp(self._now_s),
                model=MODEL,
                writer=self._name,
                row=0,
                rows=1,
                outcome="recorded",
                y={"value": 152.0},
            )
        )
