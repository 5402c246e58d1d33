"""Of very many records the oldest and the newest, in bounded memory, and how many lie between them.

An id may have any number of records: a probe that asks each minute with the same one makes half a million a year, and
each may be as large as its client and its writer like. Whoever answers a request with them keeps both ends, which are
what an auditor looks for: how it began, and what was said of it last.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field

from audit.browse import Found
from audit.reader import Position
from audit.records import Record, encode_record

type _Key = tuple[str, Position]


@dataclass(frozen=True)
class Ends:
    """Records in the order of their time, and how many were left out in their middle."""

    records: list[Found]
    left_out: int


def oldest_and_newest(found: Iterable[Found], most: int, most_bytes: int) -> Ends:
    """At most so many records and bytes of their lines, half of either for the oldest; at least one of each end."""
    oldest = _End(most - most // 2, most_bytes // 2, keeps_low=True)
    newest = _End(most // 2, most_bytes // 2, keeps_low=False)
    left_out = 0
    for record, position in found:
        for pushed_out in oldest.add(_Held((record.ts, position), record, _size(record))):
            left_out += len(newest.add(pushed_out))
    kept = sorted([*oldest.held(), *newest.held()], key=lambda held: held.key)
    return Ends([(held.record, held.key[1]) for held in kept], left_out)


@dataclass(frozen=True)
class _Held:
    key: _Key
    record: Record
    size_bytes: int


@dataclass(frozen=True)
class _Low:
    """Turns a heap around: the record with the highest key comes first."""

    key: _Key

    def __lt__(self, other: _Low) -> bool:
        return self.key > other.key


@dataclass
class _End:
    """One end: the records with the lowest keys, or with the highest, within its room."""

    most: int
    most_bytes: int
    keeps_low: bool
    size_bytes: int = 0
    heap: list[tuple[_Low | _Key, int, _Held]] = field(default_factory=list)
    added: int = 0

    def add(self, held: _Held) -> list[_Held]:
        """Take a record; those that there is no room for any more."""
        self.added += 1
        heapq.heappush(self.heap, (_Low(held.key) if self.keeps_low else held.key, self.added, held))
        self.size_bytes += held.size_bytes
        out: list[_Held] = []
        while len(self.heap) > 1 and (len(self.heap) > self.most or self.size_bytes > self.most_bytes):
            out.append(heapq.heappop(self.heap)[2])
            self.size_bytes -= out[-1].size_bytes
        return out

    def held(self) -> list[_Held]:
        """What is kept, in no order."""
        return [held for *_, held in self.heap]


def _size(record: Record) -> int:
    return len(encode_record(record))
