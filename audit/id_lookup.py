"""Looking ids up in a segment by reading a small part of it.

Hashes are spread evenly, so an entry lies near the place that its hash has between the file's first and last: one read
of some 25 pages around it finds it, or shows that it is not there, among a million. Where that read does not reach far
enough (hashes can be chosen to crowd together, at some cost), the pages are halved until the place is found: more
reads, the same answer. Only pages whose check holds are believed, and an id is called absent only when such pages show
the hash before its place and the one after. `BadIndex` is raised otherwise, and `NotFound` when the file is gone.

Many ids are looked up together: reads that lie close are made one, so that in the end no more is read than the file.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial

from audit.errors import NotFound
from audit.id_index import (
    CHECK_BYTES,
    ENTRY_BYTES,
    HASH_BYTES,
    PAGE_BYTES,
    PAGE_ENTRIES,
    BadIndex,
    Entry,
    IndexFile,
    Segment,
    decode_entry,
    decode_page,
)
from audit.id_segments import Segments, at_once
from audit.store import Store

_DEVIATIONS = 4  # of the place of a hash, which is binomial: one in 16,000 lies farther off
_LONGEST_READ = 1024  # pages
_LONGEST_GAP = 64  # pages that are read though nobody asked for them, rather than reading twice

type Found = dict[bytes, list[Entry]]


def look_up_all(
    segments: Segments, hashes: Collection[bytes], days: Collection[str] | None = None
) -> list[tuple[Segment, Found]]:
    """What each segment (of these days) has of the hashes. Raises `Unavailable`.

    A segment that is damaged or gone is dropped and missing; its blobs are not covered then.
    """
    wanted = _wanted(segments, hashes, days)
    found = look_up_each(segments, wanted)
    if len(found) < len(wanted):  # what is gone was merged meanwhile: that into which it was merged is there now
        segments.refresh(days)
        found = look_up_each(segments, _wanted(segments, hashes, days))
    return found


def look_up_each(
    segments: Segments, wanted: Sequence[tuple[Segment, Collection[bytes]]]
) -> list[tuple[Segment, Found]]:
    """The same for some segments, each asked for hashes of its own."""
    found = []
    results = at_once(partial(_tried, segments.derived), wanted)
    for (segment, _), result in zip(wanted, results, strict=True):
        if isinstance(result, dict):
            found.append((segment, result))
        else:
            segments.drop(segment, result)
    return found


def _wanted(
    segments: Segments, hashes: Collection[bytes], days: Collection[str] | None
) -> list[tuple[Segment, Collection[bytes]]]:
    return [(segment, hashes) for segment in segments.newest() if days is None or segment.day in days]


def look_up(derived: Store, segment: Segment, hashes: Iterable[bytes]) -> Found:
    """The entries of these hashes, those of one hash in the order of the log; no key for a hash that has none."""
    wanted = sorted(set(hashes))
    found: Found = {}
    for number, file in enumerate(segment.files):
        first, last = bytes.fromhex(file.first), bytes.fromhex(file.last)
        pages = _Pages(derived, segment, number, file)
        here = [one for one in wanted if first <= one <= last]
        for low, high, near in _reads(here, file):
            pages.load(low, high)
            for one, its_low, its_high in near:
                for entry in pages.entries(one, its_low, its_high):
                    found.setdefault(one, []).append(decode_entry(entry))
    _check(segment, found)
    return {one: sorted(entries, key=lambda entry: (entry.blob, entry.offset)) for one, entries in found.items()}


def _check(segment: Segment, found: Found) -> None:
    lengths = list(segment.blobs.values())
    for entries in found.values():
        if any(entry.blob >= len(lengths) or entry.offset >= lengths[entry.blob] for entry in entries):
            raise BadIndex(f"{segment.path}: an entry leads outside the blobs that it covers")


def _tried(derived: Store, wanted: tuple[Segment, Collection[bytes]]) -> Found | BadIndex | NotFound:
    try:
        return look_up(derived, *wanted)
    except (BadIndex, NotFound) as problem:
        return problem


type _Near = list[tuple[bytes, int, int]]  # hashes, each with the pages in which it is expected


def _reads(hashes: list[bytes], file: IndexFile) -> Iterator[tuple[int, int, _Near]]:
    """Pages [low, high) to read together, and the hashes that are expected there."""
    low = high = 0
    near: _Near = []
    for one in hashes:
        its_low, its_high = _expected(one, file)
        if near and (its_low > high + _LONGEST_GAP or its_high - low > _LONGEST_READ):
            yield low, high, near
            near = []
        low, high = (low, max(high, its_high)) if near else (its_low, its_high)
        near.append((one, its_low, its_high))
    if near:
        yield low, high, near


def _expected(one: bytes, file: IndexFile) -> tuple[int, int]:
    """The pages [low, high) among which a hash should be."""
    first, last = int(file.first, 16), int(file.last, 16)
    share = (int.from_bytes(one) - first) / max(last - first, 1)
    spread = _DEVIATIONS * math.sqrt(file.entries * share * (1 - share)) + 2
    place = share * file.entries
    low = max(math.floor((place - spread) / PAGE_ENTRIES), 0)
    high = min(math.floor((place + spread) / PAGE_ENTRIES) + 1, file.pages)
    return min(low, high - 1), high


class _Pages:
    """The pages of one file: those that were read, and which of them were checked."""

    def __init__(self, derived: Store, segment: Segment, number: int, file: IndexFile) -> None:
        self._derived = derived
        self._segment = segment
        self._number = number
        self._file = file
        self._low = 0
        self._data = b""
        self._others: dict[int, bytes] = {}
        self._checked: dict[int, bytes] = {}

    def load(self, low: int, high: int) -> None:
        """Read pages [low, high) and forget the ones before."""
        self._others.clear()
        self._checked.clear()
        self._low, self._data = low, self._read(low, high)

    def entries(self, one: bytes, low: int, high: int) -> Iterator[bytes]:
        """All entries of a hash, which is expected in pages [low, high)."""
        page = self._first_page(one, low, high)
        ahead = 1
        while page < self._file.pages:
            self._raw(page, ahead)
            entries = self._page(page)
            for start in range(_first_entry(entries, one) * ENTRY_BYTES, len(entries), ENTRY_BYTES):
                if not entries.startswith(one, start):
                    return
                yield entries[start : start + ENTRY_BYTES]
            page, ahead = page + 1, min(2 * ahead, _LONGEST_READ)

    def _first_page(self, one: bytes, low: int, high: int) -> int:
        """The first page that ends at the hash or behind it, by pages whose checks hold."""
        reaches = (low == 0 or self._first(low) < one) and (high == self._file.pages or self._last(high - 1) >= one)
        if not reaches:
            low, high = 0, self._file.pages
        page = bisect_left(range(low, high), one, key=self._last) + low
        if page >= high or self._page(page)[-ENTRY_BYTES:][:HASH_BYTES] < one:
            raise BadIndex(f"{self._path}: page {page} ends before a hash that should be in it")
        if (
            page > 0
            and self._page(page)[:HASH_BYTES] >= one
            and self._page(page - 1)[-ENTRY_BYTES:][:HASH_BYTES] >= one
        ):
            raise BadIndex(f"{self._path}: page {page} is not the first that holds a hash")
        return page

    def _first(self, page: int) -> bytes:
        """The first hash of a page, not checked yet."""
        return self._raw(page)[:HASH_BYTES]

    def _last(self, page: int) -> bytes:
        return self._raw(page)[-ENTRY_BYTES - CHECK_BYTES :][:HASH_BYTES]

    def _page(self, page: int) -> bytes:
        """A page's entries, once its check was found to hold."""
        if page not in self._checked:
            self._checked[page] = decode_page(self._segment.name, self._number, page, self._raw(page))
        return self._checked[page]

    def _raw(self, page: int, ahead: int = 1) -> bytes:
        """A page as stored; where it must be read, the next `ahead` are read with it."""
        start = (page - self._low) * PAGE_BYTES
        if 0 <= start < len(self._data):
            return self._data[start : start + PAGE_BYTES]
        if page not in self._others:
            data = self._read(page, min(page + ahead, self._file.pages))
            for number, at in enumerate(range(0, len(data), PAGE_BYTES)):
                self._others[page + number] = data[at : at + PAGE_BYTES]
        return self._others[page]

    def _read(self, low: int, high: int) -> bytes:
        start, end = low * PAGE_BYTES, min(high * PAGE_BYTES, self._file.size_bytes)
        data = self._derived.read(self._path, start, end - start)
        if len(data) != end - start:
            raise BadIndex(f"{self._path}: it ends at {start + len(data)}, where {self._file.size_bytes} were written")
        return data

    @property
    def _path(self) -> str:
        return self._segment.file_path(self._number)


def _first_entry(entries: bytes, one: bytes) -> int:
    """The number of the first entry that is not before the hash."""
    return bisect_left(
        range(len(entries) // ENTRY_BYTES), one, key=lambda n: entries[n * ENTRY_BYTES : n * ENTRY_BYTES + HASH_BYTES]
    )
