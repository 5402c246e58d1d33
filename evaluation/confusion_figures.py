"""Figures that are functions of a confusion matrix: one set of formulas for the value and for its resamples."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from evaluation import intervals
from evaluation.measured import DIRICHLET, WILSON, Floats, Indices, Measured, measured, undefined


def _proportion(part: float, whole: float, why: str) -> Measured:
    if whole <= 0:
        return undefined(0, why)
    return measured(part / whole, int(whole), intervals.wilson(part, whole), WILSON)


def accuracy(truth: Indices, predicted: Indices) -> Measured:
    """The share of predictions that are right, from positions of classes."""
    return _proportion(float((truth == predicted).sum()), len(truth), "no instance")


def binary_counts(confusion: Indices, index: int, seed: int) -> dict[str, Measured]:
    """Accuracy, balanced accuracy and MCC, and the positive class's own figures."""
    n = int(confusion.sum())
    figures = {"accuracy": _proportion(float(np.trace(confusion)), n, "no instance")}
    figures["balanced_accuracy"] = _resampled(confusion, balanced_accuracy, seed, _all_present(confusion))
    figures |= class_counts(confusion, index, seed)
    figures["mcc"] = _resampled(confusion, matthews, seed, _two_present(confusion))
    return figures


def class_counts(confusion: Indices, index: int, seed: int) -> dict[str, Measured]:
    """Precision, recall, false positive rate and F1 of one class against the rest."""
    hit = float(confusion[index, index])
    predicted, actual, n = float(confusion[:, index].sum()), float(confusion[index].sum()), float(confusion.sum())
    return {
        "precision": _proportion(hit, predicted, "undefined: the class was never predicted"),
        "recall": _proportion(hit, actual, "undefined: the truth never is this class"),
        "fpr": _proportion(predicted - hit, n - actual, "undefined: the truth always is this class"),
        "f1": _resampled(
            _one_class(confusion, index),
            f1_of_second,
            seed,
            None if predicted + actual else "undefined: the class is neither predicted nor true",
        ),
    }


def multiclass_counts(confusion: Indices, seed: int) -> dict[str, Measured]:
    """Accuracy, and the means over the classes."""
    present = _all_present(confusion)
    predicted = None if (confusion.sum(axis=0) > 0).all() else "undefined: a class was never predicted"
    return {
        "accuracy": _proportion(float(np.trace(confusion)), int(confusion.sum()), "no instance"),
        "balanced_accuracy": _resampled(confusion, balanced_accuracy, seed, _some(confusion)),
        "precision_macro": _resampled(confusion, macro_precision, seed, predicted),
        "recall_macro": _resampled(confusion, balanced_accuracy, seed, present),
        "fpr_macro": _resampled(confusion, macro_false_positive_rate, seed, _none_always(confusion)),
        "f1_macro": _resampled(confusion, macro_f1, seed, present),
        "mcc": _resampled(confusion, matthews, seed, _two_present(confusion)),
    }


def _resampled(
    confusion: Indices,
    formula: Callable[[Floats], Floats],
    seed: int,
    why: str | None,
) -> Measured:
    n = int(confusion.sum())
    if why is not None:
        return undefined(n, why)
    value = float(formula(confusion[np.newaxis].astype(np.float64))[0])
    interval = intervals.of_counts(confusion, formula, value, seed=seed)
    return measured(value, n, interval, DIRICHLET)


def _some(confusion: Indices) -> str | None:
    return None if confusion.sum() else "no instance"


def _all_present(confusion: Indices) -> str | None:
    absent = int((confusion.sum(axis=1) == 0).sum())
    if not absent:
        return None
    return f"undefined: {absent} of {len(confusion)} classes never are the truth" if confusion.sum() else "no instance"


def _none_always(confusion: Indices) -> str | None:
    n = confusion.sum()
    if (confusion.sum(axis=1) < n).all():
        return None
    return "undefined: the truth always is one class" if n else "no instance"


def _two_present(confusion: Indices) -> str | None:
    if (confusion.sum(axis=1) > 0).sum() > 1:
        return None
    return "undefined: the truth has one class only" if confusion.sum() else "no instance"


def _one_class(confusion: Indices, index: int) -> Indices:
    """The 2 × 2 matrix of a class against the rest, the class second."""
    hit, actual, predicted = confusion[index, index], confusion[index].sum(), confusion[:, index].sum()
    rest = confusion.sum() - actual - predicted + hit
    return np.array([[rest, predicted - hit], [actual - hit, hit]], np.int64)


def _divide(part: Floats, whole: Floats) -> Floats:
    """part ÷ whole, NaN where there is nothing to divide by."""
    quotient: Floats = np.divide(part, whole, out=np.full(np.broadcast(part, whole).shape, np.nan), where=whole != 0)
    return quotient


def balanced_accuracy(confusions: Floats) -> Floats:
    """Mean recall of the classes that are there; confusions is [resamples, k, k]."""
    recalls = _divide(np.diagonal(confusions, axis1=1, axis2=2), confusions.sum(axis=2))
    return _mean_of_defined(recalls)


def macro_precision(confusions: Floats) -> Floats:
    """Mean precision of the classes that were predicted."""
    return _mean_of_defined(_divide(np.diagonal(confusions, axis1=1, axis2=2), confusions.sum(axis=1)))


def macro_false_positive_rate(confusions: Floats) -> Floats:
    """Mean over the classes of the share of other classes' instances that were taken for this one."""
    hits = np.diagonal(confusions, axis1=1, axis2=2)
    others = confusions.sum(axis=(1, 2))[:, np.newaxis] - confusions.sum(axis=2)
    return _mean_of_defined(_divide(confusions.sum(axis=1) - hits, others))


def macro_f1(confusions: Floats) -> Floats:
    """Mean F1 over the classes: 2·hits ÷ (predicted + true)."""
    hits = np.diagonal(confusions, axis1=1, axis2=2)
    return _mean_of_defined(_divide(2 * hits, confusions.sum(axis=1) + confusions.sum(axis=2)))


def f1_of_second(confusions: Floats) -> Floats:
    """F1 of the second of two classes."""
    hits = confusions[:, 1, 1]
    return _divide(2 * hits, confusions[:, 1].sum(axis=1) + confusions[:, :, 1].sum(axis=1))


def matthews(confusions: Floats) -> Floats:
    """Matthews' correlation for any number of classes (Gorodkin 2004); 0 where one side has a single class."""
    true, predicted = confusions.sum(axis=2), confusions.sum(axis=1)
    n, hits = confusions.sum(axis=(1, 2)), np.trace(confusions, axis1=1, axis2=2)
    covariance = hits * n - (true * predicted).sum(axis=1)
    spread = np.sqrt(n**2 - (predicted**2).sum(axis=1)) * np.sqrt(n**2 - (true**2).sum(axis=1))
    correlation: Floats = np.divide(covariance, spread, out=np.zeros_like(spread), where=spread > 0)
    return correlation.clip(-1.0, 1.0)  # the roots are rounded: a perfect prediction may come to 1 + 2⁻⁵²


def _mean_of_defined(values: Floats) -> Floats:
    defined = np.isfinite(values)
    return _divide(np.where(defined, values, 0.0).sum(axis=1), defined.sum(axis=1).astype(np.float64))


def confusion_matrix(truth: Indices, predicted: Indices, size: int) -> Indices:
    """Counts [size, size]; rows the truth, columns the prediction."""
    return np.bincount(truth * size + predicted, minlength=size * size).reshape(size, size)
