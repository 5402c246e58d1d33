"""`python -m audit public-key`: the key that an auditor needs to check the digests."""

from __future__ import annotations

import argparse
import json

from audit import display
from audit.commands.arguments import Commands, add_command
from audit.connect import Stores

_EPILOG = """examples:
  python -m audit public-key > digests.pem
  python -m audit public-key >> digests.pem     a new key, beside the old one

For the operator, where the service signs (HYPERPLANE_SIGNING_KEY). Hand the
file to whoever verifies the log, by another way than the storage account. The
key's id (kid) stands in every digest that it signed. One that is replaced later
keeps its worth: let the PEM texts of both stand in one file.
Exit codes: 0 printed, 2 there is no key, or it cannot be read."""


def add(commands: Commands) -> None:
    """Add the command."""
    what = "the public key by which anyone can check the digests, as PEM"
    add_command(commands, "public-key", _run, what, _EPILOG, times=False)


def _run(_stores: Stores, options: argparse.Namespace) -> int:
    from audit.keys import open_signer

    signer = open_signer(options.settings, make=False)
    pem = signer.public_key_pem.decode("ascii")
    if options.json:
        print(json.dumps({"kid": signer.kid, "pem": pem}))
        return 0
    print(pem, end="")
    display.say(f"kid {signer.kid}")
    return 0
