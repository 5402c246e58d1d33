"""Distributions before and now, as `report.json` has them."""

from __future__ import annotations

from typing import Literal

import msgspec

from evaluation.format.figures import Course, Level, Verdict


class Statistic(msgspec.Struct, frozen=True, kw_only=True):
    """One distance between the two distributions."""

    name: str  # both: jensen_shannon, psi, kl_production_to_baseline, kl_baseline_to_production; numbers:
    # kolmogorov_smirnov, wasserstein; categories: chi_square, l_infinity, cramers_v
    title: str
    value: float | None
    threshold: float | None  # the effect that is worth an alert; null: shown, never alerts
    no_drift: float | None  # its corrected 99.9 % quantile when nothing has drifted, for both sample sizes
    level: Level
    status: str | None = None


class HistogramPair(msgspec.Struct, frozen=True, kw_only=True):
    """The same bins before and now, so that both can be laid over each other.

    Numbers: `edges` e0 < … < ek and k + 2 counts, the first for values below e0, the last above ek. Categories:
    `categories` and as many counts; of over 100 the most frequent ones, and the sum of the others last. Missing and
    unseen values stand apart.
    """

    edges: list[float] | None = None
    categories: list[str] | None = None
    before: list[int]
    now: list[int]
    before_missing: int = 0
    now_missing: int = 0
    before_unseen: int = 0
    now_unseen: int = 0


class GrownBin(msgspec.Struct, frozen=True, kw_only=True):
    """A bin that holds a larger share than before, with instances to look at."""

    name: str
    before: float  # shares
    now: float
    ids: list[str]  # at most 5, those of smallest id hash


class DistributionDrift(msgspec.Struct, frozen=True, kw_only=True):
    """One feature or output: how its distribution moved."""

    name: str
    kind: Literal["number", "category"]
    unit: str | None = None
    importance: float | None = None  # features only; rank 1 matters most
    rank: int | None = None
    level: Level
    sentence: str
    n_before: int
    n_now: int
    redacted: int = 0  # further instances, whose value the log does not hold in clear
    missing_before: float | None = None  # rates
    missing_now: float | None = None
    statistics: list[Statistic] = []
    histogram: HistogramPair | None = None
    examples: list[str] = []  # ids of up to 5 instances in the bin that grew most
    grown: list[GrownBin] = []  # of a drift: at most 3, the one that grew most first; it leads to `examples`


class MapPoint(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row on the map of the clusters; coordinates rounded to four digits."""

    x: float
    y: float
    cluster: int | None = None  # the nearest centre
    beyond: bool = False  # farther from any centre than the threshold
    id: str | None = None  # of instances, not of training rows


class ClusterMap(msgspec.Struct, frozen=True, kw_only=True):
    """The encoded space of the joint envelope seen from where the training centres lie farthest apart.

    Its two axes are the principal components of the centres, weighted by how many training rows each has, so they do
    not depend on production.
    """

    x: str  # the features that an axis is mostly made of
    y: str
    kept: float  # share of the centres' variance that the two axes show
    centres: list[MapPoint] = []
    before: list[MapPoint] = []  # at most 500 training rows; none when the bundle has no sample
    now: list[MapPoint] = []  # at most 500 instances, those of smallest id hash, and the 50 farthest if beyond


class ClusterDrift(msgspec.Struct, frozen=True, kw_only=True):
    """Where instances lie in the training k-means clusters, then and now."""

    level: Level
    sentence: str
    occupancy_before: list[int]
    occupancy_now: list[int]
    statistics: list[Statistic] = []
    distance: HistogramPair | None = None  # to the nearest centre
    distance_statistics: list[Statistic] = []
    threshold: float | None = None  # the distance beyond which an instance is near none
    beyond_before: float | None = None  # the share beyond it
    beyond_now: float | None = None
    map: ClusterMap | None = None


class PairedFeature(msgspec.Struct, frozen=True, kw_only=True):
    """One feature of the pairplot."""

    name: str
    unit: str | None = None
    level: Level


class Pairplot(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of the features that drifted most, so that a reader sees how they moved together."""

    features: list[PairedFeature]  # numbers, at most 4: those that drifted, then the most important
    before: list[list[float | None]] = []  # at most 500 training rows, values by feature; null: missing
    now: list[list[float | None]] = []  # at most 500 instances, those of smallest id hash
    status: str | None = None  # why there are no training rows


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """Preproduction distributions against production's."""

    verdict: Verdict
    n: int  # instances counted: outcome scored, abstained or failed; never rejected ones
    baseline_rows: int
    features: list[DistributionDrift] = []  # drifted first, then by importance; at most 500
    outputs: list[DistributionDrift] = []
    clusters: ClusterDrift | None = None
    tested: int = 0  # distributions that the no-drift quantile is corrected for
    method: str = ""  # how it alerts, the smoothing and where it is used, in plain words
    courses: list[Course] = []  # over time
    pairplot: Pairplot | None = None
