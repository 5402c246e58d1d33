"""Counts as shares of their sum, and the one rule for empty bins.

Additive smoothing: every bin of both distributions gets half a count (Jeffreys' prior; H. Jeffreys, Theory of
Probability, 1946). It is used where a statistic is undefined without it, KL and PSI, and nowhere else. Bins that are
empty on both sides are left out first, so that bins nobody uses change nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SMOOTHING = 0.5  # counts added to each bin

Floats = NDArray[np.float64]


def shares(counts: Floats) -> Floats:
    """Counts ÷ their sum along the last axis; NaN where the sum is 0.

    >>> shares(np.array([1.0, 3.0])).tolist(), shares(np.array([0.0])).tolist()
    ([0.25, 0.75], [nan])
    """
    total = counts.sum(axis=-1, keepdims=True)
    quotient: Floats = np.divide(counts, total, out=np.full(counts.shape, np.nan), where=total > 0)
    return quotient


def smoothed(counts: Floats, other: Floats) -> Floats:
    """Shares with half a count added to every bin that either side uses; 0 in bins that neither does.

    >>> smoothed(np.array([3.0, 0.0, 0.0]), np.array([1.0, 1.0, 0.0])).tolist()
    [0.875, 0.125, 0.0]
    """
    used = (counts + other) > 0
    filled = shares(np.where(used, counts + SMOOTHING, 0.0))
    empty = (counts.sum(axis=-1) == 0) | (other.sum(axis=-1) == 0)
    filled[empty] = np.nan
    return filled
