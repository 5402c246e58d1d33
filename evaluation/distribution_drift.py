"""Drift: the distributions of features and outputs now, against the baseline. Pure.

Counted are instances that the model can take: outcome `scored`, `abstained` or `failed`, of the version and bundle
that the report speaks of; a rejected instance may hold anything and is left out. Every distribution is compared over
all its bins, also the one below the first edge, the one above the last, the unseen and the missing: a feature that
goes missing has drifted. Kolmogorov–Smirnov, which needs an order, leaves unseen and missing out. Of more than 100
categories those that were most frequent before production are compared each, the others together: which these are
must not depend on the data that is judged.

A distribution alerts when a statistic exceeds its threshold and what no drift would give (see
`evaluation.drift.no_drift`), and warns at half the threshold by the same rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from evaluation.drift.jensen_shannon import jensen_shannon
from evaluation.drift.kl import kullback_leibler
from evaluation.drift.kolmogorov_smirnov import kolmogorov_smirnov
from evaluation.drift.no_drift import NoDrift
from evaluation.drift.proportions import SMOOTHING
from evaluation.drift.psi import population_stability
from evaluation.pages.numbers import counted
from evaluation.pages.text import shown
from evaluation.profile import Distributions, Profile
from evaluation.report_format import ClusterDrift, DistributionDrift, Drift, HistogramPair, Level, Statistic, Verdict
from evaluation.thresholds import Thresholds
from evaluation.verdicts import worst
from evaluation.wording import share, too_few
from scoring.bundle import Baseline, Clusters, Feature, Histogram, Label, Manifest, class_key

MOST_FEATURES = 500
MOST_EXAMPLES = 5
MOST_CATEGORIES = 100  # compared, and listed in the report; the others are added up
LONGEST_NAME = 200  # characters of a category in the report

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Kind:
    """One statistic: how it is computed, on which bins, and the power that makes it a quadratic form."""

    name: str
    title: str
    function: Callable[[Floats, Floats], Floats]
    power: float = 1.0
    ordered: bool = False


KINDS = (
    _Kind("jensen_shannon", "Jensen–Shannon distance (base 2)", jensen_shannon, power=2.0),
    _Kind("psi", "Population stability index", population_stability),
    _Kind("kolmogorov_smirnov", "Kolmogorov–Smirnov statistic", kolmogorov_smirnov, power=2.0, ordered=True),
    _Kind("kl_production_to_baseline", "KL(production ‖ baseline), bits", kullback_leibler),
    _Kind(
        "kl_baseline_to_production",
        "KL(baseline ‖ production), bits",
        lambda now, before: kullback_leibler(before, now),
    ),
)
METHOD = (
    "A statistic alerts when it exceeds its threshold and also the value that it stays below in 99.9 % of reports on "
    "data without drift, for these sample sizes and this number of distributions; at half its threshold it warns. "
    f"KL and PSI add {SMOOTHING} to the count of each bin that either side uses, because an empty bin makes them "
    "infinite; nothing else is smoothed. Values below and above the baseline's bins, unseen and missing ones have bins "
    "of their own; Kolmogorov–Smirnov, read from the bins' edges, leaves unseen and missing ones out. Rejected "
    "instances are not counted."
)


def drift_section(
    profile: Profile | None, manifest: Manifest | None, baseline: Baseline | None, sha256: str, thresholds: Thresholds
) -> Drift:
    """The section of one version as champion, from the merge of its profiles."""
    if manifest is None or baseline is None:
        return _nothing("The bundle cannot be read, so there is no baseline to compare with.", 0)
    found = profile.distributions.get(sha256) if profile else None
    if profile is None or found is None or not found.n:
        return _nothing(_why_nothing(profile), baseline.rows)
    judge = _Judge(thresholds, tested=_tested(found, baseline))
    ranks = importance_ranks(manifest.features)
    features = [
        judge.distribution(
            feature.name,
            baseline.features[feature.name],
            found.features[feature.name],
            feature,
            ranks.get(feature.name),
        )
        for feature in manifest.features
        if feature.name in baseline.features and feature.name in found.features
    ]
    features = [_with_examples(drift, found, baseline) for drift in features]
    features = _with_redacted(features, profile, manifest, ranks)
    features.sort(key=lambda drift: (-_severity(drift.level), drift.rank or len(features) + 1))
    outputs = [
        judge.distribution(name, before, found.outputs[name])
        for name, before in baseline.outputs.items()
        if name in found.outputs
    ]
    clusters = judge.clusters(baseline.clusters, found, manifest)
    return Drift(
        verdict=_verdict(features, outputs, clusters, found.n, thresholds),
        n=found.n,
        baseline_rows=baseline.rows,
        features=features[:MOST_FEATURES],
        outputs=outputs,
        clusters=clusters,
        tested=judge.tested,
        method=METHOD,
    )


def _with_examples(drift: DistributionDrift, found: Distributions, baseline: Baseline) -> DistributionDrift:
    """A drifted feature with instances of the bin that grew most, out of the profile's sample."""
    if drift.level not in ("warn", "alert"):
        return drift
    place = most_grown(baseline.features[drift.name], found.features[drift.name])
    column = sorted(found.features).index(drift.name)
    ids = dict.fromkeys(example.id for example in found.examples if example.places[column] == place)
    return msgspec.structs.replace(drift, examples=list(ids)[:MOST_EXAMPLES])


