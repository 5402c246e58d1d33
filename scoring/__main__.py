"""`python -m scoring redact FEATURE`: what the log records in the place of a value, for an auditor who has the key.

The value is read as JSON from standard input, so that it stays out of the shell's history: `"Ada"` in quotes is a text,
41 and 41.0 are one number. The key is the setting HYPERPLANE_REDACTION_KEY. Exit codes: 0 done, 1 no key or no JSON.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TextIO

import msgspec

from audit.settings import SettingsError
from scoring.errors import BadRequest
from scoring.json_body import read_json
from scoring.redaction import KEY_SETTING, digest
from scoring.settings import from_environ


def main(
    arguments: Sequence[str] | None = None,
    given: TextIO = sys.stdin,
    environ: Mapping[str, str] = os.environ,
) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        key = from_environ(environ).redaction_key
        if key is None:
            raise SettingsError(f"{KEY_SETTING} is not set; give it the key that the service has")
        value, _ = read_json(given.read().encode(errors="surrogatepass"))
    except SettingsError as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    except BadRequest:  # its words speak of a request's body, and may hold the value
        print("error: standard input is not one JSON value; a text needs double quotes around it", file=sys.stderr)
        return 1
    print(msgspec.json.encode(digest(key, options.feature, value)).decode())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scoring", description="Tools beside the scoring function.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    redact = commands.add_parser(
        "redact",
        help="what the log records in the place of a value",
        description=f"Print the keyed hash of a value, to compare with a record's. Needs {KEY_SETTING}. "
        'The value is read from standard input as JSON: "Ada" with its quotes, 41, true.',
        epilog="example: echo '\"Ada\"' | python -m scoring redact name",
    )
    redact.add_argument("feature", help="the feature's name, as in the record")
    return parser


if __name__ == "__main__":
    sys.exit(main())
