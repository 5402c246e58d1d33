"""A histogram as one vector of counts, and what its bins are called.

All counts of one distribution stand in one order: the bins (of numbers the one below the first edge first, the one
above the last edge last; of categories one each), then unseen values, then missing ones.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evaluation.pages.text import shown
from scoring.bundle import Histogram, Label, class_key

Floats = NDArray[np.float64]


def bins(histogram: Histogram) -> Floats:
    """All counts as one vector: the bins, then unseen, then missing."""
    return np.array([*histogram.counts, histogram.unseen, histogram.missing], np.float64)


def size(histogram: Histogram) -> int:
    """Values counted, missing and unseen ones too."""
    return sum(histogram.counts) + histogram.unseen + histogram.missing


def most_grown(before: Histogram, now: Histogram) -> int:
    """Position in `bins` of the bin whose share grew most."""
    old, new = bins(before), bins(now)
    return int((new / new.sum() - old / old.sum()).argmax())


def share_beyond(histogram: Histogram, limit: float) -> float | None:
    """The share of numbers above `limit`, which may cut a bin: then that part of it."""
    n, edges = sum(histogram.counts), histogram.edges
    if not n or not edges:
        return None
    above = float(histogram.counts[-1])
    for low, high, count in zip(edges, edges[1:], histogram.counts[1:-1], strict=False):
        above += count * min(1.0, max(0.0, (high - limit) / (high - low)))
    return above / n


def bin_name(histogram: Histogram, place: int) -> str:
    """A bin by its position in `bins`, in words.

    >>> bin_name(Histogram(edges=[0.0, 1.0], counts=[0, 0, 0]), 2), bin_name(Histogram(categories=["x"], counts=[0]), 1)
    ('above 1', 'unseen values')
    """
    if place >= len(histogram.counts):
        return "missing" if place > len(histogram.counts) else "unseen values"
    if histogram.edges is None:
        return _quoted((histogram.categories or [])[place])
    if place == 0:
        return f"below {histogram.edges[0]:.4g}"
    if place == len(histogram.counts) - 1:
        return f"above {histogram.edges[-1]:.4g}"
    return f"{histogram.edges[place - 1]:.4g} to {histogram.edges[place]:.4g}"


def _quoted(label: Label) -> str:
    """A category in a sentence, which a terminal may print: short, a text in quotes, nothing in it invisible."""
    return f"“{shown(label, 40)}”" if isinstance(label, str) else class_key(label)
