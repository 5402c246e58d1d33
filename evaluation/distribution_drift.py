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

from collections.abc import Sequence

from evaluation.drift.clusters import cluster_drift
from evaluation.drift.examples import with_examples
from evaluation.drift.judge import Judge
from evaluation.drift.kinds import METHOD
from evaluation.drift.pairplot import pairplot
from evaluation.drift.redacted import with_redacted
from evaluation.drift.verdict import drift_verdict
from evaluation.format.drift import Drift
from evaluation.format.figures import Level, Verdict
from evaluation.profile import Distributions, Profile
from evaluation.thresholds import Thresholds
from evaluation.training_sample import TrainingSample
from scoring.bundle import Baseline, Feature, Manifest

MOST_FEATURES = 500


def drift_section(
    profile: Profile | None,
    manifest: Manifest | None,
    baseline: Baseline | None,
    sha256: str,
    thresholds: Thresholds,
    sample: TrainingSample | None = None,
) -> Drift:
    """The section of one version as champion, from the merge of its profiles."""
    if manifest is None or baseline is None:
        return _nothing("The bundle cannot be read, so there is no baseline to compare with.", 0)
    found = profile.distributions.get(sha256) if profile else None
    if profile is None or found is None or not found.n:
        return _nothing(_why_nothing(profile), baseline.rows)
    judge = Judge(thresholds, tested=_tested(found, baseline))
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
    features = [with_examples(drift, found, baseline.features) for drift in features]
    features = with_redacted(features, profile, manifest, ranks)
    features.sort(key=lambda drift: (-_severity(drift.level), drift.rank or len(features) + 1))
    outputs = [
        judge.distribution(name, before, found.outputs[name])
        for name, before in baseline.outputs.items()
        if name in found.outputs
    ]
    outputs = [with_examples(drift, found, baseline.outputs, output=True) for drift in outputs]
    clusters = cluster_drift(judge, baseline.clusters, found, manifest, sample)
    return Drift(
        verdict=drift_verdict(features, outputs, clusters, found.n, thresholds),
        n=found.n,
        baseline_rows=baseline.rows,
        features=features[:MOST_FEATURES],
        outputs=outputs,
        clusters=clusters,
        tested=judge.tested,
        method=METHOD,
        pairplot=pairplot(features, found, sample),
    )


def importance_ranks(features: Sequence[Feature]) -> dict[str, int]:
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
