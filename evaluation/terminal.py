"""A report in a few lines on a terminal. Names come from outside, so they are shown escaped and never as markup."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from evaluation.format.comparison import Comparison, Side
from evaluation.pages import numbers
from evaluation.report_format import Audit, Report, section_verdicts

type Progressing = Callable[[int, int, str], None] | None
MOST_CONVERGENCE = 3
MOST_FINDINGS = 5
_STYLES = {"ok": "green", "warn": "yellow", "alert": "bold red", "no data": "dim"}


def print_report(report: Report) -> None:
    """What it covers, whether the fit had converged, the verdicts by section, since when, and what the sources lack."""
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
    for course in (*report.performance.courses, *report.profiling.courses, *report.drift.courses):
        if course.sentence:
            console.print(plain(f"{course.title}: {course.sentence}"))
    if report.audit is not None:
        _print_audit(console, report.audit)
    for finding in report.sources.findings:
        console.print(plain(f"{finding.blob}: {finding.what}", "red"))


def print_comparison(found: Comparison) -> None:
    """The sides, each further one's figures beside the first's, run times, drift, and what they come to."""
    console = Console()
    state = " (provisional)" if found.provisional else ""
    console.print(plain(f"{found.model}, {found.kind} side by side, as of {_brief(found.as_of)}{state}"))
    for number, side in enumerate(found.sides, 1):
        verdicts = ", ".join(f"{name} {verdict.level}" for name, verdict in side.verdicts.items())
        calls = numbers.counted(side.counts.calls, "call")
        console.print(plain(f"{number}  {side.label}: {calls}{'; ' if verdicts else ''}{verdicts}"))
    for number, difference in enumerate(found.differences, 2):
        table = Table(box=None, pad_edge=False)
        for name, justify in (("", "left"), ("1", "right"), (str(number), "right"), ("worse?", "left")):
            table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
        for figure in difference.figures:
            write = numbers.percent if figure.name == "coverage" else numbers.number
            table.add_row(
                plain(figure.title),
                write(figure.before),
                write(figure.value),
                Text(figure.level, _STYLES[figure.level]),
            )
        for title, first, other in _times(found.sides[0], found.sides[number - 1]):
            table.add_row(title, first, other, "")
        console.print(table)
        if difference.drift:
            console.print(plain(f"drift between them: {difference.drift.verdict.sentence}"))
        level = Text(difference.verdict.level, _STYLES[difference.verdict.level])
        console.print(Text.assemble(level, " ", plain(difference.verdict.sentence)))
    for note in found.notes:
        console.print(plain(note, "dim"))


def _times(first: Side, other: Side) -> Iterator[tuple[str, str, str]]:
    """Quantiles of the stages that both have."""
    held = {stage.name: stage for stage in first.times}
    for stage in other.times:
        if stage.name in held and stage.name in ("total", "infer", "start"):
            name = {"total": "a request", "infer": "the model's run", "start": "cold start"}[stage.name]
            before = held[stage.name]
            yield f"99 % of {name}", numbers.milliseconds(before.p99_ms), numbers.milliseconds(stage.p99_ms)


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
