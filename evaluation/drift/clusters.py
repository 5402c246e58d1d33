"""Where instances lie in the training k-means clusters, then and now: how often each is visited, and how far off."""

from __future__ import annotations

import numpy as np

from evaluation.drift.bins import share_beyond, size
from evaluation.drift.cluster_map import cluster_map
from evaluation.drift.judge import Judge
from evaluation.drift.sentences import cluster_sentence
from evaluation.format.drift import ClusterDrift
from evaluation.profile import Distributions
from evaluation.training_sample import TrainingSample
from evaluation.verdicts import worst
from scoring.bundle import Clusters, Manifest


def cluster_drift(
    judge: Judge, before: Clusters | None, found: Distributions, manifest: Manifest, sample: TrainingSample | None
) -> ClusterDrift | None:
    """Occupancy of the training clusters and the distance to the nearest centre; None without clusters."""
    now = found.clusters
    if before is None or now is None:
        return None
    occupancy = judge.statistics(np.array(before.occupancy, np.float64), np.array(now.occupancy, np.float64))
    apart = judge.distribution("distance", before.distance, now.distance)
    level = worst(statistic.level for statistic in [*occupancy, *apart.statistics])
    n = size(now.distance)
    limit = manifest.calibration.threshold if manifest.calibration else None
    return ClusterDrift(
        level=level,
        sentence=cluster_sentence(level, n, judge.minimum, found.beyond, occupancy, apart.statistics),
        occupancy_before=before.occupancy,
        occupancy_now=now.occupancy,
        statistics=occupancy,
        distance=apart.histogram,
        distance_statistics=apart.statistics,
        threshold=limit,
        beyond_before=None if limit is None else share_beyond(before.distance, limit),
        beyond_now=found.beyond / n if n and limit is not None else None,
        map=cluster_map(manifest, before, found, sample),
    )
