"""A label that comes days later leads to a fresh report of the day that it belongs to, once, however runs end."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit.memory_store import MemoryStore
from evaluation.hourly import Run, run_due
from evaluation.late_labels import DAYS_BACK
from evaluation.report_store import list_reports, read_report, read_report_json
from tests.evaluation import workshop
from tests.evaluation.workshop import HOUR, FailingStore, Log, label, make_bundle, names, score

DAY = 24 * HOUR
NOON = workshop.NOON - 30 * DAY  # 2026-10-24T12:00:00Z: nothing here may lie in the future
LATER = NOON + 3 * DAY
SAID_YES = {"label": "yes", "probabilities": {"no": 0.1, "yes": 0.9}}
OF_ITS_DAY = "day-2026-10-24-20261025T000000Z"
FRESH = "day-2026-10-24-20261027T130000Z"


@pytest.fixture
def bundle(models: Path) -> str:
    return make_bundle(models).sha256


def scored_and_reported(log: Log, derived: MemoryStore, models: Path, bundle: str) -> None:
    """One instance on a day, and that day's report."""
    log.append(NOON, [score("a", NOON, bundle=bundle, y=SAID_YES)])
    run_due(log.store, derived, models, NOON + 13 * HOUR)


def labelled(log: Log, derived: MemoryStore, models: Path, name: str = "a", at_s: float = LATER) -> Run:
    """A label for it in another hour, and the run that finds it."""
    log.append(at_s, [label(name, "yes", at_s)])
    return run_due(log.store, derived, models, at_s + HOUR + 301)


def ids(derived: MemoryStore) -> set[str]:
    return {entry.id for entry in list_reports(derived, "toy")}


def test_the_day_gets_a_fresh_report_as_of_the_hour_of_its_labels_and_the_old_one_stays(
    log: Log, derived: MemoryStore, models: Path, bundle: str
) -> None:
    scored_and_reported(log, derived, models, bundle)
    before = read_report_json(derived, "toy", OF_ITS_DAY)
    run = labelled(log, derived, models)
    assert FRESH in {entry.id for entry in run.reports}
    fresh = read_report(derived, "toy", FRESH)
    assert fresh is not None
    assert (fresh.performance.labels.labelled, fresh.provisional) == (1, False)
    assert read_report_json(derived, "toy", OF_ITS_DAY) == before


def test_it_is_made_once(log: Log, derived: MemoryStore, models: Path, bundle: str) -> None:
    scored_and_reported(log, derived, models, bundle)
    labelled(log, derived, models)
    stored = names(derived)
    again = run_due(log.store, derived, models, LATER + 5 * HOUR)
    assert again.reports == []
    assert names(derived) == stored


@pytest.mark.parametrize("name", ["nobody", "today"])
def test_labels_of_other_instances_make_no_report_of_that_day_anew(
    log: Log, derived: MemoryStore, models: Path, bundle: str, name: str
) -> None:
    scored_and_reported(log, derived, models, bundle)
    log.append(LATER, [score("today", LATER, bundle=bundle)])
    labelled(log, derived, models, name)
    assert {id for id in ids(derived) if id.startswith("day-2026-10-24")} == {OF_ITS_DAY}


def test_a_label_of_a_day_beyond_the_bound_leaves_it_alone(
    log: Log, derived: MemoryStore, models: Path, bundle: str
) -> None:
    scored_and_reported(log, derived, models, bundle)
    labelled(log, derived, models, at_s=NOON + (DAYS_BACK + 1) * DAY)
    assert {id for id in ids(derived) if id.startswith("day-2026-10-24")} == {OF_ITS_DAY}
    labelled(log, derived, models, at_s=NOON + DAYS_BACK * DAY)
    assert len({id for id in ids(derived) if id.startswith("day-2026-10-24")}) == 2


def test_killed_after_any_write_the_next_run_ends_in_the_same_bytes(models: Path, bundle: str) -> None:
    def again() -> Log:
        log = Log()
        log.close(log.append(NOON, [score("a", NOON, bundle=bundle, y=SAID_YES)]))
        log.append(LATER, [label("a", "yes", LATER), score("b", LATER, bundle=bundle)])
        return log

    log, whole = again(), MemoryStore()
    run_due(log.store, whole, models, NOON + 13 * HOUR)
    had = names(whole)
    run_due(log.store, whole, models, LATER + HOUR + 301)
    expected = names(whole)
    for puts in range(0, len(expected) - len(had) + 2, 3):
        log, derived = again(), MemoryStore()
        for name, data in had.items():
            derived.put(name, data, overwrite=True)
        try:
            run_due(log.store, FailingStore(derived, puts), models, LATER + HOUR + 301)
        except KeyboardInterrupt:
            run_due(log.store, derived, models, LATER + HOUR + 301)
        assert names(derived) == expected, f"killed after {puts} writes"


def test_labels_that_cannot_be_followed_are_a_problem_and_keep_no_report_waiting(
    log: Log, derived: MemoryStore, models: Path, bundle: str
) -> None:
    scored_and_reported(log, derived, models, bundle)

    class NoMarker(FailingStore):
        def put(self, name: str, data: bytes, **more: object) -> None:
            if name.startswith("profiles/labelled/"):
                raise ValueError("refused")
            self.store.put(name, data, **more)  # type: ignore[arg-type]

    log.append(LATER, [label("a", "yes", LATER), score("b", LATER, bundle=bundle)])
    run = run_due(log.store, NoMarker(derived, 0), models, LATER + HOUR + 301)
    assert any("which earlier days got labels" in problem for problem in run.problems)
    assert [entry.window.since[:10] for entry in run.reports] == ["2026-10-27"]
