"""The joint envelope: how far an instance lies from everything that the model was fitted on.

A value may be ordinary in each feature and still be a combination that training never saw. The manifest holds
k-means centres of the training rows (Lloyd, 1982) and the distance that 99.9 % of those rows keep to their nearest
centre. Distances are plain numpy in double and summed within a row, never by a matrix product, so that an instance's
distance has the same bits alone and in any batch.

What a category adds to the squared distance from a centre does not depend on the instance, so it is looked up: a
string costs as much as a number, however many categories it has.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from scoring.bundle import Calibration, Feature
from scoring.encoding import NO_COLUMN, ONE, Encoding, Matrix

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
        self._encoding = Encoding(features)
        centres: Matrix = np.asarray(calibration.centres, dtype=np.float64)
        if centres.ndim != 2 or centres.shape[1] != self._encoding.width:
            raise ValueError(
                f"calibration.centres: expected lists of {self._encoding.width} numbers, the encoded width"
            )
        self._centres = centres[:, self._encoding.number_columns]
        with np.errstate(all="ignore"):
            self._shares = _shares(self._encoding, centres)
            self._is_bounded = self._stays_finite(features)

    def distances(self, values: Matrix, *, complete: bool = False) -> tuple[Matrix, npt.NDArray[np.intp]]:
        """Distance to the nearest centre and that centre's number, for rows [n, features] with NaN for missing.

        `complete` promises that nothing is missing or outside its feature's range widened by up to half its width. A
        distance beyond the range of a double is the largest double; infinite values give arbitrary distances.
        """
        with np.errstate(all="ignore"):
            starts = range(0, max(len(values), 1), _ROWS_AT_ONCE)
            squares = np.concatenate([self._squares(values[i : i + _ROWS_AT_ONCE], complete) for i in starts])
            return np.fmin(np.sqrt(np.minimum.reduce(squares, axis=1)), _LARGEST), squares.argmin(axis=1)

    def distance(self, row: Matrix, *, complete: bool = False) -> tuple[float, int]:
        """The same, to the last bit, for one row [1, features]: numpy's calls cost more than eight numbers do, and so
        does silencing warnings that cannot come."""
        if complete and self._is_bounded:
            return _nearest(self._squares(row, complete)[0].tolist())
        with np.errstate(all="ignore"):
            return _nearest(self._squares(row, complete)[0].tolist())

    def _stays_finite(self, features: Sequence[Feature]) -> bool:
        """Whether no row of numbers inside the ranges, however widened, can overflow on the way to its distances."""
        ranges = [(feature.minimum, feature.maximum) for feature in features]
        if self._encoding.has_categories or any(None in each for each in ranges):
            return False
        farthest = np.array([[2 * max(abs(low or 0.0), abs(high or 0.0)) for low, high in ranges]])
        ends = np.concatenate([self._squares(farthest, True), self._squares(-farthest, True)])
        return bool((ends < _LARGEST / 4).all())  # false for NaN too

    def _squares(self, values: Matrix, complete: bool) -> Matrix:
        """Squared distances [rows, centres], each summed along one stretch of memory: in one order for any batch."""
        apart = self._encoding.numbers(values, complete=complete)[:, None, :] - self._centres
        np.multiply(apart, apart, out=apart)
        if self._encoding.has_categories:
            apart = self._with_shares(apart, self._shares.take(self._encoding.entries(values), axis=0))
        squares: Matrix = np.add.reduce(apart, axis=2)
        return squares

    def _with_shares(self, apart: Matrix, shares: Matrix) -> Matrix:
        """[rows, centres, numbers] and [rows, categorical, centres] side by side."""
        rows, centres, numbers = apart.shape
        whole = np.empty((rows, centres, numbers + shares.shape[1]))
        whole[:, :, :numbers] = apart
        whole[:, :, numbers:] = shares.transpose(0, 2, 1)
        return whole


def _nearest(squares: list[float]) -> tuple[float, int]:
    least = min(squares)
    return min(math.sqrt(least), _LARGEST), squares.index(least)


def _shares(encoding: Encoding, centres: Matrix) -> Matrix:
    """What each entry of a boolean or a string adds to the squared distance from each centre [entries, centres]."""
    bases = [(centres[:, block] ** 2).sum(axis=1) for block in encoding.blocks]
    shares = np.array(bases).reshape(len(bases), len(centres))[encoding.block_of]
    hit = encoding.columns != NO_COLUMN
    own = centres[:, encoding.columns[hit]].T
    shares[hit] = (
        shares[hit] - own**2 + (ONE - own) ** 2
    )  # in this order never below 0: a sum is no less than its parts
    return shares
