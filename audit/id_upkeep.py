"""Keeping the index: what of the log it does not cover yet, what is to be merged, what is left over. Cold path only.

Every step can be killed and run again with the same result, and may be done by two at once: a segment's name and bytes
follow from the blobs that it covers, it is there once its `.json` is, and only then is what it was merged from removed.
A segment that is found damaged is removed, and its blobs are indexed anew.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from audit.errors import NotFound
from audit.frames import MAX_HEADER_BYTES, BadFrame, decode_header
from audit.id_building import BlobSegment
from audit.id_index import INDEX, parse_path
from audit.id_merging import BadSegment, merge
from audit.id_segments import Segments, covered, file_paths
from audit.layout import HOUR_S, hour_start_s
from audit.reader import BlobReader
from audit.seal import SETTLED_S
from audit.store import BlobInfo, Store

_MERGED_AT = 8  # segments of a day that is not over
_FORGOTTEN_S = 6 * HOUR_S  # for files without a segment: whoever was making it was killed
_ATTEMPTS = 3
_log = logging.getLogger(__name__)

Progress = Callable[[int, int, str], None]


@dataclass
class Upkeep:
    """What was done."""

    blobs: int = 0  # indexed
    not_closed: int = 0  # blobs that are still open, or do not verify: they are read by whoever looks for an id
    merged: list[str] = field(default_factory=list)  # days
    problems: list[str] = field(default_factory=list)


def keep_index(
    log: Store,
    derived: Store,
    hours: Mapping[str, Sequence[BlobInfo]],
    now_s: float,
    *,
    rebuild: bool = False,
    progress: Progress | None = None,
) -> Upkeep:
    """Index the closed blobs of these hours (`2026/11/23/14`) that are not yet, and merge what is due.

    `rebuild` first removes all that there is of their days. `progress`: blobs done, blobs in all, name. Raises
    `Unavailable`.
    """
    done = Upkeep()
    days = _days(hours)
    in_all, before = sum(map(len, days.values())), 0
    for day, blobs in days.items():
        if rebuild:
            _remove_day(derived, day)
        _Day(log, derived, day, now_s, done, progress).keep(blobs, before, in_all)
        before += len(blobs)
    return done


def _days(hours: Mapping[str, Sequence[BlobInfo]]) -> dict[str, list[BlobInfo]]:
    days: dict[str, list[BlobInfo]] = {}
    for hour, blobs in sorted(hours.items()):
        days.setdefault(hour.rpartition("/")[0], []).extend(blobs)
    return days


class _Day:
    """The index of one day."""

    def __init__(
        self, log: Store, derived: Store, day: str, now_s: float, done: Upkeep, progress: Progress | None
    ) -> None:
        self._log = log
        self._derived = derived
        self._day = day
        self._now_s = now_s
        self._done = done
        self._progress = progress
        self._segments = Segments(derived)

    def keep(self, blobs: Sequence[BlobInfo], before: int, in_all: int) -> None:
        """Index, merge and tidy up; once more from the start if a segment turns out to be damaged."""
        not_closed = self._done.not_closed
        for _ in range(_ATTEMPTS):
            self._done.not_closed = not_closed
            self._refresh()
            self._index(blobs, before, in_all)
            try:
                self._merge()
            except BadSegment as problem:
                _log.warning("a damaged part of the index is removed and made anew: %s", problem)
                _remove(self._derived, problem.segment.path, file_paths(problem.segment))
            else:
                self._tidy()
                return
        self._done.problems.append(f"the index of {self._day} is damaged again and again while it is made")

    def _refresh(self) -> None:
        """See what is there; what cannot be used is removed, so that its blobs are indexed anew."""
        self._segments.refresh([self._day])
        for path in self._segments.forget_damaged():
            self._derived.delete(path)

    def _index(self, blobs: Sequence[BlobInfo], before: int, in_all: int) -> None:
        there = covered(self._segments.newest())
        for number, info in enumerate(blobs):
            if self._progress:
                self._progress(before + number, in_all, info.name)
            if there.get(info.name) == info.size_bytes:
                continue
            if _index_closed(self._log, self._derived, info):
                self._done.blobs += 1
            else:
                self._done.not_closed += 1
        if self._progress:
            self._progress(before + len(blobs), in_all, self._day)

    def _merge(self) -> None:
        self._segments.refresh([self._day])
        current = self._segments.newest()
        if len(current) > 1 and (self._is_over() or len(current) >= _MERGED_AT):
            merge(self._derived, current, self._progress)
            self._done.merged.append(self._day)

    def _is_over(self) -> bool:
        start_s = hour_start_s(f"{self._day}/00") or 0.0
        return self._now_s >= start_s + 24 * HOUR_S + SETTLED_S

    def _tidy(self) -> None:
        """Remove what was merged, and files that nobody finished."""
        self._segments.refresh([self._day])
        for segment in self._segments.merged():
            _remove(self._derived, segment.path, file_paths(segment))
        listed = list(self._derived.list(f"{INDEX}{self._day}/"))
        finished = {info.name.removesuffix(".json") for info in listed if parse_path(info.name)}
        for info in listed:
            unfinished = not parse_path(info.name) and info.name.rpartition("/")[0] not in finished
            if unfinished and info.modified_s < self._now_s - _FORGOTTEN_S:
                self._derived.delete(info.name)


def _index_closed(log: Store, derived: Store, info: BlobInfo) -> bool:
    """Index a blob if it is closed."""
    if not _ends_with_close(log, info):
        return False
    reader, segment = BlobReader(log, info.name), BlobSegment(derived, info.name, info.size_bytes)
    try:
        for frame in reader:
            segment.add(frame)
    except NotFound as problem:
        _log.warning("%s was listed but is not there any more: %s", info.name, problem)
        return False
    if not reader.closed or reader.finding or reader.size_bytes != info.size_bytes:
        return False
    segment.finish()
    return True


def _ends_with_close(log: Store, info: BlobInfo) -> bool:
    """Whether the last line of a blob is a `close`; read before all of the blob is."""
    start = max(info.size_bytes - MAX_HEADER_BYTES, 0)
    try:
        tail = log.read(info.name, start, MAX_HEADER_BYTES)
        return decode_header(tail.removesuffix(b"\n").rpartition(b"\n")[2]).kind == "close"
    except (BadFrame, NotFound):
        return False


def _remove_day(derived: Store, day: str) -> None:
    """All of a day's index, segments before their files: one that is listed is whole."""
    for info in sorted(derived.list(f"{INDEX}{day}/"), key=lambda info: not info.name.endswith(".json")):
        derived.delete(info.name)


def _remove(derived: Store, path: str, files: Sequence[str]) -> None:
    for name in (path, *files):
        derived.delete(name)
