"""The derived container as somebody else may leave it: pages and lists are made all the same, or say what is wrong."""

from __future__ import annotations

import argparse
import copy
import json
import logging
from collections.abc import Iterator
from itertools import cycle
from typing import Any

import msgspec
import pytest

from audit.memory_store import MemoryStore
from audit.records import timestamp
from evaluation.commands import report as report_command
from evaluation.commands.window_options import window_of
from evaluation.pages.home import HomeModel, home_page
from evaluation.pages.report import report_page
from evaluation.pages.reports import damaged_report_page, reports_page
from evaluation.report_format import Report, encode_report, entry_of
from evaluation.report_store import (
    LARGEST_REPORT_BYTES,
    latest,
    list_reports,
    read_report_json,
    write_report,
    written_s,
)
from evaluation.stored_report import DamagedReport, decode_stored, drawn_stored, rebuild_command
from evaluation.windows import report_id
from tests.evaluation.example_report import example_report

MODEL = "breast-cancer"
REPORT = example_report()
ID = REPORT.id
LATEST = f"reports/{MODEL}/latest.json"
JSON: dict[str, Any] = json.loads(encode_report(REPORT))
ENTRY: dict[str, Any] = json.loads(encode_report(entry_of(REPORT)))


def at(as_of: str) -> Report:
    return msgspec.structs.replace(REPORT, as_of=as_of, id=report_id(REPORT.window, as_of))


def spoiled(value: dict[str, Any], *path: str, by: Any) -> bytes:
    changed = copy.deepcopy(value)
    inner = changed
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = by
    return json.dumps(changed).encode()


ENTRIES = {
    "empty": b"",
    "zero bytes": bytes(100),
    "cut off": encode_report(entry_of(REPORT))[:-40],
    "utf-16": json.dumps(ENTRY).encode("utf-16"),
    "deep": b'{"schema":' + b"[" * 100_000,
    "a list": b"[]",
    "too large": encode_report(entry_of(REPORT)) + b" " * (1 << 20),
    "another version": spoiled(ENTRY, "schema", by=2),
    "another model": spoiled(ENTRY, "model", by="wine"),
    "an id that is a path": spoiled(ENTRY, "id", by="../../wine/x"),
    "an id of another moment": spoiled(ENTRY, "as_of", by="9999-12-31T23:59:59.000000Z"),
    "a time that is none": spoiled(ENTRY, "as_of", by="zzz"),
    "endless calls": spoiled(ENTRY, "calls", by=10**400),
    "no verdicts": spoiled(ENTRY, "verdicts", by=None),
}


@pytest.mark.parametrize("name", ENTRIES)
def test_a_damaged_entry_is_passed_by_and_the_newest_sound_one_is_the_latest(derived: MemoryStore, name: str) -> None:
    older, newer = at("2026-11-24T03:00:00.000000Z"), at("2026-11-24T05:00:00.000000Z")
    for report in (older, newer):
        write_report(derived, report, None)
    for blob in (LATEST, f"reports/{MODEL}/{newer.id}/entry.json"):
        derived.put(blob, ENTRIES[name], overwrite=True)
    assert [entry.id for entry in list_reports(derived, MODEL)] == [older.id]
    assert [entry.id for entry in list_reports(derived, MODEL, limit=1)] == [older.id]
    assert latest(derived, MODEL) == entry_of(older)
    assert read_report_json(derived, MODEL) == encode_report(older)
    assert written_s(derived, MODEL, newer.id) is None, "so that the next hourly run makes it anew"
    write_report(derived, newer, None)
    assert latest(derived, MODEL) == entry_of(newer)


def test_a_latest_whose_report_is_gone_gives_way_to_the_newest_that_is_there(derived: MemoryStore) -> None:
    older, newer = at("2026-11-24T03:00:00.000000Z"), at("2026-11-24T05:00:00.000000Z")
    for report in (older, newer):
        write_report(derived, report, None)
    derived.delete(f"reports/{MODEL}/{newer.id}/report.json")
    assert read_report_json(derived, MODEL) == encode_report(older)


