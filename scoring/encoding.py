"""The space in which distances between instances are measured, as `scoring.bundle.Calibration` defines it.

A number takes one column: (value - mean) / deviation, missing as 0. A boolean and a string take a column for each
category of training: 1 / sqrt(2) in its own, 0 in the others, so that two categories are 1 apart; all columns are 0
when the value is missing or training did not have it. Training fits its clusters to `encode`; production measures by
`numbers` and `entries`, for of a thousand columns of categories all but one are 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from scoring.bundle import Feature

Matrix = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]

ONE = 1 / math.sqrt(2)
NO_COLUMN = -1


class Encoding:
    """The encoded space of a model's features.

    >>> age = Feature(name="age", type="float", mean=40.0, deviation=10.0)
    >>> job = Feature(name="job", type="string", categories=["clerk", "cook"])
    >>> Encoding([age, job]).encode(np.array([[50.0, 1.0], [np.nan, -1.0]])).round(3).tolist()
    [[1.0, 0.0, 0.707], [0.0, 0.0, 0.0]]
    """

    def __init__(self, features: Sequence[Feature]) -> None:
        starts: Positions = np.cumsum([0, *map(_width, features)], dtype=np.intp)
        numeric = np.array([i for i, feature in enumerate(features) if not _is_categorical(feature)], dtype=np.intp)
        self.width = int(starts[-1])
        self.number_columns: Positions = starts[numeric]
        self._numeric = None if len(numeric) == len(features) else numeric
        self._mean = np.array([features[i].mean or 0.0 for i in numeric])
        self._deviation = np.array([features[i].deviation or 1.0 for i in numeric])
        self._categorical = np.array([i for i, f in enumerate(features) if _is_categorical(f)], dtype=np.intp)
        entries = [_entries(features[i], int(starts[i])) for i in self._categorical]
        sizes = np.array([len(each) for each in entries], dtype=np.intp)
        self._known = sizes - 1
        self._first = np.cumsum(sizes) - sizes
        self.columns: Positions = np.array([column for each in entries for column in each], dtype=np.intp)
        self.blocks = [slice(starts[i], starts[i + 1]) for i in self._categorical]
        self.block_of: Positions = np.repeat(np.arange(len(entries)), sizes)

    @property
    def has_categories(self) -> bool:
        """Whether any feature is a boolean or a string."""
        return len(self._categorical) > 0

    def numbers(self, values: Matrix, *, complete: bool = False) -> Matrix:
        """The columns of numbers [n, numbers]; `complete` promises that none is missing."""
        own = values if self._numeric is None else values.take(self._numeric, axis=1)
        scaled: Matrix = (own - self._mean) / self._deviation
        if not complete:
            scaled[np.isnan(scaled)] = 0.0
        return scaled

    def entries(self, values: Matrix) -> Positions:
        """For each boolean and string [n, categorical], which entry of `columns` its value is; the last of a feature's
        entries is for what is missing or unseen."""
        own = values.take(self._categorical, axis=1)
        places = np.where((own >= 0) & (own < self._known), own, self._known)
        return places.astype(np.intp) + self._first

    def encode(self, values: Matrix) -> Matrix:
        """Rows [n, features] of the graph's input in encoded space [n, width]."""
        encoded = np.zeros((len(values), self.width))
        encoded[:, self.number_columns] = self.numbers(values)
        columns = self.columns[self.entries(values)]
        rows, places = np.nonzero(columns != NO_COLUMN)
        encoded[rows, columns[rows, places]] = ONE
        return encoded


def _is_categorical(feature: Feature) -> bool:
    return feature.type in ("boolean", "string")


def _width(feature: Feature) -> int:
    return len(feature.categories or []) if _is_categorical(feature) else 1


def _entries(feature: Feature, start: int) -> list[int]:
    """The encoded column of every value that the graph may be given, then that of none."""
    categories = feature.categories or []
    if feature.type == "string":
        return [*range(start, start + len(categories)), NO_COLUMN]
    places = {value: start + place for place, value in enumerate(categories)}
    return [places.get(False, NO_COLUMN), places.get(True, NO_COLUMN), NO_COLUMN]
