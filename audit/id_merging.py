"""Many segments of a day made one, in bounded memory. Cold path only: imports numpy.

All files are read forward together, each some pages at a time. Of what was read, everything up to the smallest last
entry is complete: it is sorted and stored, and the files that were read to their end of pages are read on. However the
hashes are spread and however many files there are, what is held is the pages read, some 16 MiB, and one file's worth of
entries before it is stored.

The result is the segment of all the blobs together, in the bytes that it would have if it had been made of others, or
in another order. Nothing is removed here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from audit.errors import NotFound
from audit.id_building import Rows, SegmentWriter, rows_of, sort
from audit.id_index import FILE_ENTRIES, PAGE_BYTES, BadIndex, Segment, decode_page, segment_of
from audit.store import Store

_HELD_BYTES = 16 * 1024 * 1024
_BLOB = np.uint64(0xFFFFFFFF)
_TAG = np.uint64(32)

Progress = Callable[[int, int, str], None]


class BadSegment(BadIndex):
    """A segment cannot be read whole."""

    def __init__(self, segment: Segment, problem: Exception) -> None:
        super().__init__(f"{segment.path}: {problem}")
        self.segment = segment


def merge(derived: Store, segments: Sequence[Segment], progress: Progress | None = None) -> Segment:
    """Store the segment that covers what these cover, which are of one day. `BadSegment` names one that is damaged."""
    blobs = [pair for segment in segments for pair in segment.blobs.items()]
    whole = segment_of(segments[0].day, blobs)
    numbers = {blob: number for number, blob in enumerate(whole.blobs)}
    inputs = [
        _Input(derived, segment, number, np.array([numbers[blob] for blob in segment.blobs], np.uint64))
        for segment in segments
        for number in range(len(segment.files))
    ]
    writer, waiting = SegmentWriter(derived, whole), np.empty((0, 3), np.uint64)
    for rows in _sorted(inputs, progress):
        waiting = np.concatenate((waiting, rows))
        full = len(waiting) // FILE_ENTRIES * FILE_ENTRIES
        writer.add(waiting[:full])
        waiting = waiting[full:]
    writer.add(waiting)
    return writer.finish()


def _sorted(inputs: list[_Input], progress: Progress | None) -> Iterator[Rows]:
    """All rows of all files, in order, some at a time."""
    pages = max(_HELD_BYTES // PAGE_BYTES // max(len(inputs), 1), 1)
    in_all = sum(one.pages for one in inputs)
    while inputs:
        for one in inputs:
            one.read_on(pages)
        bound = min((one.last() for one in inputs if not one.at_end), default=None)
        rows = [one.take(bound) for one in inputs]
        yield sort(np.concatenate(rows))
        inputs = [one for one in inputs if not one.spent]
        if progress:
            progress(in_all - sum(one.pages - one.page for one in inputs), in_all, "pages merged")


class _Input:
    """One file that is read forward."""

    def __init__(self, derived: Store, segment: Segment, number: int, blobs: npt.NDArray[np.uint64]) -> None:
        self.page = 0
        self.pages = segment.files[number].pages
        self._derived = derived
        self._segment = segment
        self._number = number
        self._blobs = blobs  # the segment's numbers of blobs → those of the merged one, in the same order
        self._rows: Rows = np.empty((0, 3), np.uint64)

    @property
    def at_end(self) -> bool:
        """Whether all of it was read."""
        return self.page >= self.pages

    @property
    def spent(self) -> bool:
        """Whether all of it was taken."""
        return self.at_end and not len(self._rows)

    def read_on(self, pages: int) -> None:
        """Read the next pages if none of what was read is left."""
        if len(self._rows) or self.at_end:
            return
        try:
            data = self._derived.read(self._segment.file_path(self._number), self.page * PAGE_BYTES, pages * PAGE_BYTES)
            entries = [
                decode_page(self._segment.name, self._number, self.page + number, data[start : start + PAGE_BYTES])
                for number, start in enumerate(range(0, len(data), PAGE_BYTES))
            ]
            if len(entries) != min(pages, self.pages - self.page):
                raise BadIndex("its file is shorter than it was written")
        except (BadIndex, NotFound) as problem:  # gone: somebody else merged it
            raise BadSegment(self._segment, problem) from problem
        self.page += len(entries)
        self._rows = self._renumbered(rows_of(b"".join(entries)))

    def last(self) -> tuple[int, int, int]:
        """The last row that was read."""
        first, second, third = self._rows[-1].tolist()
        return first, second, third

    def take(self, bound: tuple[int, int, int] | None) -> Rows:
        """The rows up to the bound, that included; all, if there is none."""
        count = len(self._rows) if bound is None else _count_up_to(self._rows, bound)
        taken, self._rows = self._rows[:count], self._rows[count:]
        return taken

    def _renumbered(self, rows: Rows) -> Rows:
        numbers = rows[:, 1] & _BLOB
        if len(rows) and numbers.max() >= len(self._blobs):
            raise BadSegment(self._segment, BadIndex("an entry names a blob that the segment does not cover"))
        rows[:, 1] = rows[:, 1] >> _TAG << _TAG | self._blobs[numbers]
        return rows


def _count_up_to(rows: Rows, bound: tuple[int, int, int]) -> int:
    """How many sorted rows are not behind the bound."""
    low, high = 0, len(rows)
    for column, value in enumerate(bound):
        within = rows[low:high, column]
        low, high = (
            low + int(np.searchsorted(within, np.uint64(value), "left")),
            low + int(np.searchsorted(within, np.uint64(value), "right")),
        )
    return high
