"""Since when: the stretches of a window, each judged alone, and the sentence that follows from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from audit.memory_store import MemoryStore
from audit.records import Record, timestamp
from evaluation.drift_over_time import STATISTIC
from evaluation.hourly import make_report
from evaluation.over_time import course, coverage_since, stretches
from evaluation.pages.report import report_page
from evaluation.references import References
from evaluation.report_format import CoverageCounts, CoverageHour, Level, Moment, Report
from evaluation.windows import custom_window, hour_start
from scoring.bundle import Metric, Requirements
from tests.evaluation.workshop import HOUR, NOON, Log, label, make_bundle, score

HOURS = 5
FAULT = 3  # the hour from which on it is worse


def moments(*values: tuple[float | None, Level]) -> list[Moment]:
    return [
        Moment(start=f"2026-11-{day:02}T00:00:00Z", value=value, n=9, level=level)
        for day, (value, level) in enumerate(values, 11)
    ]


@pytest.mark.parametrize(
    ("values", "since"),
    [
        ([(1.0, "ok"), (3.0, "alert"), (3.0, "alert")], "2026-11-12T00:00:00Z"),
        ([(1.0, "ok"), (3.0, "alert"), (3.0, "ok")], "2026-11-12T00:00:00Z"),
        ([(1.0, "ok"), (3.0, "ok"), (3.0, "alert")], "2026-11-13T00:00:00Z"),
        ([(1.0, "ok"), (3.0, "alert"), (9.0, "no data"), (3.0, "alert")], "2026-11-12T00:00:00Z"),
        ([(1.0, "ok"), (3.0, "alert"), (1.0, "no data"), (None, "no data")], "2026-11-12T00:00:00Z"),
        ([(3.0, "alert"), (1.0, "ok")], None),
        ([(3.0, "ok"), (3.0, "warn")], None),
        ([(3.0, "no data")], None),
        ([], None),
    ],
)
def test_since_is_the_first_that_alerts_of_those_that_stay_beyond_to_the_end(
    values: list[tuple[float | None, Level]], since: str | None
) -> None:
    found = course("x", "X", moments(*values), "Worse", by_day=True, threshold=2.0)
    assert found.since == since
    assert bool(found.sentence) == (since is not None)
    mirrored = [(None if value is None else -value, level) for value, level in values]
    assert course("x", "X", moments(*mirrored), "W", by_day=True, beyond="below", threshold=-2.0).since == since
    assert course("x", "X", moments(*values), "W", by_day=True).since is None


def test_what_was_so_all_along_is_not_said_to_have_begun() -> None:
    found = course("x", "X", moments((3.0, "alert"), (4.0, "alert")), "Worse", by_day=True, threshold=2.0)
    assert found.sentence == "Worse in every day of this window with a verdict, 2 days in all."


def test_a_window_of_more_than_a_week_is_cut_into_days() -> None:
    hours = [hour_start(f"2026/11/{1 + n // 24:02}/{n % 24:02}") for n in range(169)]
    assert list(stretches(hours[:168])) == hours[:168]
    assert [len(inside) for inside in stretches(hours).values()] == [24] * 7 + [1]


def test_coverage_that_fell_and_stayed_low_has_a_since() -> None:
    def hour(at: int, scored: int) -> CoverageHour:
        counts = CoverageCounts(
            calls=200,
            scored=scored,
            abstained=200 - scored,
            rejected=0,
            failed=0,
            request_errors=0,
            coverage=scored / 200,
        )
        return CoverageHour(start=f"2026-11-23T{at:02}:00:00Z", counts=counts)

    low = [hour(9, 199), hour(10, 120), hour(11, 100)]
    assert "since 23 Nov 2026, 10:00 UTC" in coverage_since(low, 0.9, by_day=False)
    assert coverage_since([*low, hour(12, 200)], 0.9, by_day=False) == ""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Five hours of 400 calls; from the fourth on the model is wrong, slow, and its feature a has moved."""
    models, log = tmp_path_factory.mktemp("models"), Log()
    metrics = {"roc_auc": Metric(value=0.95, n=400, low=0.93, high=0.97)}
    bundle = make_bundle(models, metrics=metrics, requirements=Requirements(p99_ms=1.0)).sha256
    for hour in range(HOURS):
        log.append(NOON + hour * HOUR, records(hour, bundle))
    window = custom_window(NOON, NOON + HOURS * HOUR)
    as_of = timestamp(NOON + HOURS * HOUR)
    return make_report(log.store, MemoryStore(), References(models), "toy", window, as_of)


