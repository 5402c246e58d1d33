"""`python -m scoring`: tools beside the scoring function. A command is a module of `scoring.commands`.

Exit codes: 0 done, 1 not (each command says what that means), 2 it could not run.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence

from audit.errors import AuditError
from audit.settings import SettingsError
from audit.terminal import run_as_command
from scoring.commands import label, redact, replay

_COMMANDS = (label, redact, replay)


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace, Mapping[str, str]], int] = options.run
    try:
        return run(options, environ)
    except (SettingsError, AuditError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scoring", description="Tools beside the scoring function.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add(commands)
    return parser


if __name__ == "__main__":
    run_as_command(main)
