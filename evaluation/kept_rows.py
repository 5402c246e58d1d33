"""The rows that a profile keeps: some hundred judged instances as they were, to plot and to look at.

Kept are the 500 of smallest id hash, which is a sample that does not depend on what is sampled, the 50 farthest from
the training centres, and the 50 least confident. Each is the first so many in one total order, so keeping them merges
exactly whatever the order. Texts are cut and numbers rounded to six digits, so that a row has a bounded size however
hostile its instance; what is redacted is not there. An id over 512 characters, which the service accepts from nobody,
is kept in no row.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from audit.records import Record
from scoring.bundle import class_key

ROWS = 500
FARTHEST = 50
LEAST_CONFIDENT = 50
LONGEST_TEXT = 60
LONGEST_ID = 512
_LARGEST = 1.797e308  # six digits of the largest double, which rounding must not make infinite

Hashes = NDArray[np.int64]
Floats = NDArray[np.float64]


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One judged instance as it was, to plot and to look at."""

    hash: int  # of the id, 53 bits: the same everywhere, so the smallest ones are a sample that merges
    id: str
    ts: str
    values: list[float | str | None]  # by sorted feature name; texts cut to 60 characters; None: missing, not in clear
    cluster: int | None = None
    distance: float | None = None  # to the nearest training centre
    confidence: float | None = None  # the largest probability


def hashes_of(ids: Sequence[str]) -> Hashes:
    """53 bits of each id's hash, which any reader of JSON keeps.

    >>> hashes_of(["a", "a"]).tolist()
    [2285969620036808, 2285969620036808]
    """
    digests = b"".join(hashlib.blake2b(id.encode(errors="surrogatepass"), digest_size=8).digest() for id in ids)
    return (np.frombuffer(digests, ">u8") >> 11).astype(np.int64)


def sampled(rows: Iterable[Row]) -> list[Row]:
    """The 500 of smallest hash."""
    return _first(rows, ROWS, lambda _row: 0.0)


def farthest(rows: Iterable[Row]) -> list[Row]:
    """The 50 of largest distance."""
    return _first((row for row in rows if row.distance is not None), FARTHEST, lambda row: -(row.distance or 0.0))


def least_confident(rows: Iterable[Row]) -> list[Row]:
    """The 50 of smallest confidence."""
    known = (row for row in rows if row.confidence is not None)
    return _first(known, LEAST_CONFIDENT, lambda row: row.confidence or 0.0)


def places_of_first(order: Floats, hashes: Hashes, most: int) -> list[int]:
    """Positions of the `most` smallest in `order`, ties by hash, and of all that tie with the last; never a NaN."""
    if len(order) > most:
        bar = np.partition(order, most - 1)[most - 1]
        candidates = np.flatnonzero(order <= bar) if bar == bar else np.flatnonzero(order == order)
    else:
        candidates = np.flatnonzero(order == order)
    if len(candidates) <= most:
        return [int(place) for place in candidates]
    ranked = candidates[np.lexsort((hashes[candidates], order[candidates]))]
    last = ranked[most - 1]
    tied = (order[ranked] == order[last]) & (hashes[ranked] == hashes[last])
    return [int(place) for place in ranked[: max(most, int(np.flatnonzero(tied)[-1]) + 1)]]


def row_of(record: Record, values: Iterable[Any], hash: int, distance: float, confidence: float) -> Row:
    """One row; NaN for a distance or a confidence that there is not."""
    cluster = record.flags.get("cluster")
    return Row(
        hash=hash,
        id=record.id,
        ts=record.ts[:40],
        values=[_kept(value) for value in values],
        cluster=cluster if type(cluster) is int and 0 <= cluster < 2**31 else None,
        distance=None if distance != distance else distance,
        confidence=None if confidence != confidence else confidence,
    )


def _first(rows: Iterable[Row], most: int, order: Callable[[Row], float]) -> list[Row]:
    """The first in one total order: what decides, the hash, and only where both tie all the rest."""
    ranked = sorted(rows, key=lambda row: (order(row), row.hash, row.id, row.ts))
    kept = ranked[:most]
    if len({(row.hash, row.ts) for row in ranked}) < len(ranked):
        everything = sorted(ranked, key=lambda row: (order(row), row.hash, row.id, row.ts, msgspec.json.encode(row)))
        return everything[:most]
    return kept


def _kept(value: Any) -> float | str | None:
    if type(value) is float or type(value) is int:
        return _six_digits(value)
    if isinstance(value, str):
        return value if len(value) <= LONGEST_TEXT else value[:LONGEST_TEXT]
    return class_key(value) if isinstance(value, bool) else None


def _six_digits(number: float) -> float | None:
    try:
        rounded = float(f"{number:.6g}")
    except OverflowError:  # a whole number beyond any double
        return _LARGEST if number > 0 else -_LARGEST
    if rounded != rounded:
        return None
    return rounded if math.isfinite(rounded) else math.copysign(_LARGEST, rounded)
