"""Figures of rankings and probabilities: AUCs, log loss, Brier score, calibration error."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sk

from evaluation import intervals
from evaluation.calibration_error import calibration_error, calibration_interval, reliability_cells
from evaluation.confusion_figures import class_counts
from evaluation.label_indices import plain, positive_index
from evaluation.measured import LOG_DELTA, Floats, Indices, Measured, mean_of, measured, undefined
from scoring.bundle import Label, class_key

MOST_CLASSES = 50


def ranking_of(likelihood: Floats | None, decision: Floats | None, index: int) -> Floats | None:
    """What ranks the instances for a class: its probability, else the decision function, turned if need be."""
    if likelihood is not None:
        column: Floats = likelihood[:, index]
        return column
    if decision is None:
        return None
    return decision if index == 1 else -decision


def ranked_figures(positive: NDArray[np.bool_], ranking: Floats | None) -> dict[str, Measured]:
    """ROC AUC and PR AUC of one class against the rest."""
    why = _why_unranked(positive, ranking)
    if why is not None or ranking is None:
        return dict.fromkeys(("roc_auc", "pr_auc"), undefined(len(positive), why or ""))
    return {"roc_auc": _roc_auc(positive, ranking), "pr_auc": _pr_auc(positive, ranking)}


def roc_auc(positive: NDArray[np.bool_], ranking: Floats) -> Measured:
    """ROC AUC alone."""
    why = _why_unranked(positive, ranking)
    return _roc_auc(positive, ranking) if why is None else undefined(len(positive), why)


def _why_unranked(positive: NDArray[np.bool_], ranking: Floats | None) -> str | None:
    """Why the figures of a ranking are undefined; None when they are not."""
    n, count = len(positive), int(positive.sum())
    if ranking is None:
        return "the model gives neither probabilities nor scores"
    if not n:
        return "no instance"
    if count not in {0, n}:
        return None
    return "undefined: the truth never is this class" if not count else "undefined: the truth always is this class"


def _roc_auc(positive: NDArray[np.bool_], ranking: Floats) -> Measured:
    value = float(sk.roc_auc_score(positive, ranking))
    count = int(positive.sum())
    influence = intervals.auc_influence(positive, ranking, value)
    interval = intervals.auc(value, influence, count, len(positive) - count)
    return measured(value, len(positive), interval, "DeLong, logit scale")


def _pr_auc(positive: NDArray[np.bool_], ranking: Floats) -> Measured:
    value = float(sk.average_precision_score(positive, ranking))
    interval = intervals.pr_auc(value, int(positive.sum()))
    return measured(value, len(positive), interval, "logit (Boyd, Eng and Page)")


def one_against_rest(
    truth: Indices, likelihood: Floats | None, confusion: Indices, classes: Sequence[Label]
) -> dict[str, Measured]:
    """Figures by class and the macro AUCs, which are undefined as long as a class is absent."""
    figures: dict[str, Measured] = {}
    ranked: list[dict[str, Measured]] = []
    for index, label in enumerate(classes):
        column = None if likelihood is None else likelihood[:, index]
        ranked.append(ranked_figures(truth == index, column))
        if index < MOST_CLASSES:
            own = class_counts(confusion, index, seed=0) | ranked[-1]
            figures |= {f"{name}:{class_key(plain(label))}": figure for name, figure in own.items()}
    return _macro_aucs(truth, likelihood, ranked) | figures


def _macro_aucs(truth: Indices, likelihood: Floats | None, ranked: list[dict[str, Measured]]) -> dict[str, Measured]:
    n = len(truth)
    missing = [figures["roc_auc"] for figures in ranked if figures["roc_auc"].value is None]
    if missing or likelihood is None:
        why = missing[0].status or "" if len(missing) == len(ranked) else "undefined: a class never is the truth"
        return {"roc_auc_macro": undefined(n, why), "pr_auc_macro": undefined(n, why)}
    aucs = [figures["roc_auc"].value or 0.0 for figures in ranked]
    value, influence = float(np.mean(aucs)), np.zeros(n)
    for index, own in enumerate(aucs):
        influence += intervals.auc_influence(truth == index, likelihood[:, index], own) / len(aucs)
    smallest = int(np.bincount(truth, minlength=len(aucs)).min())
    precisions = [figures["pr_auc"] for figures in ranked]
    return {
        "roc_auc_macro": measured(
            value, n, intervals.auc(value, influence, smallest, n - smallest), "DeLong, logit scale"
        ),
        "pr_auc_macro": measured(
            float(np.mean([figure.value or 0.0 for figure in precisions])),
            n,
            (
                float(np.mean([figure.low or 0.0 for figure in precisions])),
                float(np.mean([1.0 if figure.high is None else figure.high for figure in precisions])),
            ),
            "mean of the classes' logit intervals, which is never too narrow",
        ),
    }


def probabilistic(
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
        return {name: undefined(n, why) for name in ("log_loss", "brier", "ece")}
    numbers = list(range(len(classes)))
    with warnings.catch_warnings():  # scikit-learn warns of rows that do not sum to one; a report is not its place
        warnings.simplefilter("ignore", UserWarning)
        log_loss = float(sk.log_loss(truth, likelihood, labels=numbers))
    if len(classes) == 2:
        index = positive_index(classes, positive)
        squares = (likelihood[:, index] - (truth == index)) ** 2
        cells = reliability_cells(likelihood[:, index], truth == index)
    else:
        squares = ((likelihood - np.eye(len(classes))[truth]) ** 2).sum(axis=1)
        cells = reliability_cells(likelihood[np.arange(n), predicted], truth == predicted)
    ece = calibration_error(cells)
    return {
        "log_loss": measured(log_loss, n, intervals.positive(log_loss, surprise(truth, likelihood)), LOG_DELTA),
        "brier": mean_of(squares, most=1.0 if len(classes) == 2 else 2.0),
        "ece": measured(ece, n, calibration_interval(cells, seed), "simulated gaps of the bins, 1,000 draws"),
    }


def surprise(truth: Indices, likelihood: Floats) -> Floats:
    """Each instance's log loss."""
    true_share = likelihood[np.arange(len(truth)), truth]
    smallest = np.finfo(np.float64).eps
    losses: Floats = -np.log(np.clip(true_share, smallest, 1 - smallest))
    return losses
