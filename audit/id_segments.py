"""Which segments of the index there are, and which blobs they cover.

A segment that is damaged, incomplete or of another version covers nothing: it is left out with a warning, and whoever
looks for an id reads its blobs as if there were no index. One whose blobs are all covered by a larger one was merged
into that, and is left out too.

Segments never change, so what was read of one is kept; `refresh` only looks for those written since.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from audit.errors import NotFound
from audit.id_index import INDEX, MAX_SEGMENT_BYTES, BadIndex, Segment, decode_segment, parse_path
from audit.store import Store

_AT_ONCE = 8  # calls to the storage; each waits for the network far more than it computes
_LISTED_BY_DAY = 31  # days; beyond, one listing of the whole index is cheaper
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Listing:
    """What lies under the index: sizes of its files, and when segments were written."""

    sizes: dict[str, int]
    written_s: dict[str, float]


class Segments:
    """The segments in a derived container."""

    def __init__(self, derived: Store) -> None:
        self.derived = derived
        self._known: dict[str, Segment | Exception] = {}  # by path; why it cannot be used
        self._written_s: dict[str, float] = {}

    def refresh(self, days: Collection[str] | None = None) -> None:
        """Look for the segments of these days (`2026/11/23`), or of all. Raises `Unavailable`."""
        for _ in range(2):  # what was merged and removed after it was listed is in another the second time
            listing = _listing(self.derived, days)
            new = [path for path, at_s in listing.written_s.items() if self._written_s.get(path) != at_s]
            found = dict(zip(new, at_once(partial(_read, self.derived, listing.sizes), new), strict=True))
            if not any(isinstance(one, Exception) for one in found.values()):
                break
        kept = [path for path in self._known if days is not None and _day(path) not in days]
        self._written_s = {path: self._written_s[path] for path in kept} | listing.written_s
        self._known = {path: found[path] if path in found else self._known[path] for path in self._written_s}
        for problem in [problem for problem in found.values() if isinstance(problem, Exception)]:
            _warn(problem)

    def newest(self) -> list[Segment]:
        """Those that are not a part of a larger one, by day and name."""
        kept: dict[str, list[Segment]] = {}
        for segment in sorted(self._usable(), key=lambda one: (-len(one.blobs), one.name)):
            larger = kept.setdefault(segment.day, [])
            if not any(segment.blobs.items() <= other.blobs.items() for other in larger):
                larger.append(segment)
        return [segment for _, found in sorted(kept.items()) for segment in sorted(found, key=lambda one: one.name)]

    def merged(self) -> list[Segment]:
        """Those that are a part of a larger one."""
        newest = self.newest()
        return [segment for segment in self._usable() if segment not in newest]

    def drop(self, segment: Segment, why: Exception) -> None:
        """Use it no more: it turned out to be damaged or gone."""
        _warn(why)
        self._known[segment.path] = why

    def damaged_days(self) -> list[str]:
        """Days of whose segments some cannot be used, sorted: what those cover is not known."""
        return sorted({_day(path) for path, segment in self._known.items() if isinstance(segment, Exception)})

    def forget_damaged(self) -> list[str]:
        """Paths of those that cannot be used; the next `refresh` looks at them again."""
        damaged = [path for path, segment in self._known.items() if isinstance(segment, Exception)]
        for path in damaged:
            del self._known[path], self._written_s[path]
        return damaged

    def _usable(self) -> list[Segment]:
        return [segment for segment in self._known.values() if isinstance(segment, Segment)]


def covered(segments: Iterable[Segment]) -> dict[str, int]:
    """The blobs that segments cover, and how long they were."""
    return {blob: size_bytes for segment in segments for blob, size_bytes in segment.blobs.items()}


def at_once[T, R](call: Callable[[T], R], values: Sequence[T]) -> list[R]:
    """The result for each value, from some threads."""
    if len(values) < 2:
        return [call(value) for value in values]
    with ThreadPoolExecutor(min(_AT_ONCE, len(values))) as pool:
        return list(pool.map(call, values))


def file_paths(segment: Segment) -> list[str]:
    """Where its files are."""
    return [segment.file_path(number) for number in range(len(segment.files))]


def _listing(derived: Store, days: Collection[str] | None) -> _Listing:
    sizes: dict[str, int] = {}
    written_s: dict[str, float] = {}
    for prefix in _prefixes(days):
        for info in derived.list(prefix):
            sizes[info.name] = info.size_bytes
            if parse_path(info.name):
                written_s[info.name] = info.modified_s
    return _Listing(sizes, written_s)


def _prefixes(days: Collection[str] | None) -> Iterator[str]:
    if days is None or len(days) > _LISTED_BY_DAY:
        yield INDEX
    else:
        yield from (f"{INDEX}{day}/" for day in sorted(days))


def _day(path: str) -> str:
    return path.removeprefix(INDEX)[: len("2026/11/23")]


def _read(derived: Store, sizes: dict[str, int], path: str) -> Segment | BadIndex | NotFound:
    if sizes[path] > MAX_SEGMENT_BYTES:
        return BadIndex(f"{path}: {sizes[path]} bytes are more than a segment has")
    try:
        segment = decode_segment(path, derived.read(path, 0, MAX_SEGMENT_BYTES + 1))
    except (BadIndex, NotFound) as problem:
        return problem
    for name, file in zip(file_paths(segment), segment.files, strict=True):
        if sizes.get(name) != file.size_bytes:
            return BadIndex(f"{name}: {sizes.get(name, 'no')} bytes, where {file.size_bytes} were written")
    return segment


def _warn(problem: Exception) -> None:
    _log.warning(
        "a part of the index cannot be used, the log is read instead (`index --rebuild` mends it): %s", problem
    )
