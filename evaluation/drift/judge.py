"""One distribution before and now: its statistics, each with its level.

A distribution alerts when a statistic exceeds its threshold and what no drift would give (see
`evaluation.drift.no_drift`), and warns at half the threshold by the same rule.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evaluation.drift.bins import bins, size
from evaluation.drift.categories import condensed, pair
from evaluation.drift.chi_square import freedom, in_words
from evaluation.drift.kinds import KINDS, Axis, Kind, kinds_of
from evaluation.drift.no_drift import NoDrift
from evaluation.drift.sentences import distribution_sentence
from evaluation.format.drift import DistributionDrift, Statistic
from evaluation.format.figures import Level
from evaluation.pages.numbers import counted
from evaluation.thresholds import Thresholds
from evaluation.verdicts import worst
from scoring.bundle import Feature, Histogram

Floats = NDArray[np.float64]


class Judge:
    """Compares distributions under one set of thresholds and one correction."""

    def __init__(self, thresholds: Thresholds, tested: int) -> None:
        self._thresholds, self.tested = thresholds, tested
        self.minimum = thresholds.need("drift_minimum")
        self._alerting = max(1, sum(thresholds.get(kind.name) is not None for kind in KINDS))

    def distribution(
        self, name: str, before: Histogram, now: Histogram, feature: Feature | None = None, rank: int | None = None
    ) -> DistributionDrift:
        """One feature or output."""
        n_before, n_now = size(before), size(now)
        old, new = (bins(condensed(histogram, before.counts)) for histogram in (before, now))
        axis = Axis(before.edges, feature.deviation if feature else None) if before.edges else None
        statistics = self.statistics(old, new, axis)
        level = worst(statistic.level for statistic in statistics)
        return DistributionDrift(
            name=name,
            kind="category" if before.edges is None else "number",
            unit=feature.unit if feature else None,
            importance=feature.importance if feature else None,
            rank=rank,
            level=level,
            sentence=distribution_sentence(name, level, statistics, before, now, self.minimum),
            n_before=n_before,
            n_now=n_now,
            missing_before=before.missing / n_before if n_before else None,
            missing_now=now.missing / n_now if n_now else None,
            statistics=statistics,
            histogram=pair(before, now),
        )

    def statistics(self, before: Floats, now: Floats, axis: Axis | None = None) -> list[Statistic]:
        """Every statistic of two vectors of counts; those that need an order only if the bins have an axis."""
        n_now, null, why = int(now.sum()), None, None
        if not int(before.sum()):
            why = "no baseline"
        elif n_now < self.minimum:
            why = f"{counted(n_now, 'instance')}, at least {self.minimum:,.0f} are needed"
        else:
            null = NoDrift(now, before)
        return [self._statistic(kind, now, before, axis, null, why) for kind in kinds_of(axis)]

    def _statistic(
        self, kind: Kind, now: Floats, before: Floats, axis: Axis | None, null: NoDrift | None, why: str | None
    ) -> Statistic:
        function = kind.on(axis, before)
        value = float(function(now, before))
        threshold = self._thresholds.get(kind.name)
        bar = None
        if null is not None:
            bar = null.quantile(function, tested=self.tested * self._alerting, power=kind.power)
        return Statistic(
            name=kind.name,
            title=kind.title,
            value=value if np.isfinite(value) else None,
            threshold=threshold,
            no_drift=bar if bar is not None and np.isfinite(bar) else None,
            level=_level(value, threshold, bar),
            status=why or _status(kind, value, now, before),
        )


def _status(kind: Kind, value: float, now: Floats, before: Floats) -> str | None:
    """Why there is no value, or what to know about it."""
    if kind.name == "chi_square" and np.isfinite(value):
        return in_words(value, freedom(now, before))
    if np.isfinite(value):
        return None
    if kind.of == "number" and not (now[:-2].sum() and before[:-2].sum()):
        return f"no numbers {'now' if before[:-2].sum() else 'in the baseline'}: all are missing or unseen"
    return "the baseline does not vary" if kind.name == "wasserstein" else "beyond the range of numbers"


def _level(value: float, threshold: float | None, bar: float | None) -> Level:
    if bar is None or not np.isfinite(value) or not np.isfinite(bar):
        return "no data"
    if threshold is None or value <= bar or value <= threshold / 2:
        return "ok"
    return "alert" if value > threshold else "warn"