def _with_redacted(
    compared: list[DistributionDrift], profile: Profile, manifest: Manifest, ranks: Mapping[str, int]
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


def most_grown(before: Histogram, now: Histogram) -> int:
    """Position in `bins` of the bin whose share grew most."""
    old, new = bins(before), bins(now)
    return int((new / new.sum() - old / old.sum()).argmax())


def importance_ranks(features: list[Feature]) -> dict[str, int]:
    """Rank 1 for the feature with the largest permutation importance; none for features without one."""
    known = [feature for feature in features if feature.importance is not None]
    known.sort(key=lambda feature: -(feature.importance or 0.0))
    return {feature.name: rank for rank, feature in enumerate(known, 1)}


def _why_nothing(profile: Profile | None) -> str:
    if profile is None or not profile.instances:
        return "No instance was judged."
    return "Every instance was rejected, or was scored by another bundle of this version."


def _nothing(sentence: str, rows: int) -> Drift:
    return Drift(verdict=Verdict(level="no data", sentence=sentence), n=0, baseline_rows=rows, method=METHOD)


def _tested(found: Distributions, baseline: Baseline) -> int:
    """Distributions looked at."""
    return max(1, len(found.features) + len(found.outputs) + (2 if baseline.clusters else 0))


def _severity(level: Level) -> int:
    return ("no data", "ok", "warn", "alert").index(level)


class _Judge:
    """Compares distributions under one set of thresholds and one correction."""

    def __init__(self, thresholds: Thresholds, tested: int) -> None:
        self._thresholds, self.tested = thresholds, tested
        self._minimum = thresholds.need("drift_minimum")

    def distribution(
        self, name: str, before: Histogram, now: Histogram, feature: Feature | None = None, rank: int | None = None
    ) -> DistributionDrift:
        """One feature or output."""
        n_before, n_now = size(before), size(now)
        few = [condensed(histogram, before.counts) for histogram in (before, now)]
        statistics = self._statistics(*map(bins, few), ordered=before.edges is not None)
        level = worst(statistic.level for statistic in statistics)
        return DistributionDrift(
            name=name,
            kind="category" if before.edges is None else "number",
            unit=feature.unit if feature else None,
            importance=feature.importance if feature else None,
            rank=rank,
            level=level,
            sentence=self._sentence(name, level, statistics, n_now, before, now),
            n_before=n_before,
            n_now=n_now,
            missing_before=before.missing / n_before if n_before else None,
            missing_now=now.missing / n_now if n_now else None,
            statistics=statistics,
            histogram=pair(before, now),
        )

    def clusters(self, before: Clusters | None, found: Distributions, manifest: Manifest) -> ClusterDrift | None:
        """Occupancy of the training clusters and the distance to the nearest centre."""
        now = found.clusters
        if before is None or now is None:
            return None
        occupancy = self._statistics(
            np.array(before.occupancy, np.float64), np.array(now.occupancy, np.float64), ordered=False
        )
        apart = self.distribution("distance", before.distance, now.distance)
        level = worst(statistic.level for statistic in [*occupancy, *apart.statistics])
        n = size(now.distance)
        limit = manifest.calibration.threshold if manifest.calibration else None
        return ClusterDrift(
            level=level,
            sentence=_cluster_sentence(level, n, self._minimum, found.beyond, occupancy, apart.statistics),
            occupancy_before=before.occupancy,
            occupancy_now=now.occupancy,
            statistics=occupancy,
            distance=apart.histogram,
            distance_statistics=apart.statistics,
            threshold=limit,
            beyond_before=None if limit is None else share_beyond(before.distance, limit),
            beyond_now=found.beyond / n if n and limit is not None else None,
        )

    def _statistics(self, before: Floats, now: Floats, *, ordered: bool) -> list[Statistic]:
        n_now = int(now.sum())
        if not int(before.sum()) or n_now < self._minimum:
            why = (
                f"{counted(n_now, 'instance')}, at least {self._minimum:,.0f} are needed"
                if before.sum()
                else "no baseline"
            )
            return [self._statistic(kind, now, before, None, why) for kind in KINDS if ordered or not kind.ordered]
        null = NoDrift(now, before)
        return [self._statistic(kind, now, before, null, None) for kind in KINDS if ordered or not kind.ordered]

    def _statistic(self, kind: _Kind, now: Floats, before: Floats, null: NoDrift | None, why: str | None) -> Statistic:
        function = _in_order(kind.function) if kind.ordered else kind.function
        value = float(function(now, before))
        threshold = self._thresholds.get(kind.name)
        bar = None
        if null is not None:
            bar = null.quantile(function, tested=self.tested * len(KINDS), power=kind.power)
        return Statistic(
            name=kind.name,
            title=kind.title,
            value=value if np.isfinite(value) else None,
            threshold=threshold,
            no_drift=bar if bar is not None and np.isfinite(bar) else None,
            level=_level(value, threshold, bar),
            status=why,
        )

    def _sentence(
        self, name: str, level: Level, statistics: list[Statistic], n: int, before: Histogram, now: Histogram
    ) -> str:
        if level == "no data":
            return f"{name}: {too_few(n, 'instance')} for a verdict, {self._minimum:,.0f} are needed."
        decisive = next((s for s in statistics if s.level == level), statistics[0])
        told = f"{decisive.title} {decisive.value:.3g}"
        if level == "ok":
            return f"{name} is distributed as in the baseline ({told})."
        return f"{name} has drifted: {told}, threshold {decisive.threshold:.3g}; {_moved(before, now)}."


def _in_order(function: Callable[[Floats, Floats], Floats]) -> Callable[[Floats, Floats], Floats]:
    """The statistic without the last two bins, unseen and missing, which have no place in an order."""
    return lambda now, before: function(now[..., :-2], before[..., :-2])


def _level(value: float, threshold: float | None, bar: float | None) -> Level:
    if bar is None or not np.isfinite(value) or not np.isfinite(bar):
        return "no data"
    if threshold is None or value <= bar or value <= threshold / 2:
        return "ok"
    return "alert" if value > threshold else "warn"


def bins(histogram: Histogram) -> Floats:
    """All counts as one vector: the bins, then unseen, then missing."""
    return np.array([*histogram.counts, histogram.unseen, histogram.missing], np.float64)


def size(histogram: Histogram) -> int:
    """Values counted, missing and unseen ones too."""
    return sum(histogram.counts) + histogram.unseen + histogram.missing


def condensed(histogram: Histogram, weights: Sequence[float]) -> Histogram:
    """The same with at most 100 categories, in their order: those of largest weight, and the sum of the others last.

    >>> many = Histogram(categories=[str(i) for i in range(300)], counts=[1] * 300)
    >>> few = condensed(many, weights=range(300))
    >>> few.categories[0], few.categories[-1], few.counts[-1], len(few.counts)
    ('201', '201 others', 201, 100)
    """
    categories, counts = histogram.categories, histogram.counts
    if categories is None or len(categories) <= MOST_CATEGORIES:
        return histogram
    order = sorted(range(len(categories)), key=lambda place: (-weights[place], place))
    kept = sorted(order[: MOST_CATEGORIES - 1])
    others = len(categories) - len(kept)
    return msgspec.structs.replace(
        histogram,
        categories=[*(categories[place] for place in kept), f"{others:,} others"],
        counts=[*(counts[place] for place in kept), sum(counts) - sum(counts[place] for place in kept)],
    )


def pair(before: Histogram, now: Histogram) -> HistogramPair:
    """Both in one, for a plot: of many categories those that are or were most frequent."""
    weights = [max(both) for both in zip(_shares(before), _shares(now), strict=True)]
    old, new = condensed(before, weights), condensed(now, weights)
    return HistogramPair(
        edges=old.edges,
        categories=None if old.categories is None else [_category(label) for label in old.categories],
        before=old.counts,
        now=new.counts,
        before_missing=old.missing,
        now_missing=new.missing,
        before_unseen=old.unseen,
        now_unseen=new.unseen,
    )


def _shares(histogram: Histogram) -> list[float]:
    n = size(histogram) or 1
    return [count / n for count in histogram.counts]


def _category(label: Label) -> str:
    name = class_key(label)
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}… ({len(name):,} characters)"


