"""Figures over time as a report's page draws them: one picture a course, and since when it is beyond its threshold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from evaluation.over_time import MOST_HOURS, coverage_since
from evaluation.pages import numbers
from evaluation.pages.plots.scales import share_label
from evaluation.pages.plots.timeline import Measure, Moment, timeline
from evaluation.pages.render import markup
from evaluation.report_format import Course, Report

_SHARES = frozenset({"accuracy", "roc_auc"})
_MIDNIGHT = "T00:00:00Z"


@dataclass(frozen=True)
class Drawn:
    """One picture; `svg` is drawn by us."""

    title: str
    unit: str  # hour or day
    svg: str
    sentence: str  # since when; empty when it is within its threshold
    unsure: int  # moments without a verdict


@dataclass(frozen=True)
class Courses:
    """Those of every section."""

    coverage: str  # the sentence alone, beside the picture that coverage has
    performance: list[Drawn]
    profiling: list[Drawn]
    drift: list[Drawn]


def courses_of(report: Report) -> Courses:
    """All that a report knows over time."""
    coverage = report.coverage
    by_day = report.window.hours > MOST_HOURS
    asked = next((one.value for one in report.thresholds if one.name == "coverage_alert"), coverage.figure.threshold)
    return Courses(
        coverage="" if asked is None else coverage_since(coverage.hours, asked, by_day=by_day),
        performance=_drawn(report.performance.courses, by_day),
        profiling=_drawn(report.profiling.courses, by_day),
        drift=_drawn(report.drift.courses, by_day),
    )


def _drawn(courses: Sequence[Course], by_day: bool) -> list[Drawn]:
    return [_draw(course, by_day) for course in courses]


def _draw(course: Course, by_day: bool) -> Drawn:
    moments = [
        Moment(
            start=_time(moment.start),
            value=float("nan") if moment.value is None else moment.value,
            low=moment.low if moment.low is not None else moment.value or 0.0,
            high=moment.high if moment.high is not None else moment.value or 0.0,
            n=moment.n,
            judged=moment.level != "no data",
            alerts=moment.level == "alert",
        )
        for moment in course.moments
    ]
    by_day = by_day and all(moment.start.endswith(_MIDNIGHT) for moment in course.moments)
    title, unit = f"{course.title}, over time", "day" if by_day else "hour"
    svg = timeline(
        moments,
        title,
        before=course.before,
        limit=course.threshold,
        measure=_measure(course),
        unit=timedelta(days=1) if by_day else timedelta(hours=1),
    )
    unsure = sum(not moment.judged for moment in moments)
    return Drawn(course.title, unit, markup(svg), course.sentence, unsure)


def _measure(course: Course) -> Measure:
    """How the figure is written; every figure that has a course is zero at least."""
    if course.unit == "ms":
        return Measure(numbers.milliseconds, lambda value, _: numbers.milliseconds(value), 0.0, float("inf"), "allowed")
    if course.name.startswith("drift:"):
        return Measure(numbers.number, numbers.tick, 0.0, 1.0, "alerts above")
    if course.name == "accuracy":
        return Measure(numbers.percent, share_label, 0.0, 1.0, "may fall to")
    if course.name in _SHARES:
        return Measure(numbers.number, numbers.tick, 0.0, 1.0, "may fall to")
    return Measure(numbers.number, numbers.tick, 0.0, float("inf"), "may rise to")


def _time(start: str) -> datetime:
    moment = datetime.fromisoformat(start)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
