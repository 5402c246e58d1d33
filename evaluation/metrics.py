"""Performance figures with n and a 95 % interval: the same functions before production and in it.

The bundle's `Manifest.metrics` holds what these functions say of the test set, and the report what they say of
production, so the two differ only in the data. Values equal scikit-learn's (tests hold them to 1e-12). What cannot be
computed is not zero: the figure comes with no value and a status that says why.

Names of the figures

- binary, of the positive class: accuracy, balanced_accuracy, precision, recall (TPR), fpr, f1, mcc, roc_auc, pr_auc
  (average precision), log_loss, brier, ece;
- multiclass: accuracy, balanced_accuracy, precision_macro, recall_macro, fpr_macro, f1_macro, mcc, roc_auc_macro
  (one against the rest), pr_auc_macro, log_loss, brier, ece, and for each of at most 50 classes `precision:<class>`,
  `recall:<class>`, `fpr:<class>`, `f1:<class>`, `roc_auc:<class>`, `pr_auc:<class>`;
- regression: rmse, mae, mape, smape, r2, bias (mean of prediction − truth).

Intervals: `evaluation.intervals`. ECE: `evaluation.curves`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evaluation.confusion_figures import binary_counts, confusion_matrix, multiclass_counts
from evaluation.label_indices import class_indices, positive_index
from evaluation.measured import Floats, Indices, Measured, mean_of, undefined
from evaluation.probability_figures import one_against_rest, probabilistic, ranked_figures, ranking_of
from evaluation.regression_figures import bias, mape, r2, rmse
from scoring.bundle import Label, Metric


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
        ranking = ranking_of(likelihood, decision, index)
        found = binary_counts(confusion, index, seed) | ranked_figures(truth == index, ranking)
    else:
        found = multiclass_counts(confusion, seed) | one_against_rest(truth, likelihood, confusion, classes)
    return found | probabilistic(truth, predicted, likelihood, classes, positive, seed)


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
        return {name: undefined(0, "no instance") for name in ("rmse", "mae", "mape", "smape", "r2", "bias")}
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        errors = p - y
        size = np.abs(y) + np.abs(p)
        symmetric = np.where(size > 0, 2 * np.abs(errors) / np.where(size > 0, size, 1.0), 0.0)
        return {
            "rmse": rmse(errors),
            "mae": mean_of(np.abs(errors)),
            "mape": mape(y, errors),
            "smape": mean_of(symmetric, most=2.0),
            "r2": r2(y, errors),
            "bias": bias(errors),
        }


def bundle_metrics(found: dict[str, Measured]) -> dict[str, Metric]:
    """Figures as `Manifest.metrics` holds them; undefined ones are left out."""
    return {
        name: Metric(value=figure.value, n=figure.n, low=figure.low, high=figure.high)
        for name, figure in found.items()
        if figure.value is not None
    }


def _checked(values: object, shape: tuple[int, ...]) -> Floats:
    array = np.asarray(values, np.float64)
    if array.shape != shape:
        raise ValueError(f"an array of shape {shape} is needed, this one has {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("values must be finite numbers; leave instances without a prediction out")
    return array
