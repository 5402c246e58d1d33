"""Performance figures with n and a 95 % interval: the same functions before production and in it.

The bundle's `Manifest.metrics` holds what these functions say of the test set, and the report what they say of
production, so the two differ only in the data. Values equal scikit-learn's (tests hold them to 1e-12). What cannot be
computed is not zero: the figure comes with no value and a status that says why.

Names of the figures

- binary, of the positive class: accuracy, balanced_accuracy, precision, recall (TPR), fpr, f1, mcc, roc_auc, pr_auc
  (average precision), log_loss, brier, ece;
- multiclass: accuracy, balanced_accuracy, precision_macro, recall_macro, f1_macro, mcc, roc_auc_macro (one against
  the rest), pr_auc_macro, log_loss, brier, ece, and for each of at most 50 classes `precision:<class>`,
  `recall:<class>`, `fpr:<class>`, `f1:<class>`, `roc_auc:<class>`, `pr_auc:<class>`;
- regression: rmse, mae, mape, smape, r2, bias (mean of prediction − truth).

Intervals: `evaluation.intervals`. ECE: `evaluation.curves`.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sk

from evaluation import intervals
from evaluation.curves import ece_of_cells, reliability_cells
from scoring.bundle import Label, Metric, class_key

MOST_CLASSES = 50

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

_WILSON, _DELTA, _BOOTSTRAP = "Wilson", "delta method", "bootstrap of the counts, 1,000 resamples"


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One figure; `value` is None where it is undefined, and `status` says why."""

    value: float | None
    n: int
    low: float | None = None
    high: float | None = None
    interval: str | None = None
    status: str | None = None


def classification_metrics(
    truth: Sequence[Label],
    predicted: Sequence[Label],
    *,
    classes: Sequence[Label],
    positive: Label | None = None,
    probabilities: NDArray[np.floating] | None = None,
    scores: NDArray[np.floating] | None = None,
    seed: int = 0,
) -> dict[str, Measured]:
    """Figures of a classifier, by name; two classes make it binary.

    `truth` and `predicted` are n labels out of `classes` (k, in the order of the probabilities' columns);
    `probabilities` is [n, k]; `scores` [n] is a binary decision function, larger for `classes[1]`, used for the AUCs
    when there are no probabilities. `positive` (binary) defaults to `classes[1]`. Raises `ValueError` for a label
    that is not a class, lengths that differ, or values that are not finite.

    >>> found = classification_metrics(["a", "b", "b"], ["a", "b", "a"], classes=["a", "b"])
    >>> round(found["accuracy"].value, 4), found["precision"].value, found["log_loss"].status
    (0.6667, 1.0, 'the model gives no probabilities')
    """
    return classification_of_indices(
        class_indices(truth, classes),
        class_indices(predicted, classes),
        classes=classes,
        positive=positive,
        probabilities=probabilities,
        scores=scores,
        seed=seed,
    )


def classification_of_indices(
    truth: Indices,
    predicted: Indices,
    *,
    classes: Sequence[Label],
    positive: Label | None = None,
    probabilities: NDArray[np.floating] | None = None,
    scores: NDArray[np.floating] | None = None,
    seed: int = 0,
) -> dict[str, Measured]:
    """The same from positions in `classes`, shape [n], as the label join has them."""
    truth, predicted = np.asarray(truth, np.int64), np.asarray(predicted, np.int64)
    likelihood = None if probabilities is None else _checked(probabilities, (len(truth), len(classes)))
    decision = None if scores is None else _checked(scores, (len(truth),))
    if len(truth) != len(predicted):
        raise ValueError(f"{len(truth)} truths and {len(predicted)} predictions: as many of each are needed")
    confusion = confusion_matrix(truth, predicted, len(classes))
    if len(classes) == 2:
        index = positive_index(classes, positive)
        ranking = _ranking(likelihood, decision, index)
        found = _binary_counts(confusion, index, seed) | _ranked(truth == index, ranking)
    else:
        found = _multiclass_counts(confusion, seed) | _one_against_rest(truth, likelihood, confusion, classes)
    return found | _probabilistic(truth, predicted, likelihood, classes, positive, seed)


