"""What a candidate's predictions are worth: the figures that production is measured by, fold by fold and pooled.

The figures are those of `evaluation.metrics`, over the pooled predictions of all training rows, with their 95 %
intervals. The metric asked for is computed in each fold too: the score is the mean over the folds, and its standard
error their standard deviation ÷ √folds. A precision or F1 that is undefined in a fold, since the class was never
predicted there, counts as 0, as in scikit-learn; any other figure that is undefined leaves the candidate without a
score, which cannot be picked.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evaluation.confusion_figures import confusion_matrix
from evaluation.curves import ranking_curves
from evaluation.figure_names import TITLES
from evaluation.measured import Measured
from evaluation.metrics import classification_of_indices, regression_metrics
from evaluation.pages.text import shown
from evaluation.report_format import Curve
from evaluation.wording import share
from training.candidates.catalogue import BASELINE, Candidate
from training.candidates.cross_validation import Indices, OutOfFold, Predictions
from training.candidates.problem import Problem
from training.candidates.target import Target
from training.errors import FitRefused

BINARY = ("accuracy", "balanced_accuracy", "precision", "recall", "f1", "mcc", "roc_auc", "pr_auc", "log_loss", "brier")
MULTICLASS = (
    "accuracy", "balanced_accuracy", "precision_macro", "recall_macro", "f1_macro", "mcc", "roc_auc_macro",
    "pr_auc_macro", "log_loss", "brier",
)  # fmt: skip
REGRESSION = ("rmse", "mae", "mape", "smape", "r2")
NEVER_PREDICTED = frozenset({"precision", "precision_macro", "f1", "f1_macro"})


@dataclass(frozen=True)
class Judged:
    """A candidate with its figures."""

    out_of_fold: OutOfFold
    figures: dict[str, Measured]
    by_fold: tuple[float, ...]  # of the metric asked for; empty when it failed or the metric is undefined
    most_predicted: tuple[str, float] | None  # the class predicted most, and its share
    remarks: tuple[str, ...]  # what to know about it, in words
    confusion: tuple[tuple[int, ...], ...] = ()  # rows: truth, columns: prediction

    @property
    def candidate(self) -> Candidate:
        """What was judged."""
        return self.out_of_fold.candidate

    @property
    def score(self) -> float | None:
        """Mean over the folds."""
        return float(np.mean(self.by_fold)) if self.by_fold else None

    @property
    def error(self) -> float:
        """Its standard error."""
        return float(np.std(self.by_fold, ddof=1)) / math.sqrt(len(self.by_fold)) if len(self.by_fold) > 1 else 0.0


def metric_of(wanted: str | None, target: Target) -> str:
    """The metric's name for this target; without a wish accuracy, balanced accuracy with a rare class, or RMSE."""
    known = {"binary": BINARY, "multiclass": MULTICLASS, "regression": REGRESSION}[target.task]
    if wanted is None:
        if target.task == "regression":
            return "rmse"
        return "balanced_accuracy" if target.has_rare_class else "accuracy"
    for name in (wanted, f"{wanted}_macro"):
        if name in known:
            return name
    raise FitRefused(f"metric {wanted!r}: for this target there are {', '.join(known)}")


def higher_is_better(metric: str) -> bool:
    """Whether more of it is better."""
    return TITLES[metric][1] == "higher"


def judged(found: OutOfFold, problem: Problem, folds: Indices, metric: str) -> Judged:
    """Figures, pooled and by fold, and remarks."""
    if found.failed is not None:
        return Judged(found, {}, (), None, (f"could not be fitted: {found.failed}",))
    predictions, target = found.predictions, problem.target
    figures = figures_of(predictions, problem.truth, target, problem.seed)
    matrix = None if predictions.labels is None else _confusion(problem.truth, predictions.labels, target)
    by_fold = _by_fold(predictions, problem, folds, metric)
    most = None if matrix is None else _most_predicted(matrix, target)
    remarks = _remarks(found, figures, most, problem, metric if by_fold is None else None)
    confusion = () if matrix is None else tuple(tuple(row) for row in matrix.tolist())
    return Judged(found, figures, tuple(by_fold or ()), most, tuple(remarks), confusion)


