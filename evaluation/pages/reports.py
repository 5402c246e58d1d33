"""The list of a model's reports, and the page for what is not there."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from evaluation.pages import numbers
from evaluation.pages.render import render
from evaluation.report_format import ReportEntry
from evaluation.stored_report import DamagedReport

SHOWN = 400  # lines of the list


@dataclass(frozen=True)
class Command:
    """Something a reader can type, and what it does."""

    text: str
    does: str


def reports_page(model: str, entries: list[ReportEntry], *, code: str | None = None) -> str:
    """A model's reports, newest first as given; with none, how to make one."""
    return render(
        "reports.html.j2",
        served=True,
        code=code,
        model=model,
        entries=entries[:SHOWN],
        left_out=max(0, len(entries) - SHOWN),
        window=numbers.window,
        commands=report_commands(model),
    )


def missing_page(title: str, sentence: str, commands: list[Command] | None = None, *, code: str | None = None) -> str:
    """Says what is not there, why that may be, and what to do about it."""
    return render("missing.html.j2", served=True, code=code, title=title, sentence=sentence, commands=commands or [])


def no_report_page(model: str, *, code: str | None = None) -> str:
    """For a model whose first report is yet to be made."""
    sentence = (
        "Reports are made at the seventh minute of each hour for the hours that are over. "
        "You need not wait: this makes one of everything scored so far."
    )
    return missing_page(f"No report on {model} yet", sentence, report_commands(model), code=code)


def damaged_report_page(problem: DamagedReport, *, code: str | None = None) -> str:
    """For a report that is stored and cannot be read."""
    commands = [Command(problem.command, "builds it again from the log")]
    return missing_page("This report is damaged", f"{problem}.", commands, code=code)


def report_commands(model: str) -> list[Command]:
    """How to make a report by hand."""
    return [
        Command(
            f"python -m evaluation report --model {shlex.quote(model)}", "makes a report of what the log holds by now"
        )
    ]
