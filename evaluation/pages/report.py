"""The page of one report: the answer on the first screen, the evidence below it.

The page is made from the report alone, whatever number of rows that speaks of; what it shows of lists is bounded and
says what it leaves out, so the file stays under 2 MB. Stored with the report it has no links; served to a caller it
gets them (`served=True`), with the caller's code.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from evaluation.intervals import wilson
from evaluation.over_time import MOST_HOURS
from evaluation.pages import numbers
from evaluation.pages.courses import courses_of
from evaluation.pages.occasion import made_of, words
from evaluation.pages.plots.cluster_map import cluster_map
from evaluation.pages.plots.curves import LINES, curves
from evaluation.pages.plots.difference import difference
from evaluation.pages.plots.expected import expected
from evaluation.pages.plots.latency import latency
from evaluation.pages.plots.outcomes import outcomes
from evaluation.pages.plots.overlay import Column, columns_of, overlay
from evaluation.pages.plots.pairplot import pairs
from evaluation.pages.plots.residuals import residual_cloud, residual_histogram
from evaluation.pages.plots.timeline import Moment, timeline
from evaluation.pages.plots.whisker import whisker
from evaluation.pages.render import markup, render
from evaluation.pages.report_audit import FIGURES, audit_view, measured, write_figure
from evaluation.report_format import Count, CoverageHour, HistogramPair, Report, RequirementCheck, StageTimes, Verdict

DISTRIBUTIONS = 60  # features drawn
QUIET = 3  # features without drift that are shown at once, the others folded away
RATES = 40  # lines of the table of input faults
CATEGORIES = 24  # of a feature, listed by name
CLASSES = 12  # classes listed with their figures
CONFUSION = 20  # classes of the confusion matrix that fit on a page
P99 = {"p99_ms": "99 % of requests within"}  # when no limit is asked for
COMPARISONS = 6  # of the champion with others
CONVERGENCE = 3  # warnings of the fit
CURVES = {"roc": "ROC curve", "pr": "Precision and recall", "calibration": "Calibration"}


@dataclass(frozen=True)
class Answer:
    """One card of the first screen."""

    id: str
    title: str
    verdict: Verdict
    figure: str  # what the number is
    value: str
    before: str
    limit_title: str
    limit: str


def report_page(report: Report, *, served: bool = False, code: str | None = None) -> str:
    """The report as one self-contained HTML file; with links to its neighbours when it is `served`."""
    return render(
        "report.html.j2",
        report=report,
        served=served,
        code=code,
        window=numbers.window(report.window),
        words=words(report),
        made_of=made_of(report),
        answers=_answers(report),
        coverage_plots=_coverage_plots(report),
        courses=courses_of(report),
        reasons=_reasons(report),
        rates=_worst_rates(report),
        curve_plots=_curve_plots(report),
        residual_plots=_residual_plots(report),
        latency_plots=_latency_plots(report),
        clusters_pair=_occupancy(report),
        pairs=lambda plot, title: markup(pairs(plot, title)),
        cluster_map=lambda found, title: markup(cluster_map(found, title)),
        audit_view=audit_view(report.audit),
        measured=measured,
        limits={
            "distributions": DISTRIBUTIONS,
            "unfolded": _unfolded(report),
            "rates": RATES,
            "classes": CLASSES,
            "confusion": CONFUSION,
            "comparisons": COMPARISONS,
            "convergence": CONVERGENCE,
        },
        whisker=lambda figure: markup(whisker(figure)),
        expected=lambda figure: markup(expected(figure)),
        difference=lambda test: markup(difference(test)),
        categories=_categories,
        overlay=lambda *args, **named: markup(overlay(*args, **named)),
    )


def _answers(report: Report) -> list[Answer]:
    performance, profiling = report.performance, report.profiling
    titles = {figure.name: figure.title for figure in performance.figures}
    units = {figure.name: figure.unit for figure in performance.figures}
    requirements = {check.name: check.title for check in profiling.requirements}
    in_unit = functools.partial(_in_unit, unit=units.get(performance.verdict.figure or ""))
    return [
        _coverage_answer(report.coverage.verdict),
        _answer("Performance", performance.verdict, titles, in_unit, "may differ by"),
        _answer("Profiling", profiling.verdict, P99 | requirements, numbers.milliseconds, "allowed"),
        _answer("Drift", report.drift.verdict, {}, numbers.number, "alerts above", before="0"),
        *([] if report.audit is None else [_audit_answer(report.audit.verdict)]),
    ]


def _coverage_answer(verdict: Verdict) -> Answer:
    """Coverage itself or, when a feature decided, how often that one is missing."""
    if verdict.figure in (None, "coverage"):
        return _answer("Coverage", verdict, {"coverage": "sensible outputs ÷ calls"}, numbers.percent, "asked for")
    return _answer("Coverage", verdict, {verdict.figure: f"missing: {verdict.figure}"}, numbers.percent, "may rise by")


def _audit_answer(verdict: Verdict) -> Answer:
    write = functools.partial(write_figure, verdict.figure)
    return _answer("Audit", verdict, FIGURES, write, "allowed", before=numbers.NOTHING)


def _answer(
    title: str,
    verdict: Verdict,
    names: dict[str, str],
    write: Callable[[float | None], str],
    limit_title: str,
    before: str = "not measured",
) -> Answer:
    name = verdict.figure or ""
    unknown = numbers.NOTHING if verdict.value is None else before
    return Answer(
        id=title.lower(),
        title=title,
        verdict=verdict,
        figure=names.get(name, name),
        value=write(verdict.value),
        before=unknown if verdict.before is None else write(verdict.before),
        limit_title=limit_title,
        limit=write(verdict.threshold),
    )


def _in_unit(value: float | None, unit: str | None) -> str:
    return f"{numbers.number(value)} {unit}" if unit and value is not None else numbers.number(value)


def _coverage_plots(report: Report) -> dict[str, Any]:
    hours = report.coverage.hours
    figure, verdict = report.coverage.figure, report.coverage.verdict
    before, limit = figure.before, verdict.threshold if verdict.figure == "coverage" else figure.threshold
    days = report.window.hours > MOST_HOURS
    moments = [_moment(hour) for hour in hours if hour.counts.calls]
    return {
        "share": markup(timeline(moments, "Coverage over time", before=before, limit=limit)),
        "calls": markup(outcomes(hours, "Calls over time by outcome", days=days)),
        "unit": "day" if days else "hour",
    }


def _reasons(report: Report) -> list[Count]:
    """Reasons of instances and of bodies that could not be parsed, all as shares of the calls."""
    coverage = report.coverage
    calls = coverage.counts.calls or 1
    found = coverage.reasons[:10] + coverage.errors[:5]
    named = [Count(name=one.name, count=one.count, share=one.count / calls, of=one.of) for one in found]
    return sorted(named, key=lambda one: -one.count)


def _moment(hour: CoverageHour) -> Moment:
    counts = hour.counts
    value = counts.scored / counts.calls
    low, high = wilson(counts.scored, counts.calls) or (value, value)
    start = datetime.fromisoformat(hour.start)
    return Moment(start if start.tzinfo else start.replace(tzinfo=UTC), value, low, high, counts.calls)


def _worst_rates(report: Report) -> list[Any]:
    """Features with faults, the worst first: those that nothing is wrong with need no line."""
    order = {"alert": 0, "warn": 1, "ok": 2, "no data": 3}
    faulty = [
        f for f in report.coverage.features if f.missing or f.artifacts or f.outside or f.level in ("alert", "warn")
    ]
    return sorted(faulty, key=lambda f: (order[f.level], -(f.missing + f.artifacts + f.outside)))


def _unfolded(report: Report) -> int:
    """Features shown without a click: all that drifted, which come first, and the most important of the others."""
    features = report.drift.features
    drifted = sum(feature.level in ("warn", "alert") for feature in features)
    return len(features) if len(features) - drifted <= 2 * QUIET else drifted + QUIET


def _curve_plots(report: Report) -> list[dict[str, Any]]:
    plots = []
    for name, title in CURVES.items():
        lines = [curve for curve in report.performance.curves if curve.name == name]
        if lines:
            left_out = [curve.label for curve in lines[LINES:]]
            labels = [curve.label for curve in lines[:LINES]]
            plots.append({"title": title, "svg": markup(curves(lines, title)), "left_out": left_out, "labels": labels})
    return plots


def _residual_plots(report: Report) -> list[dict[str, Any]]:
    residuals = report.performance.residuals
    if residuals is None:
        return []
    return [
        {"title": "Residuals over predictions", "svg": markup(residual_cloud(residuals, "Residuals over predictions"))},
        {"title": "How far predictions were off", "svg": markup(residual_histogram(residuals, "Residuals"))},
    ]


def _occupancy(report: Report) -> HistogramPair | None:
    clusters = report.drift.clusters
    if clusters is None or len(clusters.occupancy_before) != len(clusters.occupancy_now):
        return None
    names = [str(index) for index in range(1, len(clusters.occupancy_before) + 1)]
    return HistogramPair(categories=names, before=clusters.occupancy_before, now=clusters.occupancy_now)


def _categories(pair: HistogramPair | None) -> list[Column]:
    """The categories by name, which a plot has no room for; none of a number."""
    if pair is None or pair.categories is None:
        return []
    main, apart = columns_of(pair, CATEGORIES)
    return main + apart


def _latency_plots(report: Report) -> list[dict[str, Any]]:
    """The stages that a requirement speaks of, or a reader asks for first."""
    checks = {check.name: check for check in report.profiling.requirements}
    stages = {stage.name: stage for stage in report.profiling.stages}
    wanted: Sequence[tuple[str, StageTimes | None, RequirementCheck | None]] = [
        ("A request, without the wait for the log", stages.get("total"), checks.get("p99_ms")),
        ("The wait for the log", stages.get("append"), None),
        ("Cold starts", report.profiling.cold_ms, checks.get("cold_start_ms")),
    ]
    return [
        {"title": title, "svg": markup(latency(stage, title, limit_ms=check.limit_ms if check else None)), "n": stage.n}
        for title, stage, check in wanted
        if stage is not None and stage.n
    ]
