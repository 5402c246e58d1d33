"""What the owner of a model declares about it; nothing here is measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scoring.bundle import Criteria, Label, Requirements
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
