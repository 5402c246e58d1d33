"""`python -m audit find`: the records that match, and the options by which other commands choose records too."""

from __future__ import annotations

import argparse
import sys

from audit import display
from audit.browse import Filter, newest
from audit.commands.arguments import Commands, add_command, count, within
from audit.connect import Stores


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "find", _run, "records that match, newest first")
    add_filter(parser)
    parser.add_argument("--limit", type=count, default=100, help="at most so many (default 100; 0 is all)")


def add_filter(parser: argparse.ArgumentParser) -> None:
    """The options that `filter_of` reads, beside `--since` and `--until`."""
    parser.add_argument("--model", help="only records of this model")
    parser.add_argument("--kind", choices=("score", "request_error", "label", "note"), help="only records of this kind")
    parser.add_argument("--outcome", help="scored, abstained, rejected, failed; labels: recorded, unmatched, rejected")
    parser.add_argument("--reason", help="with this reason, such as missing_required or wrong_type")


def filter_of(options: argparse.Namespace) -> Filter:
    """What the options ask for."""
    return Filter(
        model=options.model,
        kind=options.kind,
        outcome=options.outcome,
        reason=options.reason,
        since_s=options.since,
        until_s=options.until,
    )


def _run(stores: Stores, options: argparse.Namespace) -> int:
    limit = options.limit or sys.maxsize - 1
    with display.progress_bar("reading hours", wanted=not options.json) as progress:
        records = list(newest(stores.log, filter_of(options), limit + 1, progress))
    shown = records[:limit]
    found = display.print_json(shown) if options.json else display.print_table(shown)
    if len(records) > limit:
        display.say(f"audit: more records match; these are the newest {limit}, --limit 0 shows all")
    if not found:
        display.say(f"audit: no record matches{within(options)}")
    return 0 if found else 1
