"""`python -m audit index`: make the index of ids, by which an instance is found in a few reads."""

from __future__ import annotations

import argparse
import json
import time
from typing import TYPE_CHECKING

from audit import display
from audit.commands.arguments import Commands, add_command
from audit.connect import Stores
from audit.id_index import INDEX
from audit.layout import HOUR_S
from audit.reader import listed_blobs
from audit.wording import counted

if TYPE_CHECKING:
    from audit.id_upkeep import Upkeep

_DAY_S = 24 * HOUR_S
_EPILOG = f"""examples:
  python -m audit index
  python -m audit index --since 2026-11-01 --rebuild

The hourly timer keeps the index by itself, 48 hours back; this does the same
for any time: after an upgrade, after a long outage, or for a log from
elsewhere. The index lies in the derived container under {INDEX} and can
be made anew from the log at any time. Nothing depends on it but speed: what it
does not cover is read from the log, as are blobs that are still open. --since
and --until are rounded out to whole days.
Exit codes: 0 done, 1 something could not be indexed, 2 could not run."""


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "index", _run, "make the index by which ids are found", _EPILOG)
    parser.add_argument("--rebuild", action="store_true", help="remove what there is of those days, and make it anew")


def _run(stores: Stores, options: argparse.Namespace) -> int:
    from audit.id_upkeep import keep_index  # numpy, which no other command waits for

    since_s = None if options.since is None else options.since // _DAY_S * _DAY_S
    until_s = None if options.until is None else -(-options.until // _DAY_S) * _DAY_S
    with display.progress_bar("indexing", wanted=not options.json) as progress:
        listed = listed_blobs(stores.log, since_s, until_s)
        done = keep_index(stores.log, stores.derived, listed, time.time(), rebuild=options.rebuild, progress=progress)
    if options.json:
        print(json.dumps({"blobs": done.blobs, "not_closed": done.not_closed, "days_merged": len(done.merged)}))
    else:
        display.say(_sentence(done, sum(map(len, listed.values()))))
    for problem in done.problems:
        display.say(f"audit: {problem}")
    return 1 if done.problems else 0


def _sentence(done: Upkeep, in_all: int) -> str:
    """What was done, for a person."""
    if not in_all:
        return "there are no blobs to index"
    there = in_all - done.blobs - done.not_closed
    still = f"; {done.not_closed} not closed, to be read whole by who looks for an id" if done.not_closed else ""
    days = f"; {counted(len(done.merged), 'day')} merged" if done.merged else ""
    were = "was" if there == 1 else "were"
    return f"{done.blobs:,} of {counted(in_all, 'blob')} indexed, {there:,} {were} already{still}{days}"
