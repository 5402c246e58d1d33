"""Jensen–Shannon distance, base 2: √(½·KL(P ‖ M) + ½·KL(Q ‖ M)) with M = ½·(P + Q).

A metric from 0 (the same) to 1 (nothing in common), defined whatever bins are empty, so nothing is smoothed.

D. M. Endres, J. E. Schindelin, A new metric for probability distributions. IEEE Transactions on Information Theory
49 (2003).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evaluation.drift.proportions import shares

Floats = NDArray[np.float64]


def jensen_shannon(now: Floats, before: Floats) -> Floats:
    """The distance from counts [..., bins]; NaN where either has none.

    >>> round(float(jensen_shannon(np.array([1.0, 1.0]), np.array([1.0, 3.0]))), 4)
    0.2209
    >>> float(jensen_shannon(np.array([5.0, 0.0]), np.array([0.0, 2.0])))
    1.0
    """
    p, q = shares(now), shares(before)
    middle = (p + q) / 2
    divergence = (_terms(p, middle) + _terms(q, middle)).sum(axis=-1) / 2
    distance: Floats = np.sqrt(np.clip(divergence, 0.0, 1.0))
    return distance


def _terms(p: Floats, middle: Floats) -> Floats:
    used = p > 0
    ratio = np.divide(p, middle, out=np.ones_like(p), where=used)
    terms: Floats = np.where(np.isnan(p), np.nan, p * np.log2(ratio))
    return terms
