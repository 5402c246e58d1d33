"""One measured figure, or the reason why there is none."""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from evaluation import intervals

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

WILSON, DELTA, LOG_DELTA = "Wilson", "delta method", "delta method, log scale"
DIRICHLET = "Bayesian bootstrap of the counts, 1,000 draws"


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One figure; `value` is None where it is undefined, and `status` says why."""

    value: float | None
    n: int
    low: float | None = None
    high: float | None = None
    interval: str | None = None
    status: str | None = None


def undefined(n: int, why: str) -> Measured:
    """A figure without a value."""
    return Measured(value=None, n=n, status=why)


def measured(
    value: float, n: int, interval: tuple[float, float] | None, method: str, status: str | None = None
) -> Measured:
    """A figure with its interval, if there is one; without a value if that is not finite."""
    if not math.isfinite(value):
        return undefined(n, "the numbers are too large for it to be computed")
    if interval is None:
        why = "too few instances for an interval" if n < 2 else "no interval: the instances do not tell how wide"
        return Measured(value=value, n=n, status=status or why)
    return Measured(value=value, n=n, low=interval[0], high=interval[1], interval=method, status=status)


def mean_of(losses: Floats, status: str | None = None, *, most: float = math.inf) -> Measured:
    """The mean of per-instance losses, which lie between 0 and `most`."""
    value = float(np.mean(losses))
    return measured(value, len(losses), intervals.positive(value, losses, most=most), LOG_DELTA, status)
