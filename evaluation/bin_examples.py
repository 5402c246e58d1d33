"""Instances for each bin of each feature and output: a bin that has grown leads to instances to look at.

Kept is, of each bin, the five instances of smallest id hash; with many features fewer, so that all bins together have
at most 20,000, but one at least. An instance is kept once, with the bin of each of its features: the one of smallest
hash is the first in its bin of every feature, so of 25 features some hundred instances are enough. The first so many
of each bin in one total order merge exactly, whatever the order. Of over 100 categories those most frequent in the
baseline have a bin each and the others one together, as they are compared (`evaluation.drift.categories`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from evaluation.kept_rows import LONGEST_ID, Hashes
from scoring.bundle import Histogram

EACH = 5
MOST = 20_000  # over all bins; one for each bin even if that is more
MOST_CATEGORIES = 100
OUTPUT = "output:"  # before an output's name among columns
NOT_THERE = -1  # the place of a value that the log does not hold in clear, or of an answer that there is not
_PREFIX = 512  # instances in which the first of a frequent bin are looked for before all are

Places = NDArray[np.int32]


class Example(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One instance and the bin of each of its features, so that a bin leads to instances to look at."""

    hash: int  # of the id, as in `Row`
    id: str
    places: list[int]  # by sorted feature name, then by sorted output: a bin's position in the pooled counts, or −1


def each_of(bins: Iterable[Histogram]) -> int:
    """How many instances each bin keeps.

    >>> number = Histogram(edges=[0.0, 1.0], counts=[0, 0, 0])
    >>> each_of([number]), each_of([number] * 1000), each_of([number] * 10_000)
    (5, 4, 1)
    """
    total = sum(int(pool(histogram).max()) + 1 for histogram in bins)
    return min(EACH, max(1, MOST // max(1, total)))


def pool(bins: Histogram) -> Places:
    """Position among all counts → position among those that are compared, the last two for unseen and missing.

    >>> pool(Histogram(categories=["a", "b"], counts=[1, 2])).tolist()
    [0, 1, 2, 3]
    """
    size = len(bins.counts)
    if bins.categories is None or size <= MOST_CATEGORIES:
        return np.arange(size + 2, dtype=np.int32)
    kept = most_frequent(bins.counts)
    pooled = np.full(size + 2, MOST_CATEGORIES - 1, np.int32)
    pooled[kept] = np.arange(len(kept))
    pooled[size:] = (MOST_CATEGORIES, MOST_CATEGORIES + 1)
    return pooled


def most_frequent(weights: Sequence[float]) -> list[int]:
    """Positions of the 99 categories of largest weight, in their order."""
    order = sorted(range(len(weights)), key=lambda place: (-weights[place], place))
    return sorted(order[: MOST_CATEGORIES - 1])


def examples_of(ids: Sequence[str], hashes: Hashes, columns: Mapping[str, Places], each: int) -> list[Example]:
    """Those kept of judged instances; `columns` are pooled places by feature and output, in the order of `Example`."""
    if not columns or not len(ids):
        return []
    order = np.argsort(hashes, kind="stable")
    by_hash = np.array([column[order] for column in columns.values()])
    if max(map(len, ids)) > LONGEST_ID:
        by_hash[:, [len(ids[row]) > LONGEST_ID for row in order]] = NOT_THERE
    chosen = np.flatnonzero(_needed(by_hash, each, _ties(hashes[order])))
    found = (
        Example(hash=int(hashes[order[row]]), id=ids[order[row]], places=by_hash[:, row].tolist())
        for row in chosen
        if len(ids[order[row]]) <= LONGEST_ID  # one that ties
    )
    return kept_examples(found, each)


def kept_examples(examples: Iterable[Example], each: int) -> list[Example]:
    """The first of each bin, ascending; an instance that stands there twice alike counts once."""
    ranked = sorted(examples)
    distinct = [one for place, one in enumerate(ranked) if not place or ranked[place - 1] != one]
    if not distinct:
        return []
    columns = np.array([one.places for one in distinct], np.int32).T
    needed = _needed(columns, each, np.zeros(len(distinct), bool))
    return [one for one, is_needed in zip(distinct, needed.tolist(), strict=True) if is_needed]


def _ties(hashes: Hashes) -> NDArray[np.bool_]:
    """Whether an instance has the hash of the one before or after it: such are all looked at, in their full order."""
    same = hashes[1:] == hashes[:-1]
    ties: NDArray[np.bool_] = np.concatenate([[False], same]) | np.concatenate([same, [False]])
    return ties


def _needed(columns: NDArray[np.int32], each: int, ties: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which of the instances, in their order, are among the first `each` of a bin; those that tie count for nobody."""
    needed = ties.copy()
    free = np.flatnonzero(~ties)
    for column in columns[:, free] if len(free) else ():
        counts = np.bincount(column + 1)
        ahead = np.bincount(column[:_PREFIX] + 1, minlength=len(counts))
        rare = (ahead < each) & (counts > ahead)
        rare[0] = False
        needed[free[_firsts(column[:_PREFIX], each)]] = True
        if rare.any():
            where = np.flatnonzero(rare[column + 1])
            needed[free[where[_firsts(column[where], each)]]] = True
    return needed


def _firsts(column: NDArray[np.int32], each: int) -> NDArray[np.intp]:
    """Positions of the first `each` of every bin."""
    order = np.argsort(column, kind="stable")
    ranked = column[order]
    starts = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]])) if len(ranked) else np.empty(0, int)
    rank = np.arange(len(ranked)) - np.repeat(starts, np.diff(np.append(starts, len(ranked))))
    firsts: NDArray[np.intp] = order[(rank < each) & (ranked != NOT_THERE)]
    return firsts
