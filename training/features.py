"""The manifest's entry for each feature: what its training values were, and how production is to judge it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import numpy as np

from scoring.bundle import Feature, Label
from scoring.feature_rule import defaults_problem
from training.adversarial import Takes
from training.columns import Column, TextColumn
from training.data import Columns, Doubles
from training.errors import ExportRefused


class FeaturePolicy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How production judges a feature, where it differs from the defaults; fields as in `scoring.bundle.Feature`.

    `outside` is "abstain" whatever is said here for text of which the pipeline raises when it does not know it.
    """

    unit: str | None = None
    missing: Literal["default", "impute", "abstain", "reject"] = "default"
    outside: Literal["flag", "abstain"] = "flag"
    sentinels: list[Label] = []
    defaults: list[Label] = []
    redaction: Literal["none", "drop", "hash"] = "none"


def describe_features(
    values: Doubles, columns: Columns, takes: Takes, policies: Mapping[str, FeaturePolicy]
) -> list[Feature]:
    """Features in order, from their training values."""
    unknown = sorted(set(policies) - set(columns.names))
    if unknown:
        raise ExportRefused(f"policies name no feature: {', '.join(map(repr, unknown))}")
    return [
        _feature(column, values[:, i], i, takes, policies.get(column.name, FeaturePolicy()))
        for i, column in enumerate(columns.columns)
    ]


def read_policies(given: Mapping[str, Any], units: Mapping[str, str]) -> dict[str, FeaturePolicy]:
    """Policies from `FeaturePolicy` objects or dictionaries of their fields, with units merged in."""
    policies: dict[str, FeaturePolicy] = {}
    for name in {**given, **units}:
        policy = given.get(name, {})
        if not isinstance(policy, FeaturePolicy | Mapping):
            raise ExportRefused(
                f"policy of feature {name!r} is a {type(policy).__name__}; give a FeaturePolicy or a dict"
            )
        fields = msgspec.structs.asdict(policy) if isinstance(policy, FeaturePolicy) else dict(policy)
        if name in units:
            fields["unit"] = units[name]
        try:
            policies[name] = msgspec.convert(fields, FeaturePolicy)
        except msgspec.ValidationError as problem:
            raise ExportRefused(
                f"policy of feature {name!r}: {problem}; missing is default, impute, abstain or reject; outside is "
                "flag or abstain; redaction is none, drop or hash; sentinels and defaults are lists, unit a text"
            ) from problem
    return policies


def _feature(column: Column, values: Doubles, position: int, takes: Takes, policy: FeaturePolicy) -> Feature:
    there = values[~np.isnan(values)]
    _check_policy(column, there, position in takes.missing, policy)
    missing, outside = policy.missing, policy.outside
    if missing == "default" and takes.missing and position not in takes.missing:
        missing = "abstain"
    if isinstance(column, TextColumn) and position not in takes.unseen:
        outside = "abstain"  # the pipeline itself raises for a text that it does not know
    return Feature(
        name=column.name, type=column.type, unit=policy.unit,
        missing_in_training=int(len(values) - len(there)), missing=missing, outside=outside,
        sentinels=policy.sentinels, defaults=policy.defaults, redaction=policy.redaction,
        **_training_values(column, there),
    )  # fmt: skip


def _training_values(column: Column, there: Doubles) -> dict[str, Any]:
    """The categories, or the range and moments."""
    if isinstance(column, TextColumn):
        known = column.vocabulary.values[len(column.categories) :]
        return {"categories": list(column.categories), "known": list(known)}
    if column.type == "boolean":
        return {"categories": [bool(value) for value in np.unique(there)]}
    with np.errstate(over="ignore"):
        mean, deviation = _moments(there)
    return {"minimum": float(there.min()), "maximum": float(there.max()), "mean": mean, "deviation": deviation}


def _moments(there: Doubles) -> tuple[float, float]:
    """Mean and population standard deviation, in units of the largest value where squares would overflow."""
    scale = float(np.abs(there).max())
    if scale < 1e100:
        return float(there.mean()), float(there.std()) if there.min() < there.max() else 0.0
    return float((there / scale).mean() * scale), float((there / scale).std() * scale)


def _check_policy(column: Column, there: Doubles, takes: bool, policy: FeaturePolicy) -> None:
    if policy.missing == "impute" and not takes:
        raise ExportRefused(
            f"feature {column.name!r}: policy missing='impute', but the pipeline raises when it is missing; "
            "put a SimpleImputer before the model, or choose 'abstain' or 'reject'"
        )
    for sentinel in policy.sentinels:
        rows = _rows_with(column, there, sentinel)
        if rows:
            raise ExportRefused(
                f"feature {column.name!r}: {rows} training rows hold its sentinel {sentinel!r}; "
                "make them missing (NaN) before fitting, as production does before predicting"
            )
    problem = defaults_problem(column.type, policy.sentinels, policy.defaults)
    if problem:
        raise ExportRefused(f"feature {column.name!r}: {problem}")


def _rows_with(column: Column, there: Doubles, sentinel: Label) -> int:
    if isinstance(column, TextColumn):
        return int((there == column.categories.index(sentinel)).sum()) if sentinel in column.categories else 0
    number = isinstance(sentinel, int | float) and not isinstance(sentinel, bool)
    return int((there == sentinel).sum()) if number else 0
