"""`report.json`: everything that a report says, before anybody draws it.

One report speaks of one model, one window of time and one moment (`as_of`): it covers the instances scored in the
window, with the labels known at that moment. The pages render these structs and the JSON routes send them as they
are, so what cannot be found here is not in any report. Promises:

- numbers are finite or null, and a null stands beside a `status` that says why;
- every judged figure has its preproduction value, its threshold and one of four levels: `ok`, `warn`, `alert`,
  `no data`;
- lists are bounded whatever the number of instances (each field says by what), so the file stays small;
- the same log, bundle and `as_of` give the same bytes.

The format has a version, `schema`. Adding a field with a default keeps the version; renaming, removing or changing
the meaning of one raises it, and the old structs stay readable. `docs/report.schema.json` is generated from this
module (`python -m evaluation schema`), and a test compares the two.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from scoring.bundle import Task

SCHEMA = 1

Level = Literal["ok", "warn", "alert", "no data"]
Occasion = Literal["production", "preproduction"]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a section comes to: one level, one plain sentence and the number that decided."""

    level: Level
    sentence: str
    figure: str | None = None  # name of the figure, feature or requirement that decided
    value: float | None = None
    before: float | None = None  # its preproduction value
    threshold: float | None = None


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One number, beside what it was before production."""

    name: str  # as in `Manifest.metrics`: accuracy, roc_auc, rmse, …
    title: str
    better: Literal["higher", "lower", "zero"]  # which direction is good
    unit: str | None = None
    value: float | None
    n: int  # instances it rests on
    low: float | None = None  # 95 % interval
    high: float | None = None
    interval: str | None = None  # how the interval was made
    status: str | None = None  # why `value` is null, or what to know about it
    before: float | None = None
    before_n: int | None = None
    before_low: float | None = None
    before_high: float | None = None
    level: Level = "no data"
    threshold: float | None = None  # the distance from `before` in the bad direction beyond which it alerts
    sentence: str = ""


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """How many, of how many."""

    name: str
    count: int
    share: float | None = None
    of: str | None = None  # what it is a part of: an outcome, a feature


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """The instances covered: those appended to the log from `since` up to, not including, `until`; whole hours."""

    kind: Literal["hour", "day", "all", "custom"]
    since: str  # RFC 3339, UTC
    until: str
    hours: int


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something about the sources that a reader must know, such as bytes that do not verify."""

    blob: str
    what: str


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """What the report was made from."""

    blobs_closed: int = 0
    blobs_open: int = 0  # read up to their last verified frame
    frames: int = 0
    records: int = 0
    labels_until: str | None = None  # the time of the newest label record read
    findings: list[Finding] = []  # the first 100
    findings_total: int = 0


class ModelFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The version that the figures speak of and how it was made."""

    name: str
    version: str
    bundle: str | None  # SHA-256 of its manifest; null when the bundle could not be read
    task: Task | None
    created: str | None = None
    description: str = ""
    target: str = "target"
    target_unit: str | None = None
    classes: list[str] = []  # as class keys, in the order of the probabilities
    positive: str | None = None
    features: int = 0
    convergence: list[str] = []  # convergence warnings raised while it was fitted, in full
    not_converged: Literal["flag", "abstain"] = "flag"  # what it does about them
    criteria: list[str] = []  # when it abstains, one sentence each
    data: list[str] = []  # where its training data came from, one sentence each
    problem: str | None = None  # why the bundle could not be read


# ---------------------------------------------------------------------------------------------------- coverage


class CoverageCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Calls by what became of them; `calls` = instances + request errors, `coverage` = scored ÷ calls."""

    calls: int
    scored: int
    abstained: int
    rejected: int
    failed: int
    request_errors: int
    coverage: float | None


class CoverageHour(msgspec.Struct, frozen=True, kw_only=True):
    """One hour, or one day when the window is longer than seven days."""

    start: str
    counts: CoverageCounts


class CoverageVersion(msgspec.Struct, frozen=True, kw_only=True):
    """One version in one role. Request errors belong to the model, so they stand with no version."""

    version: str
    role: Literal["champion", "challenger"]
    counts: CoverageCounts


class FeatureRates(msgspec.Struct, frozen=True, kw_only=True):
    """How often one feature came missing, as an artifact, or outside its training range."""

    name: str
    instances: int  # instances judged: all but those rejected before this could be known
    missing: int
    artifacts: int
    outside: int
    missing_rate: float | None
    missing_before: float | None  # its rate in training
    artifact_rate: float | None
    outside_rate: float | None
    kinds: list[Count] = []  # artifacts by kind, the commonest 5
    level: Level = "no data"
    threshold: float | None = None  # the rise of the missing rate over training that alerts
    sentence: str = ""


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """Do the counts agree with each other? Each pair must be equal, or `findings` says what is not."""

    frame_records: int  # what the headers of the verified frames declare
    read_records: int  # records decoded
    score_records: int
    champion_instances: int
    challenger_instances: int
    outcomes: int  # sum of the champion's outcomes
    requests: int  # distinct request ids, request errors included
    repeated_ids: int  # instances whose id was used in an earlier call of the window
    conflicting_ids: int  # ids that came with two different instances
    unreadable_lines: int
    agrees: bool
    findings: list[str] = []


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """Sensible outputs ÷ calls."""

    verdict: Verdict
    figure: Figure
    counts: CoverageCounts
    reasons: list[Count] = []  # by frequency; `of` is the outcome; an instance may have several
    errors: list[Count] = []  # reasons of request errors
    hours: list[CoverageHour] = []  # at most 168 hours or 400 days
    versions: list[CoverageVersion] = []
    features: list[FeatureRates] = []  # manifest order
    whole: list[Count] = []  # artifacts of instances as a whole, such as `duplicate_instance`, by frequency
    outside_joint: int = 0  # instances beyond the joint envelope's threshold
    outside_joint_rate: float | None = None
    reconciliation: Reconciliation


