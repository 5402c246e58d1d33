"""Rows to plot in pairs: features that drifted, before and now, so that a reader sees how they moved together."""

from __future__ import annotations

from collections.abc import Sequence

from evaluation.format.drift import DistributionDrift, PairedFeature, Pairplot
from evaluation.profile import Distributions
from evaluation.training_sample import TrainingSample

MOST = 4
NO_SAMPLE = "The bundle holds no sample of training rows, so only instances are drawn."


def pairplot(
    features: Sequence[DistributionDrift], found: Distributions, sample: TrainingSample | None
) -> Pairplot | None:
    """Of at most four numbers: those that drifted, the farthest first, then the most important; None without two.

    A feature of which the log hides any value is left out, also of the training rows.
    """
    names = sorted(found.features)
    usable = [one for one in features if one.kind == "number" and not one.redacted and one.name in found.features]
    chosen = sorted(usable, key=_order)[:MOST]
    if len(chosen) < 2 or not found.rows:
        return None
    columns = [names.index(one.name) for one in chosen]
    known = sample is not None and all(one.name in sample.columns for one in chosen)
    before = [[_number(value) for value in sample.columns[one.name]] for one in chosen] if sample and known else []
    return Pairplot(
        features=[PairedFeature(name=one.name, unit=one.unit, level=one.level) for one in chosen],
        before=[list(row) for row in zip(*before, strict=True)],
        now=[[_number(row.values[column]) for column in columns] for row in found.rows],
        status=None if known else NO_SAMPLE,
    )


def _order(drift: DistributionDrift) -> tuple[float, ...]:
    """What drifted before what did not; the first by Jensen–Shannon distance, the others by importance."""
    if drift.level in ("warn", "alert"):
        distance = next((one.value for one in drift.statistics if one.name == "jensen_shannon"), None)
        return 0, -(distance or 0.0), drift.rank or 0
    return 1, drift.rank or float("inf")


def _number(value: float | str | None) -> float | None:
    return value if isinstance(value, float) else None
