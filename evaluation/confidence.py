"""How sure a classifier was, in counts and sums that merge: what its performance is estimated from without labels.

For each class, the probabilities that scored instances got for it lie in 114 bins, those predicted to be of the class
apart from all others. A cell holds how many instances and the sum of their probabilities, in whole units of 2⁻³⁰, so
that merging is exact and free of order. Expected hits, misses and false alarms follow from the sums without an error of
binning; only a ranking (ROC AUC) knows no order inside a bin.

The bins are the hundredths that the bundle's calibration is kept in (`Baseline.scores_by_class`), the first and the
last cut more finely: a model of rare events says little but 0.001 and 0.0001.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from audit.records import Record
from scoring.bundle import Manifest, class_key

MOST_CLASSES = 50
UNIT = 2**30
_FINE = [1e-6, 1e-5, 1e-4, 3e-4, 1e-3, 2e-3, 5e-3]
EDGES: list[float] = [0.0, *_FINE, *(i / 100 for i in range(1, 100)), *(1 - x for x in reversed(_FINE)), 1.0]
BINS = len(EDGES) - 1

Cell = tuple[int, int, int]  # bin, instances, sum of their probabilities in units of 2⁻³⁰
Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


class Confidence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Scored instances by class and probability; cells ascend by bin, empty ones are left out."""

    n: int = 0  # instances counted
    left_out: int = 0  # scored instances without a usable label and probability for each class
    predicted: list[list[Cell]] = []  # by class: of instances predicted to be of it
    others: list[list[Cell]] = []  # by class: of all others


def confidence_of(judged: Sequence[Record], manifest: Manifest) -> Confidence | None:
    """Of the scored ones among some records; None for a model without probabilities or with over 50 classes."""
    classes = manifest.classes
    if manifest.output.probabilities is None or not 2 <= len(classes) <= MOST_CLASSES:
        return None
    pick, places = operator.itemgetter(*map(class_key, classes)), {label: place for place, label in enumerate(classes)}
    said: list[int] = []
    shares: list[tuple[float, ...]] = []
    scored = 0
    for record in judged:
        if record.outcome != "scored":
            continue
        scored += 1
        try:
            answer = record.y or {}
            place, row = places[answer["label"]], pick(answer["probabilities"])
        except (KeyError, TypeError):
            continue
        said.append(place)
        shares.append(row)
    found = counted(np.array(said, np.int64), _matrix(shares, len(classes)))
    return msgspec.structs.replace(found, left_out=scored - found.n)


def counted(said: Indices, shares: Floats) -> Confidence:
    """Of predicted classes [n] and probabilities [n, classes]; rows that are no probabilities are left out."""
    usable = ((shares >= 0) & (shares <= 1 + 1e-9)).all(axis=1)
    said, shares = said[usable], shares[usable].clip(0.0, 1.0)
    bins = np.searchsorted(EDGES[1:-1], shares, side="right")
    units = np.rint(shares * UNIT)
    predicted, others = [], []
    for place in range(shares.shape[1]):
        own = said == place
        predicted.append(_cells(bins[own, place], units[own, place]))
        others.append(_cells(bins[~own, place], units[~own, place]))
    return Confidence(n=len(said), left_out=int((~usable).sum()), predicted=predicted, others=others)


def merge_confidence(parts: Sequence[Confidence | None]) -> Confidence | None:
    """All of them together; raises `ValueError` when they speak of different classes."""
    known = [part for part in parts if part is not None]
    if not known:
        return None
    if len({len(part.predicted) for part in known}) > 1:
        raise ValueError("confidences of different classes cannot be merged")
    return Confidence(
        n=sum(part.n for part in known),
        left_out=sum(part.left_out for part in known),
        predicted=[_added(own) for own in zip(*(part.predicted for part in known), strict=True)],
        others=[_added(own) for own in zip(*(part.others for part in known), strict=True)],
    )


def _matrix(rows: Sequence[tuple[float, ...]], width: int) -> Floats:
    """Rows as doubles; one that holds anything but numbers is NaN."""
    try:
        return np.array(rows, np.float64).reshape(len(rows), width)
    except (TypeError, ValueError, OverflowError):
        return np.array([_doubles(row) for row in rows], np.float64).reshape(len(rows), width)


def _doubles(row: Sequence[object]) -> list[float]:
    plain = [value if isinstance(value, (int, float)) and abs(value) <= 2 else np.nan for value in row]
    return [float(value) for value in plain]


def _cells(bins: Indices, units: Floats) -> list[Cell]:
    counts = np.bincount(bins, minlength=BINS)
    sums = np.bincount(bins, weights=units, minlength=BINS)  # below 2⁵³ for the rows of a chunk, so they are exact
    return [(int(place), int(counts[place]), int(sums[place])) for place in np.flatnonzero(counts)]


def _added(parts: Sequence[Sequence[Cell]]) -> list[Cell]:
    total: dict[int, tuple[int, int]] = {}
    for cells in parts:
        for place, count, units in cells:
            before = total.get(place, (0, 0))
            total[place] = (before[0] + count, before[1] + units)
    return [(place, *total[place]) for place in sorted(total)]
