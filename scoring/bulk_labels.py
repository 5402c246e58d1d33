"""Labels in bulk: judged as over HTTP, recorded in chunks, each of them durable before the next is read.

A chunk is a request of its own: it has a request id, and `row` and `rows` count in it. When the reading or the log
fails, what was recorded stays: `BulkLabels.durable` says up to which row, and the file can be gone on with at the next.
To record rows again does no harm: the newest label of an id counts, and equal ones are no correction.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import batched
from typing import Any, Protocol

from audit.ids import new_id
from audit.records import timestamp
from scoring.label_lines import label_lines, looked_up
from scoring.label_rows import LabelRow
from scoring.labels import JudgedLabel, LabelJudge

CHUNK_ROWS = 5_000
REJECTED_SHOWN = 20


class Writer(Protocol):
    """What this needs of `audit.writer.LogWriter`."""

    writer_id: str

    def commit_blocking(self, lines: Sequence[bytes], timeout_s: float) -> Any: ...


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that never counts."""

    row: LabelRow
    reasons: list[str]


@dataclass
class Tally:
    """What became of the rows so far."""

    rows: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)  # a row may have several
    rejected: list[Rejected] = field(default_factory=list)  # the first

    def add(self, rows: Sequence[LabelRow], labels: Sequence[JudgedLabel], outcomes: Sequence[str]) -> None:
        """Count a chunk."""
        self.rows += len(rows)
        self.outcomes.update(outcomes)
        for row, label in zip(rows, labels, strict=True):
            self.reasons.update(label.reasons)
            if label.reasons and len(self.rejected) < REJECTED_SHOWN:
                self.rejected.append(Rejected(row, label.reasons))


class BulkLabels:
    """Records rows for one model. Without a writer nothing is recorded and everything else is done."""

    def __init__(
        self,
        model: str,
        judge: LabelJudge,
        known: Callable[[str, list[str]], Collection[str]],
        writer: Writer | None,
        *,
        clock: Callable[[], float] = time.time,
        timeout_s: float = 300,
    ) -> None:
        self.tally = Tally()
        self.durable = 0  # the last row of the last chunk that is in the log
        self.pending = 0  # the last row of the chunk under way, 0 when none is
        self._model = model
        self._judge = judge
        self._known = known
        self._writer = writer
        self._clock = clock
        self._timeout_s = timeout_s

    def run(self, rows: Iterable[LabelRow], progress: Callable[[], None] | None = None) -> None:
        """All rows; raises what the rows, the log and `known` raise. What was read before is recorded first."""
        for chunk in _chunks(rows):
            self._record(chunk)
            if progress:
                progress()

    def _record(self, rows: Sequence[LabelRow]) -> None:
        labels = [self._judge.judge(row.given) for row in rows]
        results = looked_up(self._model, labels, self._known)
        if self._writer is not None:
            now = timestamp(self._clock())
            lines = label_lines(self._model, new_id(), now, self._writer.writer_id, labels, results)
            self.pending = rows[-1].number
            self._writer.commit_blocking(lines, self._timeout_s)
            self.pending, self.durable = 0, rows[-1].number
        self.tally.add(rows, labels, [result.outcome for result in results])


def _chunks(rows: Iterable[LabelRow]) -> Iterator[tuple[LabelRow, ...]]:
    """Rows in chunks; when the reading fails, those that came before it make the last one."""
    failure: list[Exception] = []

    def until_failure() -> Iterator[LabelRow]:
        try:
            yield from rows
        except Exception as problem:  # noqa: BLE001 - raised below
            failure.append(problem)

    yield from batched(until_failure(), CHUNK_ROWS, strict=False)
    if failure:
        raise failure[0]
