"""New records as they come, read on from where the last look ended.

A blob is read on only while its hour is near: the last hour and this one, as late records of an hour that is over go
to the next. Records come by blob, not by time: several processes write at once, and there is no order between them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from audit.browse import Filter, Found
from audit.errors import NotFound
from audit.frames import Place
from audit.layout import HOUR_S
from audit.reader import BlobReader, blobs, frame_records, hours
from audit.store import Store


class Follower:
    """Remembers how far each blob was read."""

    def __init__(self, store: Store, wanted: Filter, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._wanted = wanted
        self._clock = clock
        self._places: dict[str, Place | None] = {}  # None: closed, or it does not verify any further

    def new(self) -> Iterator[Found]:
        """Matching records that came since the last call, the first time all of the last hour and this one. Raises
        `Unavailable`; what was yielded by then is not yielded again."""
        now_s = self._clock()
        places: dict[str, Place | None] = {}
        for hour in hours(self._store, now_s - HOUR_S, now_s + HOUR_S):
            for info in blobs(self._store, hour):
                places[info.name] = self._places.setdefault(info.name, Place())
                yield from self._read_on(info.name, info.size_bytes)
        self._places = {name: self._places[name] for name in places}

    def _read_on(self, name: str, size_bytes: int) -> Iterator[Found]:
        place = self._places[name]
        if place is None or place.offset >= size_bytes:
            return
        reader = BlobReader(self._store, name, place)
        try:
            for frame in reader:
                self._places[name] = reader.place
                yield from (pair for pair in frame_records(frame) if self._wanted.matches(pair[0]))
        except NotFound:
            self._places[name] = None
            return
        if reader.closed or reader.finding:
            self._places[name] = None
