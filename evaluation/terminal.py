"""A report in a few lines on a terminal. Names come from outside, so they are shown escaped and never as markup."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from evaluation.report_format import Audit, Report, section_verdicts

MOST_CONVERGENCE = 3
MOST_FINDINGS = 5
_STYLES = {"ok": "green", "warn": "yellow", "alert": "bold red", "no data": "dim"}


def print_report(report: Report) -> None:
    """What it covers, whether the fit had converged, the verdicts by section, and what the sources lack."""
    console = Console()
    state = " (provisional)" if report.provisional else ""
    console.print(plain(f"{report.model.name} {report.model.version}, {_covers(report)}{state}"))
    for note in report.model.convergence[:MOST_CONVERGENCE]:
        console.print(plain(f"not converged: {note}", "yellow"))
    if len(report.model.convergence) > MOST_CONVERGENCE:
        console.print(plain(f"not converged: {len(report.model.convergence) - MOST_CONVERGENCE} more", "yellow"))
    table = Table(box=None, pad_edge=False, show_header=False)
    for name in ("section", "level", "sentence"):
        table.add_column(name, overflow="fold")
    for section, verdict in section_verdicts(report).items():
        table.add_row(section, Text(verdict.level, _STYLES[verdict.level]), plain(verdict.sentence))
    console.print(table)
    if report.audit is not None:
        _print_audit(console, report.audit)
    for finding in report.sources.findings:
        console.print(plain(f"{finding.blob}: {finding.what}", "red"))


def _print_audit(console: Console, audit: Audit) -> None:
    """What alarmed: the first findings in the log, and replays that differ; the page and report.json have the rest."""
    for finding in audit.integrity.findings[:MOST_FINDINGS]:
        console.print(plain(f"{finding.blob}: {finding.what}", "red"))
    if audit.integrity.findings_total > MOST_FINDINGS:
        more = audit.integrity.findings_total - MOST_FINDINGS
        console.print(plain(f"{more:,} more in the log of this window: python -m audit verify", "red"))
    for one in audit.replay.differing:
        style = "red" if one.verdict == "different" else "yellow"
        console.print(plain(f"replay of {one.id}: {one.verdict}: {one.sentence}", style))


def _covers(report: Report) -> str:
    if report.occasion == "preproduction":
        rows = report.coverage.counts.calls
        return f"before production: {rows:,} test row{'' if rows == 1 else 's'}"
    window = f"{_brief(report.window.since)} to {_brief(report.window.until)}"
    return f"{window}, as of {_brief(report.as_of)}"


def _brief(timestamp: str) -> str:
    """To the second, and only the date at midnight; JSON and page say it in full.

    >>> _brief("2026-11-23T19:01:02.114054Z"), _brief("2026-11-24T00:00:00Z")
    ('2026-11-23T19:01:02Z', '2026-11-24')
    """
    return f"{timestamp[:19]}Z".removesuffix("T00:00:00Z")


def say(message: str) -> None:
    """One line for the person at the terminal, beside the output proper."""
    Console(stderr=True).print(plain(message))


def plain(text: str, style: str = "") -> Text:
    """Text as it is, with what a terminal would obey shown as an escape."""
    safe = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
    return Text(safe, style)


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int, str], None] | None]:
    """A bar on standard error when that is a terminal; else None, and nothing is printed."""
    if not sys.stderr.isatty():
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total, name: bar.update(task, completed=done, total=total, description=f"{what} {name}")
