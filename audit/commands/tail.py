"""`python -m audit tail`: the newest records."""

from __future__ import annotations

import argparse

from audit import display
from audit.browse import Filter, newest
from audit.commands.arguments import Commands, add_command, positive
from audit.connect import Stores


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "tail", _run, "the newest records", times=False)
    parser.add_argument("-n", type=positive, default=10, help="how many (default 10)")
    parser.add_argument("--model", help="only records of this model")


def _run(stores: Stores, options: argparse.Namespace) -> int:
    records = list(newest(stores.log, Filter(model=options.model), options.n))[::-1]
    count = display.print_json(records) if options.json else display.print_table(records)
    if not count:
        display.say("audit: the log has no records")
    return 0 if count else 1
