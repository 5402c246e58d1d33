"""Sorting values into a baseline's bins: any JSON values in, counts out, never an error.

A number goes into [e(i), e(i+1)), the last edge into the last bin, and what lies outside into the bins at either end.
A category goes to its own count. None and NaN are missing. A value of a type that the bins do not take, or a category
that training never saw, is unseen. Booleans are categories: true is no 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.bundle import Histogram, class_key

_NUMBERS = (float, int)


def count_values(values: Sequence[Any], bins: Histogram) -> Histogram:
    """Counts of `values` in the bins of `bins`, whose own counts are not used.

    >>> count_values([0.5, 9, None, "x"], Histogram(edges=[0.0, 1.0, 2.0], counts=[0, 0, 0, 0]))
    Histogram(edges=[0.0, 1.0, 2.0], categories=None, counts=[0, 1, 0, 1], missing=1, unseen=1)
    """
    if bins.edges is None:
        return _count_categories(values, bins)
    kinds = set(map(type, values))
    if kinds <= {float, int}:
        return _count_numbers(_doubles(values), bins, unseen=0)
    numbers = [value for value in values if type(value) in _NUMBERS]
    missing = sum(value is None for value in values)
    return _count_numbers(_doubles(numbers), bins, unseen=len(values) - len(numbers) - missing, missing=missing)


def count_columns(rows: Sequence[tuple[float, ...]], bins: Sequence[Histogram]) -> list[Histogram]:
    """Counts of each column of a matrix of numbers, one row a tuple, in its own bins; further columns are left out."""
    try:
        matrix = np.array(rows, np.float64)
    except OverflowError:
        matrix = np.array([[_double(number) for number in row] for row in rows], np.float64)
    return [_count_numbers(matrix[:, place], histogram, unseen=0) for place, histogram in enumerate(bins)]


def place_of(value: Any, bins: Histogram) -> int:
    """Where one value is counted: a position among the counts, then one more for unseen, one more for missing.

    >>> bins = Histogram(edges=[0.0, 1.0, 2.0], counts=[0, 0, 0, 0])
    >>> [place_of(value, bins) for value in (-1, 0.5, 2, 3, "x", None)]
    [0, 1, 2, 3, 4, 5]
    """
    return placer(bins)(value)


def placer(bins: Histogram) -> Callable[[Any], int]:
    """`place_of` for many values in the same bins: the categories, which may be thousands, are looked at once."""
    if bins.edges is not None:
        return lambda value: _place_of_number(value, bins)
    places: dict[str | bytes | None, int] = {key: place for place, key in enumerate(_keys(bins))}
    unseen = len(places)
    return lambda value: unseen + 1 if (key := _key(value)) is None else places.get(key, unseen)


def bin_of(values: NDArray[np.float64], edges: Sequence[float]) -> NDArray[np.int64]:
    """Position of each number among k + 2 counts: 0 is below the first edge, k + 1 above the last."""
    borders = np.asarray(edges, np.float64)
    places = np.searchsorted(borders, values, side="right")
    places[values == borders[-1]] = len(borders) - 1
    return places


def _count_numbers(numbers: NDArray[np.float64], bins: Histogram, *, unseen: int, missing: int = 0) -> Histogram:
    edges = bins.edges or [0.0]
    gone = np.isnan(numbers)
    count = int(gone.sum())
    places = bin_of(numbers[~gone] if count else numbers, edges)
    counts = np.bincount(places, minlength=len(edges) + 1).tolist()
    return Histogram(edges=bins.edges, counts=counts, missing=missing + count, unseen=unseen)


def _doubles(numbers: Sequence[Any]) -> NDArray[np.float64]:
    """Numbers as doubles; a whole number beyond their range counts as an infinity."""
    try:
        return np.array(numbers, np.float64)
    except OverflowError:
        return np.array([_double(number) for number in numbers], np.float64)


def _double(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")


def _count_categories(values: Sequence[Any], bins: Histogram) -> Histogram:
    counts = Counter(map(_key, values))
    missing = counts.pop(None, 0)
    seen = [counts.pop(key, 0) for key in _keys(bins)]
    return Histogram(categories=bins.categories, counts=seen, missing=missing, unseen=counts.total())


def _place_of_number(value: Any, bins: Histogram) -> int:
    found = count_values([value], bins)
    return [*found.counts, found.unseen, found.missing].index(1)


def _keys(bins: Histogram) -> list[str]:
    return [class_key(category) for category in bins.categories or []]


def _key(value: Any) -> str | bytes | None:
    """A category as its key, None for a missing one, bytes (which no category is) for an array or an object."""
    if isinstance(value, str):
        return value
    if value is None or value != value:
        return None
    return class_key(value) if isinstance(value, (bool, int, float)) else b"no category"
