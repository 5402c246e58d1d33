"""How far the most drifted distributions have moved, by hour or day, from profiles. Pure.

Drawn is the Jensen–Shannon distance to the baseline. A stretch has few instances, and their distance from any baseline
is large by chance alone; so it alerts as in the section, only beyond what no drift would give. That bar is drawn once
for each order of size: of the baseline's own distribution, for the instances of the stretch rounded down to a power of
√2, which errs towards a higher bar and so to silence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from evaluation.drift.bins import bins, size
from evaluation.drift.categories import condensed
from evaluation.drift.jensen_shannon import jensen_shannon
from evaluation.drift.no_drift import NoDrift
from evaluation.over_time import course, is_by_day, stretches
from evaluation.profile import Distributions, Profile, merge_histograms
from evaluation.report_format import Course, DistributionDrift, Drift, Level, Moment
from evaluation.thresholds import Thresholds
from scoring.bundle import Baseline, Histogram

MOST = 5  # distributions
STATISTIC = "jensen_shannon"

Floats = NDArray[np.float64]


def drift_courses(
    drift: Drift,
    hours: Mapping[str, Sequence[Profile]],
    baseline: Baseline | None,
    key: tuple[str, str],
    thresholds: Thresholds,
) -> list[Course]:
    """The courses of the features and outputs that drifted most, at most 5, or of the nearest to it if none did.

    `key` is the version and the SHA-256 of its bundle; only its instances as champion count.
    """
    if baseline is None:
        return []
    version, sha256 = key
    parts = {
        start: [
            profile.distributions[sha256]
            for hour in inside
            for profile in hours[hour]
            if (profile.version, profile.role) == (version, "champion") and sha256 in profile.distributions
        ]
        for start, inside in stretches(hours).items()
    }
    by_day = is_by_day(list(hours))
    found = [
        _course(one, is_output, parts, baseline, drift.tested * _alerting(drift), by_day, thresholds)
        for one, is_output in _most_drifted(drift)
    ]
    return [one for one in found if one.moments]


def _most_drifted(drift: Drift) -> list[tuple[DistributionDrift, bool]]:
    """Each with whether it is an output: those that drifted, by distance, or the one nearest to it."""
    every = [(one, False) for one in drift.features] + [(one, True) for one in drift.outputs]
    every = [(one, is_output) for one, is_output in every if _distance(one) is not None]
    every.sort(key=lambda pair: (-(_distance(pair[0]) or 0.0), pair[1], pair[0].name))
    drifted = [pair for pair in every if pair[0].level in ("warn", "alert")]
    return drifted[:MOST] or every[:1]


def _alerting(drift: Drift) -> int:
    """Statistics of a distribution that may alert: the bar is corrected for all of them."""
    every = [*drift.features, *drift.outputs]
    return max((sum(one.threshold is not None for one in drift.statistics) for drift in every), default=1)


def _distance(one: DistributionDrift) -> float | None:
    return next((statistic.value for statistic in one.statistics if statistic.name == STATISTIC), None)


def _course(
    drift: DistributionDrift,
    is_output: bool,
    parts: Mapping[str, Sequence[Distributions]],
    baseline: Baseline,
    tested: int,
    by_day: bool,
    thresholds: Thresholds,
) -> Course:
    name, before = drift.name, (baseline.outputs if is_output else baseline.features)[drift.name]
    bar, moments = _Bar(before, tested, thresholds), []
    for start, found in parts.items():
        held = [part.outputs if is_output else part.features for part in found]
        histograms = [one[name] for one in held if name in one]
        if histograms:
            moment = bar.judged(start, merge_histograms(histograms))
            moments += [moment] if moment.n else []
    return course(
        f"drift:output:{name}" if is_output else f"drift:{name}",
        f"Output {name}" if is_output else name,
        moments,
        "Drifted",
        by_day=by_day,
        threshold=thresholds.get(STATISTIC),
    )


class _Bar:
    """Judges one distribution's stretches; remembers the bar for each order of size."""

    def __init__(self, before: Histogram, tested: int, thresholds: Thresholds) -> None:
        self._before, self._weights = bins(condensed(before, before.counts)), before.counts
        self._tested = tested
        self._minimum, self._threshold = thresholds.need("drift_minimum"), thresholds.need(STATISTIC)
        self._bars: dict[int, float] = {}

    def judged(self, start: str, now: Histogram) -> Moment:
        """The distance of a stretch's instances, with its level."""
        counts = bins(condensed(now, self._weights))
        n, value = size(now), float(jensen_shannon(counts, self._before))
        known = math.isfinite(value)
        return Moment(start=start, value=value if known else None, n=n, level=self._level(n, value, known))

    def _level(self, n: int, value: float, known: bool) -> Level:
        if not known or n < self._minimum:
            return "no data"
        if value <= self._threshold / 2 or value <= self._bar(n):
            return "ok"
        return "alert" if value > self._threshold else "warn"

    def _bar(self, n: int) -> float:
        order = math.floor(math.log2(n) * 2)
        if order not in self._bars:
            likely = self._before / self._before.sum() * math.floor(2 ** (order / 2))
            none = NoDrift(likely, self._before)
            self._bars[order] = none.quantile(jensen_shannon, tested=self._tested, power=2.0)
        return self._bars[order]
