"""Which ids were scored, to tell a label for an instance that nobody knows (`unmatched`).

What the index covers is looked up there, the newest days first, so that an id of any age is known. What it does not
cover yet, as a rule the blobs of this hour and the last, is read from the log and kept up with: only what was appended
since is read, this process's own blob included. Without an index that is the last `hours`, and beyond them the hour
that a UUIDv7 names. Of older days whose index is damaged the log is read too, once; but of the newest two only, and of
further ones the process's log says that their instances may seem unknown.

Ids are held and looked up as hashes of 64 bits. Of a thousand million ids, a label for one that nobody knows is taken
for known once in eighteen thousand million times; the report compares the ids themselves.
"""

from __future__ import annotations

import logging
import threading
import time
from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterable
from itertools import batched

from audit.errors import NotFound
from audit.frames import Place
from audit.id_index import hash_of, tag_of
from audit.id_lookup import look_up_each
from audit.id_segments import Segments, covered
from audit.identities import identities
from audit.ids import id_time_s
from audit.layout import HOUR_S, hour_of, hour_start_s
from audit.reader import BlobReader, blobs, listed_blobs
from audit.store import BlobInfo, Store

_OTHER_HOURS_KEPT = 24
_DAMAGED_DAYS_READ = 2  # of each, the hashes of all ids are held
_SEGMENTS_AT_ONCE = 8  # the newest first: most labels come within days
_FRESH = 65_536  # hashes that are kept in a set before they are packed
_REBUILD = "the index of so many days is damaged that not all of their log is read; `index --rebuild` mends it"
_log = logging.getLogger(__name__)


class KnownIds:
    """The ids of scored instances. Blocks while it reads: call it in a thread. Threads may share it."""

    def __init__(
        self, store: Store, hours: int = 48, clock: Callable[[], float] = time.time, derived: Store | None = None
    ) -> None:
        self._store = store
        self._kept_s = hours * HOUR_S
        self._clock = clock
        self._lock = threading.Lock()
        self._segments = Segments(derived) if derived else None
        self._recent: dict[str, _BlobIds] = {}
        self._recent_hours: set[str] = set()
        self._unread_days: list[str] = []
        self._others: OrderedDict[str, dict[str, _BlobIds]] = OrderedDict()

    def known(self, model: str, ids: Iterable[str]) -> set[str]:
        """Those of `ids` that were scored by `model`, whatever the outcome. Raises `Unavailable`."""
        missing = {hash_of(name): name for name in ids}
        wanted = set(missing.values())
        with self._lock:
            asked: set[str] = set()
            self._take(missing, model, asked)
            if missing:
                self._keep_up()
                sound = self._take(missing, model, asked)
            if missing and not sound:  # a part of the index is damaged: its blobs are read instead
                self._keep_up()
                self._take(missing, model, asked)
            for hour in {hour for name in missing.values() for hour in self._older_hours(name)}:
                _take(missing, model, self._other(hour).values())
        return wanted - set(missing.values())

    def _take(self, missing: dict[bytes, str], model: str, asked: set[str]) -> bool:
        """Take out what is known as far as was read, and what the index knows; whether all of that could be read."""
        _take(missing, model, self._recent.values())
        sound, tag = True, tag_of(model, "score")
        newest = [one for one in self._segments.newest()[::-1] if one.path not in asked] if self._segments else []
        for some in batched(newest, _SEGMENTS_AT_ONCE, strict=False):
            wanted = [(segment, keys) for segment in some if (keys := self._keys(missing, segment.day))]
            asked.update(segment.path for segment in some)
            found = look_up_each(self._segments, wanted) if self._segments and wanted else []
            sound = sound and len(found) == len(wanted)
            for _, entries in found:
                for key, places in entries.items():
                    if any(tag == one.tag for one in places):
                        missing.pop(key, None)
        return sound

    def _keys(self, missing: dict[bytes, str], day: str) -> list[bytes]:
        """What to look for in a day's index: a UUIDv7 only where it says, and in the last hours."""
        if any(hour.startswith(day) for hour in self._recent_hours):
            return list(missing)
        dated = ((key, _hours_of(name)) for key, name in missing.items())
        return [key for key, hours in dated if not hours or any(hour.startswith(day) for hour in hours)]

    def _keep_up(self) -> None:
        """Read on what the index does not cover, and forget what it covers by now."""
        now_s = self._clock()
        listed = listed_blobs(self._store, now_s - self._kept_s, now_s + 2 * HOUR_S)
        if self._segments:
            self._segments.refresh()
            for since_s in self._damaged_days(self._segments.damaged_days(), now_s - self._kept_s):
                listed |= listed_blobs(self._store, since_s, since_s + 24 * HOUR_S)
        self._recent_hours = set(listed)
        self._recent = self._read_on(self._recent, [info for infos in listed.values() for info in infos])

    def _damaged_days(self, days: list[str], before_s: float) -> list[float]:
        """When those days of these began whose log is to be read, as they are not among the last hours."""
        began = {day: start_s for day in days if (start_s := hour_start_s(f"{day}/00")) is not None}
        older = [day for day, start_s in began.items() if start_s < before_s]
        unread, read = older[:-_DAMAGED_DAYS_READ], older[-_DAMAGED_DAYS_READ:]
        if unread != self._unread_days:
            self._unread_days = unread
            if unread:
                _log.warning("labels for instances of %s may be called unmatched: %s", ", ".join(unread[:31]), _REBUILD)
        return [began[day] for day in read]

    def _read_on(self, had: dict[str, _BlobIds], listed: Iterable[BlobInfo]) -> dict[str, _BlobIds]:
        there = covered(self._segments.newest()) if self._segments else {}
        kept = {}
        for info in listed:
            if there.get(info.name) != info.size_bytes:
                kept[info.name] = had.get(info.name) or _BlobIds(self._store, info.name)
                kept[info.name].read_on(info.size_bytes)
        return kept

    def _older_hours(self, name: str) -> list[str]:
        return [hour for hour in _hours_of(name) if hour not in self._recent_hours and hour <= hour_of(self._clock())]

    def _other(self, hour: str) -> dict[str, _BlobIds]:
        """The ids of an older hour's blobs that the index does not cover."""
        had = self._others.pop(hour, {})
        self._others[hour] = self._read_on(had, blobs(self._store, hour))
        if len(self._others) > _OTHER_HOURS_KEPT:
            self._others.popitem(last=False)
        return self._others[hour]


