"""Predictions against the truth, as `report.json` has them."""

from __future__ import annotations

from typing import Literal

import msgspec

from evaluation.format.figures import Count, Course, Figure, Level, Verdict


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


class EstimatedFigure(msgspec.Struct, frozen=True, kw_only=True):
    """What a figure is expected to be, by the model's own probabilities."""

    name: str
    title: str
    value: float | None  # expected over all scored instances
    low: float | None = None  # where it will turn out to lie in 95 of 100 cases, if the assumption holds
    high: float | None = None
    before: float | None = None
    status: str | None = None
    labelled: float | None = None  # expected over the labelled instances alone
    labelled_low: float | None = None
    labelled_high: float | None = None
    realised: float | None = None  # what it turned out to be over these
    disagrees: bool = False  # beyond the interval, widened for the number of figures, and by over half the margin


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """Confidence-based performance estimation (CBPE): no labels needed, but no sight of concept drift."""

    level: Level  # `warn`: labels disagree; `no data`: nothing to estimate from, or no label to hold it against
    sentence: str
    n: int  # scored instances that it rests on
    left_out: int = 0  # further ones, without a usable probability for each class
    labelled: int = 0
    assumption: str = ""
    calibration: str = ""
    binning: float = 0.0  # at most how far the expected ROC AUC is off because probabilities are binned
    figures: list[EstimatedFigure] = []


class SubsetCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which labelled instances may differ from unlabelled ones."""

    name: Literal["answers", "hours"]
    title: str
    effect: float | None  # Kolmogorov-Smirnov statistic, of classes the largest difference of shares
    p: float | None
    level: Level
    sentence: str


class LabelledSubset(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the labelled instances stand for all that were scored."""

    level: Level
    sentence: str
    labelled: int
    unlabelled: int
    threshold: float  # the effect beyond which it warns
    checks: list[SubsetCheck] = []


class PairedTest(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of two models on the same instances."""

    name: str
    title: str
    better: Literal["higher", "lower"]
    one: float | None
    other: float | None
    difference: float | None = None  # other − one
    low: float | None = None  # 95 % interval
    high: float | None = None
    p: float | None = None  # two-sided
    p_corrected: float | None = None  # times the number of tests (Bonferroni)
    method: str = ""
    winner: Literal["one", "other"] | None = None  # better beyond chance: corrected p under 0.05
    status: str | None = None  # why there is no test


class PairedComparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two versions or roles, on the labelled instances that both scored."""

    one_version: str
    one_role: Literal["champion", "challenger"]
    other_version: str
    other_role: Literal["champion", "challenger"]
    n: int
    tested: int = 0  # tests that p is corrected for: those of all comparisons made together
    only_one_right: int | None = None  # classifiers: instances that only the one predicted rightly
    only_other_right: int | None = None
    tests: list[PairedTest] = []
    sentence: str


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
    estimate: Estimate | None = None  # classifiers with probabilities
    subset: LabelledSubset | None = None
    comparisons: list[PairedComparison] = []  # the champion against at most 20 others
    courses: list[Course] = []  # over time
