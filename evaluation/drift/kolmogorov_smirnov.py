"""Kolmogorov–Smirnov statistic: the largest gap between two cumulative distributions, from 0 to 1.

Read from bins, it is the largest gap at the bins' edges: never more than that of the raw values, and the same when
the values are no finer than the bins. For numbers only: bins must be in order. Nothing is smoothed.

N. Smirnov, Table for estimating the goodness of fit of empirical distributions. Annals of Mathematical Statistics
19 (1948).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evaluation.drift.proportions import shares

Floats = NDArray[np.float64]


def kolmogorov_smirnov(now: Floats, before: Floats) -> Floats:
    """The statistic from counts [..., bins] in the order of the bins; NaN where either has none.

    >>> float(kolmogorov_smirnov(np.array([1.0, 1.0, 2.0]), np.array([2.0, 2.0, 0.0])))
    0.5
    """
    gaps = np.abs(np.cumsum(shares(now) - shares(before), axis=-1))
    largest: Floats = np.clip(gaps.max(axis=-1, initial=0.0), 0.0, 1.0)
    return np.where(np.isnan(gaps).any(axis=-1) if gaps.shape[-1] else True, np.nan, largest)
