"""Reading a window of the log hour by hour, by default the newest first, and counting what was seen on the way.

For those who choose records (spot checks, samples): they must be able to say of how many they chose, whether a part of
the log is still being written, and whether some of it does not verify. Streams: memory is that of one frame.

Time may be up before the window is read. Then the hour at hand does not count: what was seen are whole hours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from audit.browse import Filter, Found, Progress
from audit.errors import NotFound
from audit.layout import HOUR_S
from audit.reader import BlobReader, blobs, frame_records, hours
from audit.store import Store


class TimeIsUp(Exception):
    """The hour that is being read will not be finished; raised by its iterator."""


@dataclass
class Survey:
    """What a reading has seen so far, of whole hours."""

    looked_at: int = 0  # records of any kind
    matched: int = 0
    open_blobs: int = 0  # still written to: what rests on them is provisional
    findings: list[str] = field(default_factory=list)  # blobs that verify only in part, and why
    hours: list[str] = field(default_factory=list)  # that were read, in that order
    hours_left: int = 0  # that were not

    @property
    def provisional(self) -> bool:
        """Whether later records of the same hours may still come."""
        return self.open_blobs > 0


def surveyed(
    store: Store,
    wanted: Filter,
    survey: Survey,
    *,
    progress: Progress | None = None,
    time_is_up: Callable[[], bool] = lambda: False,
    oldest_first: bool = False,
) -> Iterator[Iterator[Found]]:
    """For each hour of the window an iterator over its matching records, to be read to its end before the next.

    Each may raise `TimeIsUp`; whoever takes them leaves out what came of that hour and stops.
    """
    until_s = None if wanted.until_s is None else wanted.until_s + HOUR_S  # a record may be appended an hour later
    listed = hours(store, wanted.since_s, until_s)[:: 1 if oldest_first else -1]
    for number, hour in enumerate(listed):
        survey.hours_left = len(listed) - number
        if progress:
            progress(number, len(listed), hour)
        yield _matching(store, hour, wanted, survey, time_is_up)
    survey.hours_left = 0


def _matching(
    store: Store, hour: str, wanted: Filter, survey: Survey, time_is_up: Callable[[], bool]
) -> Iterator[Found]:
    seen = Survey()
    for info in blobs(store, hour):
        yield from _in_blob(store, info.name, wanted, seen, time_is_up)
    survey.looked_at += seen.looked_at
    survey.matched += seen.matched
    survey.open_blobs += seen.open_blobs
    survey.findings += seen.findings
    survey.hours.append(hour)
    survey.hours_left -= 1


def _in_blob(store: Store, name: str, wanted: Filter, seen: Survey, time_is_up: Callable[[], bool]) -> Iterator[Found]:
    reader = BlobReader(store, name)
    try:
        for frame in reader:
            if time_is_up():
                raise TimeIsUp
            for record, position in frame_records(frame):
                seen.looked_at += 1
                if wanted.matches(record):
                    seen.matched += 1
                    yield record, position
    except NotFound:
        seen.findings.append(f"{name}: was listed but is not there any more")
        return
    if reader.finding:
        seen.findings.append(f"{name}: {reader.finding}")
    elif not reader.closed:
        seen.open_blobs += 1
