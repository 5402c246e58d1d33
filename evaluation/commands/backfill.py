"""`python -m evaluation backfill` and `profile`: what the hourly timer does, for any stretch of the log."""

from __future__ import annotations

import argparse
import time

from evaluation import terminal
from evaluation.commands.arguments import Commands, Workplace, add_command, add_fail_on, add_stretch, exit_code
from evaluation.hourly import Run, backfill
from evaluation.pages.numbers import counted
from evaluation.verdicts import worst

_TEACHES = """examples:
  python -m evaluation backfill --since 2026-11-01     hours, days and reports
  python -m evaluation profile --since 2h              hours only, no reports

Works on every hour that is over: seals it, makes Parquet and profiles of it,
and writes the report of each day with records; a day whose instances got labels
in these hours gets a fresh one. What is done already is not done again. An hour
or a blob that cannot be dealt with keeps no other waiting: it is named at the
end, the exit code is 1, and the next run tries it again."""

_PROBLEMS_SHOWN = 20


def add(commands: Commands) -> None:
    """Add both commands."""
    filled = add_command(
        commands, "backfill", _run, "seal, compact, profile and report every hour that is over", _TEACHES
    )
    profiled = add_command(commands, "profile", _run, "seal, compact and profile, without reports", _TEACHES)
    filled.set_defaults(reports=True)
    profiled.set_defaults(reports=False)
    for parser in (filled, profiled):
        add_stretch(parser)
    add_fail_on(filled)
    profiled.set_defaults(fail_on="alert")


def _run(place: Workplace, options: argparse.Namespace) -> int:
    with terminal.progress_bar("working on") as progress:
        done = backfill(
            place.log,
            place.derived,
            place.models,
            time.time(),
            since_s=options.since,
            until_s=options.until,
            thresholds=place.thresholds,
            reports=options.reports,
            progress=progress,
            means=place.means,
        )
    _tell(done, options.reports)
    return 1 if done.problems else exit_code(worst(entry.level for entry in done.reports), options)


def _tell(done: Run, reports: bool) -> None:
    told = [f"{counted(len(done.hours), 'hour')} worked on", f"{counted(done.blobs, 'blob')} compacted and profiled"]
    if reports:
        told.append(f"{counted(len(done.reports), 'report')} written")
    terminal.say(f"evaluation: {', '.join(told)}")
    for problem in done.problems[:_PROBLEMS_SHOWN]:
        terminal.say(f"evaluation: {problem}")
    if len(done.problems) > _PROBLEMS_SHOWN:
        terminal.say(f"evaluation: {counted(len(done.problems) - _PROBLEMS_SHOWN, 'more problem')}")
