"""Figures over time, so that "since when" has an answer. Pure.

A window is cut into stretches: its hours, or its days when it is longer than seven days, as coverage does. Each stretch
is judged as if it stood alone, by the verdict's own rule, so a stretch with few instances has no data rather than a
wild level. A section gets the figure that its verdict rests on: the headline of performance, the 99 % quantiles of run
times, the distance of what drifted most.

"Since" speaks of the end of the window: the first stretch that alerts, when it and all that follow are beyond the
threshold. Stretches that cannot be judged are passed over. A figure that has recovered by the end says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from evaluation.intervals import wilson
from evaluation.pages import numbers
from evaluation.pages.numbers import counted
from evaluation.report_format import Course, CoverageHour, Level, Moment

MOST_HOURS = 168
MOST_DAYS = 400
Beyond = Literal["above", "below"]
_MIDNIGHT = "T00:00:00Z"


def stretches(hours: Iterable[str]) -> dict[str, list[str]]:
    """Start of each hour → hours by the start of their stretch: each alone, or by day when there are more than 168.

    >>> stretches(["2026-11-23T14:00:00Z", "2026-11-23T13:00:00Z"])
    {'2026-11-23T13:00:00Z': ['2026-11-23T13:00:00Z'], '2026-11-23T14:00:00Z': ['2026-11-23T14:00:00Z']}
    """
    ordered = sorted(hours)
    by_day, groups = is_by_day(ordered), dict[str, list[str]]()
    for hour in ordered:
        groups.setdefault(f"{hour[:10]}{_MIDNIGHT}" if by_day else hour, []).append(hour)
    return groups


def course(
    name: str,
    title: str,
    moments: Sequence[Moment],
    said: str,
    *,
    by_day: bool,
    beyond: Beyond = "above",
    unit: str | None = None,
    before: float | None = None,
    threshold: float | None = None,
) -> Course:
    """The moments that have a value, at most 400, with since when they are beyond the threshold in the words `said`.

    >>> moments = [Moment(start=f"2026-11-{day}T00:00:00Z", value=v, n=9, level=level)
    ...            for day, v, level in ((13, 1.0, "ok"), (14, 3.0, "alert"), (16, 4.0, "alert"))]
    >>> course("p99_ms", "p99", moments, "Slower than allowed", by_day=True, threshold=2.0).sentence
    'Slower than allowed since 14 Nov 2026, in both of the 2 days with a verdict.'
    """
    known = [moment for moment in moments if moment.value is not None][-MOST_DAYS:]
    run = _last_run(known, threshold, beyond)
    return Course(
        name=name,
        title=title,
        unit=unit,
        before=before,
        threshold=threshold,
        moments=known,
        since=run[0].start if run else None,
        sentence=_sentence(said, run, known, "day" if by_day else "hour") if run else "",
    )


def coverage_since(hours: Sequence[CoverageHour], limit: float, *, by_day: bool) -> str:
    """Since when coverage is below its limit, beyond chance by its 95 % interval; empty when it is not."""
    moments = []
    for hour in hours:
        interval = wilson(hour.counts.scored, hour.counts.calls)
        if interval is not None:
            level: Level = "alert" if interval[1] < limit else "ok"
            value = hour.counts.coverage
            moments.append(Moment(start=hour.start, value=value, n=hour.counts.calls, level=level))
    said = "Below what is asked for"
    return course("coverage", "Coverage", moments, said, by_day=by_day, beyond="below", threshold=limit).sentence


def is_by_day(hours: Sequence[str]) -> bool:
    """Whether a window of these hours is cut into days."""
    return len(hours) > MOST_HOURS


def _last_run(known: Sequence[Moment], threshold: float | None, beyond: Beyond) -> list[Moment]:
    """The moments at the end that are all beyond the threshold, from the first of them that alerts."""
    if threshold is None:
        return []
    judged = [moment for moment in known if moment.level != "no data"]
    run: list[Moment] = []
    for moment in reversed(judged):
        value = moment.value or 0.0
        if not (value > threshold if beyond == "above" else value < threshold):
            break
        run.insert(0, moment)
    first = next((place for place, moment in enumerate(run) if moment.level == "alert"), len(run))
    return run[first:]


def _sentence(said: str, run: Sequence[Moment], known: Sequence[Moment], unit: str) -> str:
    judged = [moment for moment in known if moment.level != "no data"]
    if len(run) == len(judged):
        return f"{said} in every {unit} of this window with a verdict, {counted(len(run), unit)} in all."
    each = {1: f"the last {unit}", 2: f"both of the 2 {unit}s"}.get(len(run), f"each of the {counted(len(run), unit)}")
    return f"{said} since {brief(run[0].start, unit)}, in {each} with a verdict."


def brief(start: str, unit: str) -> str:
    """The start of a stretch as a sentence says it.

    >>> brief("2026-11-04T09:00:00Z", "day"), brief("2026-11-04T09:00:00Z", "hour")
    ('4 Nov 2026', '4 Nov 2026, 09:00 UTC')
    """
    return numbers.day(start) if unit == "day" else numbers.when(start)
