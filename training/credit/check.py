"""Holds the reports of a fortnight to what was planted in it, for one seed or many.

A fault-day is named when the section that must notice alerts and, where the fault sits in a feature, lists that feature
among what alerts. A section-day is clean when nothing was planted that the section must or may notice; an alert there
is a false one. A section that saw too little to judge is not clean, for its silence proves nothing. A warning is
neither: it asks somebody to look, and wakes nobody.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import joblib

from audit.connect import Stores
from audit.memory_store import MemoryStore
from evaluation.report_format import Report
from evaluation.report_store import read_report
from evaluation.windows import DAY_S, day_window, report_id, second
from training.credit.estimates import Estimated, estimates
from training.credit.faults import FAULTS, SECTIONS, Section
from training.credit.model import NAME
from training.credit.player import Player
from training.credit.schedule import Day, days

FIRST_DAY_S = 1_793_577_600.0  # 2026-11-02
LEAST_NAMED = 0.95
MOST_FALSE = 0.01


@dataclass(frozen=True)
class DayResult:
    """What the report of one day said."""

    seed: int
    day: Day
    named: bool  # of a fault-day: by the right section
    false: tuple[Section, ...]  # sections that alerted without a reason
    clean: tuple[Section, ...]  # sections that judged, and had no reason to
    estimated: tuple[Estimated, ...] = ()

    @property
    def planted(self) -> str:
        """The fault, or `clean`."""
        return self.day.fault.name if self.day.fault else "clean"

    @property
    def told(self) -> str:
        """The day in a few words."""
        return f"seed {self.seed}, day {self.day.number + 1} ({self.planted})"


def check_seeds(models: Path, seeds: Sequence[int], per_day: int, workers: int) -> Iterator[list[DayResult]]:
    """The results of each seed, as they come in."""
    with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
        parallel = joblib.Parallel(n_jobs=workers, return_as="generator_unordered")
        yield from parallel(joblib.delayed(check_seed)(models, seed, per_day) for seed in seeds)


def check_seed(models: Path, seed: int, per_day: int, stores: Stores | None = None) -> list[DayResult]:
    """Play a seed's fortnight, in memory unless told where, and judge the report that the timer's code makes of each
    day."""
    logging.getLogger("hyperplane.evaluation").setLevel(logging.ERROR)  # verdicts are judged here, not announced
    stores = stores or Stores(MemoryStore(), MemoryStore())
    player = Player(models, stores.log, stores.derived, FIRST_DAY_S, seed, per_day)
    results = []
    for day in days(seed):
        run = player.play(day)
        start = FIRST_DAY_S + day.number * DAY_S
        report = read_report(stores.derived, NAME, report_id(day_window(start), second(start + DAY_S)))
        if report is None or run.problems:
            problems = "; ".join(run.problems) or "there is none"
            raise ValueError(f"no whole report of day {day.number + 1} of seed {seed}: {problems}")
        results.append(judged(seed, day, report))
    return results


def judged(seed: int, day: Day, report: Report) -> DayResult:
    """What a report is worth against the truth."""
    fault = day.fault
    levels = {section: getattr(report, section).verdict.level for section in SECTIONS}
    alerting = [section for section in SECTIONS if levels[section] == "alert"]
    excused = {fault.section, *fault.may_alert} if fault else set()
    named = fault is not None and fault.section in alerting and (not fault.names or fault.names in alerted(report))
    return DayResult(
        seed=seed,
        day=day,
        named=named,
        false=tuple(section for section in alerting if section not in excused),
        clean=tuple(section for section in SECTIONS if section not in excused and levels[section] != "no data"),
        estimated=estimates(report),
    )


def alerted(report: Report) -> set[str]:
    """Names of the features and requirements that alert in any section."""
    rates = {each.name for each in report.coverage.features if each.level == "alert"}
    drifts = {each.name for each in report.drift.features if each.level == "alert"}
    return rates | drifts | {each.name for each in report.profiling.requirements if each.level == "alert"}


@dataclass(frozen=True)
class Tally:
    """The counts of many days."""

    faults: dict[str, tuple[int, int]]  # fault → days on which it was named, days on which it was planted
    false: list[str]
    sections: dict[Section, tuple[int, int]]  # section → false alerts in it, days on which it was clean

    @property
    def named(self) -> int:
        """Fault-days that were named by the right section."""
        return sum(named for named, _ in self.faults.values())

    @property
    def planted(self) -> int:
        """Fault-days."""
        return sum(planted for _, planted in self.faults.values())

    @property
    def clean(self) -> int:
        """Section-days on which an alert would be a false one."""
        return sum(clean for _, clean in self.sections.values())

    @property
    def holds(self) -> bool:
        """Whether 95 % of the fault-days were named, and at most one clean section-day in a hundred alerted."""
        return self.named >= LEAST_NAMED * self.planted and len(self.false) <= MOST_FALSE * self.clean


def tally(results: Sequence[DayResult]) -> Tally:
    """Add up days of any seeds."""
    faults = {
        fault.name: (
            sum(each.named for each in results if each.day.fault == fault),
            sum(each.day.fault == fault for each in results),
        )
        for fault in FAULTS
    }
    return Tally(
        faults=faults,
        false=[f"{each.told}: {section}" for each in results for section in each.false],
        sections={
            section: (
                sum(section in each.false for each in results),
                sum(section in each.clean for each in results),
            )
            for section in SECTIONS
        },
    )
