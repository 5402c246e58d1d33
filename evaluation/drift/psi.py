"""Population stability index: Σ (p − q)·ln(p ÷ q), the sum of both Kullback–Leibler divergences in nats.

Credit scoring's measure of a shifted population; custom calls 0.1 a shift to look at and 0.25 a large one. Infinite
where one side has an empty bin that the other uses, so both are smoothed (`evaluation.drift.proportions`).

N. Siddiqi, Credit Risk Scorecards (2006); B. Yurdakul, Statistical properties of population stability index,
Western Michigan University (2018), for its distribution without drift.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evaluation.drift.proportions import smoothed

Floats = NDArray[np.float64]


def population_stability(now: Floats, before: Floats) -> Floats:
    """PSI from counts [..., bins]; NaN where either has none.

    >>> round(float(population_stability(np.array([80.0, 20.0]), np.array([50.0, 50.0]))), 4)
    0.4063
    """
    p, q = smoothed(now, before), smoothed(before, now)
    used = (p > 0) & (q > 0)
    terms = np.where(used, (p - q) * np.log(np.divide(p, q, out=np.ones_like(p), where=used)), 0.0)
    total: Floats = np.where(np.isnan(p).any(axis=-1), np.nan, terms.sum(axis=-1))
    return total