# ------------------------------------------------------------------------------------------------- performance


class ClassFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One class against the rest."""

    label: str
    n: int  # instances whose truth is this class
    predicted: int
    prevalence: float | None
    figures: list[Figure] = []


class Confusion(msgspec.Struct, frozen=True, kw_only=True):
    """Rows: the truth. Columns: the prediction. Both in the order of `labels`; at most 50, the rest in the last."""

    labels: list[str]
    counts: list[list[int]]


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """A line to draw, at most 200 points, x ascending but for ties."""

    name: Literal["roc", "pr", "calibration"]
    label: str  # the class it speaks of
    x_title: str
    y_title: str
    points: list[tuple[float, float]]
    weights: list[int] = []  # calibration: instances in each point's bin


class Residuals(msgspec.Struct, frozen=True, kw_only=True):
    """Regression: value − truth."""

    edges: list[float]  # k + 1
    counts: list[int]  # k
    points: list[tuple[float, float]]  # (predicted, residual) of at most 500 instances, those of smallest id hash
    unit: str | None = None


class LabelArrival(msgspec.Struct, frozen=True, kw_only=True):
    """How much truth has come, how late, and for which instances."""

    labels: int  # label records known at `as_of`, since the window's start or of its instances, rejected ones apart
    matched: int  # distinct ids of the window's instances with a label that counts
    scored: int  # distinct ids scored
    labelled: int  # of these, with a label: what performance rests on
    join_rate: float | None  # labelled ÷ scored
    without_score: list[Count] = []  # matched ids by the outcome that left them without a score
    corrected: int = 0  # matched ids whose newest label differs from an earlier one
    unmatched: int = 0  # ids labelled since the window's start that have no instance in it
    rejected: int = 0  # label records that never count
    unusable: int = 0  # labels of another type than the target, left out
    delay_p50_s: float | None = None  # from score to the first label record of an id
    delay_p90_s: float | None = None
    delay_max_s: float | None = None
    sentence: str = ""


class VersionFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Another version or a challenger, on the instances that it scored and that have labels."""

    version: str
    role: Literal["champion", "challenger"]
    n: int
    figures: list[Figure]


class Performance(msgspec.Struct, frozen=True, kw_only=True):
    """Predictions against the truth."""

    verdict: Verdict
    labels: LabelArrival
    figures: list[Figure] = []  # the headline first
    classes: list[ClassFigures] = []  # at most 50
    confusion: Confusion | None = None
    curves: list[Curve] = []
    residuals: Residuals | None = None
    majority_class: str | None = None
    majority_baseline: float | None = None  # accuracy of always saying the majority class
    notes: list[str] = []  # "accuracy misleads here", "predicts a single class", …
    others: list[VersionFigures] = []


# --------------------------------------------------------------------------------------------------- profiling


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


# ------------------------------------------------------------------------------------------------------- drift


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


# ------------------------------------------------------------------------------------------------------ report


class Threshold(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict's limit, and who set it."""

    name: str
    value: float
    source: Literal["default", "bundle", "setting"]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of `report.json`."""

    schema: int
    occasion: Occasion = "production"  # preproduction: made of test rows, scored as in production, before going there
    id: str  # safe in a URL: day-2026-11-23-20261124T000700Z
    model: ModelFacts
    window: Window
    as_of: str  # RFC 3339, UTC
    provisional: bool  # it rests on blobs that are still open, or on hours that are not over
    verdict: Verdict  # the worst of the four
    coverage: Coverage
    performance: Performance
    profiling: Profiling
    drift: Drift
    sources: Sources
    thresholds: list[Threshold] = []
    notes: list[str] = []


class ReportEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a list of reports, and of the home page: `reports/{model}/latest.json` holds the newest."""

    schema: int
    id: str
    model: str
    version: str
    window: Window
    as_of: str
    provisional: bool
    level: Level
    verdicts: dict[str, Verdict]  # coverage, performance, profiling, drift
    calls: int
    coverage: float | None


def encode_report(report: Report | ReportEntry) -> bytes:
    """The JSON text, indented, ending in a newline; the same report always gives the same bytes."""
    return msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n"


def decode_report(data: bytes) -> Report:
    """Read a `report.json`; raises `msgspec.DecodeError` for another shape and `ValueError` for another version."""
    version = msgspec.json.decode(data, type=_Versioned).schema
    if version != SCHEMA:
        raise ValueError(f"report.json has schema {version}, this code reads {SCHEMA}; build the report again")
    return msgspec.json.decode(data, type=Report)


def entry_of(report: Report) -> ReportEntry:
    """The line that stands for a report in lists."""
    verdicts = {
        "coverage": report.coverage.verdict,
        "performance": report.performance.verdict,
        "profiling": report.profiling.verdict,
        "drift": report.drift.verdict,
    }
    return ReportEntry(
        schema=SCHEMA,
        id=report.id,
        model=report.model.name,
        version=report.model.version,
        window=report.window,
        as_of=report.as_of,
        provisional=report.provisional,
        level=report.verdict.level,
        verdicts=verdicts,
        calls=report.coverage.counts.calls,
        coverage=report.coverage.counts.coverage,
    )


class _Versioned(msgspec.Struct):
    schema: int