def regression_metrics(truth: Sequence[float] | Floats, predicted: Sequence[float] | Floats) -> dict[str, Measured]:
    """Figures of a regression, by name, from n true and n predicted values, all finite (`ValueError` otherwise).

    MAPE and sMAPE are fractions, as in scikit-learn: 0.1 is 10 %. MAPE leaves zero targets out and says how many;
    sMAPE = mean(2·|e| / (|truth| + |prediction|)), 0 where both are zero.

    >>> found = regression_metrics([0.0, 2.0, 4.0], [1.0, 2.0, 5.0])
    >>> round(found["rmse"].value, 4), found["mape"].value, found["mape"].status
    (0.8165, 0.125, '1 zero target left out')
    """
    y = _checked(truth, (len(truth),))
    p = _checked(predicted, (len(y),))
    if not len(y):
        return {name: _undefined(0, "no instance") for name in ("rmse", "mae", "mape", "smape", "r2", "bias")}
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        errors = p - y
        size = np.abs(y) + np.abs(p)
        symmetric = np.where(size > 0, 2 * np.abs(errors) / np.where(size > 0, size, 1.0), 0.0)
        return {
            "rmse": _rmse(errors),
            "mae": _mean(np.abs(errors)),
            "mape": _mape(y, errors),
            "smape": _mean(symmetric),
            "r2": _r2(y, errors),
            "bias": _mean(errors),
        }


def bundle_metrics(found: dict[str, Measured]) -> dict[str, Metric]:
    """Figures as `Manifest.metrics` holds them; undefined ones are left out."""
    return {
        name: Metric(value=figure.value, n=figure.n, low=figure.low, high=figure.high)
        for name, figure in found.items()
        if figure.value is not None
    }


def class_indices(labels: Sequence[Label], classes: Sequence[Label]) -> Indices:
    """Positions of `labels` in `classes`; raises `ValueError` naming a label that is none of them.

    >>> class_indices([True, False], [False, True]).tolist()
    [1, 0]
    """
    places = {class_key(_plain(label)): index for index, label in enumerate(classes)}
    try:
        return np.fromiter((places[class_key(_plain(label))] for label in labels), np.int64, len(labels))
    except KeyError as unknown:
        raise ValueError(f"label {unknown} is none of the classes {list(places)}") from None


def positive_index(classes: Sequence[Label], positive: Label | None) -> int:
    """Position of the positive class of two; the second one unless it is named."""
    return 1 if positive is None else int(class_indices([positive], classes)[0])


def confusion_matrix(truth: Indices, predicted: Indices, size: int) -> Indices:
    """Counts [size, size]; rows the truth, columns the prediction."""
    return np.bincount(truth * size + predicted, minlength=size * size).reshape(size, size)


def _plain(label: Label) -> Label:
    """A numpy scalar as Python's own value, which JSON can hold."""
    value: Label = label.item() if isinstance(label, np.generic) else label
    return value


