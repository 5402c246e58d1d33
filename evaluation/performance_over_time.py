"""The headline of performance by hour or day of scoring, each judged as if it stood alone. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evaluation.figure_names import figure_of
from evaluation.label_join import Joined
from evaluation.measured import Measured
from evaluation.over_time import Beyond, course, is_by_day, stretches
from evaluation.performance import headlines
from evaluation.report_format import Course, Figure, Moment
from evaluation.thresholds import Thresholds
from evaluation.verdicts import judged
from scoring.bundle import Manifest, Metric


def performance_courses(
    joined: Joined, manifest: Manifest | None, version: str, hours: Sequence[str], thresholds: Thresholds
) -> list[Course]:
    """The course of the headline, of `version` as champion; none without labels. `hours` are the window's."""
    rows = joined.pairs.get((version, "champion"))
    if manifest is None or rows is None or not len(rows) or not hours:
        return []
    starts = list(stretches(hours))
    name, found = headlines(rows, _stretch(rows, starts), manifest)
    before = manifest.metrics.get(name)
    figures = {
        start: judged(figure_of(name, found[number], manifest.target_unit), before, thresholds)
        for number, start in enumerate(starts)
        if number in found
    }
    one = figure_of(name, next(iter(found.values()), Measured(value=None, n=0)), manifest.target_unit)
    beyond: Beyond = "below" if one.better == "higher" else "above"
    found_course = course(
        name,
        one.title,
        [_moment(start, figure) for start, figure in figures.items()],
        "Worse than it may be",
        by_day=is_by_day(hours),
        beyond=beyond,
        unit=one.unit,
        before=None if before is None else before.value,
        threshold=_turns_at(name, before, beyond, thresholds),
    )
    return [found_course] if found_course.moments else []


def _stretch(rows: pd.DataFrame, starts: Sequence[str]) -> NDArray[np.int64]:
    """The number of each row's stretch; a record that was scored moments outside the window belongs to its edge."""
    begins = np.array([start.removesuffix("Z") for start in starts], "datetime64[us]")
    places: NDArray[np.int64] = np.searchsorted(begins, rows["ts"].to_numpy("datetime64[us]"), side="right") - 1
    return np.clip(places, 0, len(starts) - 1)


def _moment(start: str, figure: Figure) -> Moment:
    return Moment(start=start, value=figure.value, n=figure.n, low=figure.low, high=figure.high, level=figure.level)


def _turns_at(name: str, before: Metric | None, beyond: Beyond, thresholds: Thresholds) -> float | None:
    """The value at which the verdict turns."""
    if before is None:
        return None
    margin = thresholds.margin(name, before.value)
    return before.value - margin if beyond == "below" else before.value + margin
