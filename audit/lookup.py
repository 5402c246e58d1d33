"""Finding an instance's records by its id, without an index.

A UUIDv7 says when it was made, so the score is in that hour or the next and its labels are later. For an id that a
client chose, all hours are read, the newest first. Lines are decoded only where the id's bytes occur in a frame.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator

import msgspec

from audit.errors import NotFound
from audit.frames import Place
from audit.ids import id_time_s
from audit.layout import HOUR_S, hour_of
from audit.reader import BlobReader, Position, between, blobs, frame_records, hours
from audit.records import Record
from audit.store import Store

_OTHER_HOURS_KEPT = 24


def find(
    store: Store,
    instance_id: str,
    model: str | None = None,
    since_s: float | None = None,
    until_s: float | None = None,
) -> list[tuple[Record, Position]]:
    """All records of an instance, oldest first: scores, labels and notes. An empty list: no such id in that time."""
    found = search(store, instance_id, model, since_s, until_s)
    return sorted(found, key=lambda pair: (pair[0].ts, pair[1]))


def search(
    store: Store,
    instance_id: str,
    model: str | None = None,
    since_s: float | None = None,
    until_s: float | None = None,
    *,
    progress: Callable[[int, int, str], None] | None = None,
) -> Iterator[tuple[Record, Position]]:
    """The same records as they are found: the likeliest hours first. `progress`: hours read, hours in all, hour."""
    needle = msgspec.json.encode(instance_id)
    since, until = between(since_s, until_s)
    listed = hours(store, since_s, None if until_s is None else until_s + HOUR_S)
    likely, later, earlier = _order(listed, id_time_s(instance_id))
    scored = False
    for number, hour in enumerate([*likely, *later, *earlier]):
        if scored and number >= len(likely) + len(later):
            return
        if progress:
            progress(number, len(listed), hour)
        for record, position in _in_hour(store, hour, needle):
            if record.id != instance_id or model not in (None, record.model):
                continue
            if since <= record.ts and (until is None or record.ts < until):
                scored = scored or record.kind == "score"
                yield record, position


def _order(listed: list[str], made_s: float | None) -> tuple[list[str], list[str], list[str]]:
    """Hours in which to look first, those after them, and those that can hold nothing once the score was found."""
    newest_first = listed[::-1]
    if made_s is None or not 0 <= made_s < 2**37:
        return [], newest_first, []
    own, following = hour_of(made_s), hour_of(made_s + HOUR_S)
    likely = [hour for hour in (own, following) if hour in listed]
    return likely, [hour for hour in newest_first if hour > following], [hour for hour in newest_first if hour < own]


def _in_hour(store: Store, hour: str, needle: bytes) -> Iterator[tuple[Record, Position]]:
    for info in blobs(store, hour):
        try:
            for frame in BlobReader(store, info.name):
                if needle in frame.body:
                    yield from frame_records(frame, needle)
        except NotFound:
            continue  # listed a moment ago; `verify` reports what is gone


class KnownIds:
    """The ids of scored instances of the last hours, to tell a label for an instance that nobody knows (`unmatched`).

    Keeps up by reading only what was appended since it last looked, this process's own blob included. An id outside the
    last `hours` is known if it is a UUIDv7, whose hour is then read; a client's own older id may count as not known.
    Blocks while it reads: call it in a thread. Threads may share it.
    """

    def __init__(self, store: Store, hours: int = 48, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._kept_s = hours * HOUR_S
        self._clock = clock
        self._lock = threading.Lock()
        self._recent: dict[str, _HourIds] = {}
        self._others: OrderedDict[str, _HourIds] = OrderedDict()

    def known(self, model: str, ids: Iterable[str]) -> set[str]:
        """Those of `ids` that were scored by `model`, whatever the outcome. Raises `Unavailable`."""
        wanted = set(ids)
        with self._lock:
            found = self._among_recent(model, wanted)
            if found != wanted:
                self._keep_up()
                found = self._among_recent(model, wanted)
            for hour in {hour for name in wanted - found for hour in self._older_hours(name)}:
                found |= self._other(hour).ids[model] & wanted
        return found

    def _among_recent(self, model: str, wanted: set[str]) -> set[str]:
        return {name for hour in self._recent.values() for name in wanted & hour.ids[model]}

    def _keep_up(self) -> None:
        now_s = self._clock()
        listed = hours(self._store, now_s - self._kept_s, now_s + 2 * HOUR_S)
        self._recent = {hour: self._recent.get(hour) or _HourIds(self._store, hour) for hour in listed}
        for hour in self._recent.values():
            hour.read_on()

    def _older_hours(self, name: str) -> list[str]:
        made_s = id_time_s(name)
        if made_s is None or not 0 <= made_s < self._clock():
            return []
        return [hour for hour in (hour_of(made_s), hour_of(made_s + HOUR_S)) if hour not in self._recent]

    def _other(self, hour: str) -> _HourIds:
        ids = self._others.pop(hour, None) or _HourIds(self._store, hour)
        self._others[hour] = ids
        if len(self._others) > _OTHER_HOURS_KEPT:
            self._others.popitem(last=False)
        ids.read_on()
        return ids


class _HourIds:
    """The ids of one hour, read as far as `places` say."""

    def __init__(self, store: Store, hour: str) -> None:
        self._store = store
        self._hour = hour
        self._places: dict[str, Place | None] = {}  # None: closed, or it does not verify any further
        self.ids: defaultdict[str, set[str]] = defaultdict(set)

    def read_on(self) -> None:
        for info in blobs(self._store, self._hour):
            place = self._places.get(info.name, Place())
            if place is None or place.offset >= info.size_bytes:
                continue
            reader = BlobReader(self._store, info.name, place)
            for frame in reader:
                for record, _ in frame_records(frame):
                    if record.kind == "score":
                        self.ids[record.model].add(record.id)
                self._places[info.name] = reader.place
            if reader.closed or reader.finding:
                self._places[info.name] = None
