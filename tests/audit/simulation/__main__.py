"""`make simulate`: the log in simulated worlds that go wrong, one for each seed, and whether its promises held in all.

    make simulate                          100,000 seeds from 0 on, in two processes
    make simulate SEEDS=1000 FROM=500      others
    python -m tests.audit.simulation --seed 17 --trace     one of them, with everything that happened in it

Prints how often each kind of mishap befell a call or a process. Ends with 1 at the first seed in which a promise was
broken, with all that happened in it: the same seed plays the same way again, always.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table

from audit.display import progress_bar
from tests.audit.simulation.mishaps import ALL_KINDS
from tests.audit.simulation.planted import PLANTED
from tests.audit.simulation.run import Outcome, simulate
from tests.audit.simulation.world import LEAST_MISHAPS, LEAST_OPERATIONS

_SEEDS_AT_ONCE = 50
_RARE = 1_000  # of 100,000 seeds; a kind that is hit less often is hardly tried


@dataclass
class Tally:
    """Many seeds together."""

    seeds: int = 0
    operations: int = 0
    least_operations: int = sys.maxsize
    least_mishaps: int = sys.maxsize
    hits: Counter[str] = field(default_factory=Counter)
    heard: Counter[str] = field(default_factory=Counter)
    broken: list[int] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.seeds += 1
        self.operations += outcome.operations
        self.least_operations = min(self.least_operations, outcome.operations)
        self.least_mishaps = min(self.least_mishaps, outcome.hits.total())
        self.hits += outcome.hits
        self.heard += outcome.heard
        if outcome.broken:
            self.broken.append(outcome.seed)

    def merge(self, other: Tally) -> None:
        self.seeds += other.seeds
        self.operations += other.operations
        self.least_operations = min(self.least_operations, other.least_operations)
        self.least_mishaps = min(self.least_mishaps, other.least_mishaps)
        self.hits += other.hits
        self.heard += other.heard
        self.broken += other.broken


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; the exit code."""
    given = _parser().parse_args(arguments)
    if given.seed is not None:
        return _one(given.seed, given.planted, traced=given.trace)
    began_s = time.perf_counter()
    try:
        tally = _many(range(given.start, given.start + given.seeds), given.processes)
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        return 130
    _print(tally, time.perf_counter() - began_s)
    if tally.broken:
        print(f"\nPROMISES BROKEN in {len(tally.broken)} of {tally.seeds} seeds. The first of them:\n")
        return _one(min(tally.broken), None, traced=True)
    print("no promise was broken")
    return 0


def run_seeds(seeds: range) -> Tally:
    """One process's share, up to the first seed in which a promise is broken."""
    tally = Tally()
    for seed in seeds:
        tally.add(simulate(seed))
        if tally.broken:
            break
    return tally


def _parser() -> argparse.ArgumentParser:
    text, _, more = (__doc__ or "").partition("\n")
    parser = argparse.ArgumentParser(
        prog="python -m tests.audit.simulation",
        description=text,
        epilog=more,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seeds", type=_positive, default=100_000, metavar="N", help="how many (100000)")
    parser.add_argument("--from", type=int, default=0, dest="start", metavar="SEED", help="the first (0)")
    parser.add_argument("--processes", type=_positive, default=os.process_cpu_count() or 1, metavar="N")
    parser.add_argument("--seed", type=int, help="only this one")
    parser.add_argument("--trace", action="store_true", help="with --seed: everything that happened, a line each")
    parser.add_argument("--planted", choices=sorted(PLANTED), metavar="BUG", help="with --seed: " + "; ".join(PLANTED))
    return parser


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def _many(seeds: range, processes: int) -> Tally:
    parts = [seeds[start : start + _SEEDS_AT_ONCE] for start in range(0, len(seeds), _SEEDS_AT_ONCE)]
    tally = Tally()
    with progress_bar("seeds") as tell:
        for part in _played(parts, processes):
            tally.merge(part)
            if tell:
                tell(tally.seeds, len(seeds), "")
            if tally.broken:
                break
    return tally


def _played(parts: list[range], processes: int) -> Iterator[Tally]:
    """Each process keeps to one processor: its threads hand over to each other, which is quicker there."""
    if processes == 1 or len(parts) == 1:
        yield from map(run_seeds, parts)
        return
    context = multiprocessing.get_context("spawn")
    number = context.Value("i", 0)
    with context.Pool(min(processes, len(parts)), _keep_to_one_processor, (number,)) as pool:
        yield from pool.imap_unordered(run_seeds, parts)


def _keep_to_one_processor(number: object) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the first process, which ends the others
    if not hasattr(os, "sched_setaffinity"):
        return
    with number.get_lock():  # type: ignore[attr-defined]
        mine: int = number.value  # type: ignore[attr-defined]
        number.value += 1  # type: ignore[attr-defined]
    processors = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {processors[mine % len(processors)]})


def _one(seed: int, planted: str | None, *, traced: bool) -> int:
    outcome = simulate(seed, PLANTED[planted] if planted else None, traced=traced)
    for line in outcome.trace:
        print(line)
    mishaps = ", ".join(f"{kind} {count}" for kind, count in sorted(outcome.hits.items()))
    print(f"seed {seed}: {outcome.operations} operations; {mishaps}")
    for broken in outcome.broken:
        print(f"BROKEN: {broken}")
    if not outcome.broken:
        print("no promise was broken")
        return 0
    option = f" --planted '{planted}'" if planted else ""
    print(f"to play it again: python -m tests.audit.simulation --seed {seed} --trace{option}")
    return 1


def _print(tally: Tally, took_s: float) -> None:
    table = Table("mishap", box=None, pad_edge=False, header_style="bold")
    table.add_column("hit", justify="right")
    for kind in ALL_KINDS:
        rare = tally.seeds >= 10_000 and tally.hits[kind] < _RARE * tally.seeds / 100_000
        table.add_row(kind, f"{tally.hits[kind]:,}{' (seldom)' if rare else ''}")
    Console().print(table)
    print(f"\nhanded over: {', '.join(f'{count:,} {kind}' for kind, count in sorted(tally.heard.items()))}")
    print(
        f"{tally.seeds:,} seeds, {tally.operations:,} operations, at least {tally.least_operations} and "
        f"{tally.least_mishaps} mishaps in each (asked for: {LEAST_OPERATIONS} and {LEAST_MISHAPS}); "
        f"{took_s:,.0f} s, {tally.seeds / took_s:,.0f} seeds/s"
    )


if __name__ == "__main__":
    # A process that is spawned does not run the `__main__` of a package again, so it finds nothing by that name.
    from tests.audit.simulation.__main__ import main as by_a_name_that_can_be_imported

    sys.exit(by_a_name_that_can_be_imported())
