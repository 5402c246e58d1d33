"""`python -m scoring`: tools beside the scoring function. A command is a module of `scoring.commands`.

Exit codes: 0 done, 1 not (each command says what that means), 2 it could not run, or no command was given;
`audit.terminal` has the others.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence

from audit.errors import AuditError
from audit.settings import SettingsError
from audit.terminal import advised, run_as_command
from scoring.commands import label, redact, replay

_COMMANDS = (label, redact, replay)
_EXAMPLES = """examples:
  python -m scoring label truth.csv --model wine --dry-run
  python -m scoring replay --sample 1000 --since 7d
  echo 13.2 | python -m scoring redact alcohol

The log is found by HYPERPLANE_STORAGE, the bundles by HYPERPLANE_MODELS
(models); docs/settings.md lists all settings.
Exit codes: 0 done; 1 not, as each command says; 2 could not run; 130 Ctrl-C;
141 who read the output had enough."""


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Run one command; returns the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help(sys.stderr)
        return 2
    run: Callable[[argparse.Namespace, Mapping[str, str]], int] = options.run
    try:
        return run(options, environ)
    except SettingsError as problem:
        print(f"error: {problem}", file=sys.stderr)
    except AuditError as problem:
        print(f"error: {advised(problem)}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scoring",
        description="Tools beside the scoring function.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for command in _COMMANDS:
        command.add(commands)
    return parser


if __name__ == "__main__":
    run_as_command(main)
