"""Figures of a classifier that are expected of its own probabilities, without labels: CBPE.

Confidence-based performance estimation takes a calibrated probability at its word: of the instances called positive
with 0.9, nine in ten will turn out so. Summed over the instances that gives the confusion matrix to expect, and over
bins in the order of the probability the ROC curve to expect.

References: NannyML's documentation, "Estimation of performance of the monitored model" (CBPE); J. Białek, J. Kivimäki,
W. Kuberski, N. Perrakis, Estimating model performance under covariate shift without labels, arXiv:2401.08348.

**What it rests on.** Probabilities keep coming true as often as before production, whatever the instances look like.
That holds when only the inputs drift, as far as the model is calibrated for those that come. It does not when the same
inputs come to mean something else (concept drift): then the estimate stays while the model fails. Only labels tell.

**Interval.** 400 draws: first how far the test rows leave the calibration open (`evaluation.probability_calibration`),
then each cell's outcomes as binomial counts. Its middle 95 % is where the figure over just these instances will turn
out to lie, if the assumption holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.confidence import UNIT, Cell, Confidence
from evaluation.measured import Measured, undefined
from evaluation.probability_calibration import DRAWS, ProbabilityCalibration

METHOD = "400 draws of calibration and outcomes"
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimated:
    """Figures to expect, and at most how far a ranking is off because order inside a bin is not known."""

    figures: dict[str, Measured]
    binning: float


@dataclass(frozen=True)
class _Outcomes:
    """One class, in [draws, …]; the first draw is the expectation itself."""

    predicted: int  # instances predicted to be of it
    hits: Floats  # of these, how many are
    missed: Floats  # instances of it that were predicted otherwise
    auc: Floats
    binning: float


def estimated_figures(
    confidence: Confidence, calibration: ProbabilityCalibration, *, positive: int | None = None, seed: int = 0
) -> Estimated:
    """By name as in `evaluation.metrics`; `positive` is the position of a binary model's positive class."""
    random, size = np.random.default_rng(seed), len(confidence.predicted)
    if not confidence.n or not size:
        names = ("accuracy", "roc_auc" if positive is not None else "roc_auc_macro")
        return Estimated({name: undefined(0, "no scored instance with probabilities") for name in names}, 0.0)
    if positive is not None:
        one = _outcomes(confidence, positive, calibration, random)
        return Estimated(_told(_binary(one, confidence.n), confidence.n), one.binning)
    each = [_outcomes(confidence, place, calibration, random) for place in range(size)]
    return Estimated(_told(_multiclass(each, confidence.n), confidence.n), max(one.binning for one in each))


def _outcomes(
    confidence: Confidence, place: int, calibration: ProbabilityCalibration, random: np.random.Generator
) -> _Outcomes:
    own, rest = _columns(confidence.predicted[place]), _columns(confidence.others[place])
    bins, counts, shares = (np.concatenate(both) for both in zip(own, rest, strict=True))
    worth = calibration.drawn(place, shares, counts, random)
    came = np.vstack([counts * worth[0], random.binomial(counts, worth[1:])])
    split = len(own[0])
    auc, binning = _auc(bins, counts, came)
    hits, missed = came[:, :split].sum(axis=1), came[:, split:].sum(axis=1)
    return _Outcomes(int(counts[:split].sum()), hits, missed, auc, binning)


def _columns(cells: Sequence[Cell]) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Bins, counts and mean probabilities."""
    table = np.array(cells, np.int64).reshape(len(cells), 3)
    return table[:, 0], table[:, 1], table[:, 2] / np.maximum(table[:, 1], 1) / UNIT


def _auc(bins: NDArray[np.int64], counts: NDArray[np.int64], came: Floats) -> tuple[Floats, float]:
    """Area under the ROC curve of each draw, instances of a bin tied; and half of what the ties weigh."""
    order = np.argsort(bins, kind="stable")
    starts = np.flatnonzero(np.diff(bins[order], prepend=-1))
    positives = np.add.reduceat(came[:, order], starts, axis=1)
    negatives = np.add.reduceat(counts[order], starts) - positives
    below = negatives.cumsum(axis=1) - negatives
    pairs = positives.sum(axis=1) * negatives.sum(axis=1)
    area, ties = (positives * (below + negatives / 2)).sum(axis=1), (positives * negatives).sum(axis=1)
    auc = np.divide(area, pairs, out=np.full(len(came), np.nan), where=pairs > 1e-9)
    return auc, float(ties[0] / pairs[0] / 2) if pairs[0] > 1e-9 else 0.0


def _binary(one: _Outcomes, n: int) -> dict[str, Floats]:
    false_alarms = one.predicted - one.hits
    true = one.hits + one.missed
    return {
        "roc_auc": one.auc,
        "accuracy": (n - false_alarms - one.missed) / n,
        "precision": _ratio(one.hits, np.full_like(one.hits, one.predicted)),
        "recall": _ratio(one.hits, true),
        "fpr": _ratio(false_alarms, n - true),
        "f1": _ratio(2 * one.hits, one.predicted + true),
    }


def _multiclass(each: Sequence[_Outcomes], n: int) -> dict[str, Floats]:
    """Misses are scaled so that the true classes of all instances together are n: each class is calibrated alone."""
    right = np.sum([one.hits for one in each], axis=0)
    scale = _ratio(n - right, np.sum([one.missed for one in each], axis=0))
    true = [one.hits + one.missed * np.where(np.isfinite(scale), scale, 1.0) for one in each]
    pairs = list(zip(each, true, strict=True))
    return {
        "accuracy": right / n,
        "roc_auc_macro": np.mean([one.auc for one in each], axis=0),
        "precision_macro": np.mean([_ratio(one.hits, np.full_like(right, one.predicted)) for one in each], axis=0),
        "recall_macro": np.mean([_ratio(one.hits, own) for one, own in pairs], axis=0),
        "f1_macro": np.mean([_ratio(2 * one.hits, one.predicted + own) for one, own in pairs], axis=0),
    }


def _ratio(part: Floats, whole: Floats) -> Floats:
    quotient: Floats = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 1e-9)
    return quotient


def _told(found: Mapping[str, Floats], n: int) -> dict[str, Measured]:
    return {name: _figure(values, n) for name, values in found.items()}


def _figure(values: Floats, n: int) -> Measured:
    expected, drawn = float(values[0].clip(0.0, 1.0)), values[1:][np.isfinite(values[1:])]
    if not np.isfinite(values[0]):
        return undefined(n, "undefined: a class is not expected at all, or never predicted")
    if len(drawn) * 2 < DRAWS:
        return Measured(value=expected, n=n, status="no interval: most draws leave it undefined")
    low, high = np.quantile(drawn.clip(0.0, 1.0), [0.025, 0.975]).tolist()
    return Measured(value=expected, n=n, low=min(low, expected), high=max(high, expected), interval=METHOD)
