"""Features whose values the log does not hold in clear: listed, with no data to judge by, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from evaluation.format.drift import DistributionDrift
from evaluation.profile import Profile
from scoring.bundle import Feature, Manifest


def with_redacted(
    compared: Sequence[DistributionDrift], profile: Profile, manifest: Manifest, ranks: Mapping[str, int]
) -> list[DistributionDrift]:
    """The features, those whose values the log does not hold in clear with no data to judge by, and why."""
    drifts = {drift.name: drift for drift in compared}
    for feature in manifest.features:
        count = profile.redacted.get(feature.name, 0)
        drift = drifts.get(feature.name)
        if count and (drift is None or not drift.n_now):
            drifts[feature.name] = _redacted(feature, count, ranks.get(feature.name))
        elif count and drift is not None:
            drifts[feature.name] = msgspec.structs.replace(drift, redacted=count)
    return list(drifts.values())


def _redacted(feature: Feature, count: int, rank: int | None) -> DistributionDrift:
    return DistributionDrift(
        name=feature.name,
        kind="category" if feature.type in ("boolean", "string") else "number",
        unit=feature.unit,
        importance=feature.importance,
        rank=rank,
        level="no data",
        sentence=f"{feature.name} is redacted: the log holds no values of it to compare.",
        n_before=0,
        n_now=0,
        redacted=count,
    )
