"""What the owner of a model declares about it; nothing here is measured."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.thresholds import DEFAULTS, is_threshold
from scoring.bundle import Criteria, Label, Requirements
from training.errors import ExportRefused
from training.features import FeaturePolicy


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """The options of `training.export_bundle`, which documents them, checked as far as they can be alone."""

    models: Path
    name: str
    version: str
    created: str
    feature_names: Sequence[str] | None
    target: str | None
    target_unit: str | None
    policies: Mapping[str, FeaturePolicy]
    positive: Label | None
    criteria: Criteria
    requirements: Requirements
    thresholds: Mapping[str, float]
    description: str
    source: str | None
    convergence: Sequence[str]
    private: bool
    allow_constant: bool
    seed: int


def check_names(feature_names: Any) -> None:
    """Refuse names that are no list."""
    if feature_names is not None and not hasattr(feature_names, "__len__"):
        raise ExportRefused(f"feature_names is a {type(feature_names).__name__}; give a list of names")


def read_criteria(given: Any) -> Criteria:
    """When to abstain; everything off where nothing is given."""
    if given is not None and not isinstance(given, Criteria):
        raise ExportRefused(f"criteria is a {type(given).__name__}; give a scoring.bundle.Criteria")
    return given or Criteria()


def read_run_times(p99_ms: float | None, cold_start_ms: float | None) -> Requirements:
    """The run times asked for; refuses what no run time can be below."""
    for name, wanted in (("p99_ms", p99_ms), ("cold_start_ms", cold_start_ms)):
        if wanted is not None and not (_is_finite(wanted) and wanted > 0):
            raise ExportRefused(f"{name} must be milliseconds above 0, such as 50.0; it is {wanted!r}")
    return Requirements(p99_ms=p99_ms, cold_start_ms=cold_start_ms)


def read_thresholds(given: Mapping[str, float]) -> dict[str, float]:
    """Verdict thresholds; refuses names that no verdict knows, since they would silently be without effect."""
    for name, value in given.items():
        if not is_threshold(name):
            known = ", ".join(sorted(DEFAULTS))
            raise ExportRefused(f"thresholds: there is no threshold {name!r}, but {known}, and margin:FIGURE")
        if not _is_finite(value):
            raise ExportRefused(f"thresholds: {name!r} must be a finite number; it is {value!r}")
    return {name: float(value) for name, value in given.items()}


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
