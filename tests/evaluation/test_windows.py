"""Any window: its hours, its id, the same bytes each time, and the hour since which a version has scored."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.memory_store import MemoryStore
from audit.records import timestamp
from evaluation.first_scored import first_scored
from evaluation.hourly import backfill, make_report, store_report
from evaluation.references import References
from evaluation.report_format import Window, decode_report, encode_report
from evaluation.report_store import list_reports, read_report_json
from evaluation.windows import at, is_report_id, named_window, report_id, version_window, week_window
from tests.evaluation.example_report import example_report
from tests.evaluation.workshop import HOUR, NOON, Log, label, make_bundle, score

DAY = 24 * HOUR


@given(st.floats(0, 4e9))
def test_a_week_begins_on_monday_and_holds_its_time(at_s: float) -> None:
    week = week_window(at_s)
    assert at(week.since) <= at_s < at(week.until)
    assert (at(week.since) / DAY + 3) % 7 == 0
    assert week.hours == 168
    assert is_report_id(report_id(week, timestamp(at_s)))


@pytest.mark.parametrize("version", ["2", "2.1-rc_1", "v2-2026-01-01T00", "x" * 64])
def test_the_id_of_a_window_since_any_version_is_one(version: str) -> None:
    assert is_report_id(report_id(version_window(version, NOON, NOON + HOUR), timestamp(NOON)))


@pytest.mark.parametrize("version", ["", "..", "a/b", "a b", "x" * 65])
def test_no_other_text_in_the_place_of_a_version_is_an_id(version: str) -> None:
    assert not is_report_id(f"version-{version}-2026-11-23T12-2026-11-23T13-20261123T130000Z")


@pytest.mark.parametrize("text", ["", "..", "2026-W60", "yesterday", "2026-11-24..2026-11-23", "2026-11-23T14:30:10x"])
def test_what_is_no_window_says_how_one_is_written(text: str) -> None:
    with pytest.raises(ValueError, match="expected a day"):
        named_window(text, NOON)


def test_a_report_from_before_there_were_weeks_can_still_be_read() -> None:
    data = msgspec.json.decode(encode_report(example_report()))
    del data["window"]["version"]
    for section in ("performance", "profiling", "drift"):
        del data[section]["courses"]
    assert decode_report(json.dumps(data).encode()).window.kind == "day"


@pytest.mark.parametrize("window", [week_window(NOON), version_window("1", NOON - DAY, NOON + 4 * HOUR)])
def test_a_window_made_again_for_the_same_moment_is_the_same_to_the_byte(
    log: Log, derived: MemoryStore, models: Path, window: Window
) -> None:
    bundle = make_bundle(models).sha256
    for hour in (0, 1, 3):
        at_s = NOON + hour * HOUR
        instances = [score(f"{hour}-{n}", at_s, bundle=bundle, y={"label": "yes"}) for n in range(9)]
        log.close(log.append(at_s, [*instances, label(f"{hour}-1", "yes", at_s)]))
    as_of = timestamp(NOON + 6 * HOUR)
    first = make_report(log.store, derived, References(models), "toy", window, as_of)
    backfill(log.store, derived, models, NOON + 9 * HOUR)
    log.append(NOON + 7 * HOUR, [score("later", NOON + 7 * HOUR), label("0-2", "yes", NOON + 7 * HOUR)])
    again = make_report(log.store, derived, References(models), "toy", window, as_of)
    assert again.coverage.counts.calls == 27
    assert encode_report(again) == encode_report(first)
    store_report(derived, again)
    assert read_report_json(derived, "toy", first.id) == encode_report(first)


@pytest.mark.parametrize("profiled", [False, True], ids=["from the log", "from profiles"])
def test_since_a_version_begins_in_the_hour_of_its_first_record_as_champion(
    log: Log, derived: MemoryStore, models: Path, profiled: bool
) -> None:
    make_bundle(models)
    for hour, version, role in (
        (0, "1", "champion"),
        (1, "2", "challenger"),
        (4, "2", "champion"),
        (6, "2", "champion"),
    ):
        log.append(NOON + hour * HOUR, [score(f"i{hour}", NOON + hour * HOUR, version=version, role=role)])
    log.append(NOON, [score("other", model="other", version="2")])
    log.append(NOON + 5 * HOUR, [score("c", NOON + 5 * HOUR, version="3", role="challenger")])
    if profiled:
        backfill(log.store, derived, models, NOON + DAY, since_s=NOON, reports=False)
    until = NOON + 7 * HOUR
    assert first_scored(log.store, derived, "toy", "2", until) == "2026/11/23/16"
    assert first_scored(log.store, derived, "toy", "3", until) == "2026/11/23/17"
    assert first_scored(log.store, derived, "toy", "2", NOON + 3 * HOUR) == "2026/11/23/13"
    assert first_scored(log.store, derived, "toy", "4", until) is None


def test_an_hour_that_is_not_profiled_counts_though_later_ones_are(
    log: Log, derived: MemoryStore, models: Path
) -> None:
    make_bundle(models)
    log.append(NOON + 5 * HOUR, [score("late", NOON + 5 * HOUR, version="2")])
    backfill(log.store, derived, models, NOON + DAY, reports=False)
    log.append(NOON + HOUR, [score("early", NOON + HOUR, version="2")])
    assert first_scored(log.store, derived, "toy", "2", NOON + DAY) == "2026/11/23/13"


def test_hourly_reports_of_a_day_leave_room_for_other_windows_in_the_list(
    log: Log, derived: MemoryStore, models: Path
) -> None:
    make_bundle(models)
    log.append(NOON, [score("a")])
    references = References(models)
    windows = [week_window(NOON)] + [named_window("2026-11-23", NOON)] * 4
    for hour, window in enumerate(windows):
        as_of = timestamp(NOON + hour * HOUR)
        store_report(derived, make_report(log.store, derived, references, "toy", window, as_of))
    assert [entry.window.kind for entry in list_reports(derived, "toy", limit=2)] == ["day", "week"]
    assert len(list_reports(derived, "toy", limit=4)) == 4
