"""The headline of performance by hour or day of scoring, each judged as if it stood alone. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evaluation.confusion_figures import accuracy
from evaluation.figure_names import HEADLINE, figure_of
from evaluation.label_indices import positive_index
from evaluation.label_join import Joined
from evaluation.labelled_pairs import pairs_of
from evaluation.measured import Measured, undefined
from evaluation.over_time import Beyond, course, is_by_day, stretches
from evaluation.probability_figures import ranking_of, roc_auc
from evaluation.regression_figures import rmse
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
    parts: Iterable[tuple[Any, pd.DataFrame]] = rows.groupby(_stretch(rows, starts))
    found = {int(number): _headline(part, manifest) for number, part in parts}
    name = _headline_name(manifest)
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


def _headline_name(manifest: Manifest) -> str:
    """A classifier of two classes that ranks nothing has its accuracy instead."""
    ranks = manifest.output.probabilities is not None or manifest.output.score is not None
    return HEADLINE[manifest.task] if ranks or manifest.task != "binary" else "accuracy"


def _headline(rows: pd.DataFrame, manifest: Manifest) -> Measured:
    """What the section would say of these rows alone."""
    pairs = pairs_of(rows, manifest)
    if manifest.task == "regression":
        return rmse(pairs.predicted - pairs.truth) if len(pairs.truth) else undefined(0, "no instance")
    if manifest.task == "binary":
        index = positive_index(manifest.classes, manifest.positive)
        ranking = ranking_of(pairs.probabilities, pairs.scores, index)
        if ranking is not None:
            return roc_auc(pairs.truth == index, ranking)
    return accuracy(pairs.truth, pairs.predicted)


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
