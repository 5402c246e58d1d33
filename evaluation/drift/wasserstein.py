"""Wasserstein distance of order 1: how far a value must be moved, on average, to make one distribution of the other.

W = ∫ |F(x) − G(x)| dx with the cumulative distributions F and G. It is given in standard deviations of the baseline,
so that features in different units compare: a shift of all values by one deviation is 1.

Read from bins, every value counts as the middle of its bin, one below or above all bins as the outer edge. In the
first and the last bin, which between quantiles are long and mostly empty at their far ends, it counts as at most one
and a half widths of the neighbouring bin from the inner edge: of an exponential tail cut into twentieths the mean is
1.4 widths away. So it is exact when each value has a bin of its own whose middle it is, and blind to how far beyond
the outer edges values lie; `python -m bench.binned_statistics` measures the rest. Undefined when the baseline does not
vary. For numbers only; nothing is smoothed.

L. N. Vaserstein, Markov processes over denumerable products of spaces. Problems of Information Transmission 5 (1969);
A. Ramdas, N. García Trillos, M. Cuturi, On Wasserstein two-sample testing. Entropy 19 (2017).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from evaluation.drift.proportions import shares

TAIL = 1.5  # widths of the neighbouring bin

Floats = NDArray[np.float64]


def wasserstein(edges: Sequence[float], deviation: float) -> Callable[[Floats, Floats], Floats]:
    """The distance from counts [..., bins] in the bins of `edges`, the first below and the last above them.

    `deviation` is the baseline's standard deviation in the feature's unit. NaN where either has no values.

    >>> distance = wasserstein([0.0, 1.0, 2.0], deviation=0.5)
    >>> float(distance(np.array([0.0, 0.0, 4.0, 0.0]), np.array([0.0, 2.0, 0.0, 0.0])))
    2.0
    """
    places, largest = positions(edges)
    apart = np.diff(places)
    scale = deviation / largest
    if not np.isfinite(scale) or scale <= 0:
        scale = np.nan
    return lambda now, before: (np.abs(np.cumsum(shares(now) - shares(before), axis=-1))[..., :-1] @ apart) / scale


def deviation_of(edges: Sequence[float], counts: Floats) -> float:
    """The standard deviation of counts [bins], each value in its bin's middle; NaN without values.

    >>> deviation_of([0.0, 2.0, 4.0], np.array([0.0, 3.0, 3.0, 0.0]))
    1.0
    """
    places, largest = positions(edges)
    share = shares(counts)
    return float(np.sqrt(share @ (places - share @ places) ** 2) * largest)


def positions(edges: Sequence[float]) -> tuple[Floats, float]:
    """Where each bin's values are taken to lie, divided by the largest edge, and that edge: no difference overflows.

    >>> positions([0.0, 1.0, 2.0, 8.0])
    (array([0.    , 0.0625, 0.1875, 0.4375, 1.    ]), 8.0)
    """
    borders = np.asarray(edges, np.float64)
    largest = float(np.abs(borders).max()) or 1.0
    scaled = borders / largest
    middles, widths = scaled[:-1] / 2 + scaled[1:] / 2, np.diff(scaled)
    if len(widths) > 1:
        middles[0] = scaled[1] - min(widths[0] / 2, TAIL * widths[1])
        middles[-1] = scaled[-2] + min(widths[-1] / 2, TAIL * widths[-2])
    return np.concatenate([scaled[:1], middles, scaled[-1:]]), largest
