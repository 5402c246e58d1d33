"""What the commands of `python -m audit` have in common: their options, and how they are read."""

from __future__ import annotations

import argparse
import difflib
import textwrap
import time
from collections.abc import Callable, Sequence

from audit.connect import Stores
from audit.when import parse_when
from audit.wording import listed

type Commands = argparse._SubParsersAction[argparse.ArgumentParser]
_SINCE = "from then on: 2026-11-23T14:05 (UTC), or an age: 30m, 2h, 7d (default: the whole log)"
_HELP_WIDTH = 79
WHERE_CUT = """On a terminal rows are cut to its width, which an ellipsis shows. In a pipe or a
file they are whole, with tabs between the columns; --json has every field."""

type Run = Callable[[Stores, argparse.Namespace], int]  # returns the exit code


def add_command(
    commands: Commands, name: str, run: Run, what: str, epilog: str, *, about: str | None = None, times: bool = True
) -> argparse.ArgumentParser:
    """A command with `--json`, and with `--since` and `--until` if it takes `times`. `about` and `epilog` are shown as
    they stand, so their lines are of at most 79 characters."""
    parser = commands.add_parser(
        name,
        help=what,
        description=about or textwrap.fill(f"{name}: {what}.", _HELP_WIDTH),
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run, since=None, until=None)
    parser.add_argument("--json", action="store_true", help="JSON lines on standard output, for programs")
    if times:
        parser.add_argument("--since", type=when, metavar="TIME", help=_SINCE)
        parser.add_argument("--until", type=when, metavar="TIME", help="before then; as --since")
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


def word(words: Sequence[str]) -> Callable[[str], str]:
    """One of some words; any other is refused, with the one that was meant, if that can be guessed, and all there are.

    >>> word(["scored", "failed"])("score")
    Traceback (most recent call last):
    argparse.ArgumentTypeError: 'score': did you mean scored? Expected scored or failed
    """

    def checked(text: str) -> str:
        if text in words:
            return text
        near = difflib.get_close_matches(text, words, n=1)
        meant = f"did you mean {near[0]}? Expected" if near else "expected"
        raise argparse.ArgumentTypeError(f"{text!r}: {meant} {listed(words)}")

    return checked


def count(text: str) -> int:
    """A number of things, 0 included."""
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number from 0 to 999999999")
    return int(text)


def positive(text: str) -> int:
    """A number of things, at least one."""
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number from 1 to 999999999")
    return int(text)
