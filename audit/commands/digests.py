"""`python -m audit digests`: which hours have a digest, and what it says."""

from __future__ import annotations

import argparse
import json
import sys

from audit import display
from audit.commands.arguments import Commands, add_command, within
from audit.connect import Stores
from audit.rows import cut
from audit.store import Store
from audit.wording import counted

_EPILOG = """examples:
  python -m audit digests --since 1d
  python -m audit digests --json | jq -r '[.hour, .sha256] | @tsv'

Nothing is checked here: `python -m audit verify` does that. A digest that
cannot be read stands in the list with the reason. On a terminal a line is cut
to its width; in a pipe it is whole.
Exit codes: 0 there are some, 1 there is none or one cannot be read, 2 could not
run."""


def add(commands: Commands) -> None:
    """Add the command."""
    add_command(commands, "digests", _run, "the signed digests: hour, blobs, records, SHA-256, key", _EPILOG)


def _run(stores: Stores, options: argparse.Namespace) -> int:
    from audit.digest_log import digest_hours

    hours = digest_hours(stores.log, options.since, options.until)
    readable = [show(stores.log, hour, as_json=options.json) for hour in hours]
    if not hours:
        display.say(f"audit: the log has no digest{within(options)}; `python -m audit seal` writes what is due")
    return 0 if hours and all(readable) else 1


def show(store: Store, hour: str, *, as_json: bool) -> bool:
    """Print one digest as a line; whether it could be read."""
    from audit.digest import BadDigest
    from audit.digest_log import read_digest

    try:
        signed = read_digest(store, hour)
    except BadDigest as problem:
        if as_json:
            print(json.dumps({"hour": hour, "problem": str(problem)}))
        else:
            _print(f"{hour}  {_shown(str(problem))}")
        return False
    if signed is None:
        return True
    found = [*signed.digest.blobs, *signed.digest.late]
    blobs, late, records = len(signed.digest.blobs), len(signed.digest.late), sum(blob.records for blob in found)
    if as_json:
        counts = {"blobs": blobs, "late": late, "records": records}
        print(json.dumps({"hour": hour, **counts, "sha256": signed.sha256, "kid": signed.kid}))
    else:
        there = f"{counted(blobs, 'blob'):>12}{f' and {late:,} late' if late else ''} {counted(records, 'record'):>18}"
        _print(f"{hour} {there}  {signed.sha256}  {_shown(signed.kid)}")
    return True


def _print(line: str) -> None:
    print(cut(line, display.terminal_width()) if sys.stdout.isatty() else line)


def _shown(text: str) -> str:
    return display.plain(text[:300]).plain
