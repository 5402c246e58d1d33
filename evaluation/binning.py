"""Sorting values into a baseline's bins: any JSON values in, counts out, never an error.

A number goes into [e(i), e(i+1)), the last edge into the last bin, and what lies outside into the bins at either end.
A category goes to its own count. None and NaN are missing. A value of a type that the bins do not take, or a category
that training never saw, is unseen. Booleans are categories: true is no 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring.bundle import Histogram, class_key

_NUMBERS = frozenset({float, int})
Places = NDArray[np.int32]


def count_values(values: Sequence[Any], bins: Histogram) -> Histogram:
    """Counts of `values` in the bins of `bins`, whose own counts are not used.

    >>> count_values([0.5, 9, None, "x"], Histogram(edges=[0.0, 1.0, 2.0], counts=[0, 0, 0, 0]))
    Histogram(edges=[0.0, 1.0, 2.0], categories=None, counts=[0, 1, 0, 1], missing=1, unseen=1)
    """
    return tally(places_of(values, bins), bins)


def tally(places: Places, bins: Histogram) -> Histogram:
    """Counts of places as `places_of` gives them; those below 0 are nowhere."""
    size = len(bins.categories or []) if bins.edges is None else len(bins.edges) + 1
    counts = np.bincount(places[places >= 0], minlength=size + 2).tolist()
    return Histogram(
        edges=bins.edges,
        categories=bins.categories,
        counts=counts[:size],
        unseen=counts[size],
        missing=counts[size + 1],
    )


def places_of(values: Sequence[Any], bins: Histogram) -> Places:
    """Where each value is counted: a position among the counts, then one more for unseen, one more for missing."""
    if bins.edges is None:
        return np.fromiter(map(placer(bins), values), np.int32, len(values))
    kinds = set(map(type, values))
    if kinds <= _NUMBERS:
        return places_of_numbers(doubles(values), bins)
    unseen = len(bins.edges) + 1
    places = np.array([unseen + 1 if value is None else unseen for value in values], np.int32)
    is_number = np.array([type(value) in _NUMBERS for value in values], bool)
    places[is_number] = places_of_numbers(doubles([value for value in values if type(value) in _NUMBERS]), bins)
    return places


def places_of_numbers(numbers: NDArray[np.float64], bins: Histogram) -> Places:
    """`places_of` for doubles, NaN being missing."""
    edges = bins.edges or [0.0]
    places = bin_of(numbers, edges).astype(np.int32)
    places[np.isnan(numbers)] = len(edges) + 2
    return places


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
        return lambda value: int(places_of([value], bins)[0])
    keys = [class_key(category) for category in bins.categories or []]
    places: dict[str | bytes, int] = {key: place for place, key in reversed(list(enumerate(keys)))}
    unseen = len(keys)

    def place(value: Any) -> int:
        if type(value) is str:
            return places.get(value, unseen)
        key = _key(value)
        return unseen + 1 if key is None else places.get(key, unseen)

    return place


def bin_of(values: NDArray[np.float64], edges: Sequence[float]) -> NDArray[np.int64]:
    """Position of each number among k + 2 counts: 0 is below the first edge, k + 1 above the last."""
    borders = np.asarray(edges, np.float64)
    places = np.searchsorted(borders, values, side="right")
    places[values == borders[-1]] = len(borders) - 1
    return places


def doubles(numbers: Sequence[Any]) -> NDArray[np.float64]:
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


def _key(value: Any) -> str | bytes | None:
    """A category as its key, None for a missing one, bytes (which no category is) for an array or an object."""
    if isinstance(value, str):
        return value
    if value is None or value != value:
        return None
    return class_key(value) if isinstance(value, (bool, int, float)) else b"no category"
