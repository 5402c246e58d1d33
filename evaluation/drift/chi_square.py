"""Pearson's chi-square for two samples: Σ (observed − expected)² ÷ expected over both and all categories.

Expected is what each sample would hold of a category if both came from the pooled distribution. Categories that
neither uses are left out; nothing is smoothed and no continuity correction is made. It grows with the number of
instances, so it says how sure a difference is and not how large: of a million instances any difference is sure.

K. Pearson, On the criterion that a given system of deviations … Philosophical Magazine 50 (1900).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

Floats = NDArray[np.float64]


def chi_square(now: Floats, before: Floats) -> Floats:
    """The statistic from counts [..., categories]; NaN where either has none.

    >>> float(chi_square(np.array([30.0, 10.0]), np.array([20.0, 20.0])).round(4))
    5.3333
    """
    n, m = now.sum(axis=-1, keepdims=True), before.sum(axis=-1, keepdims=True)
    pooled = now + before
    size = np.maximum(n + m, 1.0)
    terms = sum(
        np.divide((counts - pooled * (total / size)) ** 2, pooled * (total / size), out=np.zeros_like(pooled),
                  where=(pooled > 0) & (total > 0))
        for counts, total in ((now, n), (before, m))
    )  # fmt: skip
    empty = (n[..., 0] == 0) | (m[..., 0] == 0)
    total: Floats = np.where(empty, np.nan, np.asarray(terms).sum(axis=-1))
    return total


def freedom(now: Floats, before: Floats) -> int:
    """Degrees of freedom: categories that either uses, less one.

    >>> freedom(np.array([1.0, 0.0, 0.0]), np.array([1.0, 2.0, 0.0]))
    1
    """
    return max(0, int(((now + before) > 0).sum()) - 1)


def in_words(value: float, degrees: int) -> str:
    """What to know about a value: its degrees of freedom and the share of undrifted samples that exceed it.

    >>> in_words(5.3333, 1), in_words(1e6, 3), in_words(0.0, 0)
    ('1 degree of freedom, p = 0.021', '3 degrees of freedom, p < 0.0001', 'one category, nothing to compare')
    """
    if not degrees:
        return "one category, nothing to compare"
    p = float(chdtrc(degrees, value))
    told = "p < 0.0001" if p < 0.0001 else f"p = {p:.2g}"
    return f"{degrees:,} degree{'s' if degrees > 1 else ''} of freedom, {told}"
