"""`python -m audit digests`: which hours have a digest, and what it says."""

from __future__ import annotations

import argparse
import json

from audit import display
from audit.commands.arguments import Commands, add_command, within
from audit.connect import Stores
from audit.store import Store

_EPILOG = """Nothing is checked here: `python -m audit verify` does that. A digest that cannot be read
stands in the list with the reason. Exit codes: 0 there are some, 1 there is none or one cannot be read."""


def add(commands: Commands) -> None:
    """Add the command."""
    parser = add_command(commands, "digests", _run, "the signed digests: hour, blobs, records, SHA-256, key")
    parser.epilog = _EPILOG


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
        print(json.dumps({"hour": hour, "problem": str(problem)}) if as_json else f"{hour}  {_shown(str(problem))}")
        return False
    if signed is None:
        return True
    found = [*signed.digest.blobs, *signed.digest.late]
    blobs, late, records = len(signed.digest.blobs), len(signed.digest.late), sum(blob.records for blob in found)
    if as_json:
        counts = {"blobs": blobs, "late": late, "records": records}
        print(json.dumps({"hour": hour, **counts, "sha256": signed.sha256, "kid": signed.kid}))
    else:
        counted = f"{blobs:>5} blobs{f' and {late} late' if late else ''} {records:>9} records"
        print(f"{hour} {counted}  {signed.sha256}  {_shown(signed.kid)}")
    return True


def _shown(text: str) -> str:
    return display.plain(text[:300]).plain
