"""What the commands of `python -m audit` have in common: their options, and how they are read."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from audit.connect import Stores
from audit.when import parse_when

type Commands = argparse._SubParsersAction[argparse.ArgumentParser]
_SINCE = "from then on: 2026-11-23T14:05 (UTC), or an age: 30m, 2h, 7d (default: the whole log)"

type Run = Callable[[Stores, argparse.Namespace], int]  # returns the exit code


def add_command(commands: Commands, name: str, run: Run, what: str, *, times: bool = True) -> argparse.ArgumentParser:
    """A command with `--json`, and with `--since` and `--until` if it takes `times`."""
    parser = commands.add_parser(name, help=what, description=f"{name}: {what}.")
    parser.set_defaults(run=run, since=None, until=None)
    parser.add_argument("--json", action="store_true", help="JSON lines on standard output, for programs")
    if times:
        parser.add_argument("--since", type=when, help=_SINCE)
        parser.add_argument("--until", type=when, help="before then")
    return parser


def within(options: argparse.Namespace) -> str:
    """How a sentence ends if the time was limited."""
    return " in that time" if options.since is not None or options.until is not None else ""


def when(text: str) -> float:
    """A time or an age, as Unix seconds."""
    try:
        return parse_when(text, time.time())
    except ValueError as problem:
        raise argparse.ArgumentTypeError(f"{text!r}: expected {problem}") from None


def count(text: str) -> int:
    """A number of things, 0 included."""
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number from 0 to 999999999")
    return int(text)


def positive(text: str) -> int:
    """A number of things, at least one."""
    if count(text) == 0:
        raise argparse.ArgumentTypeError("expected a number above 0")
    return int(text)
