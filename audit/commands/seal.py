"""`python -m audit seal`: what the hourly timer does for the log, by hand."""

from __future__ import annotations

import argparse
import time

from audit import display
from audit.commands.arguments import Commands, add_command, when
from audit.connect import Stores
from audit.seal import SETTLED_S
from audit.wording import counted

_EPILOG = """examples:
  python -m audit seal
  python -m audit seal --until 2026-11-23T14:00

Every hour that is over gets its blobs closed and its digest written, in order,
from the newest digest on, and from the log's first hour if there is none. One
that is there is never written anew. It may be stopped and run again, also
beside the timer. What is written is signed with HYPERPLANE_SIGNING_KEY.
Exit codes: 0 done, also if nothing was due; 2 could not run."""


def add(commands: Commands) -> None:
    """Add the command."""
    what = "close the hours that are over and write their digests"
    parser = add_command(commands, "seal", _run, what, _EPILOG, times=False)
    ended = "only hours that ended by then: 2026-11-23T14:00 (UTC), or an age"
    parser.add_argument("--until", type=when, metavar="TIME", help=ended)


def _run(stores: Stores, options: argparse.Namespace) -> int:
    from audit.commands.digests import show
    from audit.digest_writer import write_digests
    from audit.keys import open_signer

    now_s = time.time() if options.until is None else min(time.time(), options.until + SETTLED_S)
    signer = open_signer(options.settings)
    with display.progress_bar("sealing hours", wanted=not options.json) as progress:
        written = write_digests(stores.log, signer, now_s, progress=progress)
    for digest in written:
        show(stores.log, digest.hour, as_json=options.json)
    if not options.json:
        due = "" if written else "; an hour's is due five minutes after its end"
        display.say(f"{counted(len(written), 'digest')} written{due}")
    return 0
