"""Times as records write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.records import timestamp, unix_s

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_S = datetime(1, 1, 2, tzinfo=UTC).timestamp()
LAST_S = datetime(9999, 12, 31, tzinfo=UTC).timestamp()


@given(st.floats(0, LAST_S) | st.integers(int(FIRST_S), int(LAST_S)))
def test_a_time_is_written_as_the_standard_library_writes_it(seconds: float) -> None:
    expected = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")
    assert timestamp(seconds) == expected.replace("+00:00", "Z")


@given(st.lists(st.floats(FIRST_S, LAST_S), min_size=2))
def test_times_sort_as_their_texts_do(times: list[float]) -> None:
    assert [timestamp(each) for each in sorted(times)] == sorted(map(timestamp, times))


@given(st.integers(0, 7_258_118_400_000_000))
def test_a_microsecond_survives_there_and_back(microseconds: int) -> None:
    text = (EPOCH + timedelta(microseconds=microseconds)).isoformat(timespec="microseconds").replace("+00:00", "Z")
    assert timestamp(unix_s(text)) == text


@pytest.mark.parametrize("seconds", [1e30, -1e30, float("inf")])
def test_a_time_that_no_calendar_has_is_refused(seconds: float) -> None:
    with pytest.raises((ValueError, OverflowError)):
        timestamp(seconds)
