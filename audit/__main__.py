"""`python -m audit`: find, follow and verify what the service recorded.

Exit codes: 0 all is well; 1 nothing was found, or (verify) something is wrong with the log; 2 it could not run.
"""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from audit import display
from audit.browse import Filter, newest
from audit.connect import open_stores
from audit.errors import AuditError
from audit.lookup import search
from audit.settings import SettingsError, from_environ
from audit.store import Store
from audit.verify import verify
from audit.when import parse_when

_EXAMPLES = """examples:
  python -m audit show patient-17                    every record of this instance: score, labels, notes
  python -m audit tail -n 20                         the newest 20 records
  python -m audit find --model wine --outcome abstained --since 2h
  python -m audit verify --since 7d                  read every byte, check hashes, chain and order

The log is found by HYPERPLANE_STORAGE (a connection string), or HYPERPLANE_STORAGE__blobServiceUri or
HYPERPLANE_STORAGE__accountName for an identity-based connection; its container by HYPERPLANE_AUDIT_CONTAINER (audit).
Exit codes: 0 well, 1 nothing found or (verify) something is wrong with the log, 2 could not run."""

_VERIFYING = """Every finding names the blob, what is wrong with it and where; audit/README.md explains each word, and
lists what no hash inside the container can show. With --since, only blobs of that time are read, and what leads into
them. Exit codes: 0 everything verifies, 1 findings or an empty log, 2 could not read it all."""


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Run one command; returns its exit code."""
    options = _parser().parse_args(argv)
    run: Callable[[Store, argparse.Namespace], int] = options.run
    try:
        settings = from_environ(environ)
        if settings.in_memory:
            raise SettingsError(
                "HYPERPLANE_STORAGE is memory://: that log lives in the memory of the process that serves, and no "
                "other can read it; use a storage account or Azurite"
            )
        return run(open_stores(settings).log, options)
    except SettingsError as problem:
        display.say(f"audit: {problem}")
    except AuditError as problem:
        lost = "cannot be reached" in str(problem) or "did not answer" in str(problem)
        hint = ". Is the storage running, and does HYPERPLANE_STORAGE name it?" if lost else ""
        display.say(f"audit: {problem}{hint}")
    return 2


def _show(store: Store, options: argparse.Namespace) -> int:
    with display.progress_bar("reading hours", wanted=not options.json) as progress:
        found = search(store, options.id, options.model, options.since, options.until, progress=progress)
        records = sorted(found, key=lambda pair: (pair[0].ts, pair[1]))
    count = display.print_json(records) if options.json else display.print_whole(records)
    if not count:
        display.say(f"audit: no record of an instance with the id {options.id!r} in the log{_within(options)}")
    return 0 if count else 1


def _tail(store: Store, options: argparse.Namespace) -> int:
    records = list(newest(store, Filter(model=options.model), options.n))[::-1]
    count = display.print_json(records) if options.json else display.print_table(records)
    if not count:
        display.say("audit: the log has no records")
    return 0 if count else 1


def _find(store: Store, options: argparse.Namespace) -> int:
    wanted = Filter(
        model=options.model,
        kind=options.kind,
        outcome=options.outcome,
        reason=options.reason,
        since_s=options.since,
        until_s=options.until,
    )
    limit = options.limit or sys.maxsize - 1
    with display.progress_bar("reading hours", wanted=not options.json) as progress:
        records = list(newest(store, wanted, limit + 1, progress))
    shown = records[:limit]
    count = display.print_json(shown) if options.json else display.print_table(shown)
    if len(records) > limit:
        display.say(f"audit: more records match; these are the newest {limit}, --limit 0 shows all")
    if not count:
        display.say(f"audit: no record matches{_within(options)}")
    return 0 if count else 1


def _verify(store: Store, options: argparse.Namespace) -> int:
    seen = [0]
    with display.progress_bar("verifying", wanted=not options.json) as bar:

        def progress(done: int, total: int, name: str) -> None:
            seen[0] = total
            if bar:
                bar(done, total, name)

        findings = verify(store, options.since, options.until, progress=progress)
    if not findings and not seen[0] and not _within(options):
        display.say("audit: nothing to verify: the log is empty, or HYPERPLANE_AUDIT_CONTAINER names another container")
        return 1
    display.print_findings(findings, as_json=options.json)
    if not options.json:
        blobs = f"{seen[0]} blob{'' if seen[0] == 1 else 's'}"
        verdict = f"{len(findings)} finding{'' if len(findings) == 1 else 's'}" if findings else "everything verifies"
        display.say(f"{blobs} read: {verdict}{_within(options)}")
    return 1 if findings else 0


def _within(options: argparse.Namespace) -> str:
    return " in that time" if options.since is not None or options.until is not None else ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m audit",
        description="Find, follow and verify what the service recorded.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    show = _command(commands, "show", _show, "every record of one instance, oldest first")
    show.add_argument("id", help="the instance's id, as it was sent or answered")
    show.add_argument("--model", help="only records of this model")
    tail = _command(commands, "tail", _tail, "the newest records", times=False)
    tail.add_argument("-n", type=_positive, default=10, help="how many (default 10)")
    tail.add_argument("--model", help="only records of this model")
    matching = _command(commands, "find", _find, "records that match, newest first")
    matching.add_argument("--model", help="of this model")
    matching.add_argument("--kind", choices=("score", "request_error", "label", "note"), help="of this kind")
    matching.add_argument(
        "--outcome", help="scored, abstained, rejected, failed; labels: recorded, unmatched, rejected"
    )
    matching.add_argument("--reason", help="with this reason, such as missing_required or wrong_type")
    matching.add_argument("--limit", type=_count, default=100, help="at most so many (default 100; 0 is all)")
    verifying = _command(
        commands, "verify", _verify, "read the whole log and say what was altered, moved, cut off or added"
    )
    verifying.epilog = _VERIFYING
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    run: Callable[[Store, argparse.Namespace], int],
    what: str,
    *,
    times: bool = True,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=what, description=f"{name}: {what}.")
    parser.set_defaults(run=run, since=None, until=None)
    parser.add_argument("--json", action="store_true", help="JSON lines on standard output, for programs")
    if times:
        parser.add_argument("--since", type=_when, help="from then on: 2026-11-23T14:05 (UTC), or an age: 30m, 2h, 7d")
        parser.add_argument("--until", type=_when, help="before then")
    return parser


def _when(text: str) -> float:
    try:
        return parse_when(text, time.time())
    except ValueError as problem:
        raise argparse.ArgumentTypeError(f"{text!r}: expected {problem}") from None


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number from 0 to 999999999")
    return int(text)


def _positive(text: str) -> int:
    if _count(text) == 0:
        raise argparse.ArgumentTypeError("expected a number above 0")
    return int(text)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `python -m audit find … | head` ends quietly
    for stream in (sys.stdout, sys.stderr):  # a terminal that knows no UTF-8 gets escapes, not a traceback
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
