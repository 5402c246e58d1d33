"""`python -m audit tail`: the newest records, and with `-f` those that come."""

from __future__ import annotations

import argparse
import heapq
import sys
import time
from collections.abc import Sequence
from typing import NoReturn

from audit import display
from audit.browse import Filter, Found, newest
from audit.commands.arguments import WHERE_CUT, Commands, add_command, positive
from audit.connect import Stores
from audit.errors import Unavailable
from audit.follow import Follower

_POLL_S = 1.0
_EPILOG = f"""examples:
  python -m audit tail -n 20
  python -m audit tail --follow --model wine    until Ctrl-C

{WHERE_CUT}
Exit codes: 0 shown, 1 there is no record, 2 could not run, 130 Ctrl-C."""


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "tail", _run, "the newest records, the newest last", _EPILOG, times=False)
    parser.add_argument("-n", type=positive, metavar="N", default=10, help="how many (default 10)")
    parser.add_argument("-f", "--follow", action="store_true", help="then show new ones as they come, until Ctrl-C")
    parser.add_argument("--model", help="only records of this model")


def _run(stores: Stores, options: argparse.Namespace) -> int:
    if options.follow:
        _follow(stores, options)
    count = _print(list(newest(stores.log, Filter(model=options.model), options.n))[::-1], options)
    if not count:
        elsewhere = "; does HYPERPLANE_AUDIT_CONTAINER name its container?"
        which = f" of a model {options.model!r}" if options.model else elsewhere
        display.say(f"audit: the log has no records{which}")
    return 0 if count else 1


def _follow(stores: Stores, options: argparse.Namespace) -> NoReturn:
    wanted = Filter(model=options.model)
    follower = Follower(stores.log, wanted)
    latest = heapq.nlargest(options.n, follower.new(), key=_by_time)
    older = [] if len(latest) == options.n else newest(stores.log, wanted, options.n)
    shown = {position: (record, position) for record, position in [*latest, *older]}
    _print(sorted(shown.values(), key=_by_time)[-options.n :], options)
    while True:
        time.sleep(_POLL_S)
        _look(follower, options)


def _look(follower: Follower, options: argparse.Namespace) -> None:
    """Show what is new; a store that is away for a while is said, and asked again."""
    found: list[Found] = []
    try:
        found.extend(follower.new())
    except Unavailable as problem:
        display.say(f"audit: {problem}; trying again")
    _print(sorted(found, key=_by_time), options, header=False)


def _print(records: Sequence[Found], options: argparse.Namespace, *, header: bool = True) -> int:
    count = display.print_json(records) if options.json else display.print_table(records, header=header)
    sys.stdout.flush()
    return count


def _by_time(pair: Found) -> tuple[str, object]:
    return pair[0].ts, pair[1]
