"""The hourly run: seals, compacts, profiles, reports; once, whenever it is killed, whoever else is broken."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from audit.errors import Unavailable
from audit.id_index import segment_of
from audit.id_segments import Segments
from audit.lookup import find
from audit.memory_store import MemoryStore
from audit.reader import read_blob
from audit.verify import verify_blobs
from evaluation.hourly import run_due, run_hour
from evaluation.report_store import latest, list_reports, read_report, read_report_html, read_report_json
from tests.evaluation.workshop import (
    HOUR,
    NOON,
    FailingStore,
    Log,
    UnreadableBlob,
    label,
    make_bundle,
    names,
    score,
)

DUE = NOON + HOUR + 301
VERDICT_FIELDS = ["event", "model", "version", "report", "window", "since", "until", "as_of", "provisional", "section"]
VERDICT_FIELDS += ["level", "figure", "value", "before", "threshold", "sentence"]


@pytest.fixture
def bundle(models: Path) -> str:
    return make_bundle(models).sha256


def test_an_hour_that_is_over_is_sealed_compacted_profiled_and_reported(
    log: Log, derived: MemoryStore, models: Path, bundle: str
) -> None:
    blob = log.append(NOON, [score("a", bundle=bundle), label("a", "yes")])
    run = run_due(log.store, derived, models, DUE)
    assert read_blob(log.store, blob).state == "closed"
    assert (run.hours, run.blobs, run.problems) == (["2026/11/23/12"], 1, [])
    segment = segment_of("2026/11/23", [(blob, log.store.size(blob))])
    assert sorted(names(derived)) == [
        "curated/model=toy/date=2026-11-23/hour=12/w-0.parquet",
        segment.path,
        segment.file_path(0),
        "profiles/blobs/date=2026-11-23/hour=12/w-0.json",
        "profiles/labelled/date=2026-11-23/hour=12/w-0.json",
        "profiles/model=toy/version=-/role=-/date=2026-11-23/hour=12/w-0.json",
        "profiles/model=toy/version=1/role=champion/date=2026-11-23/hour=12/w-0.json",
        "reports/toy/day-2026-11-23-20261123T130000Z/entry.json",
        "reports/toy/day-2026-11-23-20261123T130000Z/report.html",
        "reports/toy/day-2026-11-23-20261123T130000Z/report.json",
        "reports/toy/latest.json",
    ]
    assert not verify_blobs(log.store)


def test_an_hour_is_left_alone_until_five_minutes_after_its_end(
    log: Log, derived: MemoryStore, models: Path, bundle: str
) -> None:
    blob = log.append(NOON, [score("a", bundle=bundle)])
    assert run_due(log.store, derived, models, NOON + HOUR + 290).hours == []
    assert read_blob(log.store, blob).state == "open"
    assert run_due(log.store, derived, models, NOON + HOUR + 299.9).hours, "a timer may fire moments early"


def test_a_second_run_does_nothing_and_changes_nothing(
    log: Log, derived: MemoryStore, models: Path, bundle: str
) -> None:
    log.append(NOON, [score("a", bundle=bundle)])
    run_due(log.store, derived, models, DUE)
    before, evidence = names(derived), names(log.store)
    again = run_due(log.store, derived, models, DUE + 60)
    assert (again.hours, again.blobs, again.reports) == ([], 0, [])
    assert (names(derived), names(log.store)) == (before, evidence)


@pytest.mark.parametrize("writer", ["w", "v"])
def test_killed_after_any_write_the_next_run_ends_in_the_same_bytes(models: Path, bundle: str, writer: str) -> None:
    def fresh() -> Log:
        log = Log()
        log.append(NOON, [score("a", bundle=bundle)])
        log.append(NOON, [score("b", bundle=bundle), label("a", "no")], writer=writer)
        log.append(NOON + HOUR, [score("c", NOON + HOUR, bundle=bundle)])
        return log

    whole = MemoryStore()
    run_due(fresh().store, whole, models, DUE + HOUR)
    for puts in range(len(names(whole)) + 1):
        log, derived = fresh(), MemoryStore()
        try:
            run_due(log.store, FailingStore(derived, puts), models, DUE + HOUR)
        except KeyboardInterrupt:
            run_due(log.store, derived, models, DUE + HOUR)
        assert names(derived) == names(whole), f"killed after {puts} writes"


DEEP = b'{"x":' + b"[" * 100_000


@pytest.mark.parametrize(
    ("part", "damage"),
    [
        ("curated/", b""),
        ("curated/", b"PAR1 and no more"),
        ("profiles/blobs/", b'{"schema":"\xff"}'),
        ("profiles/blobs/", DEEP),
        ("profiles/model=", b""),
        ("profiles/model=", DEEP),
        ("reports/toy/latest", DEEP),
    ],
    ids=lambda data: repr(data)[:20],
)
def test_a_derived_file_that_is_damaged_or_gone_changes_no_report(
    log: Log, models: Path, bundle: str, part: str, damage: bytes
) -> None:
    whole, damaged = MemoryStore(), MemoryStore()
    for number in range(2):
        log.append(NOON + number * HOUR, [score(f"i-{number}", bundle=bundle), label(f"i-{number}", "yes")])
        for derived in (whole, damaged):
            assert run_due(log.store, derived, models, DUE + number * HOUR).problems == []
        for name in [name for name in names(damaged) if name.startswith(part) and not number]:
            damaged.put(name, damage, overwrite=True) if damage else damaged.delete(name)
    report = read_report_json(whole, "toy")
    assert report is not None
    assert report == read_report_json(damaged, "toy")


def test_killed_between_a_late_blob_and_its_report_the_next_run_makes_the_report_anew(
    log: Log, derived: MemoryStore, models: Path, bundle: str
) -> None:
    log.append(NOON, [score("a", bundle=bundle)])
    run_due(log.store, derived, models, DUE)
    log.append(NOON, [score("b", bundle=bundle)], writer="late")
    run_hour(log.store, derived, models, "2026/11/23/12")  # as far as the killed run came
    run_due(log.store, derived, models, DUE + 60)
    report = read_report(derived, "toy")
    assert report is not None
    assert report.coverage.counts.calls == 2


def test_a_blob_that_cannot_be_read_blocks_no_other_and_stands_in_the_report(
    log: Log, derived: MemoryStore, models: Path, bundle: str
) -> None:
    bad = log.append(NOON, [score("bad", bundle=bundle)], writer="bad")
    log.append(NOON, [score("a", bundle=bundle)], writer="good")
    log.close(bad)
    run = run_due(UnreadableBlob(log.store, bad), derived, models, DUE)
    assert run.blobs == 1
    assert any(bad in problem for problem in run.problems)
    report = read_report(derived, "toy")
    assert report is not None
    assert report.coverage.counts.calls == 1
    assert [finding.blob for finding in report.sources.findings] == [bad]
    repaired = run_due(log.store, derived, models, DUE)
    assert (repaired.blobs, repaired.problems) == (1, [])
    report = read_report(derived, "toy")
    assert report is not None
    assert (report.coverage.counts.calls, report.sources.findings) == (2, [])


def test_a_blob_that_does_not_verify_is_read_as_far_as_it_does_and_named(
    log: Log, derived: MemoryStore, models: Path, bundle: str
) -> None:
    blob = log.append(NOON, [score("a", bundle=bundle)])
    log.store.append(blob, b"rubbish\n", at=log.store.size(blob))
    log.append(NOON, [score("b", bundle=bundle)], writer="good")
    run = run_due(log.store, derived, models, DUE)
    assert run.blobs == 1
    report = read_report(derived, "toy")
    assert report is not None
    assert report.coverage.counts.calls == 2
    assert [finding.blob for finding in report.sources.findings] == [blob]
    assert report.provisional


def test_storage_that_is_down_ends_the_run(log: Log, derived: MemoryStore, models: Path, bundle: str) -> None:
    log.append(NOON, [score("a", bundle=bundle)])

    class Down(FailingStore):
        def put(self, *args: Any, **more: Any) -> None:
            raise Unavailable("down")

    with pytest.raises(Unavailable):
        run_due(log.store, Down(derived, 0), models, DUE)


def test_after_downtime_all_hours_are_caught_up_with(log: Log, derived: MemoryStore, models: Path, bundle: str) -> None:
    for hours in range(0, 30, 3):
        at_s = NOON + hours * HOUR
        log.append(at_s, [score(f"i{hours}", at_s, bundle=bundle)])
    run = run_due(log.store, derived, models, NOON + 31 * HOUR)
    assert len(run.hours) == 10
    assert [entry.id for entry in list_reports(derived, "toy")] == [
        "day-2026-11-24-20261124T160000Z",
        "day-2026-11-23-20261124T000000Z",
    ]
    final = read_report(derived, "toy", "day-2026-11-23-20261124T000000Z")
    assert final is not None
    assert (final.provisional, final.coverage.counts.calls) == (False, 4)


def test_a_bundle_that_comes_later_is_profiled_with(log: Log, derived: MemoryStore, models: Path) -> None:
    models.mkdir()
    elsewhere = make_bundle(models.parent / "elsewhere")
    log.append(NOON, [score("a", bundle=elsewhere.sha256)])
    assert run_hour(log.store, derived, models, "2026/11/23/12").blobs == 1
    assert run_hour(log.store, derived, models, "2026/11/23/12").blobs == 0
    make_bundle(models)
    assert run_hour(log.store, derived, models, "2026/11/23/12").blobs == 1
    assert run_hour(log.store, derived, models, "2026/11/23/12").blobs == 0


def test_a_model_without_calls_gets_no_report(log: Log, derived: MemoryStore, models: Path, bundle: str) -> None:
    make_bundle(models, name="idle")
    log.append(NOON, [score("a", bundle=bundle)])
    run_due(log.store, derived, models, DUE)
    assert latest(derived, "idle") is None
    newest = latest(derived, "toy")
    assert newest is not None
    assert set(newest.verdicts) == {"coverage", "performance", "profiling", "drift", "audit"}


def test_each_verdict_is_one_line_of_json(
    log: Log, derived: MemoryStore, models: Path, bundle: str, caplog: pytest.LogCaptureFixture
) -> None:
    log.append(NOON, [score("a", bundle=bundle, outcome="failed", reasons=["model_error"])] * 60)
    with caplog.at_level(logging.INFO, "hyperplane.evaluation"):
        run_due(log.store, derived, models, DUE)
    lines = [json.loads(record.message) for record in caplog.records if record.name == "hyperplane.evaluation"]
    assert [line["section"] for line in lines] == ["coverage", "performance", "profiling", "drift", "audit"]
    assert (lines[0]["level"], lines[0]["model"], lines[0]["value"]) == ("alert", "toy", 0.0)
    assert caplog.records[-5].levelname == "WARNING"
    assert list(lines[0]) == VERDICT_FIELDS


def test_verdicts_are_told_once_and_again_when_a_report_says_something_else(
    log: Log, derived: MemoryStore, models: Path, bundle: str, caplog: pytest.LogCaptureFixture
) -> None:
    def told(now: float) -> list[str]:
        caplog.clear()
        run_due(log.store, derived, models, now)
        lines = [json.loads(record.message) for record in caplog.records if record.message.startswith("{")]
        return [line["report"] for line in lines if line["section"] == "drift"]

    caplog.set_level(logging.INFO, "hyperplane.evaluation")
    log.append(NOON, [score("a", bundle=bundle)])
    assert told(DUE) == ["day-2026-11-23-20261123T130000Z"]
    assert told(DUE + 60) == []
    log.append(NOON + HOUR, [score("b", NOON + HOUR, bundle=bundle)])
    assert told(DUE + HOUR) == ["day-2026-11-23-20261123T140000Z"]
    log.append(NOON, [score("c", bundle=bundle)], writer="late")
    assert told(DUE + HOUR + 60) == ["day-2026-11-23-20261123T140000Z"], "it counts a late blob now"
    for name in names(derived, "reports/"):
        if name.endswith("entry.json"):
            derived.delete(name)  # as a run leaves it that is killed half-way
    assert told(DUE + HOUR + 120) == [], "the same report, stored whole again"


def test_the_page_is_stored_beside_the_report(log: Log, derived: MemoryStore, models: Path, bundle: str) -> None:
    log.append(NOON, [score("a", bundle=bundle, x={"a": "<script>", "b": 1})])
    run_due(log.store, derived, models, DUE)
    page = read_report_html(derived, "toy")
    assert page is not None
    assert b"<script" not in page


def test_ids_are_indexed_by_the_hour_merged_by_the_day_and_made_anew_when_they_are_gone(
    log: Log, derived: MemoryStore, models: Path, bundle: str
) -> None:
    for hour in range(3):
        at_s = NOON + hour * HOUR
        log.append(at_s, [score(f"i{hour}", at_s, bundle=bundle)])
    run_due(log.store, derived, models, DUE + 2 * HOUR)
    segments = Segments(derived)
    segments.refresh()
    assert [len(segment.blobs) for segment in segments.newest()] == [1, 1, 1]
    assert len(find(log.store, "i1", derived=derived)) == 1
    for name in names(derived, "index/"):
        derived.delete(name)
    run_due(log.store, derived, models, NOON + 13 * HOUR)
    segments.refresh()
    (day,) = segments.newest()
    assert set(day.blobs) == {info.name for info in log.store.list()}


def test_an_index_that_cannot_be_written_is_a_problem_and_keeps_no_report_waiting(
    log: Log, derived: MemoryStore, models: Path, bundle: str
) -> None:
    log.append(NOON, [score("a", bundle=bundle)])

    class NoList(UnreadableBlob):
        def list(self, prefix: str = "") -> Any:
            if prefix.startswith("index/"):
                raise ValueError("broken")
            return self.store.list(prefix)

    run = run_due(log.store, NoList(derived, ""), models, DUE)
    assert any("the index of ids cannot be kept" in problem for problem in run.problems)
    assert latest(derived, "toy") is not None
