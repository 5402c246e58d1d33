"""`python -m audit find`: the records that match, and the options by which other commands choose records too."""

from __future__ import annotations

import argparse
import sys

from audit import display
from audit.browse import Filter, newest
from audit.commands.arguments import WHERE_CUT, Commands, add_command, count, within, word
from audit.connect import Stores
from audit.errors import Refused
from audit.record_words import KINDS, OUTCOMES, OUTCOMES_OF, REASONS, contradiction
from audit.wording import counted, listed

_EPILOG = f"""examples:
  python -m audit find --model wine --outcome abstained --since 2h
  python -m audit find --kind score --reason missing_required --limit 0
  python -m audit find --kind note --json | jq .record.y

{WHERE_CUT}
docs/scoring.md explains outcomes and reasons.
Exit codes: 0 found, 1 no record matches, 2 could not run."""


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "find", _run, "records that match, newest first", _EPILOG)
    add_filter(parser)
    parser.add_argument("--limit", type=count, metavar="N", default=100, help="at most so many (default 100; 0 is all)")


def add_filter(parser: argparse.ArgumentParser) -> None:
    """The options that `filter_of` reads, beside `--since` and `--until`."""
    parser.add_argument("--model", help="only records of this model")
    parser.add_argument("--kind", type=word(KINDS), help=f"only records of this kind: {listed(KINDS)}")
    outcomes = {kind: listed(OUTCOMES_OF[kind]) for kind in ("score", "label")}
    told = f"of scores: {outcomes['score']}; of labels: {outcomes['label']}"
    parser.add_argument("--outcome", type=word(OUTCOMES), help=told)
    parser.add_argument("--reason", type=word(REASONS), help="a word of docs/scoring.md, such as missing_required")


def filter_of(options: argparse.Namespace) -> Filter:
    """What the options ask for; raises `Refused` if no record can be so."""
    problem = contradiction(options.kind, options.outcome)
    if problem:
        raise Refused(f"--{problem}")
    return Filter(
        model=options.model,
        kind=options.kind,
        outcome=options.outcome,
        reason=options.reason,
        since_s=options.since,
        until_s=options.until,
    )


def _run(stores: Stores, options: argparse.Namespace) -> int:
    limit, wanted = options.limit or sys.maxsize - 1, filter_of(options)
    with display.progress_bar("reading hours", wanted=not options.json) as progress:
        records = list(newest(stores.log, wanted, limit + 1, progress))
    shown = records[:limit]
    found = display.print_json(shown) if options.json else display.print_table(shown)
    if len(records) > limit:
        display.say(f"audit: more match; shown: the newest {counted(limit, 'record')}, --limit 0 shows all")
    if not found:
        display.say(f"audit: no record matches{within(options)}")
    return 0 if found else 1
