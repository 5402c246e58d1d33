"""Rows whose nearest neighbours are not defined: the k-th is as far as the next.

scikit-learn's documentation: "if two neighbors, k+1 and k, have identical distances but different labels, the results
will depend on the ordering of the training data". Far outside the training range every training row is equally far
to the last bit, or the squares of distances overflow, so there such rows have no reference to be equal to.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import Pipeline

from training.dense import dense

RELATIVE_GAP = 1e-12
SQUARE_OVERFLOWS = 1e150


def neighbours_tied(pipeline: Any, rows: Any, count: int) -> npt.NDArray[np.bool_]:
    """Which of `count` rows have tied neighbours; none if the last step is not a k-nearest neighbours model."""
    final = pipeline.steps[-1][1] if isinstance(pipeline, Pipeline) else pipeline
    tied = np.zeros(count, dtype=np.bool_)
    if not isinstance(final, KNeighborsClassifier | KNeighborsRegressor) or not count:
        return tied
    if final.n_neighbors >= final.n_samples_fit_:
        return tied
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        prepared = pipeline[:-1].transform(rows) if isinstance(pipeline, Pipeline) and len(pipeline) > 1 else rows
        distances, _ = final.kneighbors(prepared, n_neighbors=final.n_neighbors + 1)
        last, beyond = distances[:, -2], distances[:, -1]
        huge = np.abs(dense(prepared)).max(axis=1) > SQUARE_OVERFLOWS
        return np.asarray(~(beyond - last > RELATIVE_GAP * beyond) | ~np.isfinite(beyond) | huge)
