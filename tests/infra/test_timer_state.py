"""Past-due rules, and the file that remembers a timer's status."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local.ncrontab import parse
from infra.local.process import LocalError
from infra.local.timer_state import (
    NEVER,
    Status,
    check_past_due,
    due_after,
    first_status,
    is_frequent,
    read_status,
    status_after_run,
    write_status,
)

HOURLY = parse("0 5 * * * *")
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_a_new_timer_is_not_past_due() -> None:
    status, past_due = check_past_due(HOURLY, None, NOON)
    assert not past_due
    assert status == Status(NEVER, datetime(2026, 11, 23, 12, 5, tzinfo=UTC), NOON)


@given(st.integers(0, 200), st.booleans())
def test_after_downtime_a_timer_is_past_due_when_an_occurrence_went_by_and_once_only(hours: int, ran: bool) -> None:
    status = first_status(HOURLY, NOON)
    if ran:
        status = status_after_run(HOURLY, status, status.next, on_schedule=True)
    now = NOON + hours * HOUR
    status, past_due = check_past_due(HOURLY, status, now)
    assert past_due == (now > status.next)
    after = status_after_run(HOURLY, status, now, on_schedule=False)
    assert check_past_due(HOURLY, after, now + timedelta(seconds=1))[1] is False


def test_a_changed_schedule_is_no_missed_occurrence() -> None:
    status = first_status(HOURLY, NOON)
    later, past_due = check_past_due(parse("0 30 * * * *"), status, NOON + 10 * HOUR)
    assert not past_due
    assert later.next == datetime(2026, 11, 23, 22, 30, tzinfo=UTC)


def test_a_clock_that_runs_early_does_not_make_a_timer_due_twice() -> None:
    status = first_status(HOURLY, NOON)
    early = status.next - timedelta(milliseconds=3)
    assert status_after_run(HOURLY, status, early, on_schedule=True).next == status.next + HOUR


def test_occurrences_missed_during_a_long_run_come_to_one() -> None:
    status = first_status(HOURLY, NOON)
    after = status_after_run(HOURLY, status, status.next, on_schedule=True)
    ended = status.next + 3.5 * HOUR
    assert after.next < ended
    assert status_after_run(HOURLY, after, ended, on_schedule=True).next == status.next + 4 * HOUR


def test_schedules_below_a_minute_do_not_remember() -> None:
    assert is_frequent(parse("*/30 * * * * *"), NOON)
    assert is_frequent(parse("0,1 0 12 * * *"), NOON)
    assert not is_frequent(parse("0 * * * * *"), NOON)


def test_a_schedule_that_never_comes_due_is_an_error() -> None:
    with pytest.raises(LocalError, match="never comes due"):
        due_after(parse("0 0 0 31 2 *"), NOON)


def test_a_status_is_read_back_as_written(tmp_path: Path) -> None:
    path = tmp_path / "timers" / "tick.json"
    assert read_status(path) is None
    status = first_status(HOURLY, NOON)
    write_status(path, status)
    assert read_status(path) == status
    assert [child.name for child in path.parent.iterdir()] == ["tick.json"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b"\xff",
        b'{"Last": 1, "Next": 2, "LastUpdated": 3}',
        json.dumps(dict.fromkeys(["Last", "Next", "LastUpdated"], "2026-11-23T12:00:00")).encode(),
    ],
)
def test_a_damaged_status_is_reported_and_forgotten(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    path = tmp_path / "tick.json"
    path.write_bytes(content)
    assert read_status(path) is None
    assert "starts anew" in caplog.text


def test_a_path_that_cannot_be_a_folder_is_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "timers").write_text("a file")
    write_status(tmp_path / "timers" / "tick.json", first_status(HOURLY, NOON))
    assert "cannot be written" in caplog.text
