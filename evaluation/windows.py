"""Windows of whole UTC hours, and the ids of reports on them.

A blob belongs to the hour of its name, the hour in which its frames were appended, and so do its records. A window is
therefore a run of whole hours: it covers the instances appended to the log in them, which is within moments of when
they were scored.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime

from evaluation.report_format import Window

HOUR_S = 3600
DAY_S = 24 * HOUR_S
_ID = re.compile(r"(hour|day|all|custom)-[0-9T-]{10,40}-\d{8}T\d{6}(\d{6})?Z")


def hour_window(at_s: float) -> Window:
    """The hour that holds a time.

    >>> hour_window(7201).since
    '1970-01-01T02:00:00Z'
    """
    start = math.floor(at_s / HOUR_S) * HOUR_S
    return _window("hour", start, start + HOUR_S)


def day_window(at_s: float) -> Window:
    """The UTC day that holds a time."""
    start = math.floor(at_s / DAY_S) * DAY_S
    return _window("day", start, start + DAY_S)


def custom_window(since_s: float, until_s: float) -> Window:
    """From `since` to `until`, rounded out to whole hours; raises `ValueError` if that is nothing.

    >>> custom_window(10, 3601).until
    '1970-01-01T02:00:00Z'
    """
    if until_s <= since_s:
        raise ValueError("the window ends before it begins; give a later --until or an earlier --since")
    return _window("custom", math.floor(since_s / HOUR_S) * HOUR_S, math.ceil(until_s / HOUR_S) * HOUR_S)


def all_window(first_hour_s: float, until_s: float) -> Window:
    """From the log's first hour to the end of the hour that holds the time before `until`."""
    last = max(math.ceil(until_s / HOUR_S) * HOUR_S, first_hour_s + HOUR_S)
    return _window("all", math.floor(first_hour_s / HOUR_S) * HOUR_S, last)


def _window(kind: str, since_s: float, until_s: float) -> Window:
    hours = round((until_s - since_s) / HOUR_S)
    return Window(kind=kind, since=second(since_s), until=second(until_s), hours=hours)  # type: ignore[arg-type]


def second(unix_s: float) -> str:
    """RFC 3339 in UTC, whole seconds.

    >>> second(0)
    '1970-01-01T00:00:00Z'
    """
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def at(text: str) -> float:
    """Unix seconds of an RFC 3339 time."""
    return datetime.fromisoformat(text).timestamp()


def hours_of(window: Window) -> Iterator[str]:
    """The hours in the log's form, `2026/11/23/14`, in order."""
    start = at(window.since)
    for number in range(window.hours):
        yield datetime.fromtimestamp(start + number * HOUR_S, UTC).strftime("%Y/%m/%d/%H")


def hour_start(hour: str) -> str:
    """The start of an hour in the log's form as RFC 3339.

    >>> hour_start("2026/11/23/14")
    '2026-11-23T14:00:00Z'
    """
    return f"{hour[:4]}-{hour[5:7]}-{hour[8:10]}T{hour[11:13]}:00:00Z"


def report_id(window: Window, as_of: str) -> str:
    """Safe in a URL and a blob's name, and sorted by `as_of` within a window.

    >>> report_id(day_window(0), "1970-01-02T00:00:00.000000Z")
    'day-1970-01-01-19700102T000000Z'
    """
    start = window.since[:13] if window.kind == "hour" else window.since[:10]
    if window.kind in ("custom", "all"):
        start = f"{window.since[:13]}-{window.until[:13]}"
    return f"{window.kind}-{start}-{_moment(as_of)}"


def preproduction_id(as_of: str) -> str:
    """The id of a report made before production: no window of the log, so never mistaken for one.

    >>> preproduction_id("2026-11-24T09:12:33.000000Z"), is_report_id(preproduction_id("2026-11-24T09:12:33.000000Z"))
    ('preproduction-20261124T091233Z', False)
    """
    return f"preproduction-{_moment(as_of)}"


def is_report_id(text: str) -> bool:
    """Whether a text from outside can be a report's id; anything else must not become a blob's name.

    >>> is_report_id("day-1970-01-01-19700102T000000Z"), is_report_id("../latest")
    (True, False)
    """
    return _ID.fullmatch(text) is not None


def _moment(as_of: str) -> str:
    return as_of.replace("-", "").replace(":", "").removesuffix("Z").replace(".000000", "").replace(".", "") + "Z"
