"""Figures of a regression."""

from __future__ import annotations

import math

import numpy as np

from evaluation import intervals
from evaluation.measured import DELTA, LOG_DELTA, Floats, Measured, mean_of, measured, undefined


def rmse(errors: Floats) -> Measured:
    """Root mean squared error; its interval is the root of the mean square's."""
    squares = errors**2
    value = math.sqrt(float(np.mean(squares)))
    around = intervals.positive(value * value, squares)
    interval = None if around is None else (math.sqrt(around[0]), math.sqrt(around[1]))
    return measured(value, len(errors), interval, LOG_DELTA)


def bias(errors: Floats) -> Measured:
    """Mean of prediction − truth."""
    value = float(np.mean(errors))
    return measured(value, len(errors), intervals.delta(value, errors), DELTA)


def mape(truth: Floats, errors: Floats) -> Measured:
    """Mean of |error| ÷ |truth|, zero targets left out."""
    used = truth != 0
    zeros = len(truth) - int(used.sum())
    status = f"{zeros} zero target{'s' if zeros > 1 else ''} left out" if zeros else None
    if zeros == len(truth):
        return undefined(0, "undefined: every target is zero")
    return mean_of(np.abs(errors[used]) / np.abs(truth[used]), status)


def r2(truth: Floats, errors: Floats) -> Measured:
    """1 − Σ error² ÷ Σ (truth − mean)²."""
    n = len(truth)
    if n < 2:
        return undefined(n, "undefined: it needs two instances")
    spread = (truth - np.mean(truth)) ** 2
    if not np.ptp(truth) or not np.sum(spread):
        return undefined(n, "undefined: every target is the same")
    left = float(np.sum(errors**2)) / float(np.sum(spread))
    influence = (errors**2 - left * spread) / np.mean(spread)
    around = intervals.positive(left, influence)
    return measured(1 - left, n, None if around is None else (1 - around[1], 1 - around[0]), LOG_DELTA)