def _checked(values: object, shape: tuple[int, ...]) -> Floats:
    array = np.asarray(values, np.float64)
    if array.shape != shape:
        raise ValueError(f"an array of shape {shape} is needed, this one has {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("values must be finite numbers; leave instances without a prediction out")
    return array


def _undefined(n: int, why: str) -> Measured:
    return Measured(value=None, n=n, status=why)


def _measured(
    value: float, n: int, interval: tuple[float, float] | None, method: str, status: str | None = None
) -> Measured:
    if not math.isfinite(value):
        return _undefined(n, "the numbers are too large for it to be computed")
    if interval is None:
        return Measured(value=value, n=n, status=status or "too few instances for an interval")
    return Measured(value=value, n=n, low=interval[0], high=interval[1], interval=method, status=status)


# ------------------------------------------------------------------------------------ functions of the confusion


def _proportion(part: float, whole: float, why: str) -> Measured:
    if whole <= 0:
        return _undefined(0, why)
    return _measured(part / whole, int(whole), intervals.wilson(part, whole), _WILSON)


def _binary_counts(confusion: Indices, index: int, seed: int) -> dict[str, Measured]:
    n = int(confusion.sum())
    figures = {"accuracy": _proportion(float(np.trace(confusion)), n, "no instance")}
    figures["balanced_accuracy"] = _resampled(confusion, balanced_accuracy, seed, _all_present(confusion))
    figures |= _class_counts(confusion, index, seed)
    figures["mcc"] = _resampled(confusion, matthews, seed, _two_present(confusion), (-1.0, 1.0))
    return figures


def _class_counts(confusion: Indices, index: int, seed: int) -> dict[str, Measured]:
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


def _multiclass_counts(confusion: Indices, seed: int) -> dict[str, Measured]:
    present = _all_present(confusion)
    predicted = None if (confusion.sum(axis=0) > 0).all() else "undefined: a class was never predicted"
    return {
        "accuracy": _proportion(float(np.trace(confusion)), int(confusion.sum()), "no instance"),
        "balanced_accuracy": _resampled(confusion, balanced_accuracy, seed, _some(confusion)),
        "precision_macro": _resampled(confusion, macro_precision, seed, predicted),
        "recall_macro": _resampled(confusion, balanced_accuracy, seed, present),
        "f1_macro": _resampled(confusion, macro_f1, seed, present),
        "mcc": _resampled(confusion, matthews, seed, _two_present(confusion), (-1.0, 1.0)),
    }


def _resampled(
    confusion: Indices,
    formula: Callable[[Floats], Floats],
    seed: int,
    why: str | None,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> Measured:
    n = int(confusion.sum())
    if why is not None:
        return _undefined(n, why)
    value = float(formula(confusion[np.newaxis].astype(np.float64))[0])
    interval = intervals.bootstrap_counts(confusion, formula, value, seed=seed, bounds=bounds)
    return _measured(value, n, interval, _BOOTSTRAP)


def _some(confusion: Indices) -> str | None:
    return None if confusion.sum() else "no instance"


def _all_present(confusion: Indices) -> str | None:
    absent = int((confusion.sum(axis=1) == 0).sum())
    if not absent:
        return None
    return f"undefined: {absent} of {len(confusion)} classes never are the truth" if confusion.sum() else "no instance"


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
    return correlation


def _mean_of_defined(values: Floats) -> Floats:
    defined = np.isfinite(values)
    return _divide(np.where(defined, values, 0.0).sum(axis=1), defined.sum(axis=1).astype(np.float64))


# ------------------------------------------------------------------------------------- rankings and probabilities


def _ranking(likelihood: Floats | None, decision: Floats | None, index: int) -> Floats | None:
    if likelihood is not None:
        column: Floats = likelihood[:, index]
        return column
    if decision is None:
        return None
    return decision if index == 1 else -decision


def _ranked(positive: NDArray[np.bool_], ranking: Floats | None) -> dict[str, Measured]:
    """ROC AUC and PR AUC of one class against the rest."""
    n, count = len(positive), int(positive.sum())
    if ranking is None:
        why = "the model gives neither probabilities nor scores"
    elif not n:
        why = "no instance"
    elif count in {0, n}:
        why = "undefined: the truth never is this class" if not count else "undefined: the truth always is this class"
    else:
        return {"roc_auc": _roc_auc(positive, ranking), "pr_auc": _pr_auc(positive, ranking)}
    return {"roc_auc": _undefined(n, why), "pr_auc": _undefined(n, why)}


def _roc_auc(positive: NDArray[np.bool_], ranking: Floats) -> Measured:
    value = float(sk.roc_auc_score(positive, ranking))
    count = int(positive.sum())
    influence = intervals.auc_influence(positive, ranking, value)
    interval = intervals.auc(value, influence, count, len(positive) - count)
    return _measured(value, len(positive), interval, "DeLong, logit scale")


def _pr_auc(positive: NDArray[np.bool_], ranking: Floats) -> Measured:
    value = float(sk.average_precision_score(positive, ranking))
    interval = intervals.pr_auc(value, int(positive.sum()))
    return _measured(value, len(positive), interval, "logit (Boyd, Eng and Page)")


def _one_against_rest(
    truth: Indices, likelihood: Floats | None, confusion: Indices, classes: Sequence[Label]
) -> dict[str, Measured]:
    """Figures by class and the macro AUCs, which are undefined as long as a class is absent."""
    figures: dict[str, Measured] = {}
    ranked: list[dict[str, Measured]] = []
    for index, label in enumerate(classes):
        column = None if likelihood is None else likelihood[:, index]
        ranked.append(_ranked(truth == index, column))
        if index < MOST_CLASSES:
            own = _class_counts(confusion, index, seed=0) | ranked[-1]
            figures |= {f"{name}:{class_key(_plain(label))}": figure for name, figure in own.items()}
    return _macro_aucs(truth, likelihood, ranked) | figures


def _macro_aucs(truth: Indices, likelihood: Floats | None, ranked: list[dict[str, Measured]]) -> dict[str, Measured]:
    n = len(truth)
    missing = [figures["roc_auc"] for figures in ranked if figures["roc_auc"].value is None]
    if missing or likelihood is None:
        why = missing[0].status or "" if len(missing) == len(ranked) else "undefined: a class never is the truth"
        return {"roc_auc_macro": _undefined(n, why), "pr_auc_macro": _undefined(n, why)}
    aucs = [figures["roc_auc"].value or 0.0 for figures in ranked]
    value, influence = float(np.mean(aucs)), np.zeros(n)
    for index, own in enumerate(aucs):
        influence += intervals.auc_influence(truth == index, likelihood[:, index], own) / len(aucs)
    smallest = int(np.bincount(truth, minlength=len(aucs)).min())
    precisions = [figures["pr_auc"] for figures in ranked]
    return {
        "roc_auc_macro": _measured(
            value, n, intervals.auc(value, influence, smallest, n - smallest), "DeLong, logit scale"
        ),
        "pr_auc_macro": _measured(
            float(np.mean([figure.value or 0.0 for figure in precisions])),
            n,
            (
                float(np.mean([figure.low or 0.0 for figure in precisions])),
                float(np.mean([1.0 if figure.high is None else figure.high for figure in precisions])),
            ),
            "mean of the classes' logit intervals, which is never too narrow",
        ),
    }


def _probabilistic(
    truth: Indices,
    predicted: Indices,
    likelihood: Floats | None,
    classes: Sequence[Label],
    positive: Label | None,
    seed: int,
) -> dict[str, Measured]:
    """Log loss, Brier score and ECE."""
    n = len(truth)
    if likelihood is None or not n:
        why = "the model gives no probabilities" if likelihood is None else "no instance"
        return {name: _undefined(n, why) for name in ("log_loss", "brier", "ece")}
    numbers = list(range(len(classes)))
    with warnings.catch_warnings():  # scikit-learn warns of rows that do not sum to one; a report is not its place
        warnings.simplefilter("ignore", UserWarning)
        log_loss = float(sk.log_loss(truth, likelihood, labels=numbers))
    true_share = likelihood[np.arange(n), truth]
    smallest = np.finfo(np.float64).eps
    surprise = -np.log(np.clip(true_share, smallest, 1 - smallest))
    if len(classes) == 2:
        index = positive_index(classes, positive)
        squares = (likelihood[:, index] - (truth == index)) ** 2
        cells = reliability_cells(likelihood[:, index], truth == index)
    else:
        squares = ((likelihood - np.eye(len(classes))[truth]) ** 2).sum(axis=1)
        cells = reliability_cells(likelihood[np.arange(n), predicted], truth == predicted)
    ece = float(ece_of_cells(cells.counts[np.newaxis].astype(np.float64), cells.mean_probability)[0])
    interval = intervals.bootstrap_counts(
        cells.counts, lambda draws: ece_of_cells(draws, cells.mean_probability), ece, seed=seed
    )
    return {
        "log_loss": _measured(log_loss, n, intervals.delta(log_loss, surprise), _DELTA),
        "brier": _mean(squares),
        "ece": _measured(ece, n, interval, _BOOTSTRAP),
    }


# ------------------------------------------------------------------------------------------------------ regression


def _mean(losses: Floats, status: str | None = None) -> Measured:
    value = float(np.mean(losses))
    return _measured(value, len(losses), intervals.delta(value, losses), _DELTA, status)


def _rmse(errors: Floats) -> Measured:
    squares = errors**2
    value = math.sqrt(float(np.mean(squares)))
    around = intervals.delta(value * value, squares)
    interval = None if around is None else (math.sqrt(max(0.0, around[0])), math.sqrt(around[1]))
    return _measured(value, len(errors), interval, _DELTA)


def _mape(truth: Floats, errors: Floats) -> Measured:
    used = truth != 0
    zeros = len(truth) - int(used.sum())
    status = f"{zeros} zero target{'s' if zeros > 1 else ''} left out" if zeros else None
    if zeros == len(truth):
        return _undefined(0, "undefined: every target is zero")
    return _mean(np.abs(errors[used]) / np.abs(truth[used]), status)


def _r2(truth: Floats, errors: Floats) -> Measured:
    n = len(truth)
    if n < 2:
        return _undefined(n, "undefined: it needs two instances")
    spread = (truth - np.mean(truth)) ** 2
    if not np.ptp(truth):
        return _undefined(n, "undefined: every target is the same")
    left = float(np.sum(errors**2)) / float(np.sum(spread))
    influence = (errors**2 - left * spread) / np.mean(spread)
    return _measured(1 - left, n, intervals.delta(1 - left, -influence), _DELTA)
