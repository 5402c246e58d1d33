"""Expected calibration error: how far probabilities are from how often they come true.

ECE (Naeini, Cooper, Hauskrecht, AAAI 2015; Guo et al., ICML 2017), over 10 equal bins B of [0, 1]:
Σ |B|/n · |mean probability in B − share of B that came true|. For two classes the probability is the positive class's,
and it comes true when the truth is positive; for more it is the predicted class's, and it comes true when the
prediction is right. A bin includes its lower end, the last one both.

The figure is biased upwards: a perfect model's gaps are noise, and their sizes do not cancel. Its interval takes that
into account. The bins' gaps are taken to be in proportion to those that were measured; a true error t is contradicted
where the measured one lies outside the middle 95 % of what t and chance would give. The interval holds all that are not
contradicted, to within 0.00002. So it may lie below the figure as a whole, with 0 as its low end, and says: chance
alone would do this.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluation.intervals import RESAMPLES, edge

BINS = 10

Floats = NDArray[np.float64]


class Cells(NamedTuple):
    """Probabilities in bins: counts [bins, 2] (did not come true, did) and the mean probability of each [bins, 2]."""

    counts: NDArray[np.int64]
    mean_probability: Floats


def reliability_cells(probability: Floats, came_true: NDArray[np.bool_]) -> Cells:
    """Sort [n] probabilities into 10 equal bins, those that came true apart from those that did not."""
    bins = np.clip((probability * BINS).astype(np.int64), 0, BINS - 1)
    cell = bins * 2 + came_true
    counts = np.bincount(cell, minlength=2 * BINS).reshape(BINS, 2)
    sums = np.bincount(cell, weights=probability, minlength=2 * BINS).reshape(BINS, 2)
    return Cells(counts, np.divide(sums, counts, out=np.zeros((BINS, 2)), where=counts > 0))


def calibration_error(cells: Cells) -> float:
    """The expected calibration error; at least one instance.

    >>> cells = reliability_cells(np.array([0.8, 0.8, 0.2]), np.array([True, False, False]))
    >>> round(calibration_error(cells), 4)
    0.2667
    """
    return float(np.abs(_gaps(cells)).sum())


def calibration_interval(cells: Cells, seed: int) -> tuple[float, float] | None:
    """Its 95 % interval; None for fewer than two instances.

    >>> low, high = calibration_interval(reliability_cells(np.full(100, 0.6), np.arange(100) < 50), seed=0)
    >>> low < 0.02, 0.18 < high < 0.22
    (True, True)
    """
    n = int(cells.counts.sum())
    if n < 2:
        return None
    gaps, found = np.abs(_gaps(cells)), calibration_error(cells)
    noise = _noise(cells)
    pattern = gaps / found if found > 0 else noise / (noise.sum() or 1.0)
    chance = np.random.default_rng(seed).standard_normal((RESAMPLES, BINS)) * noise

    def given(true: float) -> tuple[float, float]:
        low, high = np.quantile(np.abs(true * pattern + chance).sum(axis=1), [0.025, 0.975]).tolist()
        return low, high

    high = edge(0.0, 1.0, lambda true: given(true)[0] > found, halvings=16)
    low = 0.0 if given(0.0)[1] >= found else edge(high, 0.0, lambda true: given(true)[1] < found, halvings=16)
    return low, high


def _gaps(cells: Cells) -> Floats:
    """By bin, (sum of probabilities − how many came true) ÷ n."""
    gaps: Floats = (cells.counts * cells.mean_probability).sum(axis=1) - cells.counts[:, 1]
    return gaps / cells.counts.sum()


def _noise(cells: Cells) -> Floats:
    """Standard deviation of each gap by chance; a bin's share is drawn towards its probability by one instance."""
    sizes = cells.counts.sum(axis=1)
    means = np.divide((cells.counts * cells.mean_probability).sum(axis=1), sizes, out=np.zeros(BINS), where=sizes > 0)
    share = (cells.counts[:, 1] + means) / (sizes + 1)
    noise: Floats = np.sqrt(sizes * np.clip(share * (1 - share), 0.0, None)) / sizes.sum()
    return noise
