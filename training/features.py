"""The manifest's entry for each feature: what its training values were, and how production is to judge it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import numpy as np

from scoring.bundle import Feature, Label
from training.data import Columns, Doubles
from training.errors import ExportRefused


class FeaturePolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How production judges a feature, where it differs from the defaults; fields as in `scoring.bundle.Feature`."""

    unit: str | None = None
    missing: Literal["default", "impute", "abstain", "reject"] = "default"
    outside: Literal["flag", "abstain"] = "flag"
    sentinels: list[Label] = []
    redaction: Literal["none", "drop", "hash"] = "none"


def describe_features(
    values: Doubles, columns: Columns, takes: frozenset[int], policies: Mapping[str, FeaturePolicy]
) -> list[Feature]:
    """Features in order; `takes` are the positions of those that the pipeline takes as missing."""
    unknown = sorted(set(policies) - set(columns.names))
    if unknown:
        raise ExportRefused(f"policies name no feature: {', '.join(map(repr, unknown))}")
    return [
        _feature(name, columns.types[i], values[:, i], i in takes, bool(takes), policies.get(name, FeaturePolicy()))
        for i, name in enumerate(columns.names)
    ]


def read_policies(given: Mapping[str, Any], units: Mapping[str, str]) -> dict[str, FeaturePolicy]:
    """Policies from `FeaturePolicy` objects or dictionaries of their fields, with units merged in."""
    policies: dict[str, FeaturePolicy] = {}
    for name in {**given, **units}:
        policy = given.get(name, {})
        fields = msgspec.structs.asdict(policy) if isinstance(policy, FeaturePolicy) else dict(policy)
        if name in units:
            fields["unit"] = units[name]
        try:
            policies[name] = msgspec.convert(fields, FeaturePolicy)
        except msgspec.ValidationError as problem:
            raise ExportRefused(f"policy of feature {name!r}: {problem}") from problem
    return policies


def _feature(name: str, kind: Any, column: Doubles, takes: bool, any_takes: bool, policy: FeaturePolicy) -> Feature:
    there = column[~np.isnan(column)]
    if not len(there):
        raise ExportRefused(f"column {name!r} is missing in every training row; leave it out of the pipeline")
    _check_policy(name, there, takes, policy)
    missing = policy.missing
    if missing == "default" and any_takes and not takes:
        missing = "abstain"
    numbers: dict[str, Any] = {"categories": [bool(v) for v in np.unique(there)]}
    if kind != "boolean":
        with np.errstate(over="ignore"):
            mean, deviation = _moments(there)
        numbers = {"minimum": float(there.min()), "maximum": float(there.max()), "mean": mean, "deviation": deviation}
    return Feature(
        name=name, type=kind, unit=policy.unit, missing_in_training=int(len(column) - len(there)), missing=missing,
        outside=policy.outside, sentinels=policy.sentinels, redaction=policy.redaction, **numbers,
    )  # fmt: skip


def _moments(there: Doubles) -> tuple[float, float]:
    """Mean and population standard deviation, in units of the largest value where squares would overflow."""
    scale = float(np.abs(there).max())
    if scale < 1e100:
        return float(there.mean()), float(there.std()) if there.min() < there.max() else 0.0
    return float((there / scale).mean() * scale), float((there / scale).std() * scale)


def _check_policy(name: str, there: Doubles, takes: bool, policy: FeaturePolicy) -> None:
    if policy.missing == "impute" and not takes:
        raise ExportRefused(
            f"feature {name!r}: policy missing='impute', but the pipeline raises when it is missing; "
            "put a SimpleImputer before the model, or choose 'abstain' or 'reject'"
        )
    for sentinel in policy.sentinels:
        if isinstance(sentinel, int | float) and not isinstance(sentinel, bool) and (there == sentinel).any():
            raise ExportRefused(
                f"feature {name!r}: {int((there == sentinel).sum())} training rows hold its sentinel {sentinel!r}; "
                "make them missing (NaN) before fitting, as production does before predicting"
            )
