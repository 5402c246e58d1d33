"""`python -m scoring redact FEATURE`: what the log records in the place of a value, for an auditor who has the key.

The value is read as JSON from standard input, so that it stays out of the shell's history: `"Ada"` in quotes is a text,
41 and 41.0 are one number. The key is the setting HYPERPLANE_REDACTION_KEY.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping

import msgspec

from audit.settings import SettingsError
from scoring.errors import BadRequest
from scoring.json_body import read_json
from scoring.redaction import KEY_SETTING, digest
from scoring.settings import from_environ

_ABOUT = f"""redact: print the keyed hash of a value, to compare with a record's.

The value is read from standard input as JSON: "Ada" with its quotes, 41, true.
Needs {KEY_SETTING}, the key that the service has."""
_EPILOG = """examples:
  echo '"Ada"' | python -m scoring redact name
  echo 13.2 | python -m scoring redact alcohol

Exit codes: 0 printed, 2 no JSON value on standard input, or no key."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    redact = commands.add_parser(
        "redact",
        help="what the log records in the place of a value",
        description=_ABOUT,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    redact.add_argument("feature", metavar="FEATURE", help="the feature's name, as in the record")
    redact.set_defaults(run=_run)


def _run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    key = from_environ(environ).redaction_key
    if key is None:
        raise SettingsError(f"{KEY_SETTING} is not set; give it the key that the service has")
    try:
        value, _ = read_json(sys.stdin.read().encode(errors="surrogatepass"))
    except BadRequest:  # its words speak of a request's body, and may hold the value
        print("error: standard input is not one JSON value; a text needs double quotes around it", file=sys.stderr)
        return 2
    print(msgspec.json.encode(digest(key, options.feature, value)).decode())
    return 0
