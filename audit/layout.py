"""Names of the log's blobs: which hour, which writer, which of its blobs.

`log/v1/2026/11/23/14/20261123T140506-3f9c2a71-0.jsonl` is the first blob that the writer filled in that UTC hour. Names
sort by hour, then by when the writer began.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

LOG = "log/v1/"
HOUR_S = 3600
_ONE_HOUR = timedelta(hours=1)
_LAST_HOUR = datetime(9999, 12, 31, 23, tzinfo=UTC)
_NAME = re.compile(r"log/v1/(\d{4}/\d\d/\d\d/\d\d)/([A-Za-z0-9-]{1,64})-(0|[1-9]\d{0,8})\.jsonl")
_WRITER = re.compile(r"[A-Za-z0-9-]{1,64}")


@dataclass(frozen=True)
class LogName:
    """The parts of a blob's name."""

    hour: str  # 2026/11/23/14
    writer: str
    n: int

    def __str__(self) -> str:
        return f"{LOG}{self.hour}/{self.writer}-{self.n}.jsonl"


def parse_name(name: str) -> LogName | None:
    """The parts of the name of a blob of the log; `None` for a foreign one.

    >>> parse_name("log/v1/2026/11/23/14/20261123T140506-3f9c2a71-0.jsonl")
    LogName(hour='2026/11/23/14', writer='20261123T140506-3f9c2a71', n=0)
    """
    match = _NAME.fullmatch(name)
    if not match or hour_start_s(match[1]) is None:
        return None
    return LogName(hour=match[1], writer=match[2], n=int(match[3]))


def new_writer_id(clock: Callable[[], float] = time.time) -> str:
    """An id for one worker process: sorts by time, and is unique by 32 random bits within its second.

    >>> new_writer_id(lambda: 0)[:16]
    '19700101T000000-'
    """
    return f"{datetime.fromtimestamp(clock(), UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"


def check_writer_id(writer_id: str) -> str:
    """The id itself; `ValueError` if a blob's name cannot hold it."""
    if not _WRITER.fullmatch(writer_id):
        raise ValueError(f"writer id {writer_id!r}: 1 to 64 letters, digits and hyphens")
    return writer_id


def hour_of(unix_s: float) -> str:
    """The UTC hour of a time.

    >>> hour_of(0)
    '1970/01/01/00'
    """
    return f"{datetime.fromtimestamp(unix_s, UTC):%Y/%m/%d/%H}"


def hour_start_s(hour: str) -> float | None:
    """Unix time at which an hour begins; `None` for what is no hour.

    >>> hour_start_s("1970/01/01/01"), hour_start_s("1970/13/01/01")
    (3600.0, None)
    """
    try:
        return datetime.strptime(hour, "%Y/%m/%d/%H").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def hours_after(hour: str, count: int) -> list[str]:
    """The `count` hours that follow an hour, in order; fewer at the end of the calendar.

    >>> hours_after("1970/01/01/22", 3)
    ['1970/01/01/23', '1970/01/02/00', '1970/01/02/01']
    """
    first = datetime.strptime(hour, "%Y/%m/%d/%H").replace(tzinfo=UTC)
    left = (_LAST_HOUR - first) // _ONE_HOUR
    return [f"{first + ahead * _ONE_HOUR:%Y/%m/%d/%H}" for ahead in range(1, min(count, left) + 1)]


def day_prefixes(since_s: float, until_s: float, root: str = LOG) -> Iterator[str]:
    """Listing prefixes of the UTC days that [since, until] touches, in order, under `root`."""
    day_s = 24 * HOUR_S
    for day in range(int(since_s // day_s), int(until_s // day_s) + 1):
        yield f"{root}{datetime.fromtimestamp(day * day_s, UTC):%Y/%m/%d}/"
