"""What the commands of `python -m evaluation` have in common: their options, what they are given, how they end."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from audit.store import Store
from audit.when import parse_when
from evaluation.references import References
from evaluation.report_format import Level
from evaluation.verdicts import ORDER
from evaluation.vouching.means import Means

type Commands = argparse._SubParsersAction[argparse.ArgumentParser]

SETTINGS = """The storage is found by HYPERPLANE_STORAGE (a connection string), or
HYPERPLANE_STORAGE__blobServiceUri or HYPERPLANE_STORAGE__accountName for an
identity-based connection; the bundles by HYPERPLANE_MODELS (models); limits of
verdicts by HYPERPLANE_THRESHOLDS.
Exit codes: 0 nothing alerts, 1 something alerts (with --fail-on warn: or
warns), 2 it could not run."""
TIMES = """Times are UTC: a date, a time such as 2026-11-23T14:05, or an age such as 30m,
2h, 7d."""


@dataclass(frozen=True)
class Workplace:
    """What a command works on."""

    log: Store
    derived: Store
    models: Path
    thresholds: Mapping[str, float]
    means: Means

    def references(self, model: str) -> References:
        """The bundles; raises `ValueError` when there is none of this model."""
        found = References(self.models)
        if model not in found.models():
            known = ", ".join(found.models()) or "none"
            raise ValueError(f"there is no bundle of a model {model!r} in {self.models}; there is: {known}")
        return found


type Run = Callable[[Workplace, argparse.Namespace], int]  # returns the exit code


def add_command(commands: Commands, name: str, run: Run, what: str, teaches: str) -> argparse.ArgumentParser:
    """A command whose help ends with what it `teaches`, where its settings are, and its exit codes."""
    parser = commands.add_parser(
        name,
        help=what,
        description=f"{name}: {what}.",
        epilog=f"{teaches}\n\n{TIMES}\n{SETTINGS}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def add_stretch(parser: argparse.ArgumentParser) -> None:
    """`--since` and `--until`."""
    parser.add_argument("--since", type=when, metavar="TIME", help="from this time on, rounded down to the hour")
    parser.add_argument("--until", type=when, metavar="TIME", help="up to this time, rounded up to the hour")


def add_fail_on(parser: argparse.ArgumentParser) -> None:
    """`--fail-on`: which level is exit code 1."""
    parser.add_argument(
        "--fail-on", choices=("warn", "alert"), default="alert", help="the level from which the exit code is 1 (alert)"
    )


def exit_code(level: Level, options: argparse.Namespace) -> int:
    """0 or 1, by `--fail-on`."""
    return int(ORDER.index(level) >= ORDER.index(options.fail_on))


def when(text: str) -> float:
    """A time or an age, as Unix seconds."""
    try:
        return parse_when(text, time.time())
    except ValueError as problem:
        raise argparse.ArgumentTypeError(f"{text!r}: expected {problem}") from None
