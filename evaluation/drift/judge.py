"""One distribution before and now: its statistics, each with its level.

A distribution alerts when a statistic exceeds its threshold and what no drift would give (see
`evaluation.drift.no_drift`), and warns at half the threshold by the same rule.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from evaluation.drift.bins import bins, size
from evaluation.drift.categories import condensed, pair
from evaluation.drift.kinds import KINDS, Kind
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

    def distribution(
        self, name: str, before: Histogram, now: Histogram, feature: Feature | None = None, rank: int | None = None
    ) -> DistributionDrift:
        """One feature or output."""
        n_before, n_now = size(before), size(now)
        few = [condensed(histogram, before.counts) for histogram in (before, now)]
        statistics = self.statistics(*map(bins, few), ordered=before.edges is not None)
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

    def statistics(self, before: Floats, now: Floats, *, ordered: bool) -> list[Statistic]:
        """Every statistic of two vectors of counts; those that need an order only if the bins have one."""
        n_now = int(now.sum())
        if not int(before.sum()) or n_now < self.minimum:
            why = (
                f"{counted(n_now, 'instance')}, at least {self.minimum:,.0f} are needed"
                if before.sum()
                else "no baseline"
            )
            return [self._statistic(kind, now, before, None, why) for kind in KINDS if ordered or not kind.ordered]
        null = NoDrift(now, before)
        return [self._statistic(kind, now, before, null, None) for kind in KINDS if ordered or not kind.ordered]

    def _statistic(self, kind: Kind, now: Floats, before: Floats, null: NoDrift | None, why: str | None) -> Statistic:
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


def _in_order(function: Callable[[Floats, Floats], Floats]) -> Callable[[Floats, Floats], Floats]:
    """The statistic without the last two bins, unseen and missing, which have no place in an order."""
    return lambda now, before: function(now[..., :-2], before[..., :-2])


def _level(value: float, threshold: float | None, bar: float | None) -> Level:
    if bar is None or not np.isfinite(value) or not np.isfinite(bar):
        return "no data"
    if threshold is None or value <= bar or value <= threshold / 2:
        return "ok"
    return "alert" if value > threshold else "warn"
