"""`python -m audit verify`: read every byte of the log, and say what is not as it should be."""

from __future__ import annotations

import argparse

from audit import display
from audit.commands.arguments import Commands, add_command, within
from audit.connect import Stores
from audit.verify import verify

_EPILOG = """Every finding names the blob, what is wrong with it and where; audit/README.md explains each word, and
lists what no hash inside the container can show. With --since, only blobs of that time are read, and what leads into
them. Exit codes: 0 everything verifies, 1 findings or an empty log, 2 could not read it all."""


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(
        commands, "verify", _run, "read the whole log and say what was altered, moved, cut off or added"
    )
    parser.epilog = _EPILOG


def _run(stores: Stores, options: argparse.Namespace) -> int:
    seen = [0]
    with display.progress_bar("verifying", wanted=not options.json) as bar:

        def progress(done: int, total: int, name: str) -> None:
            seen[0] = total
            if bar:
                bar(done, total, name)

        findings = verify(stores.log, options.since, options.until, progress=progress)
    if not findings and not seen[0] and not within(options):
        display.say("audit: nothing to verify: the log is empty, or HYPERPLANE_AUDIT_CONTAINER names another container")
        return 1
    display.print_findings(findings, as_json=options.json)
    if not options.json:
        blobs = f"{seen[0]} blob{'' if seen[0] == 1 else 's'}"
        verdict = f"{len(findings)} finding{'' if len(findings) == 1 else 's'}" if findings else "everything verifies"
        display.say(f"{blobs} read: {verdict}{within(options)}")
    return 1 if findings else 0
