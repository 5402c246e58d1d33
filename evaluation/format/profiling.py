"""Run times, as `report.json` has them."""

from __future__ import annotations

import msgspec

from evaluation.format.figures import Course, Level, Verdict


class StageTimes(msgspec.Struct, frozen=True, kw_only=True):
    """Times of one stage, in milliseconds.

    Quantiles are read from log-spaced bins: at most `error` off, relatively. `maximum` and `mean` are exact.
    """

    name: str  # decode, judge, infer, encode, total, append
    title: str
    n: int  # requests (append: frames)
    p50_ms: float | None
    p90_ms: float | None
    p99_ms: float | None
    max_ms: float | None
    mean_ms: float | None
    error: float
    edges_ms: list[float] = []  # of the bins that hold anything, k + 1
    counts: list[int] = []  # k


class RequirementCheck(msgspec.Struct, frozen=True, kw_only=True):
    """A run time that the model's owner asked for."""

    name: str  # p99_ms, cold_start_ms
    title: str
    limit_ms: float | None
    measured_ms: float | None
    n: int
    level: Level
    sentence: str


class SizeBin(msgspec.Struct, frozen=True, kw_only=True):
    """Requests with from `low` to `high` instances, both included."""

    low: int
    high: int
    requests: int


class Profiling(msgspec.Struct, frozen=True, kw_only=True):
    """Run times, all of the champion's requests in the window."""

    verdict: Verdict
    requests: int
    instances: int
    stages: list[StageTimes] = []
    batch_sizes: list[SizeBin] = []
    batch_max: int | None = None
    batch_mean: float | None = None
    cold_starts: int = 0
    cold_share: float | None = None  # of requests
    cold_ms: StageTimes | None = None
    instances_per_s: float | None = None  # over the whole window
    busiest_hour: str | None = None
    busiest_instances_per_s: float | None = None
    requirements: list[RequirementCheck] = []
    courses: list[Course] = []  # over time
