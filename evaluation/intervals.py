"""95 % intervals for figures, each at a cost that does not grow with more than n log n.

A figure without an interval invites reading noise as news. Which method stands beside which figure:

- a proportion (accuracy, precision, recall, false positive rate): Wilson's score interval [1], good down to n = 1;
- a mean of per-instance losses, or a smooth function of means (log loss, Brier, RMSE, R² …): the delta method,
  value ± 1.96 · sd(influence) / √n [2];
- ROC AUC: DeLong's variance [3] on the logit scale; where it is zero (a perfect separation), Newcombe's method 5 [4];
- PR AUC: the logit interval of Boyd, Eng and Page [5];
- anything that is a function of counts in cells (F1, MCC, balanced accuracy, ECE): the bootstrap. Resampling n
  instances is drawing the cells' counts from a multinomial, so 1,000 resamples cost the same at any n. The quantiles
  are centred on the value, because ECE's resamples are biased upwards.

References

1. E. B. Wilson, Probable inference, the law of succession, and statistical inference. JASA 22 (1927).
2. A. W. van der Vaart, Asymptotic Statistics, chapter 3. Cambridge (1998).
3. E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, Comparing the areas under two or more correlated receiver
   operating characteristic curves. Biometrics 44 (1988); by midranks as in X. Sun, W. Xu, IEEE SPL 21 (2014).
4. R. G. Newcombe, Confidence intervals for an effect size measure based on the Mann–Whitney statistic, part 2.
   Statistics in Medicine 25 (2006).
5. K. Boyd, K. H. Eng, C. D. Page, Area under the precision-recall curve: point estimates and confidence intervals.
   ECML PKDD (2013).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Z = 1.959963984540054  # the normal distribution's 97.5 % quantile
RESAMPLES = 1000

Floats = NDArray[np.float64]


def wilson(successes: float, n: float) -> tuple[float, float] | None:
    """Wilson's score interval of a proportion; None without any trial.

    >>> low, high = wilson(9, 10)
    >>> round(low, 4), round(high, 4)
    (0.5958, 0.9821)
    >>> wilson(0, 0) is None
    True
    """
    if n <= 0:
        return None
    share = successes / n
    centre = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    return (max(0.0, centre - half) if successes else 0.0, min(1.0, centre + half) if successes < n else 1.0)


def delta(value: float, influence: Floats) -> tuple[float, float] | None:
    """value ± 1.96 standard errors, from each instance's influence on it; None for fewer than two instances.

    >>> low, high = delta(2.0, np.array([-1.0, 0.0, 1.0]))
    >>> round(low, 3), round(high, 3)
    (0.868, 3.132)
    """
    n = len(influence)
    if n < 2:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        error = float(np.std(influence, ddof=1)) / math.sqrt(n)
    return (value - Z * error, value + Z * error) if math.isfinite(error) else None


def auc(value: float, influence: Floats, positives: int, negatives: int) -> tuple[float, float] | None:
    """Interval of a ROC AUC from `auc_influence`; Newcombe's method 5 where the variance is zero."""
    error = float(np.std(influence)) / math.sqrt(len(influence))
    if not 0.0 < value < 1.0 or error == 0.0:
        return newcombe(value, positives, negatives)
    middle = math.log(value / (1 - value))
    half = Z * error / (value * (1 - value))
    return _expit(middle - half), _expit(middle + half)


def auc_influence(positive: NDArray[np.bool_], scores: Floats, value: float) -> Floats:
    """Each instance's influence on the AUC: DeLong's structural components, centred and scaled to mean 0.

    The AUC's variance is their variance ÷ n. Both classes must be there.
    """
    n, count = len(scores), int(positive.sum())
    order_all = _midranks(scores)
    placements = np.empty(n)
    placements[positive] = (order_all[positive] - _midranks(scores[positive])) / (n - count)
    placements[~positive] = 1.0 - (order_all[~positive] - _midranks(scores[~positive])) / count
    share = np.where(positive, count / n, 1 - count / n)
    influence: Floats = (placements - value) / share
    return influence


def newcombe(value: float, positives: int, negatives: int) -> tuple[float, float] | None:
    """Newcombe's method 5 for an AUC: the values it does not contradict, found by bisection.

    >>> low, high = newcombe(1.0, 20, 20)
    >>> round(low, 3), high
    (0.899, 1.0)
    """
    if not positives or not negatives:
        return None

    def contradicts(candidate: float) -> bool:
        return abs(value - candidate) > Z * math.sqrt(_newcombe_variance(candidate, positives, negatives))

    return _edge(value, 0.0, contradicts), _edge(value, 1.0, contradicts)


def pr_auc(value: float, positives: int) -> tuple[float, float] | None:
    """The logit interval of an average precision; Wilson's at 0 and 1, where the logit is infinite."""
    if not 0.0 < value < 1.0:
        return wilson(value * positives, positives)
    middle = math.log(value / (1 - value))
    half = Z / math.sqrt(positives * value * (1 - value))
    return _expit(middle - half), _expit(middle + half)


def bootstrap_counts(
    counts: NDArray[np.int64],
    statistic: Callable[[NDArray[np.float64]], Floats],
    value: float,
    *,
    seed: int,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> tuple[float, float] | None:
    """Bootstrap of a function of counts; `statistic` maps [resamples, *counts.shape] to [resamples].

    Resamples in which it is undefined (NaN) are left out; None if that is more than half of them.
    """
    n = int(counts.sum())
    if n < 2:
        return None
    draws = np.random.default_rng(seed).multinomial(n, (counts / n).ravel(), size=RESAMPLES)
    values = statistic(draws.reshape(RESAMPLES, *counts.shape).astype(np.float64))
    values = values[np.isfinite(values)]
    if len(values) * 2 < RESAMPLES:
        return None
    low, middle, high = np.quantile(values, [0.025, 0.5, 0.975])
    return max(bounds[0], value + float(low - middle)), min(bounds[1], value + float(high - middle))


def _midranks(values: Floats) -> Floats:
    """Ranks from 1, ties sharing their mean.

    >>> _midranks(np.array([5.0, 1.0, 5.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Floats = (last - (counts - 1) / 2)[inverse]
    return ranks


def _newcombe_variance(theta: float, positives: int, negatives: int) -> float:
    middle = (positives + negatives) / 2 - 1
    spread = 1 + middle * ((1 - theta) / (2 - theta) + theta / (1 + theta))
    return theta * (1 - theta) * spread / (positives * negatives)


def _edge(inside: float, outside: float, contradicts: Callable[[float], bool]) -> float:
    """The border between the values near `inside` and those that are contradicted towards `outside`."""
    if not contradicts(outside):
        return outside
    for _ in range(60):
        middle = (inside + outside) / 2
        if contradicts(middle):
            outside = middle
        else:
            inside = middle
    return inside


def _expit(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0
