"""Curves, calibration and residuals: what a plot of performance needs, bounded in number."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn import metrics as sk

from evaluation.calibration_error import reliability_cells
from evaluation.report_format import Confusion, Curve, Residuals

MOST_POINTS = 200
MOST_RESIDUALS = 500
MOST_CLASSES = 50

Floats = NDArray[np.float64]
Truths = NDArray[np.bool_]


def ranking_curves(positive: Truths, ranking: Floats, label: str) -> list[Curve]:
    """ROC and precision-recall curves of one class; none if the truth has one class only."""
    if not positive.any() or positive.all():
        return []
    false_rate, true_rate, _ = sk.roc_curve(positive, ranking, drop_intermediate=True)
    precision, recall, _ = sk.precision_recall_curve(positive, ranking, drop_intermediate=True)
    return [
        Curve(
            name="roc",
            label=label,
            x_title="False positive rate",
            y_title="True positive rate",
            points=thinned(false_rate, true_rate),
        ),
        Curve(
            name="pr", label=label, x_title="Recall", y_title="Precision", points=thinned(recall[::-1], precision[::-1])
        ),
    ]


def calibration_curve(probability: Floats, came_true: Truths, label: str) -> Curve:
    """One point for each of the 10 bins that hold an instance, with how many it holds."""
    cells = reliability_cells(probability, came_true)
    sizes = cells.counts.sum(axis=1)
    used = np.flatnonzero(sizes)
    mean = (cells.counts * cells.mean_probability).sum(axis=1)[used] / sizes[used]
    share = cells.counts[used, 1] / sizes[used]
    return Curve(
        name="calibration",
        label=label,
        x_title="Mean predicted probability",
        y_title="Share that came true",
        points=_pairs(mean, share),
        weights=sizes[used].tolist(),
    )


def thinned(x: Floats, y: Floats) -> list[tuple[float, float]]:
    """At most 200 points of a line: both ends, and the points nearest to equal steps along its length.

    >>> thinned(np.array([0.0, 0.5, 1.0]), np.array([0.0, 1.0, 1.0]))
    [(0.0, 0.0), (0.5, 1.0), (1.0, 1.0)]
    """
    if len(x) <= MOST_POINTS:
        return _pairs(x, y)
    length = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    wanted = np.linspace(0.0, float(length[-1]), MOST_POINTS)
    chosen = np.unique(np.searchsorted(length, wanted).clip(0, len(x) - 1))
    chosen[-1] = len(x) - 1
    return _pairs(x[chosen], y[chosen])


def confusion_of(counts: NDArray[np.int64], labels: list[str]) -> Confusion:
    """The matrix with its labels; beyond 50 classes the rest share the last row and column."""
    if len(labels) > MOST_CLASSES:
        keep = MOST_CLASSES - 1
        starts = np.arange(keep + 1)
        counts = np.add.reduceat(np.add.reduceat(counts, starts, axis=0), starts, axis=1)
        labels = [*labels[:keep], f"{len(labels) - keep} others"]
    return Confusion(labels=labels, counts=counts.tolist())


def residuals_of(truth: Floats, predicted: Floats, order: NDArray[np.int64], unit: str | None) -> Residuals | None:
    """Histogram of prediction − truth, and the points of the first 500 instances in `order`; None without any."""
    errors = predicted - truth
    if not len(errors) or not np.isfinite(errors).all():
        return None
    low, high = float(errors.min()), float(errors.max())
    if not np.isfinite(high - low):
        return None
    counts, edges = np.histogram(errors, bins=30, range=_span(low, high))
    chosen = order[:MOST_RESIDUALS]
    return Residuals(
        edges=edges.tolist(), counts=counts.tolist(), points=_pairs(predicted[chosen], errors[chosen]), unit=unit
    )


def _span(low: float, high: float) -> tuple[float, float]:
    """The range, widened where doubles are too coarse to cut it into 30 bins."""
    if (np.diff(np.linspace(low, high, 31)) > 0).all():
        return low, high
    pad = max(abs(low), abs(high), 1.0) * 1e-6
    return low - pad, high + pad


def _pairs(x: Floats, y: Floats) -> list[tuple[float, float]]:
    return [(float(a), float(b)) for a, b in zip(x, y, strict=True)]
