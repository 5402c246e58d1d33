"""`python -m audit verify`: read every byte of the log and its digests, and say what is not as it should be."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

from audit import display
from audit.commands.arguments import Commands, add_command, within
from audit.connect import Stores
from audit.digest import DIGEST
from audit.layout import LOG
from audit.signing import PublicKeys, SigningError
from audit.store import Store
from audit.verify import verify
from audit.witnesses import BadWitness, read_receipts, read_witnesses
from audit.wording import counted

_EPILOG = """examples:
  python -m audit verify --public-key digests.pem
  python -m audit verify --public-key digests.pem --since 7d
  python -m audit verify --public-key digests.pem --receipts answers.jsonl
  grep '"event":"digest"' .local/host.log |
      python -m audit verify --public-key digests.pem --witness -

`python -m audit public-key > digests.pem` makes the file, where the service
signs. Bring it yourself: a key that lies beside the log proves nothing. The
host's log has lines of digests only under `make run LOG=on`.

Every finding names the blob or digest, what is wrong with it and where;
audit/README.md explains each word, and lists what nothing inside the container
can show. With --since, only blobs and digests of that time are read, and what
leads into them.
Exit codes: 0 everything verifies, 1 findings or an empty log, 2 could not read
it all."""
_EMPTY = ": the log is empty, or HYPERPLANE_AUDIT_CONTAINER names another container"
_NO_DIGEST = (
    "there is no digest of these hours yet, so no signature was checked: hashes and chains agree among themselves. "
    "An hour's digest is written five minutes after its end"
)
_UNSIGNED = (
    "no signature was checked, so that whoever may write to the container could have made it all: "
    "give --public-key FILE, the PEM file with the public key of who signs the digests"
)


def add(commands: Commands) -> None:
    """Add the command."""
    what = "read the whole log and say what was altered, moved, cut off or added"
    parser = add_command(commands, "verify", _run, what, _EPILOG)
    key = "PEM file with the public key of who signs the digests; may hold several, and may be given again"
    parser.add_argument("--public-key", metavar="FILE", action="append", default=[], help=key)
    receipts = "JSON lines: receipts that clients kept, or whole answers; each must be in the log (- is standard input)"
    parser.add_argument("--receipts", metavar="FILE", help=receipts)
    witness = "JSON lines: heads of digests as the timer logged them; each must be in the log (- is standard input)"
    parser.add_argument("--witness", metavar="FILE", help=witness)


def _run(stores: Stores, options: argparse.Namespace) -> int:
    if options.receipts == options.witness == "-":
        return _cannot("--receipts and --witness cannot both be standard input")
    try:
        keys = _keys(options.public_key)
        receipts = _lines("--receipts", options.receipts, read_receipts)
        witnesses = _lines("--witness", options.witness, read_witnesses)
    except _Unusable as problem:
        return _cannot(str(problem))
    seen = _Seen()
    with display.progress_bar("verifying", wanted=not options.json) as bar:
        findings = verify(
            stores.log,
            options.since,
            options.until,
            keys=keys,
            receipts=receipts,
            witnesses=witnesses,
            progress=seen.telling(bar),
        )
    if not findings and not seen.blobs and not seen.digests:
        return _nothing(stores.log, options)
    display.print_findings(findings, as_json=options.json)
    if not options.json:
        display.say(f"{seen} read: {_verdict(len(findings))}{within(options)}")
    if keys is None and (seen.digests or not options.json):
        display.say(f"audit: {_UNSIGNED}")
    elif not seen.digests:
        display.say(f"audit: {_NO_DIGEST}")
    return 1 if findings else 0


def _nothing(log: Store, options: argparse.Namespace) -> int:
    """Hours without requests are well; a log without anything was taken away, or is looked for in the wrong place."""
    elsewhere = next(log.list(LOG), None) or next(log.list(DIGEST), None)
    display.say(f"audit: nothing to verify{within(options)}" + ("" if elsewhere else _EMPTY))
    return 0 if elsewhere else 1


class _Unusable(Exception):
    """A file that was given and cannot be used; the message names the option, the file and why."""


class _Seen:
    """Counts what was read, in front of the progress bar."""

    def __init__(self) -> None:
        self.blobs = 0
        self.digests = 0

    def telling(self, bar: Callable[[int, int, str], None] | None) -> Callable[[int, int, str], None]:
        def tell(done: int, total: int, name: str) -> None:
            self.digests += name.startswith(DIGEST)
            self.blobs += bool(name) and not name.startswith(DIGEST)
            if bar:
                bar(done, total, name)

        return tell

    def __str__(self) -> str:
        return f"{counted(self.blobs, 'blob')} and {counted(self.digests, 'digest')}"


def _keys(files: list[str]) -> PublicKeys | None:
    """All keys of all files; none given: `None`."""
    if not files:
        return None
    parts = []
    for file in files:
        try:
            data = Path(file).read_bytes()
            PublicKeys.of_pem(data)
        except OSError as problem:
            raise _Unusable(f"--public-key {file}: it cannot be read: {problem.strerror}") from None
        except (SigningError, ValueError) as problem:
            raise _Unusable(f"--public-key {file}: {problem}") from None
        parts.append(data)
    return PublicKeys.of_pem(b"\n".join(parts))


def _lines[T](option: str, file: str | None, read: Callable[[Iterable[bytes]], list[T]]) -> list[T]:
    if file is None:
        return []
    try:
        with _opened(file) as lines:
            return read(lines)
    except OSError as problem:
        raise _Unusable(f"{option} {file}: it cannot be read: {problem.strerror}") from None
    except (BadWitness, ValueError) as problem:
        raise _Unusable(f"{option} {file}: {problem}") from None


def _opened(file: str) -> IO[bytes]:
    return sys.stdin.buffer if file == "-" else Path(file).open("rb")


def _verdict(findings: int) -> str:
    return counted(findings, "finding") if findings else "everything verifies"


def _cannot(problem: str) -> int:
    display.say(f"audit: {problem}")
    return 2
