"""What the player writes is what the service would have written, at the hours of the days that it plays."""

from __future__ import annotations

import datetime as dt
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from audit.memory_store import MemoryStore
from audit.reader import records
from audit.records import Record
from evaluation.windows import DAY_S
from tests.training.credit.conftest import PER_DAY, SEED, Fortnight
from training.credit.check import FIRST_DAY_S
from training.credit.faults import SLOWER_US
from training.credit.player import FIRST_HOUR, LABELLED, LAST_HOUR, MOST_ROWS, Player, run_times
from training.credit.schedule import Day, days


def of_day(fortnight: Fortnight, number: int) -> list[Record]:
    start = FIRST_DAY_S + number * DAY_S
    return [record for record, _ in records(fortnight.stores.log, start, start + DAY_S)]


def kind(lines: Sequence[Record], name: str) -> list[Record]:
    return [record for record in lines if record.kind == name]


def seconds(record: Record) -> float:
    return dt.datetime.fromisoformat(record.ts).timestamp()


@pytest.fixture(scope="module")
def first_day(fortnight: Fortnight) -> list[Record]:
    return of_day(fortnight, 0)


def test_every_applicant_is_scored_once_by_the_exported_model(first_day: list[Record]) -> None:
    scores = kind(first_day, "score")
    assert 0.85 * PER_DAY <= len(scores) <= 1.15 * PER_DAY
    assert sorted(record.id for record in scores) == [f"20261102-{number:05}" for number in range(1, len(scores) + 1)]
    assert {(record.model, record.version, record.outcome) for record in scores} == {("credit", "1", "scored")}
    assert {record.rows for record in scores} <= set(range(1, MOST_ROWS + 1))


def test_requests_come_in_opening_hours_and_outcomes_later_on_the_same_day(first_day: list[Record]) -> None:
    asked = {record.id: seconds(record) for record in kind(first_day, "score")}
    assert {dt.datetime.fromtimestamp(at, dt.UTC).hour for at in asked.values()} <= set(range(FIRST_HOUR, LAST_HOUR))
    labels = kind(first_day, "label")
    assert {record.outcome for record in labels} == {"recorded"}
    assert max(Counter(record.id for record in labels).values()) == 1
    assert len(labels) == pytest.approx(LABELLED * len(asked), abs=4 * np.sqrt(len(asked) * 0.16))
    delays = np.array([seconds(record) - asked[record.id] for record in labels])
    assert delays.min() >= 60
    assert delays.max() > 3600, "outcomes come in by the hour"


def test_a_missing_value_is_written_as_the_service_writes_it(first_day: list[Record]) -> None:
    incomes = [record.x["income"] for record in kind(first_day, "score")]
    assert None in incomes
    assert all(income is None or income > 0 for income in incomes)


def test_run_times_are_drawn_and_those_of_the_slow_period_are_longer(fortnight: Fortnight) -> None:
    slow = next(day.number for day in days(SEED) if day.fault and day.fault.name == "slow period")
    usual, slower = (
        np.array([record.us["infer"] for record in kind(of_day(fortnight, number), "score")]) for number in (0, slow)
    )
    assert usual.max() < SLOWER_US / 4
    assert np.median(slower) == pytest.approx(SLOWER_US, rel=0.2)
    again = run_times(3, 0, np.random.default_rng(1))
    assert again == run_times(3, 0, np.random.default_rng(1))
    assert again | {"infer": 0} == run_times(3, SLOWER_US, np.random.default_rng(1)) | {"infer": 0}


def test_a_day_of_a_seed_is_played_alike_wherever_it_is_played(credit_models: Path) -> None:
    written = []
    for seed in (5, 5, 6):
        log = MemoryStore()
        Player(credit_models, log, MemoryStore(), FIRST_DAY_S, seed, per_day=12).play(Day(0, None))
        written.append([(record.id, record.ts, record.x, record.y, record.us) for record, _ in records(log)])
    assert written[0] == written[1] != written[2]


def test_real_records_are_left_alone(fortnight: Fortnight, credit_models: Path) -> None:
    with pytest.raises(ValueError, match=r"records of these two weeks already \(2026/11/0"):
        Player(credit_models, fortnight.stores.log, MemoryStore(), FIRST_DAY_S - 7 * DAY_S, 1)


def test_a_model_that_is_missing_or_damaged_is_named(credit_models: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no credit: make it with"):
        Player(tmp_path, MemoryStore(), MemoryStore(), FIRST_DAY_S, 1)
    models = shutil.copytree(credit_models, tmp_path / "models")
    with (models / "credit" / "1" / "model.onnx").open("ab") as graph:
        graph.write(b"x")
    with pytest.raises(ValueError, match=r"credit.*model\.onnx"):
        Player(models, MemoryStore(), MemoryStore(), FIRST_DAY_S, 1)
