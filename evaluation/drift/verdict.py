"""The verdict of the drift section: its worst distribution, or what comes nearest when nothing has drifted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evaluation.format.drift import ClusterDrift, DistributionDrift
from evaluation.format.figures import Level, Verdict
from evaluation.thresholds import Thresholds
from evaluation.verdicts import worst
from evaluation.wording import too_few


def drift_verdict(
    features: list[DistributionDrift],
    outputs: list[DistributionDrift],
    clusters: ClusterDrift | None,
    n: int,
    thresholds: Thresholds,
) -> Verdict:
    """The worst level of all, and the one that decided: features first, in their order."""
    whole: Mapping[str, list[DistributionDrift]] = {"feature": features, "output": outputs}
    levels = [drift.level for group in whole.values() for drift in group] + ([clusters.level] if clusters else [])
    level = worst(levels)
    if level == "no data":
        needed = thresholds.need("drift_minimum")
        sentence = f"{too_few(n, 'instance')} to speak of drift, {needed:,.0f} are needed."
        return Verdict(level="no data", sentence=sentence)
    if level == "ok":
        return _quiet_verdict([*features, *outputs])
    moved = [drift for group in whole.values() for drift in group if drift.level == level]
    if clusters is not None and not moved:
        return _cluster_verdict(level, clusters)
    first = moved[0]
    counts = [
        f"{sum(d.level == level for d in group)} of {len(group)} {kind}s" for kind, group in whole.items() if group
    ]
    decisive = next(statistic for statistic in first.statistics if statistic.level == level)
    return Verdict(
        level=level,
        sentence=f"{' and '.join(counts)} drifted. {first.sentence}",
        figure=first.name,
        value=decisive.value,
        threshold=decisive.threshold,
    )


def _quiet_verdict(drifts: Sequence[DistributionDrift]) -> Verdict:
    """Nothing has drifted; the number is the Jensen–Shannon distance, which reads alike for every type, that comes
    nearest to what would alert: its threshold, or what chance alone may give if that is more."""
    said = "No distribution has drifted beyond its threshold and beyond chance"
    found = [
        (statistic.value, max(statistic.threshold, statistic.no_drift or 0.0), drift.name)
        for drift in drifts
        for statistic in drift.statistics
        if statistic.name == "jensen_shannon" and statistic.value is not None and statistic.threshold is not None
    ]
    if not found:
        return Verdict(level="ok", sentence=f"{said}.")
    value, limit, name = max(found, key=lambda one: one[0] / one[1])
    sentence = f"{said}; {name} comes nearest (Jensen–Shannon distance {value:.3g}, alerts above {limit:.3g})."
    return Verdict(level="ok", sentence=sentence, figure=name, value=value, threshold=limit)


def _cluster_verdict(level: Level, clusters: ClusterDrift) -> Verdict:
    """When nothing but the place among the clusters has moved."""
    told = [*clusters.statistics, *clusters.distance_statistics]
    decisive = next((statistic for statistic in told if statistic.level == level), None)
    return Verdict(
        level=level,
        sentence=clusters.sentence,
        figure="clusters",
        value=decisive.value if decisive else None,
        threshold=decisive.threshold if decisive else None,
    )