def share_beyond(histogram: Histogram, limit: float) -> float | None:
    """The share of numbers above `limit`, which may cut a bin: then that part of it."""
    n, edges = sum(histogram.counts), histogram.edges
    if not n or not edges:
        return None
    above = float(histogram.counts[-1])
    for low, high, count in zip(edges, edges[1:], histogram.counts[1:-1], strict=False):
        above += count * min(1.0, max(0.0, (high - limit) / (high - low)))
    return above / n


def _moved(before: Histogram, now: Histogram) -> str:
    """The bin whose share grew most, in words."""
    old, new, place = bins(before), bins(now), most_grown(before, now)
    shares = f"{share(old[place] / old.sum())} before, {share(new[place] / new.sum())} now"
    return f"{_bin_name(before, place)}: {shares}"


def _bin_name(histogram: Histogram, place: int) -> str:
    if place >= len(histogram.counts):
        return "missing" if place > len(histogram.counts) else "unseen values"
    if histogram.edges is None:
        return _quoted((histogram.categories or [])[place])
    if place == 0:
        return f"below {histogram.edges[0]:.4g}"
    if place == len(histogram.counts) - 1:
        return f"above {histogram.edges[-1]:.4g}"
    return f"{histogram.edges[place - 1]:.4g} to {histogram.edges[place]:.4g}"


