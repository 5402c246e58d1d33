"""The comparison as one self-contained HTML file, in the look of the reports: the pick and why first.

Names of columns, classes and files come from outside; the templates escape and shorten them as on every page.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.figure_names import TITLES
from evaluation.pages.numbers import number, percent
from evaluation.pages.plots.curves import LINES, curves
from evaluation.pages.render import markup, render
from evaluation.report_format import Confusion, Curve
from training.candidates.catalogue import BASELINE
from training.candidates.comparison import Comparison, Pick
from training.candidates.judging import Judged, curves_of, positive_scores
from training.candidates.plots.spread import spread
from training.candidates.plots.threshold import LINES as RATES
from training.candidates.plots.threshold import threshold
from training.candidates.problem import Problem
from training.candidates.selection import score_in_words

SHOWN = {
    "binary": ("accuracy", "balanced_accuracy", "precision", "recall", "f1", "roc_auc"),
    "multiclass": ("accuracy", "balanced_accuracy", "precision_macro", "recall_macro", "f1_macro", "roc_auc_macro"),
    "regression": ("rmse", "mae", "r2", "mape"),
}
SHORT = {
    "recall": "Recall", "rmse": "RMSE", "mae": "MAE", "mape": "MAPE", "roc_auc_macro": "ROC AUC, macro",
}  # fmt: skip
MATRICES, CLASSES, COLUMNS = 6, 12, 60
NAMES = {"roc": "ROC curve", "pr": "Precision and recall"}


@dataclass(frozen=True)
class Line:
    """One candidate's line of the table."""

    title: str
    name: str
    score: str
    values: list[str]
    most: str
    remarks: list[str]
    warned: list[str]
    seconds: float
    picked: bool
    baseline: bool


def write_page(path: Path, page: str) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{uuid.uuid4().hex}.unfinished")
    try:
        unfinished.write_text(page, encoding="utf-8")
        os.replace(unfinished, path)  # noqa: PTH105
    except BaseException:
        with contextlib.suppress(OSError):
            unfinished.unlink()
        raise


def comparison_page(comparison: Comparison, pick: Pick, *, name: str, made: str) -> str:
    """The page; `name` is the model's, `made` an RFC 3339 time."""
    problem, target = comparison.problem, comparison.problem.target
    order = ordered(comparison)
    title = TITLES[comparison.metric][0]
    return render(
        "comparison.html.j2",
        served=False,
        name=name,
        made=made,
        comparison=comparison,
        pick=pick,
        problem=problem,
        target=target,
        metric=title,
        columns=[heading(figure) for figure in figures_shown(comparison)],
        lines=[_line(one, comparison, pick) for one in order],
        tests=_tests(comparison, pick),
        spread=markup(spread(comparison.selection.ranked, comparison.baseline, title)),
        curves=_curve_plots(comparison, pick),
        thresholds=_threshold_plots(comparison),
        rates=RATES,
        matrices=_matrices(comparison, pick),
        convergence=_convergence(comparison, pick),
        by_type=_by_type(problem),
        limits={"classes": CLASSES, "columns": COLUMNS},
    )


def heading(figure: str) -> str:
    """A figure's name that fits the head of a column."""
    return SHORT.get(figure, TITLES[figure][0])


def ordered(comparison: Comparison) -> list[Judged]:
    """The baseline, then the best first, then those without a score."""
    ranked = list(comparison.selection.ranked)
    return [comparison.baseline, *ranked, *(one for one in comparison.found if one not in ranked and not _is_base(one))]


def figures_shown(comparison: Comparison) -> list[str]:
    """The figures of the table, without the one that is shown by fold."""
    return [figure for figure in SHOWN[comparison.problem.target.task] if figure != comparison.metric]


def values_of(judged: Judged, comparison: Comparison) -> list[str]:
    """These figures, as text."""
    found = [judged.figures.get(figure) for figure in figures_shown(comparison)]
    return [number(None if measured is None else measured.value) for measured in found]


def _is_base(judged: Judged) -> bool:
    return judged.candidate.name == BASELINE


def _line(judged: Judged, comparison: Comparison, pick: Pick) -> Line:
    return Line(
        title=judged.candidate.title,
        name=judged.candidate.name,
        score=score_in_words(judged),
        values=values_of(judged, comparison),
        most=f"{percent(judged.most_predicted[1])}" if judged.most_predicted else "–",
        remarks=list(judged.remarks),
        warned=[*judged.out_of_fold.convergence, *judged.out_of_fold.warnings],
        seconds=judged.out_of_fold.seconds,
        picked=judged is pick.judged,
        baseline=_is_base(judged),
    )


def _tests(comparison: Comparison, pick: Pick) -> list[dict[str, str]]:
    """The pick on the test rows beside cross-validation."""
    return [
        {
            "title": heading(figure),
            "test": number(measured.value),
            "interval": f"{number(measured.low)} to {number(measured.high)}" if measured.low is not None else "–",
            "folds": number(pick.judged.figures[figure].value),
        }
        for figure in SHOWN[comparison.problem.target.task]
        if (measured := pick.figures.get(figure)) is not None
    ]


def _curve_plots(comparison: Comparison, pick: Pick) -> list[dict[str, Any]]:
    others = [one for one in comparison.selection.ranked if one is not pick.judged]
    drawn: list[tuple[str, list[Curve]]] = []
    left_out = 0
    for one in (pick.judged, *others):
        found = curves_of(one, comparison.problem, one.candidate.title)
        if found and len(drawn) < LINES:
            drawn.append((one.candidate.title, found))
        elif found:
            left_out += 1
    plots = []
    for name, title in NAMES.items():
        lines = [curve for _, found in drawn for curve in found if curve.name == name]
        if lines:
            labels = [curve.label for curve in lines]
            plots.append({"title": title, "svg": markup(curves(lines, title)), "labels": labels, "left_out": left_out})
    return plots


def _threshold_plots(comparison: Comparison) -> list[dict[str, Any]]:
    target = comparison.problem.target
    plots = []
    for one in comparison.selection.ranked:
        tuned = one.out_of_fold.thresholds
        scores = positive_scores(one.out_of_fold.predictions, target) if tuned else None
        if scores is not None and target.positive is not None:
            positive = comparison.problem.truth == target.classes.index(target.positive)
            title = one.candidate.title
            plots.append({"title": title, "svg": markup(threshold(scores, positive, tuned, title))})
    return plots


def _matrices(comparison: Comparison, pick: Pick) -> list[dict[str, Any]]:
    labels = [str(label) for label in comparison.problem.target.classes]
    others = [one for one in comparison.selection.ranked if one is not pick.judged]
    shown = [one for one in (pick.judged, comparison.baseline, *others) if one.confusion][:MATRICES]
    return [
        {
            "title": one.candidate.title,
            "open": index < 2,
            "matrix": Confusion(labels=labels[:CLASSES], counts=[list(row) for row in one.confusion]),
        }
        for index, one in enumerate(shown)
    ]


def _convergence(comparison: Comparison, pick: Pick) -> list[tuple[str, Sequence[str]]]:
    told = [(one.candidate.title, one.out_of_fold.convergence) for one in ordered(comparison)]
    own = [(f"{pick.judged.candidate.title}, fitted on all training rows", pick.convergence)]
    return [(title, notes) for title, notes in (*own, *told) if notes]


def _by_type(problem: Problem) -> list[tuple[str, int]]:
    kinds = [column.kind for column in problem.columns.every]
    return [(kind, kinds.count(kind)) for kind in ("float", "integer", "boolean", "string") if kind in kinds]