def pairs(hour: int) -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Truth, and the probability that the model gave it."""
    draw = np.random.default_rng(hour)
    truth = draw.random(400) < 0.5
    sure = 0.5 + 0.45 * draw.random(400)
    right = truth ^ (draw.random(400) < (0.03 if hour < FAULT else 0.5))
    return truth, np.where(right, sure, 1 - sure)


def records(hour: int, bundle: str) -> list[Record]:
    at_s, draw = NOON + hour * HOUR, np.random.default_rng(100 + hour)
    truth, probability = pairs(hour)
    shift, us = (0.0, 100) if hour < FAULT else (1.5, 3000)
    found = []
    for n in range(400):
        p = float(probability[n])
        y = {"label": "yes" if p > 0.5 else "no", "probabilities": {"no": 1 - p, "yes": p}}
        x = {"a": float(draw.normal(shift)), "b": float(draw.normal())}
        found.append(score(f"{hour}-{n}", at_s, bundle=bundle, x=x, y=y, us={"infer": us}))
        found.append(label(f"{hour}-{n}", "yes" if truth[n] else "no", at_s + 60))
    return found


def test_the_headline_of_each_hour_is_scikit_learns(report: Report) -> None:
    (headline,) = report.performance.courses
    expected = [roc_auc_score(*pairs(hour)) for hour in range(HOURS)]
    assert [moment.value for moment in headline.moments] == pytest.approx(expected, abs=1e-12)
    assert all(
        moment.low and moment.high and moment.low < (moment.value or 0) < moment.high for moment in headline.moments
    )
    assert headline.before == 0.95
    assert headline.threshold == pytest.approx(0.90)


def test_each_section_knows_since_when(report: Report) -> None:
    found = [*report.performance.courses, *report.profiling.courses, report.drift.courses[0]]
    assert [one.name for one in found] == ["roc_auc", "p99_ms", "drift:a"]
    for one in found:
        assert one.since == "2026-11-23T15:00:00Z", one.name
        assert [moment.level for moment in one.moments] == ["ok"] * FAULT + ["alert"] * (HOURS - FAULT), one.name


def test_the_page_says_since_when_in_each_section_and_draws_it(report: Report) -> None:
    page = report_page(report)
    for sentence in ("Worse than it may be since", "Slower than allowed since", "Drifted since"):
        assert f"{sentence} 23 Nov 2026, 15:00 UTC, in both of the 2 hours with a verdict." in page
    assert page.count('class="dot-alert"') == sum(
        moment.level == "alert"
        for section in (report.performance, report.profiling, report.drift)
        for one in section.courses
        for moment in one.moments
    )


def test_the_distance_of_each_hour_is_that_of_a_report_on_it_alone(report: Report, tmp_path: Path) -> None:
    log, models = Log(), tmp_path / "models"
    bundle = make_bundle(models).sha256
    log.append(NOON + 4 * HOUR, records(4, bundle))
    window = custom_window(NOON + 4 * HOUR, NOON + 5 * HOUR)
    alone = make_report(log.store, MemoryStore(), References(models), "toy", window, timestamp(NOON + 5 * HOUR))
    feature = next(one for one in alone.drift.features if one.name == "a")
    distance = next(one.value for one in feature.statistics if one.name == STATISTIC)
    assert report.drift.courses[0].moments[4].value == distance
