"""Do large requests keep small ones waiting? Single rows alone, then the same beside 10,000-row requests in a loop.

The promise: the single rows' p99 beside large requests stays under 10 times their p99 alone.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bench.measuring import Connection, Loop, percentile, random_instances, request_body, service, table
from infra.local.local_host import LocalHost
from scoring.bundle import load_bundle

LIMIT = 10.0


@dataclass(frozen=True)
class Options:
    """The command line."""

    model: Path
    rows: int
    connections: int
    large_connections: int
    seconds: float
    rounds: int


@dataclass(frozen=True)
class Phase:
    """What single rows took, and how many rows a second the large requests brought meanwhile."""

    p50_ms: float
    p99_ms: float
    worst_ms: float
    requests: int
    large_rows_per_s: float = 0.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the table; 1 if the promise is not kept."""
    options = _parse(arguments)
    rounds = measure(options)
    ratio = statistics.median(mixed.p99_ms / quiet.p99_ms for quiet, mixed in rounds)
    sys.stdout.write(f"{_report(options, rounds, ratio)}\n")
    return int(ratio >= LIMIT)


def measure(options: Options) -> list[tuple[Phase, Phase]]:
    """(alone, beside large requests), once a round."""
    bundle = load_bundle(options.model)
    single = request_body(random_instances(bundle, 1))
    large = request_body(random_instances(bundle, options.rows))
    path = f"/models/{bundle.manifest.name}/versions/{bundle.manifest.version}/score"
    with service({"HYPERPLANE_MODELS": str(options.model.resolve().parents[1])}) as host:
        _warm_up(host, path, single, large)
        return [_round(host, path, single, large, options) for _ in range(options.rounds)]


def _round(host: LocalHost, path: str, single: bytes, large: bytes, options: Options) -> tuple[Phase, Phase]:
    quiet = _phase(host, path, single, None, options)
    mixed = _phase(host, path, single, large, options)
    sys.stderr.write(f"p99 alone {quiet.p99_ms:.1f} ms, beside large requests {mixed.p99_ms:.1f} ms\n")
    return quiet, mixed


def _phase(host: LocalHost, path: str, single: bytes, large: bytes | None, options: Options) -> Phase:
    """Single rows on some connections for a while, beside a loop of large requests if there is a `large`."""
    began_s = time.perf_counter()
    heavy = [Loop(Connection(host, path), large) for _ in range(options.large_connections)] if large else []
    loops = [Loop(Connection(host, path), single) for _ in range(options.connections)]
    time.sleep(options.seconds)
    times_ms = [1000 * time_s for loop in loops for time_s in loop.stop()]
    large_requests = sum(len(loop.stop()) for loop in heavy)
    rows_per_s = large_requests * options.rows / (time.perf_counter() - began_s)
    return Phase(percentile(times_ms, 50), percentile(times_ms, 99), max(times_ms), len(times_ms), rows_per_s)


def _warm_up(host: LocalHost, path: str, single: bytes, large: bytes) -> None:
    with closing(Connection(host, path)) as connection:
        for body in (*[single] * 50, large):
            connection.post(body)


def _report(options: Options, rounds: Sequence[tuple[Phase, Phase]], ratio: float) -> str:
    quiet, mixed = [pair[0] for pair in rounds], [pair[1] for pair in rounds]

    def median(phases: Sequence[Phase], field: str, form: str = "{:.1f} ms") -> str:
        return form.format(statistics.median(getattr(each, field) for each in phases))

    return table(
        [
            ("single rows alone, p50", median(quiet, "p50_ms")),
            ("single rows alone, p99", median(quiet, "p99_ms")),
            (f"beside {options.rows:,}-row requests, p50", median(mixed, "p50_ms")),
            (f"beside {options.rows:,}-row requests, p99", median(mixed, "p99_ms")),
            (f"beside {options.rows:,}-row requests, longest", median(mixed, "worst_ms")),
            (f"p99 beside / p99 alone (limit {LIMIT:g})", f"{ratio:.1f}"),
            ("rows a second of the large requests", median(mixed, "large_rows_per_s", "{:,.0f}")),
        ]
    )


def _parse(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(prog="python -m bench.mixed_sizes", description=__doc__)
    parser.add_argument(
        "--model", type=Path, default=Path("models/breast-cancer/1"), help="bundle (default: %(default)s)"
    )
    parser.add_argument("--rows", type=int, default=10_000, help="rows of a large request (default: %(default)s)")
    parser.add_argument("--connections", type=int, default=1, help="that send single rows (default: %(default)s)")
    parser.add_argument("--large-connections", type=int, default=1, help="that send large ones (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each phase (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="pairs of phases (default: %(default)s)")
    options = Options(**vars(parser.parse_args(arguments)))
    if not (options.model / "manifest.json").is_file():
        parser.error(f"{options.model} is no bundle: run `make models`, or name one with --model")
    return options


if __name__ == "__main__":
    raise SystemExit(main())
