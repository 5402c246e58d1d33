"""`python -m evaluation report`: one report on any window, stored where the service finds it."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from audit.records import timestamp
from evaluation import terminal
from evaluation.commands.arguments import Commands, Workplace, add_command, add_fail_on, exit_code, when
from evaluation.commands.output import write_output
from evaluation.commands.window_options import add_window, window_of
from evaluation.hourly import make_report, store_report
from evaluation.report_format import Report, encode_report

_TEACHES = """examples:
  python -m evaluation report --model wine             the newest day
  python -m evaluation report --model wine --window week
  python -m evaluation report --model wine --window day --since 2026-11-14
  python -m evaluation report --model wine --since-version 2
  python -m evaluation report --model wine --since 7d --out reports
  python -m evaluation report --model wine --window all --json

A report reads hours that are not over yet too, and is marked provisional then.
It is stored in the derived container: /models/wine/reports lists it. Made again
with the same --as-of it is the same to the byte, whatever came to the log
since."""


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "report", _run, "build, store and show one report", _TEACHES)
    parser.add_argument("--model", required=True, help="name of the model")
    add_window(parser, "default: the newest day")
    parser.add_argument(
        "--as-of", type=when, metavar="TIME", help="count labels and records known by then (default: now)"
    )
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="also write report.json and report.html there")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    add_fail_on(parser)


def _run(place: Workplace, options: argparse.Namespace) -> int:
    references = place.references(options.model)
    now = time.time() if options.as_of is None else options.as_of
    with terminal.progress_bar("reading hours") as progress:
        window = window_of(place.log, place.derived, options, now, progress=progress)
        report = make_report(
            place.log,
            place.derived,
            references,
            options.model,
            window,
            timestamp(now),
            place.thresholds,
            progress,
            means=place.means,
        )
    store_report(place.derived, report)
    write_output(options.out, "report", encode_report(report), lambda: _page(report))
    if options.json:
        sys.stdout.write(encode_report(report).decode())
    else:
        terminal.print_report(report)
    return exit_code(report.verdict.level, options)


def _page(report: Report) -> str:
    from evaluation.pages.report import report_page

    return report_page(report)
