"""`make siege`: clients score while the line to the storage loses, cuts, delays and repeats, and the host is killed.

    make siege MINUTES=3                   16 clients, seed 1
    make siege MINUTES=30 SEED=7 ARGS="--clients 32"
    python -m tests.siege --writers        two writers without a host, whose hours last 0.7 seconds

Ends with what was met, what clients were told and how often each record is in the log, and with 1 if a promise was
broken: then every id whose promise it was is named. The seed draws what the line does and when the host is struck; how
calls and clients interleave is the machine's.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from audit.connect import open_stores
from audit.settings import from_environ
from audit.store import Store
from audit.verify import Finding, verify
from infra.local.azurite import Azurite
from tests.platform import ROOT
from tests.siege.comparison import compare
from tests.siege.host_siege import Plan, Watch, besiege_host
from tests.siege.ledger import Siege
from tests.siege.tables import tables
from tests.siege.writers_siege import besiege_writers

_LONG_AFTER_S = 1e6  # every hour is long over then, and must be closed
_TOLD = 100  # of what is amiss, at most


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; the exit code."""
    options = _parse(arguments)
    plan = Plan(seconds=60 * options.minutes, clients=options.clients, seed=options.seed, trouble=options.trouble)
    with tempfile.TemporaryDirectory(prefix="siege-") as folder, Azurite(Path(folder) / "azurite") as azurite:
        with _bar("besieging", plan.seconds) as watch:
            siege, log = _besiege(azurite, Path(folder) / "host", plan, writers=options.writers, watch=watch)
        comparison = compare(log, siege.sent)
        broken = [*siege.unexpected, *comparison.violations]
        findings = verify(log, now_s=time.time() + _LONG_AFTER_S)
    print(tables(siege, comparison))
    _say(broken, findings)
    print(f"seed {plan.seed}, {plan.clients} clients, {plan.seconds:g} s, trouble {plan.trouble:g}")
    return int(bool(broken or findings))


def _besiege(azurite: Azurite, folder: Path, plan: Plan, *, writers: bool, watch: Watch) -> tuple[Siege, Store]:
    if writers:
        return besiege_writers(azurite, plan, watch)
    siege = besiege_host(azurite, ROOT / "models", folder, plan, watch)
    return siege, open_stores(from_environ({"HYPERPLANE_STORAGE": azurite.connection_string})).log


def _say(broken: list[str], findings: list[Finding]) -> None:
    print("\nno promise was broken" if not broken else f"\n{len(broken):,} PROMISES BROKEN:")
    for each in broken[:_TOLD]:
        print(each)
    print("the log verifies" if not findings else "THE LOG DOES NOT VERIFY:")
    for finding in findings[:_TOLD]:
        print(f"{finding.blob}: {finding.what}: {finding.detail}")


@contextmanager
def _bar(what: str, seconds: float) -> Iterator[Watch]:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[done]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task, began_s = progress.add_task(what, total=seconds, done=""), time.monotonic()

        def watch(requests: int, rows: int) -> None:
            elapsed_s = min(seconds, time.monotonic() - began_s)
            progress.update(task, completed=elapsed_s, done=f"{requests:,} requests, {rows:,} records")

        yield watch


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    words = (__doc__ or "").split("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m tests.siege",
        description=words[0],
        epilog="\n\n".join(words[1:]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=_positive, default=3.0, help="how long (default: %(default)s)")
    parser.add_argument("--clients", type=_count, default=16, help="at once (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="draws the trouble (default: %(default)s)")
    parser.add_argument("--trouble", type=_share, default=0.15, help="of the storage's calls (default: %(default)s)")
    parser.add_argument("--writers", action="store_true", help="two writers directly, without a host")
    return parser.parse_args(arguments)


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value <= 24 * 60:
        raise argparse.ArgumentTypeError("a number of minutes above 0, such as 3 or 0.5")
    return value


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError("a number from 1 to 1000")
    return int(text)


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 0.9:
        raise argparse.ArgumentTypeError("a share from 0 to 0.9")
    return value


if __name__ == "__main__":
    sys.exit(main())
