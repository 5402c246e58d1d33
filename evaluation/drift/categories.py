"""Many categories as a hundred: what is compared and listed when a feature has thousands.

Which categories are compared each must not depend on the data that is judged, so their weights are the baseline's
counts; which are shown in a plot may, so there the weights are the larger of both shares. The others are added up.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from evaluation.bin_examples import MOST_CATEGORIES as MOST_CATEGORIES
from evaluation.bin_examples import most_frequent
from evaluation.drift.bins import size
from evaluation.format.drift import HistogramPair
from scoring.bundle import Histogram, Label, class_key

LONGEST_NAME = 200  # characters of a category in the report


def condensed(histogram: Histogram, weights: Sequence[float]) -> Histogram:
    """The same with at most 100 categories, in their order: those of largest weight, and the sum of the others last.

    >>> many = Histogram(categories=[str(i) for i in range(300)], counts=[1] * 300)
    >>> few = condensed(many, weights=range(300))
    >>> few.categories[0], few.categories[-1], few.counts[-1], len(few.counts)
    ('201', '201 others', 201, 100)
    """
    categories, counts = histogram.categories, histogram.counts
    if categories is None or len(categories) <= MOST_CATEGORIES:
        return histogram
    kept = most_frequent(weights)
    others = len(categories) - len(kept)
    return msgspec.structs.replace(
        histogram,
        categories=[*(categories[place] for place in kept), f"{others:,} others"],
        counts=[*(counts[place] for place in kept), sum(counts) - sum(counts[place] for place in kept)],
    )


def pair(before: Histogram, now: Histogram) -> HistogramPair:
    """Both in one, for a plot: of many categories those that are or were most frequent."""
    weights = [max(both) for both in zip(_shares(before), _shares(now), strict=True)]
    old, new = condensed(before, weights), condensed(now, weights)
    return HistogramPair(
        edges=old.edges,
        categories=None if old.categories is None else [_category(label) for label in old.categories],
        before=old.counts,
        now=new.counts,
        before_missing=old.missing,
        now_missing=new.missing,
        before_unseen=old.unseen,
        now_unseen=new.unseen,
    )


def _shares(histogram: Histogram) -> list[float]:
    n = size(histogram) or 1
    return [count / n for count in histogram.counts]


def _category(label: Label) -> str:
    name = class_key(label)
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}… ({len(name):,} characters)"
