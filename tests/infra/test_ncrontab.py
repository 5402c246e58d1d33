"""NCRONTAB: examples from Azure's documentation, an independent search as the oracle, and errors."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.ncrontab import parse
from infra.local.process import LocalError

MONDAY = datetime(2026, 11, 23, 14, 7, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 5 * * * *", "2026-11-23T15:05:00"),
        ("0 */5 * * * *", "2026-11-23T14:10:00"),
        ("0 0 * * * *", "2026-11-23T15:00:00"),
        ("0 0 */2 * * *", "2026-11-23T16:00:00"),
        ("0 0 9-17 * * *", "2026-11-23T15:00:00"),
        ("0 30 9 * * *", "2026-11-24T09:30:00"),
        ("0 30 9 * * 1-5", "2026-11-24T09:30:00"),
        ("0 30 9 * Jan Mon", "2027-01-04T09:30:00"),
        ("0 0 0 29 2 *", "2028-02-29T00:00:00"),
        ("0 0 0 31 * *", "2026-12-31T00:00:00"),
        ("* * * * * *", "2026-11-23T14:07:31"),
        ("15,45 7 14 * * *", "2026-11-23T14:07:45"),
        ("30 7 14 * * *", "2026-11-24T14:07:30"),
        ("5 * * * *", "2026-11-23T15:05:00"),
        ("0 0 0 * * sun", "2026-11-29T00:00:00"),
        ("0 0 12 1 january-MARCH *", "2027-01-01T12:00:00"),
        ("0 50-10/20 * * * *", "2026-11-23T14:10:00"),
        ("10/25 * * * * *", "2026-11-23T14:07:35"),
        ("0 0 0 13 * fri", "2027-08-13T00:00:00"),
    ],
)
def test_an_expression_comes_due_when_azure_says(expression: str, expected: str) -> None:
    assert parse(expression).next_after(MONDAY) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_other_time_zones_and_fractions_of_a_second_do_not_matter() -> None:
    moment = datetime(2026, 11, 23, 16, 4, 59, 999_999, tzinfo=timezone(timedelta(hours=2)))
    assert parse("0 5 * * * *").next_after(moment) == datetime(2026, 11, 23, 14, 5, tzinfo=UTC)


def test_a_date_that_never_comes_gives_none() -> None:
    assert parse("0 0 0 30 2 *").next_after(MONDAY) is None


def test_a_leap_day_on_a_weekday_is_found_across_a_century_without_one() -> None:
    found = parse("0 0 0 29 2 mon").next_after(datetime(2088, 3, 1, tzinfo=UTC))
    assert found == datetime(2112, 2, 29, tzinfo=UTC)
    assert found.strftime("%a") == "Mon"


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        ("", "0 fields"),
        ("* * * *", "4 fields"),
        ("* * * * * * *", "7 fields"),
        ("01:00:00", "1 fields"),
        ("60 * * * * *", "second '60'"),
        ("* 60 * * * *", "minute '60'"),
        ("* * 24 * * *", "hour '24'"),
        ("* * * 0 * *", "day '0'"),
        ("* * * * 13 *", "month '13'"),
        ("* * * * * 7", "day of week '7'"),
        ("* * * * xyz *", "month 'xyz'"),
        ("*/0 * * * * *", "step '0'"),
        ("*/-1 * * * * *", "step '-1'"),
        ("1, * * * * *", "second ''"),
        ("1-, * * * * *", "second ''"),
        ("² * * * * *", "second '²'"),
        ("99999999999999999999 * * * * *", "second"),
    ],
)
def test_a_wrong_expression_is_refused_by_the_name_of_its_field(expression: str, named: str) -> None:
    with pytest.raises(LocalError, match="Schedule") as error:
        parse(expression)
    assert named in str(error.value)
    assert "\n" not in str(error.value)


def items(low: int, high: int) -> st.SearchStrategy[tuple[str, set[int]]]:
    """One item of a field, with the values that it stands for, worked out without the parser."""
    value = st.integers(low, high)
    step = st.integers(1, high + 3)
    return st.one_of(
        st.just(("*", set(range(low, high + 1)))),
        value.map(lambda a: (str(a), {a})),
        st.tuples(value, value).map(lambda ab: (f"{ab[0]}-{ab[1]}", set(range(min(ab), max(ab) + 1)))),
        step.map(lambda n: (f"*/{n}", {v for v in range(low, high + 1) if (v - low) % n == 0})),
        st.tuples(value, step).map(lambda an: (f"{an[0]}/{an[1]}", set(range(an[0], high + 1, an[1])))),
    )


def fields(low: int, high: int) -> st.SearchStrategy[tuple[str, set[int]]]:
    """A list of items and the union of their values."""
    return st.lists(items(low, high), min_size=1, max_size=3).map(
        lambda found: (",".join(text for text, _ in found), set().union(*(values for _, values in found)))
    )


FIELDS = st.tuples(fields(0, 59), fields(0, 59), fields(0, 23), fields(1, 31), fields(1, 12), fields(0, 6))
MOMENTS = st.datetimes(datetime(1999, 1, 1), datetime(2120, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def fits(moment: datetime, values: tuple[set[int], ...]) -> bool:
    second, minute, hour, day, month, weekday = values
    at = (moment.second in second, moment.minute in minute, moment.hour in hour)
    return all(at) and moment.day in day and moment.month in month and moment.isoweekday() % 7 in weekday


@given(FIELDS, MOMENTS, st.data())
def test_the_next_occurrence_fits_and_nothing_before_it_does(
    chosen: tuple[tuple[str, set[int]], ...], moment: datetime, data: st.DataObject
) -> None:
    values = tuple(value for _, value in chosen)
    found = parse(" ".join(text for text, _ in chosen)).next_after(moment)
    if found is None:
        longest = {1: 31, 2: 29, 3: 31, 4: 30, 5: 31, 6: 30, 7: 31, 8: 31, 9: 30, 10: 31, 11: 30, 12: 31}
        assert all(day > longest[month] for day in values[3] for month in values[4])
        return
    assert found > moment
    assert fits(found, values)
    start = moment.replace(microsecond=0) + timedelta(seconds=1)
    between = int((found - start).total_seconds())
    nearby = range(max(0, between - 300), between)
    anywhere = data.draw(st.lists(st.integers(0, between - 1), max_size=200)) if between > 0 else []
    assert not any(fits(start + timedelta(seconds=offset), values) for offset in [*nearby, *anywhere])
