"""What a statistic comes to when nothing has drifted: the bar that an effect must clear before it may alert.

An effect size alone cries wolf on small samples, and a p-value alone does so on large ones: an alert needs both. The
bar is the quantile 1 − 0.001 ÷ m of the statistic when both samples come from the same distribution, the pooled one,
with the sizes that they have; m is the number of statistics that may alert, over all distributions (Bonferroni), so
that a report on undrifted data alerts at most once in a thousand. The pooled distribution has half a count added to
each bin, so that a bin that is empty so far is not taken for an impossible one.

Drawing that far a tail would take millions of samples. Instead 1,000 pairs of samples are drawn (seeded) and a gamma
distribution is fitted to a power of the statistic by its first three moments, as Pearson did for quadratic forms
(K. Pearson, Biometrika 46, 1959; J. P. Imhof, Biometrika 48, 1961). Without drift KL, PSI and the squared
Jensen–Shannon and Kolmogorov–Smirnov statistics are such forms of normal variables, up to higher orders.
`tests/evaluation/test_no_drift.py` holds the promise by simulation.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from evaluation.drift.proportions import SMOOTHING

FALSE_ALERTS = 0.001  # of reports on undrifted data, at most
DRAWS = 1000

Floats = NDArray[np.float64]
Statistic = Callable[[Floats, Floats], Floats]


class NoDrift:
    """Pairs of samples as two distributions would give if they were one, drawn once for all statistics.

    `now` and `before` are counts [bins], both with at least one; the cost does not depend on the counts.

    >>> from evaluation.drift.jensen_shannon import jensen_shannon
    >>> none = NoDrift(np.array([150.0, 150.0]), np.array([200.0, 200.0]))
    >>> round(none.quantile(jensen_shannon, tested=1, power=2.0), 2)
    0.1
    """

    def __init__(self, now: Floats, before: Floats, *, seed: int = 0, draws: int = DRAWS) -> None:
        pooled = now + before + SMOOTHING
        share = pooled / pooled.sum()
        random = np.random.default_rng(seed)
        self._now = random.multinomial(int(now.sum()), share, size=draws).astype(np.float64)
        self._before = random.multinomial(int(before.sum()), share, size=draws).astype(np.float64)

    def quantile(self, statistic: Statistic, *, tested: int, power: float = 1.0) -> float:
        """The statistic's quantile 1 − 0.001 ÷ tested; `power` makes it a quadratic form (2 for a distance).

        Samples in which it is undefined, as an ordered statistic is where every value is missing, are left out; NaN
        when that is more than half of them.
        """
        values = statistic(self._now, self._before)
        values = values[np.isfinite(values)]
        if 2 * len(values) < len(self._now):
            return float("nan")
        return float(tail_quantile(values**power, FALSE_ALERTS / max(1, tested)) ** (1 / power))


def tail_quantile(values: Floats, tail: float) -> float:
    """Quantile 1 − tail of the shifted gamma with the values' mean, variance and skewness, or their own if larger."""
    mean, deviation = float(np.mean(values)), float(np.std(values))
    if deviation <= 1e-300:
        return mean
    skewness = float(np.mean(((values - mean) / deviation) ** 3))
    skewness = min(max(skewness, 0.1), 4.0)
    shape = 4 / skewness**2
    standard = (float(gammaincinv(shape, 1 - tail)) - shape) / math.sqrt(shape)
    own = float(np.quantile(values, 1 - tail))
    return max(mean + deviation * standard, own)
