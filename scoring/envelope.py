"""The joint envelope: how far an instance lies from everything that the model was fitted on.

A value may be ordinary in each feature and still be a combination that training never saw. The manifest holds
k-means centres of the training rows (Lloyd, 1982) and the distance that 99.9 % of those rows keep to their nearest
centre. Distances are plain numpy in double and summed within a row, never by a matrix product, so that an instance's
distance has the same bits alone and in any batch.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from scoring.bundle import Calibration, Feature

Matrix = npt.NDArray[np.float64]

_LARGEST = sys.float_info.max
_ROWS_AT_ONCE = 256  # 256 rows × 8 centres × 30 features in double are 480 KiB: they stay in the second-level cache


class Envelope:
    """Distances to the nearest training centre, in the manifest's encoded space.

    >>> age = Feature(name="age", type="float", mean=40.0, deviation=10.0)
    >>> envelope = Envelope([age], Calibration(centres=[[0.0], [2.0]], threshold=1.0))
    >>> distances, clusters = envelope.distances(np.array([[45.0], [61.0], [np.nan]]))
    >>> distances.tolist(), clusters.tolist()
    ([0.5, 0.10000000000000009, 0.0], [0, 1, 0])
    """

    def __init__(self, features: Sequence[Feature], calibration: Calibration) -> None:
        self.threshold = calibration.threshold
        self._centres: Matrix = np.asarray(calibration.centres, dtype=np.float64)
        self._numbers = [i for i, feature in enumerate(features) if feature.type != "boolean"]
        self._booleans = [
            (i, feature.categories or []) for i, feature in enumerate(features) if feature.type == "boolean"
        ]
        self._mean = np.array([feature.mean or 0.0 for feature in features])
        self._deviation = np.array([feature.deviation or 1.0 for feature in features])
        self._columns = _columns(features)
        width = self._columns[-1].stop if self._columns else 0
        if self._centres.ndim != 2 or self._centres.shape[1] != width:
            raise ValueError(f"calibration.centres: expected lists of {width} numbers, the encoded width")

    def distances(self, values: Matrix, *, complete: bool = False) -> tuple[Matrix, npt.NDArray[np.intp]]:
        """Distance to the nearest centre and that centre's number, for rows [n, features] with NaN for missing.

        `complete` promises that nothing is missing. A distance beyond the range of a double is the largest double;
        infinite values give arbitrary distances.
        """
        with np.errstate(all="ignore"):
            encoded = self._encode(values, complete=complete)
            starts = range(0, max(len(encoded), 1), _ROWS_AT_ONCE)
            squares = np.concatenate([_squares(encoded[i : i + _ROWS_AT_ONCE], self._centres) for i in starts])
            return np.fmin(np.sqrt(np.minimum.reduce(squares, axis=1)), _LARGEST), squares.argmin(axis=1)

    def distance(self, row: Matrix, *, complete: bool = False) -> tuple[float, int]:
        """The same, to the last bit, for one row [1, features]: numpy's calls cost more than eight numbers do."""
        with np.errstate(all="ignore"):
            squares: list[float] = _squares(self._encode(row, complete=complete), self._centres)[0].tolist()
        least = min(squares)
        return min(math.sqrt(least), _LARGEST), squares.index(least)

    def _encode(self, values: Matrix, *, complete: bool) -> Matrix:
        scaled: Matrix = (values - self._mean) / self._deviation
        if not complete:
            scaled[np.isnan(scaled)] = 0.0
        if not self._booleans:
            return scaled
        encoded = np.zeros((len(values), self._columns[-1].stop))
        for i in self._numbers:
            encoded[:, self._columns[i].start] = scaled[:, i]
        for i, categories in self._booleans:
            for offset, category in enumerate(categories):
                hit = values[:, i] == float(category)
                encoded[:, self._columns[i].start + offset] = hit / math.sqrt(2)
        return encoded


def _squares(encoded: Matrix, centres: Matrix) -> Matrix:
    """Squared distances [rows, centres]."""
    apart = encoded[:, None, :] - centres
    np.multiply(apart, apart, out=apart)
    squares: Matrix = np.add.reduce(apart, axis=2)
    return squares


def _columns(features: Sequence[Feature]) -> list[range]:
    """The columns of the encoded space that each feature takes."""
    columns, start = [], 0
    for feature in features:
        width = len(feature.categories or []) if feature.type in ("boolean", "string") else 1
        columns.append(range(start, start + width))
        start += width
    return columns
