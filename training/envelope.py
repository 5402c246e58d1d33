"""The joint envelope measured: k-means centres of the training rows, and how far from them training rows lie.

Encoded space and distances are those of production, `scoring.encoding` and `scoring.envelope`, to the bit. Of data
whose encoding would not fit into memory, as that of strings with thousands of categories, the clusters are fitted to
a sample of rows; the threshold is always that of all rows.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from scoring.bundle import Calibration, Feature
from scoring.encoding import Encoding
from scoring.envelope import Envelope
from training.data import Doubles

CLUSTERS = 8
QUANTILE = 0.999
CELLS_AT_MOST = 20_000_000  # of encoded rows, 160 MB


def calibrate(values: Doubles, features: Sequence[Feature], seed: int = 0) -> Calibration:
    """Centres (8, or as many as there are distinct rows) and the training quantile 0.999 of the nearest distance."""
    encoding = Encoding(features)
    encoded = encoding.encode(_sample(values, CELLS_AT_MOST // max(encoding.width, 1), seed))
    count = min(CLUSTERS, len(np.unique(encoded, axis=0)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        centres = KMeans(n_clusters=count, n_init=4, random_state=seed).fit(encoded).cluster_centers_
    centres = centres[np.lexsort(centres.T[::-1])]
    without = Calibration(centres=centres.tolist(), threshold=math.inf)
    distance, _ = Envelope(features, without).distances(values)
    return Calibration(centres=centres.tolist(), threshold=float(np.quantile(distance, QUANTILE, method="higher")))


def _sample(values: Doubles, most: int, seed: int) -> Doubles:
    if len(values) <= most:
        return values
    return values[np.random.default_rng(seed).choice(len(values), max(most, CLUSTERS), replace=False)]
