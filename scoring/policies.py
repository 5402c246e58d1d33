"""What serving.toml says of how a model is judged, where it differs from the bundle.

    [models.credit.policies]
    minimum_probability = 0.6     # 0 to 1: abstain below it
    output_minimum = 0.0          # regressions: abstain below it; -inf: no such limit
    output_maximum = 1e6          # regressions: abstain above it; inf: no such limit
    not_converged = "abstain"     # or "flag"
    joint = "abstain"             # or "flag"
    extra_features = "ignore"     # or "reject"

    [models.credit.policies.features.age]
    missing = "abstain"           # or "reject", "impute"
    outside = "abstain"           # or "flag"
    sentinels = [-999, "N/A"]     # in place of the bundle's
    defaults = [0, 99]            # in place of the bundle's
    redaction = "hash"            # or "drop"; never less than the bundle says

They hold for every version of the model, so that none is a way around them; only the champion must have every feature
that they name. What cannot hold is a `PolicyError`, and the version is not served: a policy without effect is worse
than none. Of a bundle that abstains or rejects nobody can tell whether its owner wanted that or its pipeline raises
for such values, so neither is loosened here: export again, which proves what the pipeline does.
"""

from __future__ import annotations

import hashlib
import math
from typing import Literal

import msgspec

from scoring.bundle import Criteria, Feature, Label, Manifest
from scoring.feature_rule import defaults_problem
from scoring.redaction import Way, is_looser

Limit = Literal["output_minimum", "output_maximum"]


class PolicyError(Exception):
    """A policy that cannot hold for a version; the message says where it stands and why."""


