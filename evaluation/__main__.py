"""`python -m evaluation`: reports from the log, at any time and for any window. A command is a module of
`evaluation.commands`.

Exit codes: 0 nothing alerts; 1 a verdict alerts (or something must be tried again); 2 it could not run.
"""

from __future__ import annotations

import argparse
import os
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

from audit.connect import open_stores
from audit.errors import AuditError
from audit.settings import SettingsError
from audit.settings import from_environ as audit_settings
from audit.terminal import run_as_command
from evaluation import settings as own_settings
from evaluation import terminal
from evaluation.commands import backfill, compare, report, schema
from evaluation.commands.arguments import SETTINGS, Workplace
from evaluation.composition import means_of

_COMMANDS = (report, compare, backfill, schema)
_EXAMPLES = f"""examples:
  python -m evaluation report --model wine             the newest day
  python -m evaluation report --model wine --window week --json
  python -m evaluation report --model wine --since-version 2
  python -m evaluation compare --model wine --versions 1 2
  python -m evaluation compare --model wine --windows 2026-W46 2026-W47
  python -m evaluation backfill --since 2026-11-01     what the timer would do

Each command says more: python -m evaluation report --help

{SETTINGS}"""


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Run one command; returns its exit code."""
    parser = _parser()
    options = parser.parse_args(argv)
    if "alone" in options:
        code: int = options.alone()
        return code
    if "run" not in options:
        parser.print_help()
        return 0
    try:
        done: int = options.run(_workplace(environ), options)
        return done
    except SettingsError as problem:
        terminal.say(f"evaluation: {problem}")
    except AuditError as problem:
        terminal.say(f"evaluation: {problem}. Is the storage running, and does HYPERPLANE_STORAGE name it?")
    except (ValueError, OSError) as problem:
        terminal.say(f"evaluation: {problem}")
    except Exception as problem:  # noqa: BLE001 - Python's own exit code would be 1, which means that a verdict alerts
        traceback.print_exc()
        terminal.say(f"evaluation: this should not have happened: {type(problem).__name__}: {problem}")
    return 2


def _workplace(environ: Mapping[str, str]) -> Workplace:
    settings, thresholds = audit_settings(environ), own_settings.from_environ(environ).thresholds
    if settings.in_memory:
        raise SettingsError(
            "HYPERPLANE_STORAGE is memory://: that log lives in the memory of the process that serves, and no other "
            "can read it; use a storage account or Azurite"
        )
    stores = open_stores(settings)
    models = Path(environ.get("HYPERPLANE_MODELS", "").strip() or "models")
    return Workplace(stores.log, stores.derived, models, thresholds, means_of(settings, stores.log, models))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m evaluation",
        description="Turn the log into reports on coverage, performance, run times and drift.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar="COMMAND")
    for command in _COMMANDS:
        command.add(commands)
    return parser


if __name__ == "__main__":
    run_as_command(main)
