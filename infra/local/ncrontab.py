"""Schedules of timer triggers: NCRONTAB expressions, in UTC.

`{second} {minute} {hour} {day} {month} {day of week}`, as in `0 5 * * * *`: five minutes past every hour. A field is
`*`, a value, a range `a-b`, or a list of these, each with an optional step `/n`. Months and days of the week also go
by name, in full or by any prefix (`jan`, `Mon`); Sunday is 0. Five fields mean second 0.

Kept from the library that the platform uses (https://github.com/atifaziz/NCrontab), unlike Vixie cron: the day of the
month and the day of the week must *both* hold; a reversed range is swapped; `a/n` runs from `a` to the field's end.
"""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from infra.local.process import LocalError

_MONTHS = tuple(name.lower() for name in calendar.month_name[1:])
_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_SEARCH_YEARS = 28 + 12  # leap days and weekdays repeat every 28 years; a century without a leap day adds up to 12


@dataclass(frozen=True)
class _Field:
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()


_FIELDS = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 6, _DAYS),
)


@dataclass(frozen=True)
class Schedule:
    """A parsed expression: the values that each field allows, ascending."""

    expression: str
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    def next_after(self, moment: datetime) -> datetime | None:
        """The first occurrence strictly after `moment` (aware), in UTC; None when there is none, as for 31 February.

        >>> parse("0 5 * * * *").next_after(datetime(2026, 11, 23, 14, 5, tzinfo=UTC)).isoformat()
        '2026-11-23T15:05:00+00:00'
        """
        start = moment.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
        for date in self._dates_from(start):
            today = date.date() == start.date()
            found = self._time_from((start.hour, start.minute, start.second) if today else (0, 0, 0))
            if found is not None:
                return date.replace(hour=found[0], minute=found[1], second=found[2])
        return None

    def _dates_from(self, start: datetime) -> Iterator[datetime]:
        """The midnights of the days that fit, `start`'s own day included."""
        for year in range(start.year, min(start.year + _SEARCH_YEARS, 9999) + 1):
            for month in sorted(self.months):
                if (year, month) < (start.year, start.month):
                    continue
                for day in range(1, calendar.monthrange(year, month)[1] + 1):
                    date = datetime(year, month, day, tzinfo=UTC)
                    if day in self.days and date.isoweekday() % 7 in self.weekdays and date.date() >= start.date():
                        yield date

    def _time_from(self, earliest: tuple[int, int, int]) -> tuple[int, int, int] | None:
        """The first time of a fitting day that is not before `earliest` (hour, minute, second)."""
        return next(
            (
                (hour, minute, second)
                for hour in self.hours
                if hour >= earliest[0]
                for minute in self.minutes
                if (hour, minute) >= earliest[:2]
                for second in self.seconds
                if (hour, minute, second) >= earliest
            ),
            None,
        )


def parse(expression: str) -> Schedule:
    """Parse an expression of six fields (or five: second 0). Raises LocalError that names the field.

    >>> parse("0 */20 9-17/4 * * Mon-Fri").hours
    (9, 13, 17)
    """
    parts = expression.split()
    if len(parts) == 5:
        parts.insert(0, "0")
    if len(parts) != len(_FIELDS):
        wanted = "second minute hour day month day-of-week, as in '0 5 * * * *'"
        raise LocalError(f"Schedule {expression!r} has {len(parts)} fields: write six, {wanted}.")
    try:
        values = [_values(text, field) for text, field in zip(parts, _FIELDS, strict=True)]
    except ValueError as error:
        raise LocalError(f"Schedule {expression!r}: {error}.") from error
    second, minute, hour, day, month, weekday = values
    return Schedule(
        expression,
        tuple(sorted(second)),
        tuple(sorted(minute)),
        tuple(sorted(hour)),
        frozenset(day),
        frozenset(month),
        frozenset(weekday),
    )


def _values(text: str, field: _Field) -> set[int]:
    found: set[int] = set()
    for item in text.split(","):
        found.update(_item(item, field))
    return found


def _item(item: str, field: _Field) -> range:
    span, has_step, step_text = item.partition("/")
    step = _step(step_text, field) if has_step else 1
    if span == "*":
        return range(field.low, field.high + 1, step)
    first, is_range, last = span.partition("-")
    low = _value(first, field)
    if is_range:
        return range(min(low, _value(last, field)), max(low, _value(last, field)) + 1, step)
    return range(low, field.high + 1, step) if has_step else range(low, low + 1)


def _step(text: str, field: _Field) -> int:
    if not _is_number(text) or int(text) == 0:
        raise ValueError(f"the step {text!r} of the {field.name} must be a whole number above 0")
    return int(text)


def _value(text: str, field: _Field) -> int:
    if _is_number(text):
        if field.low <= int(text) <= field.high:
            return int(text)
    elif text:
        for index, name in enumerate(field.names):
            if name.startswith(text.lower()):
                return field.low + index
    names = f" or a name such as {field.names[0].title()}" if field.names else ""
    raise ValueError(f"the {field.name} {text!r} must be {field.low}-{field.high}{names}")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 4
