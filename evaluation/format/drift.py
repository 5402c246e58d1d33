"""Distributions before and now, as `report.json` has them."""

from __future__ import annotations

from typing import Literal

import msgspec

from evaluation.format.figures import Course, Level, Verdict


class Statistic(msgspec.Struct, frozen=True, kw_only=True):
    """One distance between the two distributions."""

    name: str  # kl_production_to_baseline, kl_baseline_to_production, jensen_shannon, psi, kolmogorov_smirnov
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
