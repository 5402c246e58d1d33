"""`python -m audit show ID`: every record of one instance."""

from __future__ import annotations

import argparse

from audit import display
from audit.commands.arguments import Commands, add_command, within
from audit.connect import Stores
from audit.lookup import search

_EPILOG = """examples:
  python -m audit show patient-17
  python -m audit show patient-17 --model wine --json | jq .record.x
  python -m audit show patient-17 --scan        without the index of ids

Exit codes: 0 shown, 1 no record of that instance, 2 could not run."""


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "show", _run, "every record of one instance, oldest first", _EPILOG)
    parser.add_argument("id", metavar="ID", help="the instance's id, as it was sent or answered")
    parser.add_argument("--model", help="only records of this model")
    parser.add_argument("--scan", action="store_true", help="read the log itself, not where the index says the id is")


def _run(stores: Stores, options: argparse.Namespace) -> int:
    derived = None if options.scan else stores.derived
    with display.progress_bar("reading hours", wanted=not options.json) as progress:
        found = search(stores.log, options.id, options.model, options.since, options.until, derived, progress=progress)
        records = sorted(found, key=lambda pair: (pair[0].ts, pair[1]))
    count = display.print_json(records) if options.json else display.print_whole(records)
    if not count:
        whose = f" for model {options.model!r}" if options.model else " in the log"
        display.say(f"audit: no record of an instance with the id {options.id!r}{whose}{within(options)}")
    return 0 if count else 1