class FeaturePolicies(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """How one feature is judged and recorded; what is None is as the bundle says."""

    missing: Literal["impute", "abstain", "reject"] | None = None
    outside: Literal["flag", "abstain"] | None = None
    sentinels: list[Label] | None = None
    defaults: list[Label] | None = None
    redaction: Literal["none", "drop", "hash"] | None = None


class Policies(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """A model's table; what is None is as the bundle says."""

    minimum_probability: float | None = None
    output_minimum: float | None = None
    output_maximum: float | None = None
    not_converged: Literal["flag", "abstain"] | None = None
    joint: Literal["flag", "abstain"] | None = None
    extra_features: Literal["reject", "ignore"] | None = None
    features: dict[str, FeaturePolicies] = {}


def in_effect(manifest: Manifest, policies: Policies, *, champion: bool) -> Manifest:
    """The manifest by which instances are judged; raises `PolicyError`."""
    _check_names(manifest, policies, champion=champion)
    features = [
        _feature(feature, policies.features[feature.name], manifest) if feature.name in policies.features else feature
        for feature in manifest.features
    ]
    return msgspec.structs.replace(manifest, features=features, criteria=_criteria(manifest, policies))


def fingerprint(policies: Policies) -> str | None:
    """What records carry to say by which policies they were judged: 16 hex digits of the SHA-256 of their JSON; None
    if they say nothing.

    >>> fingerprint(Policies(joint="abstain")), fingerprint(Policies())
    ('6b34d6a23803addd', None)
    """
    if policies == Policies():
        return None
    return hashlib.sha256(told(policies)).hexdigest()[:16]


def told(policies: Policies) -> bytes:
    """The JSON that the fingerprint is of; a limit of `inf` or `-inf` is null."""
    return msgspec.json.encode(policies, order="deterministic")


def redacted_by(policies: Policies) -> dict[str, Way]:
    """The features that the policies redact, also those that a version does not have."""
    found = {name: own.redaction for name, own in policies.features.items()}
    return {name: way for name, way in found.items() if way is not None and way != "none"}


def _check_names(manifest: Manifest, policies: Policies, *, champion: bool) -> None:
    known = {feature.name for feature in manifest.features}
    unknown = sorted(set(policies.features) - known)
    if champion and unknown:
        there = ", ".join(sorted(known))
        raise _error(manifest, f"features.{unknown[0]}", f"the champion has no such feature; it has {there}")


def _criteria(manifest: Manifest, policies: Policies) -> Criteria:
    found = msgspec.structs.replace(
        manifest.criteria,
        **{name: value for name in Criteria.__struct_fields__ if (value := getattr(policies, name)) is not None},
    )
    _check_probability(manifest, policies.minimum_probability)
    limits = {name: _limit(manifest, policies, name) for name in ("output_minimum", "output_maximum")}
    low, high = limits.values()
    if low is not None and high is not None and low > high:
        raise _error(manifest, "output_minimum", f"{low:g} is above output_maximum, {high:g}")
    if policies.joint == "abstain" and manifest.calibration is None:
        raise _error(manifest, "joint", "the bundle has no calibration envelope, so nothing is outside of it")
    return msgspec.structs.replace(found, **limits)


def _check_probability(manifest: Manifest, least: float | None) -> None:
    if least is None:
        return
    if manifest.output.probabilities is None:
        raise _error(manifest, "minimum_probability", "the model gives no probabilities")
    if not 0 <= least <= 1:
        raise _error(manifest, "minimum_probability", f"expected a probability, 0 to 1, found {least:g}")


def _limit(manifest: Manifest, policies: Policies, name: Limit) -> float | None:
    """A limit in effect; None if there is none."""
    given: float | None = getattr(policies, name)
    if given is None:
        own: float | None = getattr(manifest.criteria, name)
        return own
    if manifest.task != "regression":
        raise _error(manifest, name, f"the model is no regression, its task is {manifest.task}")
    if given == (-math.inf if name == "output_minimum" else math.inf):
        return None
    if not math.isfinite(given):
        raise _error(manifest, name, f"expected a finite number, found {given:g}")
    return given


def _feature(feature: Feature, policies: FeaturePolicies, manifest: Manifest) -> Feature:
    given = {name: value for name, value in msgspec.structs.asdict(policies).items() if value is not None}
    found = msgspec.structs.replace(feature, **given)
    for name, problem in (
        ("missing", _missing_problem(feature, policies, takes_missing=manifest.parity.takes_missing)),
        ("outside", _outside_problem(feature, policies)),
        ("redaction", _redaction_problem(feature, policies)),
        ("sentinels", _sentinels_problem(feature, policies)),
        ("defaults", defaults_problem(found.type, found.sentinels, found.defaults)),
    ):
        if problem:
            raise _error(manifest, f"features.{feature.name}.{name}", problem)
    return found


def _missing_problem(feature: Feature, policies: FeaturePolicies, *, takes_missing: bool) -> str | None:
    if policies.missing != "impute" or feature.missing == "impute":
        return None
    if not takes_missing:
        return "'impute', but the pipeline takes no missing values"
    if feature.missing != "default":
        return (
            f"'impute', but the bundle says {feature.missing!r}, perhaps because its pipeline raises; export it again"
        )
    return None


def _outside_problem(feature: Feature, policies: FeaturePolicies) -> str | None:
    if feature.type == "string" and policies.outside == "flag" and feature.outside == "abstain":
        return "'flag', but the bundle abstains, perhaps because its pipeline raises for unknown text; export it again"
    return None


def _redaction_problem(feature: Feature, policies: FeaturePolicies) -> str | None:
    if policies.redaction is not None and is_looser(policies.redaction, feature.redaction):
        return f"{policies.redaction!r} keeps more than the bundle's {feature.redaction!r}, which its owner asked for"
    return None


def _sentinels_problem(feature: Feature, policies: FeaturePolicies) -> str | None:
    for value in policies.sentinels or ():
        if not isinstance(value, str) and not _is_finite(value):
            return f"{value!r} is no finite number"
        if any(type(value) is type(category) and value == category for category in feature.categories or ()):
            return f"{value!r} is a category of the training data, so it does not mean missing"
    return None


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:
        return False


def _error(manifest: Manifest, where: str, problem: str) -> PolicyError:
    return PolicyError(f"serving.toml: models.{manifest.name}.policies.{where}: {problem}")
