"""scikit-learn's matrices, sparse or not, as doubles."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def dense(matrix: Any) -> npt.NDArray[np.float64]:
    """`matrix`, sparse or dense, as a dense array of doubles."""
    return np.asarray(matrix.toarray() if hasattr(matrix, "toarray") else matrix, dtype=np.float64)
