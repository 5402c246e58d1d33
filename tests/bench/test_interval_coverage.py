"""The measurement of the intervals: a short sample of it, and that it would notice a bad interval."""

from __future__ import annotations

import numpy as np
import pytest

from bench import interval_coverage
from bench.interval_coverage import Line, coverage, table
from evaluation.measured import Measured
from evaluation.metrics import regression_metrics


@pytest.mark.parametrize("name", ["binary", "regression"])
def test_intervals_hold_the_true_figure_about_19_times_in_20(name: str) -> None:
    samples = 30
    lines = coverage(name, 100, samples, seed=3, population=20_000)
    assert len(lines) > 5
    for line in lines:
        assert line.told == 1.0
        assert line.held >= 0.95 - 3.5 * (0.95 * 0.05 / samples) ** 0.5, line


def test_an_interval_that_is_too_narrow_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def narrow(random: np.random.Generator, n: int) -> dict[str, Measured]:
        truth = random.normal(size=n)
        found = regression_metrics(truth, truth + random.normal(size=n))["mae"]
        value = found.value or 0.0
        return {"mae": Measured(value=value, n=n, low=value - 0.01, high=value + 0.01)}

    monkeypatch.setitem(interval_coverage.POPULATIONS, "narrow", narrow)
    (line,) = coverage("narrow", 100, 60, seed=1, population=20_000)
    assert line.held < 0.5


def test_the_table_has_a_row_for_each_figure_and_says_how_many_had_an_interval() -> None:
    lines = [
        Line("p", "f1", 30, 0.5, 0.62, 0.9),
        Line("p", "f1", 150, 0.5, 1.0, 0.951),
        Line("q", "f1", 150, 0.5, 0, 1),
    ]
    assert list(table(lines)) == [
        "| population | figure | true value | n = 30 | n = 150 |",
        "|---|---|---|---|---|",
        "| p | f1 | 0.500 | 90.0% (of 62%) | 95.1% |",
        "| q | f1 | 0.500 |  | none |",
    ]
