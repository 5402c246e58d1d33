"""Predictions against the truth, as `report.json` has them."""

from __future__ import annotations

from typing import Literal

import msgspec

from evaluation.format.figures import Count, Course, Figure, Verdict


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
    courses: list[Course] = []  # over time