def figures_of(
    predictions: Predictions, truth: npt.NDArray[np.generic], target: Target, seed: int
) -> dict[str, Measured]:
    """All figures of these predictions."""
    if predictions.values is not None:
        return regression_metrics(truth.astype(np.float64), predictions.values)
    assert predictions.labels is not None
    return classification_of_indices(
        truth.astype(np.int64),
        predictions.labels,
        classes=list(target.classes),
        positive=target.positive,
        probabilities=predictions.probabilities,
        scores=predictions.scores,
        seed=seed,
    )


def curves_of(found: Judged, problem: Problem, label: str) -> list[Curve]:
    """ROC and precision-recall curves of the positive class of two; none without scores."""
    ranking = positive_scores(found.out_of_fold.predictions, problem.target)
    if ranking is None:
        return []
    positive = problem.truth == problem.target.classes.index(_positive(problem.target))
    return ranking_curves(positive, ranking, label)


def positive_scores(predictions: Predictions, target: Target) -> npt.NDArray[np.float64] | None:
    """What ranks the rows for the positive class: its probability, or a decision function turned towards it."""
    if target.task != "binary":
        return None
    index = target.classes.index(_positive(target))
    if predictions.probabilities is not None:
        column: npt.NDArray[np.float64] = predictions.probabilities[:, index]
        return column
    if predictions.scores is None:
        return None
    return predictions.scores if index == 1 else -predictions.scores


def taken(predictions: Predictions, rows: npt.NDArray[np.generic]) -> Predictions:
    """The predictions of some of the rows."""
    every = (predictions.labels, predictions.probabilities, predictions.scores, predictions.values)
    return Predictions(*(None if values is None else values[rows] for values in every))


def _by_fold(predictions: Predictions, problem: Problem, folds: Indices, metric: str) -> list[float] | None:
    values = []
    for fold in range(problem.folds):
        rows = folds == fold
        figures = figures_of(taken(predictions, rows), problem.truth[rows], problem.target, problem.seed)
        value = figures[metric].value
        if value is None and metric in NEVER_PREDICTED:
            value = 0.0
        if value is None:
            return None
        values.append(value)
    return values


def _confusion(truth: npt.NDArray[np.generic], labels: Indices, target: Target) -> Indices:
    return confusion_matrix(truth.astype(np.int64), labels, len(target.classes))


def _most_predicted(matrix: Indices, target: Target) -> tuple[str, float]:
    predicted = matrix.sum(axis=0)
    index = int(np.argmax(predicted))
    return str(target.classes[index]), float(predicted[index] / predicted.sum())


def _remarks(
    found: OutOfFold,
    figures: dict[str, Measured],
    most: tuple[str, float] | None,
    problem: Problem,
    undefined: str | None,
) -> list[str]:
    remarks = []
    if undefined is not None:
        remarks.append(f"has no {TITLES[undefined][0]}: {figures[undefined].status or 'undefined in a fold'}")
    if found.candidate.name == BASELINE:
        return remarks
    if most is not None:
        remarks += _against_the_commonest(figures, most, problem.target)
    else:
        spread = float(np.sqrt(np.mean((problem.train.y - np.mean(problem.train.y)) ** 2)))
        if (figures["rmse"].value or 0.0) >= spread:
            remarks.append(f"does not beat always answering the mean (error {spread:.4g})")
    return remarks


def _against_the_commonest(figures: dict[str, Measured], most: tuple[str, float], target: Target) -> Sequence[str]:
    """What accuracy hides when a class is rare."""
    always = f"always answering {shown(str(target.common), 40)} ({share(max(target.shares))})"
    if most[1] == 1.0:
        return [f"predicts one class only: {shown(most[0], 40)}"]
    accuracy, recall = figures["accuracy"].value or 0.0, figures.get("recall")
    if accuracy > max(target.shares):
        return []
    finds = ""
    if recall is not None and recall.value:
        finds = f", but finds {share(recall.value)} of {shown(str(target.positive), 40)}"
    return [f"does not beat {always}{finds}"]


def _positive(target: Target) -> str | int | float | bool:
    assert target.positive is not None
    return target.positive
