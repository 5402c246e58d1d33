"""Cramér's V: √(χ² ÷ (n + m)), how strongly the category depends on which of two samples an instance is in.

From 0 (not at all) to 1 (the category tells the sample). The table has two rows, so the usual division by
min(rows, columns) − 1 is one by 1. Where both samples use one and the same category it is 0 ÷ 0 by that formula, and 0
here: nothing differs. It depends on how many instances each sample has, and shrinks when one is much the smaller: read
it beside the Jensen–Shannon distance, which does not. Nothing is smoothed, no bias correction is made.

H. Cramér, Mathematical Methods of Statistics. Princeton (1946), section 21.9.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evaluation.drift.chi_square import chi_square

Floats = NDArray[np.float64]


def cramers_v(now: Floats, before: Floats) -> Floats:
    """V from counts [..., categories]; NaN where either has none.

    >>> float(cramers_v(np.array([30.0, 10.0]), np.array([20.0, 20.0])).round(4))
    0.2582
    """
    size = np.maximum((now + before).sum(axis=-1), 1.0)
    v: Floats = np.sqrt(np.minimum(chi_square(now, before) / size, 1.0))
    return v
