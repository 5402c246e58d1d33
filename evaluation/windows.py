"""Windows of whole UTC hours, and the ids of reports on them.

A blob belongs to the hour of its name, the hour in which its frames were appended, and so do its records. A window is
therefore a run of whole hours: it covers the instances appended to the log in them, which is within moments of when
they were scored. Days are days of UTC, weeks those of ISO 8601: from Monday 00:00.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from audit.when import parse_when
from evaluation.report_format import Window
from scoring.bundle import NAME

HOUR_S = 3600
DAY_S = 24 * HOUR_S
WEEK_S = 7 * DAY_S
_MONDAY_S = 4 * DAY_S  # 1970-01-05, the first Monday of Unix time
_WEEK = re.compile(r"\d{4}-W\d\d")
_MADE = r"\d{8}T\d{6}(\d{6})?Z"
_ID = re.compile(rf"((hour|day|week|all|custom)-[0-9T-]{{10,40}}|version-{NAME.pattern}-[0-9T-]{{27}})-{_MADE}")


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


def week_window(at_s: float) -> Window:
    """The ISO week that holds a time: seven days from Monday 00:00 UTC.

    >>> week_window(0).since, week_window(at("2026-11-22T23:59:59Z")).since
    ('1969-12-29T00:00:00Z', '2026-11-16T00:00:00Z')
    """
    start = math.floor((at_s - _MONDAY_S) / WEEK_S) * WEEK_S + _MONDAY_S
    return _window("week", start, start + WEEK_S)


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


def version_window(version: str, first_hour_s: float, until_s: float) -> Window:
    """From the hour in which a version first scored to the end of the hour that holds the time before `until`.

    >>> version_window("2", 7200, 10801).hours
    2
    """
    return msgspec.structs.replace(all_window(first_hour_s, until_s), kind="version", version=version)


def named_window(text: str, now_s: float) -> Window:
    """A day, an ISO week, an hour, or from..to, as a person writes it; raises `ValueError` with what is expected.

    >>> named_window("2026-W47", 0).since, named_window("2026-11-23T14", 0).kind
    ('2026-11-16T00:00:00Z', 'hour')
    >>> named_window("2026-11-23..2026-11-24T12:00", 0).hours
    36
    """
    since, dots, until = text.partition("..")
    try:
        if dots:
            return custom_window(parse_when(since, now_s), parse_when(until, now_s))
        if _WEEK.fullmatch(text):
            return week_window(datetime.fromisoformat(f"{text}-1").replace(tzinfo=UTC).timestamp())
        hour = re.fullmatch(r"(\d{4}-\d\d-\d\d)T\d\d(:00)?", text)
        return hour_window(parse_when(text, now_s)) if hour else day_window(parse_when(text, now_s))
    except (ValueError, OverflowError) as problem:
        raise ValueError(
            f"{text!r} is no window: expected a day (2026-11-23), an ISO week (2026-W47), an hour (2026-11-23T14) or "
            f"from..to ({problem})"
        ) from None


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
    >>> report_id(version_window("2-beta", 7200, 10800), "1970-01-02T00:00:00.000000Z")
    'version-2-beta-1970-01-01T02-1970-01-01T03-19700102T000000Z'
    """
    return f"{window_id(window)}-{_moment(as_of)}"


def window_id(window: Window) -> str:
    """What the ids of all reports on a window begin with."""
    start = window.since[:13] if window.kind == "hour" else window.since[:10]
    if window.kind in ("custom", "all", "version"):
        start = f"{window.since[:13]}-{window.until[:13]}"
    if window.kind == "version":
        start = f"{window.version}-{start}"
    return f"{window.kind}-{start}"


def split_id(report: str) -> tuple[str, str]:
    """The id's window, and when its report was made, as they stand in it; both sort by time.

    >>> split_id("day-1970-01-01-19700102T000000Z")
    ('day-1970-01-01', '19700102T000000Z')
    """
    window, _, made = report.rpartition("-")
    return window, made


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
