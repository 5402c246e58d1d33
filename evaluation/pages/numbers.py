"""Numbers, times and shares as people write them.

No figure may read better than it is: 99.96 % never becomes 100 %, and what is not there is a dash, never a zero.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from audit.wording import counted as counted
from evaluation.report_format import Window

NOTHING = "–"
NBSP = "\u00a0"  # keeps a number and its unit on one line
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float | None) -> str:
    """Three decimals or digits below one, at most four significant digits above.

    >>> [number(x) for x in (0.95, 0.0625, -0.00012, 0, 12.3456, 6.98, 1234.5, 7.2e13, None, float("nan"))]
    ['0.950', '0.0625', '−1.2×10⁻⁴', '0', '12.35', '6.98', '1,234', '7.2×10¹³', '–', '–']
    >>> number(10**400), number(-(10**400))  # JSON's numbers know no end
    ('over 10³⁰⁸', 'below −10³⁰⁸')
    """
    try:
        if value is None or not math.isfinite(value):
            return NOTHING
    except OverflowError:  # a whole number
        return "over 10³⁰⁸" if value is not None and value > 0 else "below −10³⁰⁸"
    size = abs(value)
    if size == 0:
        text = "0"
    elif size < 0.001 or size >= 1e9:
        text = _scientific(size)
    elif size < 1:
        text = f"{size:.3f}" if size >= 0.0995 else f"{size:.3g}"
    elif size == int(size):
        text = f"{int(size):,}"
    else:
        text = f"{size:,.{max(0, 3 - math.floor(math.log10(size)))}f}"
        text = text.rstrip("0").removesuffix(".") if "." in text else text
    return f"−{text}" if value < 0 else text


def tick(value: float, step: float) -> str:
    """An axis label with no more digits than the distance between ticks asks for.

    >>> tick(0.25, 0.25), tick(2500, 500), tick(3e6, 1e6), tick(2e-5, 1e-5), tick(-2.0, 1.0)
    ('0.25', '2,500', '3 M', '2×10⁻⁵', '−2')
    """
    size = abs(value)
    if size == 0:
        return "0"
    if size >= 1e12 or size < 1e-4:
        text = _scientific(size)
    elif size >= 1e6:
        text = f"{size / 1e6:,.{_decimals(step / 1e6)}f} M"
    else:
        text = f"{size:,.{_decimals(step)}f}"
    return f"−{text}" if value < 0 else text


def count(value: int | None) -> str:
    """A whole number with its thousands apart.

    >>> count(1234567), count(None)
    ('1,234,567', '–')
    """
    return NOTHING if value is None else f"{value:,}"


def percent(share: float | None) -> str:
    """A share of one with one decimal, rounded towards what it is not.

    >>> [percent(x).replace(NBSP, " ") for x in (0.9534, 1.0, 0.99996, 0.0, 0.0001, None)]
    ['95.3 %', '100 %', '> 99.9 %', '0 %', '< 0.1 %', '–']
    """
    if share is None or not math.isfinite(share * 100):
        return NOTHING
    if share in (0, 1):
        text = f"{share * 100:.0f}"
    elif 0.9995 <= share < 1:
        text = f">{NBSP}99.9"
    elif 0 < share < 0.001:
        text = f"<{NBSP}0.1"
    else:
        text = f"{share * 100:,.1f}".replace("-", "−")
    return f"{text}{NBSP}%"


def milliseconds(value: float | None) -> str:
    """A run time in the unit that suits it.

    >>> [milliseconds(x).replace(NBSP, " ") for x in (0.0123, 3.417, 45.2, 1234.5, 90_000, None)]
    ['12.3 µs', '3.42 ms', '45.2 ms', '1.23 s', '1 min 30 s', '–']
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    if 0 < value < 0.9995:
        return f"{value * 1000:.3g}{NBSP}µs"
    if value < 999.5:
        return f"{value:.3g}{NBSP}ms"
    return f"{value / 1000:.3g}{NBSP}s" if value < 60_000 else duration(value / 1000)


