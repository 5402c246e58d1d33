"""Many rows are cut into runs, which share one limit; what is left when it is over is not begun."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scoring.inference import MOST_ROWS, infer
from scoring.judge import Judged
from scoring.model import Model, RunTimeout
from scoring.verdict import Verdict
from tests.scoring.bundles import breaking, regression, regressor_manifest, write_bundle


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return Model(write_bundle(tmp_path, regressor_manifest(), regression(2)))


def judged(count: int, refused: tuple[int, ...] = ()) -> Judged:
    verdicts = [Verdict(outcome="rejected" if row in refused else None) for row in range(count)]
    return Judged(np.column_stack([np.arange(count, dtype=float), np.ones(count)]), verdicts)


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(1, [1]), (MOST_ROWS, [MOST_ROWS]), (MOST_ROWS + 1, [MOST_ROWS, 1]), (3 * MOST_ROWS, [MOST_ROWS] * 3)],
)
def test_a_run_holds_a_bounded_number_of_rows_and_every_row_its_own_answer(
    model: Model, count: int, sizes: list[int]
) -> None:
    runs = infer(model, judged(count))
    assert [len(run.rows) for run in runs] == sizes
    assert len({run.id for run in runs}) == len(sizes)
    assert [row for run in runs for row in run.rows] == list(range(count))
    assert [value for run in runs for value in values(run.answers)] == [row + 1.0 for row in range(count)]


def test_refused_instances_are_in_no_run(model: Model) -> None:
    (run,) = infer(model, judged(4, refused=(0, 2)))
    assert (list(run.rows), values(run.answers)) == ([1, 3], [2.0, 4.0])
    assert infer(model, judged(2, refused=(0, 1))) == []


def test_a_run_that_fails_leaves_the_others_alone(tmp_path: Path) -> None:
    fragile = Model(write_bundle(tmp_path, regressor_manifest(), breaking(2)))
    rows = judged(2 * MOST_ROWS)
    rows.matrix[:, 0] = 7.0
    rows.matrix[MOST_ROWS + 3, 0] = 77.0
    good, bad = infer(fragile, rows)
    assert (good.reason, bad.reason, bad.answers) == (None, "model_error", None)
    assert bad.error is not None


def test_the_runs_of_a_request_share_one_limit(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s, limits = [0.0], []
    run = model.run

    def slow(rows: Any, limit_s: float) -> Any:
        limits.append(limit_s)
        now_s[0] += 4.0
        if limit_s < 4.0:
            raise RunTimeout("ended")
        return run(rows, limit_s)

    monkeypatch.setattr(model, "run", slow)
    runs = infer(model, judged(4 * MOST_ROWS), 10.0, clock=lambda: now_s[0])
    assert limits == [10.0, 6.0, 2.0]
    assert [(each.reason, each.id is None) for each in runs] == [
        (None, False), (None, False), ("timeout", False), ("timeout", True),
    ]  # fmt: skip


def values(answers: Any) -> list[float]:
    found: list[float] = answers.value.tolist()
    return found
