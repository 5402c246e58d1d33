"""L∞ distance: the largest change of any one category's share, max |p − q|, from 0 to 1.

The plainest of all: 0.05 says that no category gained or lost more than five of a hundred instances. Nothing is
smoothed. (TensorFlow Data Validation's default for categories: E. Breck et al., Data validation for machine learning.
MLSys 2019.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evaluation.drift.proportions import shares

Floats = NDArray[np.float64]


def l_infinity(now: Floats, before: Floats) -> Floats:
    """The distance from counts [..., categories]; NaN where either has none.

    >>> float(l_infinity(np.array([3.0, 1.0]), np.array([1.0, 1.0])))
    0.25
    """
    gaps = np.abs(shares(now) - shares(before))
    largest: Floats = gaps.max(axis=-1, initial=0.0)
    return np.where(np.isnan(gaps).any(axis=-1) if gaps.shape[-1] else True, np.nan, largest)
