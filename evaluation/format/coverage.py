"""Sensible outputs ÷ calls, as `report.json` has it."""

from __future__ import annotations

from typing import Literal

import msgspec

from evaluation.format.figures import Count, Figure, Level, Verdict


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
