"""The joint envelope measured: k-means centres of the training rows, and how far from them training rows lie.

Encoded space and threshold are defined by `scoring.bundle.Calibration`; distances come from `scoring.envelope`, so
that production measures with the same bits.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from scoring.bundle import Calibration, Feature
from scoring.envelope import Envelope
from training.data import Doubles

CLUSTERS = 8
QUANTILE = 0.999


def calibrate(values: Doubles, features: Sequence[Feature], seed: int = 0) -> Calibration:
    """Centres (8, or as many as there are distinct rows) and the training quantile 0.999 of the nearest distance."""
    encoded = encode(values, features)
    count = min(CLUSTERS, len(np.unique(encoded, axis=0)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        centres = KMeans(n_clusters=count, n_init=4, random_state=seed).fit(encoded).cluster_centers_
    centres = centres[np.lexsort(centres.T[::-1])]
    without = Calibration(centres=centres.tolist(), threshold=math.inf)
    distance, _ = Envelope(features, without).distances(values)
    return Calibration(centres=centres.tolist(), threshold=float(np.quantile(distance, QUANTILE, method="higher")))


def encode(values: Doubles, features: Sequence[Feature]) -> Doubles:
    """Rows in encoded space: z-scores, missing as 0; booleans one-hot over their categories ÷ √2."""
    columns: list[npt.NDArray[np.float64]] = []
    for column, feature in zip(values.T, features, strict=True):
        if feature.type == "boolean":
            columns += [(column == float(c or 0)) / math.sqrt(2) for c in feature.categories or []]
        else:
            scaled = (column - (feature.mean or 0.0)) / (feature.deviation or 1.0)
            columns.append(np.where(np.isnan(scaled), 0.0, scaled))
    return np.column_stack(columns)
