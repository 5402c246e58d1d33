"""Reading the log from its newest end: the last records, and the newest that match."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from audit.layout import HOUR_S
from audit.reader import Position, between, blob_records, blobs, hours
from audit.records import Record, encoded_text
from audit.store import Store

type Found = tuple[Record, Position]
type Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Filter:
    """What a record must have; `None` asks for nothing."""

    model: str | None = None
    kind: str | None = None
    outcome: str | None = None
    reason: str | None = None
    since_s: float | None = None
    until_s: float | None = None

    def needle(self) -> bytes:
        """What every matching line holds, as our encoder writes it: most lines need not be decoded.

        >>> Filter(model="wine", outcome="failed").needle()
        b'"failed"'
        """
        rarest = next((text for text in (self.reason, self.outcome, self.kind, self.model) if text is not None), None)
        return b"" if rarest is None else encoded_text(rarest)

    def matches(self, record: Record) -> bool:
        """Whether the record has all of it."""
        since, until = self._bounds
        return (
            self.model in (None, record.model)
            and self.kind in (None, record.kind)
            and self.outcome in (None, record.outcome)
            and (self.reason is None or self.reason in record.reasons)
            and since <= record.ts
            and (until is None or record.ts < until)
        )

    @cached_property
    def _bounds(self) -> tuple[str, str | None]:
        return between(self.since_s, self.until_s)


def newest(store: Store, wanted: Filter, limit: int, progress: Progress | None = None) -> Iterator[Found]:
    """Matching records, the newest first by server time (within the hour of their blobs); at most `limit`."""
    until_s = None if wanted.until_s is None else wanted.until_s + HOUR_S
    listed = hours(store, wanted.since_s, until_s)[::-1]
    for number, hour in enumerate(listed):
        if limit <= 0:
            return
        if progress:
            progress(number, len(listed), hour)
        found = heapq.nlargest(limit, _matching(store, hour, wanted), key=lambda pair: (pair[0].ts, pair[1]))
        limit -= len(found)
        yield from found


def _matching(store: Store, hour: str, wanted: Filter) -> Iterator[Found]:
    needle = wanted.needle()
    for info in blobs(store, hour):
        yield from (pair for pair in blob_records(store, info.name, needle) if wanted.matches(pair[0]))
