"""The list of a model's reports with the history of its verdicts, and the page for what is not there.

All of it is read from the reports' entries: no report is opened for its list.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from evaluation.pages import numbers
from evaluation.pages.plots.history import Day, history
from evaluation.pages.render import markup, render
from evaluation.report_format import ReportEntry
from evaluation.stored_report import DamagedReport
from evaluation.windows import window_id

SHOWN = 400  # windows of the list
EARLIER = 30  # older reports on a window that are linked
SECTIONS = ("coverage", "performance", "profiling", "drift")


@dataclass(frozen=True)
class Command:
    """Something a reader can type, and what it does."""

    text: str
    does: str


@dataclass(frozen=True)
class Covered:
    """One window: its newest report, and those that were made before."""

    newest: ReportEntry
    earlier: list[ReportEntry]


def reports_page(model: str, entries: list[ReportEntry], *, code: str | None = None) -> str:
    """A model's reports by window, the newest first; with none, how to make one."""
    covered, sections = _by_window(entries), _sections(entries)
    days = _days(covered)
    return render(
        "reports.html.j2",
        served=True,
        code=code,
        model=model,
        covered=covered[:SHOWN],
        left_out=max(0, len(covered) - SHOWN),
        sections=sections,
        strip=markup(history(days, sections, "Verdicts day by day")) if len(days) > 1 else None,
        since=alerting_since(days, sections),
        most_earlier=EARLIER,
        window=numbers.window,
        commands=report_commands(model),
    )


def alerting_since(days: Sequence[Day], sections: Sequence[str]) -> list[str]:
    """For each section that alerts on its last day with a verdict: since which day it has done so on every such day.

    >>> days = [Day(date(2026, 11, n), {"drift": level}) for n, level in ((13, "ok"), (14, "alert"), (16, "alert"))]
    >>> alerting_since(days, ["drift"])
    ['Drift alerts since 14 Nov 2026, on each of the last 2 days that have a verdict.']
    """
    told = []
    for section in sections:
        judged = [one for one in days if one.levels.get(section, "no data") != "no data"]
        quiet = [place for place, one in enumerate(judged) if one.levels[section] != "alert"]
        run = judged[quiet[-1] + 1 :] if quiet else judged
        if run:
            since = f"{section.capitalize()} alerts since {run[0].day.day} {run[0].day:%b %Y}"
            each = (
                f"each of the last {len(run)} days that have a verdict" if len(run) > 1 else "the last with a verdict"
            )
            told.append(f"{since}, on {each}.")
    return told


def _by_window(entries: Sequence[ReportEntry]) -> list[Covered]:
    """By window, the newest `as_of` of each first; windows by their end, then the shorter ones first."""
    groups: dict[str, list[ReportEntry]] = {}
    for entry in sorted(entries, key=lambda entry: entry.as_of, reverse=True):
        groups.setdefault(window_id(entry.window), []).append(entry)
    covered = [Covered(group[0], group[1:]) for group in groups.values()]
    return sorted(covered, key=lambda one: (one.newest.window.until, one.newest.window.since), reverse=True)


def _sections(entries: Sequence[ReportEntry]) -> list[str]:
    """In the order of a report; one that this page has no order for comes last."""
    others = {name for entry in entries for name in entry.verdicts} - set(SECTIONS)
    return [*SECTIONS, *sorted(others)]


def _days(covered: Sequence[Covered]) -> list[Day]:
    """The newest report of each day, in order."""
    found = [one.newest for one in covered if one.newest.window.kind == "day"]
    days = [
        Day(
            date.fromisoformat(entry.window.since[:10]),
            {name: verdict.level for name, verdict in entry.verdicts.items()},
        )
        for entry in found
    ]
    return sorted(days, key=lambda one: one.day)


def missing_page(title: str, sentence: str, commands: list[Command] | None = None, *, code: str | None = None) -> str:
    """Says what is not there, why that may be, and what to do about it."""
    return render("missing.html.j2", served=True, code=code, title=title, sentence=sentence, commands=commands or [])


def no_report_page(model: str, *, code: str | None = None) -> str:
    """For a model whose first report is yet to be made."""
    sentence = (
        "Reports are made at the seventh minute of each hour for the hours that are over. "
        "You need not wait: this makes one of everything scored so far."
    )
    return missing_page(f"No report on {model} yet", sentence, report_commands(model)[:1], code=code)


def damaged_report_page(problem: DamagedReport, *, code: str | None = None) -> str:
    """For a report that is stored and cannot be read."""
    commands = [Command(problem.command, "builds it again from the log")]
    return missing_page("This report is damaged", f"{problem}.", commands, code=code)


def report_commands(model: str) -> list[Command]:
    """How to make a report by hand."""
    named = f"--model {shlex.quote(model)}"
    return [
        Command(f"python -m evaluation report {named}", "makes a report of what the log holds by now"),
        Command(f"python -m evaluation report {named} --window week", "makes one of the newest week"),
        Command(f"python -m evaluation compare {named} --challengers", "puts champion and challengers side by side"),
    ]