def _quoted(label: Label) -> str:
    """A category in a sentence, which a terminal may print: short, a text in quotes, nothing in it invisible."""
    return f"“{shown(label, 40)}”" if isinstance(label, str) else class_key(label)


def _cluster_sentence(
    level: Level, n: int, minimum: float, beyond: int, occupancy: list[Statistic], distance: list[Statistic]
) -> str:
    if level == "no data":
        return f"{too_few(n, 'instance with a distance')} for a verdict, {minimum:,.0f} are needed."
    near_none = f"{beyond:,} of {n:,} instances are near no training cluster"
    if level == "ok":
        return f"Instances lie in the training clusters as before; {near_none}."
    decisive = next((statistic for statistic in occupancy if statistic.level == level), None)
    moved = "Training clusters are visited in other shares than before"
    if decisive is None:
        decisive = next(statistic for statistic in distance if statistic.level == level)
        moved = "Distances to the nearest training cluster have moved"
    return f"{moved}: {decisive.title} {decisive.value:.3g}, threshold {decisive.threshold:.3g}; {near_none}."


def _verdict(
    features: list[DistributionDrift],
    outputs: list[DistributionDrift],
    clusters: ClusterDrift | None,
    n: int,
    thresholds: Thresholds,
) -> Verdict:
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
