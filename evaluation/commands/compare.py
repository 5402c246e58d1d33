"""`python -m evaluation compare`: two versions, two windows, or the champion and its challengers side by side."""

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
from evaluation.comparison import compare_challengers, compare_versions, compare_windows
from evaluation.evidence import collect
from evaluation.format.comparison import Comparison, encode_comparison
from evaluation.report import Evidence
from evaluation.report_format import Window
from evaluation.windows import named_window

_TEACHES = """examples:
  python -m evaluation compare --model wine --versions 1 2
  python -m evaluation compare --model wine --versions 1 2 --since 7d
  python -m evaluation compare --model wine --windows 2026-11-16 2026-11-23
  python -m evaluation compare --model wine --windows 2026-W46 2026-W47
  python -m evaluation compare --model wine --windows \\
      2026-11-01..2026-11-14 2026-11-14..2026-11-24
  python -m evaluation compare --model wine --challengers --out side-by-side

The first is the measure: the second alerts where it is worse than the first by
more than the figure's margin, and warns where it is worse beyond chance. Of two
windows the second's distributions are compared with the first's.

A window is written as a day (2026-11-23), an ISO week (2026-W47), an hour
(2026-11-23T14), or from..to, in whole hours."""


def add(commands: Commands) -> None:
    """Add the command."""
    what = "versions, windows, or champion and challengers side by side"
    parser = add_command(commands, "compare", _run, what, _TEACHES)
    parser.add_argument("--model", required=True, help="name of the model")
    sides = parser.add_mutually_exclusive_group(required=True)
    sides.add_argument("--versions", nargs=2, metavar=("A", "B"), help="two versions of the model, in one window")
    sides.add_argument("--windows", nargs=2, metavar=("A", "B"), help="two windows, each written as below")
    sides.add_argument("--challengers", action="store_true", help="the champion and its challengers, in one window")
    add_window(parser, "default: all")
    parser.add_argument(
        "--as-of", type=when, metavar="TIME", help="count labels and records known by then (default: now)"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="also write comparison.json and comparison.html there"
    )
    parser.add_argument("--json", action="store_true", help="print the comparison as JSON")
    add_fail_on(parser)


def _run(place: Workplace, options: argparse.Namespace) -> int:
    now = time.time() if options.as_of is None else options.as_of
    with terminal.progress_bar("reading hours") as progress:
        found = _compared(place, options, now, progress)
    write_output(options.out, "comparison", encode_comparison(found), lambda: _page(found))
    if options.json:
        sys.stdout.write(encode_comparison(found).decode())
    else:
        terminal.print_comparison(found)
    return exit_code(found.verdict.level, options)


def _compared(place: Workplace, options: argparse.Namespace, now: float, progress: terminal.Progressing) -> Comparison:
    references = place.references(options.model)

    def evidence(window: Window) -> Evidence:
        return collect(place.log, place.derived, references, options.model, window, timestamp(now), progress)

    if options.windows:
        given = {"--window": options.window, "--since": options.since, "--until": options.until}
        given["--since-version"] = options.since_version
        beside = next((name for name, value in given.items() if value is not None), None)
        if beside:
            raise ValueError(f"{beside} has no place beside --windows, which names both: leave one of them out")
        windows = [named_window(text, now) for text in options.windows]
        first, second = (evidence(window) for window in windows)
        return compare_windows(first, second, place.thresholds)
    window = window_of(place.log, place.derived, options, now, default="all", progress=progress)
    if options.challengers:
        return compare_challengers(evidence(window), place.thresholds)
    return compare_versions(evidence(window), options.versions, place.thresholds)


def _page(found: Comparison) -> str:
    from evaluation.pages.side_by_side import side_by_side_page

    return side_by_side_page(found)
