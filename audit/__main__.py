"""`python -m audit`: find, follow and verify what the service recorded. A command is a module of `audit.commands`.

Exit codes: 0 all is well; 1 nothing was found, or (verify) something is wrong with the log; 2 it could not run, or no
command was given; `audit.terminal` has the others.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence

from audit import display
from audit.commands import digests, export, find, index, note, public_key, sample, seal, show, tail, verify
from audit.commands.arguments import Run
from audit.connect import open_stores
from audit.errors import AuditError
from audit.settings import SettingsError, from_environ
from audit.terminal import advised, run_as_command

_COMMANDS = (show, tail, find, sample, export, note, verify, digests, public_key, seal, index)
_EXAMPLES = """examples:
  python -m audit show patient-17             an instance: score, labels, notes
  python -m audit tail -n 20                  the newest 20 records
  python -m audit find --model wine --outcome abstained --since 2h
  python -m audit sample 20 --model wine      drawn at random, for a spot check
  python -m audit export wine.parquet --model wine
  python -m audit note patient-17 --author "R. Okafor" --verdict disputed
  python -m audit public-key > digests.pem    what signatures are checked with
  python -m audit verify --public-key digests.pem --since 7d

The log is found by HYPERPLANE_STORAGE (a connection string), or
HYPERPLANE_STORAGE__blobServiceUri or HYPERPLANE_STORAGE__accountName for an
identity-based connection; its container by HYPERPLANE_AUDIT_CONTAINER (audit).
Exit codes: 0 well; 1 nothing found, or (verify) something is wrong with the
log; 2 could not run; 130 Ctrl-C; 141 who read the output had enough."""


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Run one command; returns its exit code."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.command is None:
        parser.print_help(sys.stderr)
        return 2
    since_s, until_s = getattr(options, "since", None), getattr(options, "until", None)
    if since_s is not None and until_s is not None and since_s >= until_s:
        parser.error("--since: expected a time before --until")
    run: Run = options.run
    try:
        settings = from_environ(environ)
        if settings.in_memory:
            raise SettingsError(
                "HYPERPLANE_STORAGE is memory://: that log lives in the memory of the process that serves, and no "
                "other can read it; use a storage account or Azurite"
            )
        options.settings = settings  # for commands that need a key
        return run(open_stores(settings), options)
    except SettingsError as problem:
        display.say(f"audit: {problem}")
    except AuditError as problem:
        display.say(f"audit: {advised(problem)}")
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m audit",
        description="Find, follow and verify what the service recorded.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for command in _COMMANDS:
        command.add(commands)
    return parser


if __name__ == "__main__":
    run_as_command(main)
