"""Labels that come late, come twice or contradict each other, and ids that mean two instances."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.memory_store import MemoryStore
from audit.records import timestamp
from evaluation.hourly import make_report, run_due
from evaluation.references import References
from evaluation.report_format import Report
from evaluation.report_store import list_reports, read_report, read_report_json
from evaluation.windows import day_window
from tests.evaluation.workshop import HOUR, NOON, Log, label, make_bundle, score

NEXT_DAY = NOON + 24 * HOUR
SAID_YES = {"label": "yes", "probabilities": {"no": 0.1, "yes": 0.9}}


@pytest.fixture
def bundle(models: Path) -> str:
    return make_bundle(models).sha256


def report_of(log: Log, models: Path, as_of: float) -> Report:
    """Of the day of `NOON`."""
    return make_report(log.store, MemoryStore(), References(models), "toy", day_window(NOON), timestamp(as_of))


def accuracy(report: Report) -> float | None:
    return next((figure.value for figure in report.performance.figures if figure.name == "accuracy"), None)


def test_a_label_for_an_older_hour_counts_in_the_days_next_report(
    log: Log, derived: MemoryStore, models: Path, bundle: str
) -> None:
    log.append(NOON, [score("a", bundle=bundle, y=SAID_YES)])
    run_due(log.store, derived, models, NOON + HOUR + 301)
    log.append(NOON + 3 * HOUR, [label("a", "yes", NOON + 3 * HOUR)])
    run_due(log.store, derived, models, NOON + 4 * HOUR + 301)
    report = read_report(derived, "toy")
    assert report is not None
    assert (report.performance.labels.labelled, report.performance.labels.delay_max_s) == (1, 3 * HOUR)


def test_a_label_for_an_older_day_leaves_that_days_stored_report_as_it_was_and_counts_in_a_fresh_one(
    log: Log, derived: MemoryStore, models: Path, bundle: str
) -> None:
    log.append(NOON, [score("a", bundle=bundle, y=SAID_YES)])
    run_due(log.store, derived, models, NOON + 13 * HOUR)
    (stored,) = [entry.id for entry in list_reports(derived, "toy")]
    before = read_report_json(derived, "toy", stored)
    log.append(NEXT_DAY, [label("a", "yes", NEXT_DAY)])
    run_due(log.store, derived, models, NEXT_DAY + HOUR + 301)
    assert read_report_json(derived, "toy", stored) == before
    assert accuracy(report_of(log, models, as_of=NOON + 12 * HOUR)) is None
    assert accuracy(report_of(log, models, as_of=NEXT_DAY + 2 * HOUR)) == 1.0
    fresh = read_report(derived, "toy", "day-2026-11-23-20261124T130000Z")
    assert fresh is not None
    assert accuracy(fresh) == 1.0


def test_a_label_twice_in_one_request_with_different_values_counts_as_the_later_line_says(
    log: Log, models: Path, bundle: str
) -> None:
    log.append(NOON, [score("a", bundle=bundle, y=SAID_YES)])
    log.append(NOON, [label("a", "yes", NOON + 9), label("a", "no", NOON + 9)])
    report = report_of(log, models, as_of=NOON + HOUR)
    assert accuracy(report) == 0.0
    labels = report.performance.labels
    assert (labels.labels, labels.labelled, labels.corrected) == (2, 1, 1), "both remain in the log"


def test_an_id_of_two_different_instances_is_a_conflict_and_the_newest_is_what_is_judged(
    log: Log, models: Path, bundle: str
) -> None:
    said_no = {"label": "no", "probabilities": {"no": 0.9, "yes": 0.1}}
    log.append(NOON, [score("a", NOON, bundle=bundle, x={"a": 1.0, "b": 2.0}, y=said_no)])
    log.append(NOON, [score("a", NOON + 5, bundle=bundle, x={"a": 1.0, "b": 3.0}, y=SAID_YES), label("a", "yes")])
    report = report_of(log, models, as_of=NOON + HOUR)
    counted = report.coverage
    assert (counted.counts.calls, counted.reconciliation.conflicting_ids) == (2, 1)
    assert accuracy(report) == 1.0


def test_an_instance_that_a_client_sent_again_is_another_call_and_no_conflict(
    log: Log, models: Path, bundle: str
) -> None:
    for at_s in (NOON, NOON + 5):
        log.append(NOON, [score("a", at_s, bundle=bundle, y=SAID_YES)])
    log.append(NOON, [label("a", "yes")])
    report = report_of(log, models, as_of=NOON + HOUR)
    assert (report.coverage.counts.calls, report.coverage.reconciliation.conflicting_ids) == (2, 0)
    assert (report.coverage.reconciliation.repeated_ids, report.performance.labels.labelled) == (1, 1)
