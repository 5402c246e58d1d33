"""Kullback–Leibler divergence, in bits: KL(P ‖ Q) = Σ p·log2(p ÷ q).

How many bits a message from P costs beyond need when it is coded for Q. It is not symmetric: with P = production and
Q = baseline it weighs what production does often (`production_to_baseline`), the other way round what production has
stopped doing. Infinite where Q has an empty bin that P uses, so both are smoothed (`evaluation.drift.proportions`).

S. Kullback, R. A. Leibler, On information and sufficiency. Annals of Mathematical Statistics 22 (1951).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evaluation.drift.proportions import smoothed

Floats = NDArray[np.float64]


def kullback_leibler(of: Floats, against: Floats) -> Floats:
    """KL(of ‖ against) from counts [..., bins]; NaN where either has none.

    >>> round(float(kullback_leibler(np.array([8.0, 2.0]), np.array([5.0, 5.0]))), 4)
    0.2268
    """
    p, q = smoothed(of, against), smoothed(against, of)
    used = (p > 0) & (q > 0)
    terms = np.where(used, p * np.log2(np.divide(p, q, out=np.ones_like(p), where=used)), 0.0)
    total: Floats = np.where(np.isnan(p).any(axis=-1), np.nan, terms.sum(axis=-1))
    return np.maximum(total, 0.0)
