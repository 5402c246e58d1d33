"""A uniform random sample of the records that match, in one pass and in the memory of the sample.

Whom a sample must convince did not draw it. So no generator's state decides, which would depend on the order of
reading: each record's lot is the SHA-256 of the text `{seed}:{blob}:{sequence}:{line}`, and the n lowest lots are drawn
(bottom-k sampling: E. Cohen, H. Kaplan, "Summarizing data using bottom-k sketches", PODC 2007,
https://doi.org/10.1145/1281100.1281133). Over the seeds every set of n records is as likely as any other; one seed
draws the same from the same log wherever and in whatever order it is read; and as the log grows, a record leaves the
sample only for a newer one. Whoever writes records cannot know their lots before the seed is chosen.
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from audit.browse import Filter, Found, Progress
from audit.reader import Position
from audit.records import Record
from audit.store import Store
from audit.survey import Survey, TimeIsUp, surveyed

type _Lot = tuple[int, Position, Record]  # the lot below zero: a heap's first is then the highest


@dataclass(frozen=True)
class Sampled:
    """The records drawn, newest first by server time, and of how many."""

    records: list[Found]
    matched: int
    seed: int
    survey: Survey  # what else was seen while reading


def sample(
    store: Store,
    wanted: Filter,
    n: int,
    seed: int,
    *,
    progress: Progress | None = None,
    kept: Callable[[Record], Record] = lambda record: record,
    time_is_up: Callable[[], bool] = lambda: False,
) -> Sampled:
    """Draw `n` of the matching records, or all if they are fewer. Raises `Unavailable`.

    `kept` may shorten what is held of a record. When time is up, the sample is one of the whole hours read until then,
    which `survey` names.
    """
    survey = Survey()
    drawn: list[_Lot] = []
    for hour in surveyed(store, wanted, survey, progress=progress, time_is_up=time_is_up):
        try:
            drawn = _lowest(n, drawn, hour, seed, kept)
        except TimeIsUp:
            break
    records = sorted(((record, position) for _, position, record in drawn), key=_by_time, reverse=True)
    return Sampled(records, survey.matched, seed, survey)


def lot(seed: int, position: Position) -> int:
    """A record's lot: a number below 2^256 that nobody can foresee without the seed.

    >>> lot(1, Position("log/v1/2026/11/23/14/w-0.jsonl", 2, 0)) == int(hashlib.sha256(
    ...     b"1:log/v1/2026/11/23/14/w-0.jsonl:2:0").hexdigest(), 16)
    True
    """
    text = f"{seed}:{position.blob}:{position.sequence}:{position.line}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest())


def _lowest(
    n: int, drawn: list[_Lot], found: Iterable[Found], seed: int, kept: Callable[[Record], Record]
) -> list[_Lot]:
    """The n lowest lots of those drawn already and those found, as a heap whose first is the highest."""
    heap = list(drawn)
    for record, position in found:
        negative = -lot(seed, position)
        if len(heap) < n:
            heapq.heappush(heap, (negative, position, kept(record)))
        elif heap and negative > heap[0][0]:
            heapq.heapreplace(heap, (negative, position, kept(record)))
    return heap


def _by_time(pair: Found) -> tuple[str, Position]:
    return pair[0].ts, pair[1]
