"""What a threshold does: recall, precision and what was tuned for, over the probability from which one says yes.

From the pooled predictions for rows not seen. The thresholds tuned in the folds are a band with their median; one half
is where an untuned model says yes.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from evaluation.pages.numbers import number
from evaluation.pages.plots.scales import Linear, share_label
from evaluation.pages.plots.svg import Box, line, nothing, path, picture, rectangle, text, x_axis, y_axis

WIDTH, HEIGHT = 440, 280
STEPS = 101
LINES = ("Recall", "Precision", "Balanced accuracy")

Doubles = npt.NDArray[np.float64]


def threshold(probability: Doubles, positive: npt.NDArray[np.bool_], tuned: Sequence[float], title: str) -> str:
    """`probability` of the positive class [n], which rows are positive [n], and the thresholds tuned."""
    if not positive.any() or positive.all() or not tuned:
        return nothing(WIDTH, HEIGHT, title, "No threshold was tuned")
    box = Box(52, 30, WIDTH - 12, HEIGHT - 46)
    x = Linear(0, 1, box.left, box.right)
    y = Linear(0, 1, box.bottom, box.top, label=share_label)
    at = np.linspace(0, 1, STEPS)
    parts = [y_axis(box, y), x_axis(box, x, "threshold: predicted from this probability on")]
    parts.append(rectangle(x(min(tuned)), box.top, x(max(tuned)) - x(min(tuned)), box.bottom - box.top, "band"))
    for index, values in enumerate(rates(probability, positive, at), start=1):
        parts.append(path([(x(a), y(b)) for a, b in zip(at, values, strict=True)], f"series k{index}"))
    middle = statistics.median(tuned)
    parts.append(line(x(0.5), box.top, x(0.5), box.bottom, "reference"))
    parts.append(line(x(middle), box.top, x(middle), box.bottom, "limit"))
    anchor = "end" if middle > 0.6 else "start"
    label = f"tuned: {number(middle)}"
    parts.append(
        text(x(middle) + (-6 if anchor == "end" else 6), box.top - 8, label, anchor=anchor, kind="limit-label")
    )
    return picture(WIDTH, HEIGHT, title, _in_words(probability, positive, middle), parts)


def rates(probability: Doubles, positive: npt.NDArray[np.bool_], at: Doubles) -> tuple[Doubles, Doubles, Doubles]:
    """Recall, precision (NaN where nothing is predicted positive) and balanced accuracy at each threshold.

    >>> found = rates(np.array([0.2, 0.8]), np.array([False, True]), np.array([0.0, 0.5, 1.0]))
    >>> [values.tolist() for values in found]
    [[1.0, 1.0, 0.0], [0.5, 1.0, nan], [0.5, 1.0, 0.5]]
    """
    hits, alarms = (
        len(part) - np.searchsorted(np.sort(part), at, side="left")
        for part in (probability[positive], probability[~positive])
    )
    predicted = hits + alarms
    precision = np.divide(hits, predicted, out=np.full(len(at), np.nan), where=predicted > 0)
    recall = hits / positive.sum()
    return recall, precision, (recall + 1 - alarms / (~positive).sum()) / 2


def _in_words(probability: Doubles, positive: npt.NDArray[np.bool_], middle: float) -> str:
    half, tuned = (rates(probability, positive, np.array([value])) for value in (0.5, middle))
    return (
        f"At one half recall is {number(half[0][0])}; at the tuned threshold, {number(middle)}, it is "
        f"{number(tuned[0][0])} with a precision of {number(tuned[1][0])}."
    )
