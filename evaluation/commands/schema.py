"""`python -m evaluation schema`: the JSON Schema of report.json."""

from __future__ import annotations

import sys

from evaluation.commands.arguments import Commands
from evaluation.schema import schema_text


def add(commands: Commands) -> None:
    """Add the command; it needs no storage."""
    what = "print the JSON Schema of report.json"
    parser = commands.add_parser("schema", help=what, description=f"schema: {what}, as in docs/report.schema.json.")
    parser.set_defaults(alone=_run)


def _run() -> int:
    sys.stdout.write(schema_text())
    return 0