def _take(missing: dict[bytes, str], model: str, held: Iterable[_BlobIds]) -> None:
    """Take out what was scored."""
    for blob in held:
        ids = blob.ids.get(model)
        for key in [key for key in missing if int.from_bytes(key) in ids] if ids else ():
            del missing[key]


def _hours_of(name: str) -> list[str]:
    """The hours in which an id may have been scored, if it says when it was made."""
    made_s = id_time_s(name)
    return [hour_of(made_s), hour_of(made_s + HOUR_S)] if made_s is not None and 0 <= made_s < 2**37 else []


class _BlobIds:
    """The ids of one blob, as far as it was read, by model."""

    def __init__(self, store: Store, name: str) -> None:
        self.ids: dict[str, _Hashes] = {}
        self._store = store
        self._name = name
        self._place: Place | None = Place()  # None: closed, or it does not verify any further

    def read_on(self, size_bytes: int) -> None:
        """Read what was appended since, if it is longer than what was read."""
        if self._place is None or self._place.offset >= size_bytes:
            return
        reader = BlobReader(self._store, self._name, self._place)
        try:
            for frame in reader:
                for one in identities(frame):
                    if one.kind == "score":
                        self.ids.setdefault(one.model, _Hashes()).add(int.from_bytes(hash_of(one.id)))
                self._place = reader.place
        except NotFound:
            _log.warning("%s was listed but is not there any more", self._name)
        if reader.closed or reader.finding:
            self._place = None


class _Hashes:
    """A set of 64-bit numbers, 8 bytes each: sorted arrays, each smaller than the one before, and a few fresh ones."""

    def __init__(self) -> None:
        self._packed: list[array[int]] = []
        self._fresh: set[int] = set()

    def add(self, number: int) -> None:
        self._fresh.add(number)
        if len(self._fresh) >= _FRESH:
            self._packed.append(array("Q", sorted(self._fresh)))
            self._fresh = set()
            while len(self._packed) > 1 and len(self._packed[-1]) >= len(self._packed[-2]):
                smaller, larger = self._packed.pop(), self._packed.pop()
                self._packed.append(array("Q", sorted(larger + smaller)))

    def __contains__(self, number: int) -> bool:
        return number in self._fresh or any(_holds(packed, number) for packed in self._packed)


def _holds(packed: array[int], number: int) -> bool:
    place = bisect_left(packed, number)
    return place < len(packed) and packed[place] == number