@pytest.mark.parametrize("until", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "x" * 50_000, "", "\u202e<b>"])
@pytest.mark.parametrize("since", ["2026-11-23", "2026-11-23T00:00:00-23:59", "2026-11-23<script>"])
def test_a_hostile_entry_that_counts_is_drawn_on_the_home_page_and_in_the_list(since: str, until: str) -> None:
    window = msgspec.structs.replace(REPORT.window, since=since, until=until, hours=10**18)
    entry = msgspec.structs.replace(entry_of(REPORT), window=window, calls=2**63 - 1, verdicts={"<b>": REPORT.verdict})
    assert "<script>" not in reports_page(MODEL, [entry])
    assert "<script>" not in home_page([HomeModel(MODEL, "1.0.0", latest=entry)], with_key=True)


REPORTS = {
    "empty": (b"", "truncated"),
    "zero bytes": (bytes(100), "malformed"),
    "cut off": (encode_report(REPORT)[:-100], "truncated"),
    "deep": (b'{"schema":1,"notes":' + b"[" * 100_000, "recursion"),
    "a page": (b"<html>", "malformed"),
    "not utf-8": (encode_report(REPORT).replace(b"binary", b"\xff\xfe"), "utf-8"),
    "too large": (b" " * (LARGEST_REPORT_BYTES + 1), "larger than 32 MiB"),
    "another version": (spoiled(JSON, "schema", by=2), "schema 2"),
    "wrong type": (spoiled(JSON, "coverage", "counts", "calls", by="many"), "coverage.counts.calls"),
    "another model": (spoiled(JSON, "model", "name", by="\x1b[31mwine"), "report of model"),
    "another id": (spoiled(JSON, "id", by="day-2026-11-22-20261124T000700Z"), "its id is"),
}


@pytest.mark.parametrize("name", REPORTS)
def test_a_damaged_report_is_said_to_be_so_and_how_to_build_it_again(name: str) -> None:
    data, why = REPORTS[name]
    with pytest.raises(DamagedReport, match="(?i)" + why) as raised:
        decode_stored(data, MODEL, ID)
    text = str(raised.value)
    assert f"{ID} of model {MODEL} is damaged" in text
    assert f"`{rebuild_command(MODEL, ID)}`" in text
    assert text.isprintable()
    assert len(text) < 700
    assert "--as-of 20261124T000700Z" in damaged_report_page(raised.value, code="k")


def places(value: Any, *path: str) -> Iterator[tuple[str, ...]]:
    for name, inner in value.items():
        yield (*path, name)
        if isinstance(inner, dict):
            yield from places(inner, *path, name)


def test_whatever_a_report_says_it_is_drawn_or_said_to_be_damaged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    drawn = damaged = 0
    values: tuple[Any, ...] = (10**400, -1, [], "\x00<script>", None, 0)
    for path, by in zip(places(JSON), cycle(values), strict=False):
        try:
            page = drawn_stored(spoiled(JSON, *path, by=by), MODEL, ID, report_page)
        except DamagedReport:
            damaged += 1
        else:
            assert "<script>" not in page
            drawn += 1
    assert drawn > 5
    assert damaged > 20


def test_a_time_that_is_none_is_no_error_of_ours() -> None:
    hours = [{**JSON["coverage"]["hours"][0], "start": "no time"}]
    with pytest.raises(DamagedReport, match="cannot be drawn"):
        drawn_stored(spoiled(JSON, "coverage", "hours", by=hours), MODEL, ID, report_page)


@pytest.mark.parametrize(
    "id",
    [
        "day-2026-11-23-20261124T000700Z",
        "hour-2026-11-23T14-20261124T000700123456Z",
        "custom-2026-11-23T14-2026-11-24T02-20261124T000700Z",
    ],
)
def test_the_command_builds_a_report_of_the_same_id(id: str) -> None:
    parser = argparse.ArgumentParser()
    report_command.add(parser.add_subparsers())
    options = parser.parse_args(rebuild_command("wine", id).split()[3:])
    window = window_of(MemoryStore(), MemoryStore(), options, options.as_of)
    assert report_id(window, timestamp(options.as_of)) == id
