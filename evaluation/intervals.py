"""95 % intervals for figures, each at a cost that does not grow with more than n log n.

A figure without an interval invites reading noise as news. Which method stands beside which figure:

- a proportion (accuracy, precision, recall, false positive rate): Wilson's score interval [1], good down to n = 1;
- a mean that may have any sign (bias): the delta method, value ± t · sd(influence) / √n [2];
- a mean of losses, or a smooth function of means that is never negative (log loss, Brier, RMSE, MAE, 1 − R² …): the
  same on the log scale, value · exp(± t · error / value): losses are skewed, and no interval goes below zero;
- ROC AUC: DeLong's variance [3] on the logit scale; where it is zero (a perfect separation), or fewer than 10 instances
  are of either kind, Newcombe's method 5 [4];
- PR AUC: the logit interval of Boyd, Eng and Page [5];
- a function of a confusion matrix (F1, MCC, balanced accuracy, macro figures): 1,000 draws of the cells' shares from a
  Dirichlet distribution, the counts with two more instances spread over all cells (the Bayesian bootstrap [6] with
  Jeffreys' prior for a table of two classes; none beyond 20 classes): cells that happen to be empty are not taken for
  impossible ones. They cost the same at any n;
- the calibration error: its own simulation, `evaluation.curves`, because it is biased upwards.

Where every instance has the same loss, nothing can be told of how far the next one will lie: there is no interval.
How often each holds is measured by `python -m bench.interval_coverage`, and its table stands in docs/evaluation.md.

References

1. E. B. Wilson, Probable inference, the law of succession, and statistical inference. JASA 22 (1927).
2. A. W. van der Vaart, Asymptotic Statistics, chapter 3. Cambridge (1998).
3. E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, Comparing the areas under two or more correlated receiver
   operating characteristic curves. Biometrics 44 (1988); by midranks as in X. Sun, W. Xu, IEEE SPL 21 (2014).
4. R. G. Newcombe, Confidence intervals for an effect size measure based on the Mann–Whitney statistic, part 2.
   Statistics in Medicine 25 (2006).
5. K. Boyd, K. H. Eng, C. D. Page, Area under the precision-recall curve: point estimates and confidence intervals.
   ECML PKDD (2013).
6. D. B. Rubin, The Bayesian bootstrap. Annals of Statistics 9 (1981).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Z = 1.959963984540054  # the normal distribution's 97.5 % quantile
RESAMPLES = 1000
FEW = 10  # positives or negatives under which the variance of an AUC is not to be estimated from them
PRIOR = 2.0  # instances spread over the cells of a table
MOST_CELLS = 400  # of a table that gets them: beyond 20 classes the empty cells would take all the time
_AT_A_TIME = 4_000_000  # cells in memory

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
    """value ± t standard errors, from each instance's influence on it; None for fewer than two instances.

    >>> low, high = delta(2.0, np.array([-1.0, 0.0, 1.0]))
    >>> round(low, 3), round(high, 3)
    (-0.484, 4.484)
    """
    reach = _reach(influence)
    return None if reach is None else (value - reach, value + reach)


def positive(value: float, influence: Floats, *, most: float = math.inf) -> tuple[float, float] | None:
    """The same on the log scale, for what lies between 0 and `most`; None where the value is 0.

    >>> low, high = positive(2.0, np.array([-1.0, 0.0, 1.0]))
    >>> round(low, 3), round(high, 3)
    (0.578, 6.926)
    """
    reach = _reach(influence)
    if reach is None or value <= 0:
        return None
    ratio = reach / value
    if ratio > 700:  # beyond it exp() is no double
        return (0.0, most) if math.isfinite(most) else None
    high = min(most, value * math.exp(ratio))
    return (value * math.exp(-ratio), high) if math.isfinite(high) else None


def _reach(influence: Floats) -> float | None:
    """Half the width of an interval on the plain scale; None where it cannot be told."""
    from scipy.special import stdtrit

    n = len(influence)
    if n < 2:
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        error = float(np.std(influence, ddof=1)) / math.sqrt(n)
    return float(stdtrit(n - 1, 0.975)) * error if error > 0 and math.isfinite(error) else None


def auc(value: float, influence: Floats, positives: int, negatives: int) -> tuple[float, float] | None:
    """Interval of a ROC AUC from `auc_influence`; Newcombe's method 5 where that knows too little."""
    error = float(np.std(influence)) / math.sqrt(len(influence))
    if not 0.0 < value < 1.0 or error == 0.0 or min(positives, negatives) < FEW:
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

    return edge(value, 0.0, contradicts), edge(value, 1.0, contradicts)


def pr_auc(value: float, positives: int) -> tuple[float, float] | None:
    """The logit interval of an average precision; Wilson's at 0 and 1, where the logit is infinite."""
    if not 0.0 < value < 1.0:
        return wilson(value * positives, positives)
    middle = math.log(value / (1 - value))
    half = Z / math.sqrt(positives * value * (1 - value))
    return _expit(middle - half), _expit(middle + half)


def of_counts(
    counts: NDArray[np.int64],
    statistic: Callable[[NDArray[np.float64]], Floats],
    value: float,
    *,
    seed: int,
) -> tuple[float, float] | None:
    """Interval of a function of a table's shares; `statistic` maps [draws, *counts.shape] to [draws].

    Draws in which it is undefined (NaN) are left out; None if that is more than half of them. The interval always
    holds the value.
    """
    if int(counts.sum()) < 2:
        return None
    weights = counts.ravel() + (PRIOR / counts.size if counts.size <= MOST_CELLS else 0.0)
    drawn = np.flatnonzero(weights)
    random, found = np.random.default_rng(seed), []
    for size in _portions(RESAMPLES, max(1, _AT_A_TIME // counts.size)):
        shares = np.zeros((size, counts.size))
        shares[:, drawn] = random.standard_gamma(weights[drawn], size=(size, len(drawn)))
        shares /= shares.sum(axis=1, keepdims=True)
        found.append(statistic(shares.reshape(size, *counts.shape)))
    values = np.concatenate(found)
    values = values[np.isfinite(values)]
    if len(values) * 2 < RESAMPLES:
        return None
    low, high = np.quantile(values, [0.025, 0.975]).tolist()
    return min(value, low), max(value, high)


def _portions(whole: int, most: int) -> list[int]:
    return [min(most, whole - start) for start in range(0, whole, most)]


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


def edge(inside: float, outside: float, contradicts: Callable[[float], bool], *, halvings: int = 60) -> float:
    """The border between the values near `inside` and those that are contradicted towards `outside`."""
    if not contradicts(outside):
        return outside
    for _ in range(halvings):
        middle = (inside + outside) / 2
        if contradicts(middle):
            outside = middle
        else:
            inside = middle
    return inside


def _expit(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0
