"""Reports are held to what was planted: two fortnights through the whole pipeline, and the counting by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from evaluation.report_format import Report
from tests.evaluation.example_report import example_report
from tests.training.credit.conftest import PER_DAY, SEED, Fortnight
from training.credit.check import DayResult, Tally, alerted, check_seed, judged, tally
from training.credit.faults import FAULTS, SECTIONS, Fault
from training.credit.schedule import Day

replace = msgspec.structs.replace


@pytest.mark.slow
def test_each_planted_fault_is_named_and_clean_sections_stay_quiet(fortnight: Fortnight, credit_models: Path) -> None:
    found = tally([*fortnight.results, *check_seed(credit_models, SEED + 1, PER_DAY)])
    assert (found.named, found.planted) == (16, 16), found.faults
    assert found.false == []
    assert found.clean == 2 * (6 * len(SECTIONS) + 14), "every section had enough to judge, on every day"
    assert found.holds


def report(*alerting: str, **names: str) -> Report:
    """A report on which these sections alert, and of each these features or requirements."""
    made = example_report()
    for section in SECTIONS:
        part: Any = getattr(made, section)
        level = "alert" if section in alerting else "ok"
        lists = {name: [replace(each, level="ok") for each in getattr(part, name)] for name in LISTS.get(section, ())}
        if section in names:
            first, *others = lists[LISTS[section][0]]
            lists[LISTS[section][0]] = [replace(first, level="alert", name=names[section]), *others]
        made = replace(made, **{section: replace(part, verdict=replace(part.verdict, level=level), **lists)})
    return made


LISTS = {"coverage": ("features",), "drift": ("features",), "profiling": ("requirements",)}


def fault(name: str) -> Fault:
    return next(each for each in FAULTS if each.name == name)


def day(name: str | None) -> Day:
    return Day(3, fault(name) if name else None)


def test_a_fault_in_a_feature_is_named_by_its_section_and_its_feature() -> None:
    missing = day("feature missing")
    assert judged(1, missing, report("coverage", coverage="income")).named
    assert not judged(1, missing, report("coverage", coverage="age")).named, "another feature"
    assert not judged(1, missing, report("drift", drift="income")).named, "another section"
    assert not judged(1, missing, report(coverage="income")).named, "a section that does not alert"


def test_a_fault_in_no_feature_needs_only_its_section_to_alert() -> None:
    assert judged(1, day("concept drift"), report("performance")).named
    assert not judged(1, day("concept drift"), report("drift")).named
    assert judged(1, day("slow period"), report("profiling", profiling="p99_ms")).named
    assert not judged(1, day("slow period"), report("profiling", profiling="cold_start_ms")).named


def test_an_alert_without_a_reason_is_false_and_one_that_follows_from_the_fault_is_not() -> None:
    missing = judged(1, day("feature missing"), report("coverage", "drift", "performance", "profiling"))
    assert missing.false == ("profiling",)
    assert missing.clean == ("profiling",)
    usual = judged(1, day(None), report("drift"))
    assert (usual.named, usual.false, usual.clean) == (False, ("drift",), SECTIONS)
    assert usual.told == "seed 1, day 4 (clean)"
    quiet = judged(1, day("slow period"), report("profiling", profiling="p99_ms"))
    assert (quiet.named, quiet.false, quiet.clean) == (True, (), ("coverage", "performance", "drift"))


def test_a_section_that_could_not_judge_is_not_clean() -> None:
    made = report()
    silent = replace(made, drift=replace(made.drift, verdict=replace(made.drift.verdict, level="no data")))
    assert judged(1, day(None), silent).clean == ("coverage", "performance", "profiling")


def test_only_what_alerts_is_named() -> None:
    assert alerted(report("drift", "coverage", drift="amount", coverage="income")) == {"amount", "income"}
    assert alerted(report("drift")) == set()


@pytest.mark.parametrize(
    ("named", "planted", "false", "clean", "holds"),
    [(19, 20, 0, 100, True), (18, 20, 0, 100, False), (20, 20, 1, 100, True), (20, 20, 1, 99, False)],
)
def test_it_holds_from_95_of_100_named_and_to_1_false_in_100(
    named: int, planted: int, false: int, clean: int, holds: bool
) -> None:
    assert Tally({"any": (named, planted)}, ["one"] * false, {"drift": (false, clean)}).holds == holds


def test_days_of_many_seeds_add_up() -> None:
    unit, usual = day("unit change"), day(None)
    found = tally(
        [
            DayResult(1, unit, True, (), ("profiling",)),
            DayResult(2, unit, False, ("profiling",), ("profiling",)),
            DayResult(2, usual, False, ("drift", "coverage"), SECTIONS),
        ]
    )
    assert found.faults["unit change"] == (1, 2)
    assert found.faults["slow period"] == (0, 0)
    assert (found.named, found.planted, found.clean) == (1, 2, 6)
    assert found.sections == {"coverage": (1, 1), "performance": (0, 1), "profiling": (1, 3), "drift": (1, 1)}
    assert found.false[0] == "seed 2, day 4 (unit change): profiling"