def duration(seconds: float | None) -> str:
    """A span of time in its two largest units.

    >>> [duration(x) for x in (0.25, 42, 150, 7500, 200_000, None)]
    ['250 ms', '42 s', '2 min 30 s', '2 h 5 min', '2 days 7 h', '–']
    """
    if seconds is None or not math.isfinite(seconds):
        return NOTHING
    if seconds < 0:
        return f"−{duration(-seconds)}"
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 60:
        return f"{seconds:.3g} s"
    units = (("day", 86_400), ("h", 3600), ("min", 60), ("s", 1))
    whole = round(seconds)
    parts = []
    for name, size in units:
        amount, whole = divmod(whole, size)
        plural = "s" if name == "day" and amount != 1 else ""
        parts.append(f"{amount} {name}{plural}" if amount else "")
    first = next(index for index, part in enumerate(parts) if part)
    return " ".join(part for part in parts[first : first + 2] if part)


def when(timestamp: str | None) -> str:
    """An RFC 3339 time to the minute; text that is no time stays as it is.

    >>> when("2026-11-23T14:05:06.123456Z"), when("soon"), when(None)
    ('23 Nov 2026, 14:05 UTC', 'soon', '–')
    """
    if timestamp is None:
        return NOTHING
    moment = _moment(timestamp)
    return timestamp if moment is None else f"{moment.day} {moment:%b %Y, %H:%M} UTC"


def day(timestamp: str) -> str:
    """The day of an RFC 3339 time; text that is no time stays as it is.

    >>> day("2026-11-23T14:05:06.123456Z"), day("soon")
    ('23 Nov 2026', 'soon')
    """
    moment = _moment(timestamp)
    return timestamp if moment is None else _short(moment)


def window(covered: Window) -> str:
    """What a report covers, as people speak of time.

    >>> window(Window(kind="day", since="2026-11-23T00:00:00Z", until="2026-11-24T00:00:00Z", hours=24))
    '23 November 2026, the whole day (UTC)'
    >>> window(Window(kind="hour", since="2026-11-23T23:00:00Z", until="2026-11-24T00:00:00Z", hours=1))
    '23 November 2026, 23:00 to 24:00 UTC'
    >>> window(Window(kind="week", since="2026-11-16T00:00:00Z", until="2026-11-23T00:00:00Z", hours=168))
    'week 47 of 2026, 16 Nov 2026 to 22 Nov 2026 (UTC)'
    """
    since, until = _moment(covered.since), _moment(covered.until)
    if since is None or until is None:
        return f"{covered.since} to {covered.until}"
    if covered.kind == "version" and covered.version is not None:
        return f"since version {covered.version}: {when(covered.since)} to {when(covered.until)}"
    if covered.kind == "week":
        last = until - timedelta(days=1)
        return f"week {since.isocalendar().week} of {since.isocalendar().year}, {_short(since)} to {_short(last)} (UTC)"
    if since.time() == until.time() == datetime.min.time() and until - since == timedelta(days=1):
        return f"{since.day} {since:%B %Y}, the whole day (UTC)"
    if since < until and (until - timedelta(microseconds=1)).date() == since.date():
        end = "24:00" if until.date() > since.date() else f"{until:%H:%M}"
        return f"{since.day} {since:%B %Y}, {since:%H:%M} to {end} UTC"
    return f"{when(covered.since)} to {when(covered.until)}"


def _short(day: datetime) -> str:
    return f"{day.day} {day:%b %Y}"


def _moment(timestamp: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(timestamp)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _decimals(step: float) -> int:
    if step <= 0:
        return 0
    return min(9, max(0, -math.floor(math.log10(step) + 1e-9) + (0 if _round_step(step) else 1)))


def _round_step(step: float) -> bool:
    lead = step / 10.0 ** math.floor(math.log10(step) + 1e-9)
    return bool(abs(lead - round(lead)) < 1e-6)


def _scientific(size: float) -> str:
    mantissa, exponent = f"{size:.2g}".split("e") if "e" in f"{size:.2g}" else f"{size:.1e}".split("e")
    mantissa = mantissa.removesuffix(".0")
    return f"{mantissa}×10{str(int(exponent)).translate(_SUPERSCRIPT)}"
