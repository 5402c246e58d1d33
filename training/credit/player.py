"""Plays days of credit traffic into a log, through the code that serves, and lets the timer's code report each.

Nothing is written past the real path: bodies are decoded, judged, run and recorded by `scoring.score`, labels by
`scoring.label_lines`, lines go through a `LogWriter` into a `Store`, and what is due is sealed, compacted, profiled and
reported by `evaluation.hourly`. Two things are ours. The clock stands at the moments of the day that is played. And
run times are drawn (`run_times`), since those that were measured tell of the machine that plays, and a report that is
held to a known truth must not depend on what else that machine was doing.

A day runs from 6:00 to 20:00, with a peak before noon and one in the evening. Requests hold 1 to 40 applicants. For
four of five applicants the outcome becomes known, some minutes to hours later on the same day.

A log that holds anything of those two weeks is left alone: what is played must never stand among real records.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from audit.known_ids import KnownIds
from audit.reader import hours
from audit.seal import SETTLED_S
from audit.store import Store
from audit.writer import LogWriter
from evaluation.hourly import Run, backfill
from evaluation.windows import DAY_S, HOUR_S
from scoring.catalog import Catalog, Served
from scoring.label_lines import label_body
from scoring.score import Arrival, score_body
from training.credit.faults import Traffic, clean
from training.credit.model import NAME
from training.credit.schedule import DAYS, Day
from training.instances import LABELS, Rows, arrival, json_body

FIRST_HOUR, LAST_HOUR = 6, 20
LABELLED = 0.8
LABELS_WITHIN_S = 3 * HOUR_S
MOST_ROWS = 40  # in one request
_PATIENCE_S = 60.0


@dataclass
class Player:
    """One log in the making, in memory or in a storage; raises `ValueError` when it cannot be played there."""

    models: Path
    log: Store
    derived: Store
    first_day_s: float  # Unix time, midnight UTC
    seed: int
    per_day: int = 2000
    _now: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._catalog = Catalog.load(self.models)
        if not self._catalog.is_loaded(NAME):
            problems = [f"{name}: {text}" for name, text in self._catalog.problems.items()]
            missing = f"there is no {NAME}: make it with `python -m training.credit export`"
            raise ValueError(f"{self.models}: {'; '.join(problems) or missing}")
        if there := hours(self.log, self.first_day_s, self.first_day_s + DAYS * DAY_S):
            raise ValueError(f"the log holds records of these two weeks already ({there[0]} …): play into an empty one")

    def play(self, day: Day) -> Run:
        """The whole day, and what the timer does of it when it is over."""
        start = self.first_day_s + day.number * DAY_S
        random = np.random.default_rng([self.seed, 1 + day.number])
        traffic = (day.fault.make if day.fault else clean)(_calls(self.per_day, random), random)
        self._now = start + FIRST_HOUR * HOUR_S
        writer = LogWriter(self.log, writer_id=f"credit-demo-{day.number:02}", opening={}, clock=lambda: self._now)
        try:
            self._send(writer, start, traffic, random)
        finally:
            writer.close()
        return backfill(self.log, self.derived, self.models, start + DAY_S + SETTLED_S, since_s=start)

    def _send(self, writer: LogWriter, start: float, traffic: Traffic, random: np.random.Generator) -> None:
        served, known = self._catalog.get(NAME), KnownIds(self.log, clock=lambda: self._now)
        date = datetime.fromtimestamp(start, UTC).strftime("%Y%m%d")
        ids = [f"{date}-{number:05}" for number in range(1, len(traffic.X) + 1)]
        instances = list(Rows(traffic.X, tuple(traffic.X.columns), list(traffic.y)).instances())
        waiting: list[tuple[float, str, Any]] = []
        for moment, rows in _requests(start, len(ids), random):
            waiting = self._label(served, writer, known, waiting, moment)
            self._now = moment
            us = run_times(rows.stop - rows.start, traffic.slower_us, random)
            self._score(served, writer, ids[rows], instances[rows], us)
            for row in range(rows.start, rows.stop):
                if random.random() < LABELLED:
                    waiting.append((moment + 60 + random.random() * LABELS_WITHIN_S, ids[row], traffic.y[row]))
        self._label(served, writer, known, waiting, math.inf)

    def _score(
        self, served: Served, writer: LogWriter, ids: list[str], instances: list[dict[str, Any]], us: dict[str, int]
    ) -> None:
        body = json_body({"instances": instances, "ids": ids})
        scored = score_body(served, self._arrival(writer, body, f"scores-{ids[0]}"))
        writer.commit_blocking([_timed(line, us) for line in scored.lines], _PATIENCE_S)

    def _label(
        self,
        served: Served,
        writer: LogWriter,
        known: KnownIds,
        waiting: list[tuple[float, str, Any]],
        until: float,
    ) -> list[tuple[float, str, Any]]:
        """Send the outcomes that are known by then, an hour's at once; the others go on waiting."""
        due = sorted(each for each in waiting if each[0] <= until)
        if not due or (until < math.inf and until - due[0][0] < HOUR_S and len(due) < LABELS):
            return waiting
        for first in range(0, len(due), LABELS):
            part = due[first : first + LABELS]
            self._now = max(self._now, part[-1][0])
            body = json_body({"labels": [{"id": name, "label": truth} for _, name, truth in part]})
            labelled = label_body(served, self._arrival(writer, body, f"labels-{part[0][1]}"), known.known)
            writer.commit_blocking(labelled.lines, _PATIENCE_S)
        return [each for each in waiting if each[0] > until]

    def _arrival(self, writer: LogWriter, body: bytes, request_id: str) -> Arrival:
        return arrival(body, self._now, request_id, writer.writer_id)


def _calls(per_day: int, random: np.random.Generator) -> int:
    """Days differ in how many ask."""
    return max(1, int(per_day * random.uniform(0.85, 1.15)))


def _requests(start: float, rows: int, random: np.random.Generator) -> Iterator[tuple[float, slice]]:
    """(moment, rows) of each request of the day, in order."""
    sizes: list[int] = []
    while sum(sizes) < rows:
        sizes.append(min(rows - sum(sizes), int(math.exp(random.uniform(0.0, math.log(MOST_ROWS + 1))))))
    morning = random.normal(10.5, 1.7, len(sizes))
    evening = random.normal(17.0, 1.5, len(sizes))
    hours = np.where(random.random(len(sizes)) < 0.6, morning, evening)
    first = 0
    for hour, size in zip(np.sort(np.clip(hours, FIRST_HOUR, LAST_HOUR - 0.01)).tolist(), sizes, strict=True):
        yield start + hour * HOUR_S, slice(first, first + size)
        first += size


def run_times(rows: int, slower_us: int, random: np.random.Generator) -> dict[str, int]:
    """Microseconds of each stage of a request, as an unhurried machine takes them, with a tail."""
    typical = {"decode": 90 + 12 * rows, "judge": 60 + 25 * rows, "infer": 220 + 15 * rows, "encode": 40 + 6 * rows}
    us = {stage: int(value * random.lognormal(0.0, 0.35)) for stage, value in typical.items()}
    return us | {"infer": us["infer"] + int(slower_us * random.lognormal(0.0, 0.2))}


def _timed(line: bytes, us: dict[str, int]) -> bytes:
    """A record with the run times of its request, those of stages that it did not reach left out."""
    record = msgspec.json.decode(line)
    record["us"] = {stage: us.get(stage, measured) for stage, measured in record.get("us", {}).items()}
    return msgspec.json.encode(record)
