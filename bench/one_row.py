"""What one row costs: the time that Hyperplane adds to a request, with everything but the wait for the log.

A request with one ordinary row is answered again and again, in this process and without HTTP; a writer that takes
records at once stands for the log, so that nothing waits. Two figures:

    service    `Service.score`, from a body to an answer whose records are committed, the model's run included
    handler    the function `score` of function_app.py around it: headers, ids, the response, and the request's line in
               the log, formatted and then thrown away

and the steps of `Service.score` one by one, each timed alone on the values that the step before gave it. Alone a step
finds its code and data in the processor's caches, which in a request it must share: the steps add up to less than the
whole. All that is measured is measured in turn, in short rounds; a round's figure is its mean, and of the rounds the
median is shown, and the lower quartile, which a busy machine disturbs less. Times are CPU time of this process.

Not in it: HTTP and the worker library, which are the platform's; the wait for the log and the log's own thread.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import io
import json
import logging
import os
import pstats
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.writer import Receipt
from bench.score_steps import score_steps
from scoring.catalog import Catalog, Served
from scoring.content import Content
from scoring.example import example_instance
from scoring.service import Service
from scoring.settings import ScoringSettings

GOAL_US = 120.0
WARM_UP = 300
SHOWN = 25  # functions of a profile


@dataclass(frozen=True)
class Figure:
    """Microseconds of CPU time a call, over the rounds."""

    name: str
    median_us: float
    lower_quartile_us: float


class InstantWriter:
    """A log that takes everything at once."""

    writer_id = "20261123T140506-3f9c2a71"
    healthy = True

    async def commit(self, lines: Sequence[bytes]) -> list[Receipt]:
        """A receipt such as a real one."""
        return [Receipt(f"log/v1/2026/11/23/14/{self.writer_id}-0.jsonl", len(lines), "ab" * 32)]

    def commit_later(self, lines: Sequence[bytes]) -> None:
        """Nobody asks for these."""


class NoIds:
    """No instance is known."""

    def known(self, model: str, ids: Any) -> set[str]:  # noqa: ARG002  as `KnownInstances` has it
        """None of them."""
        return set()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    options = _parse(arguments)
    catalog = Catalog.load(options.models)
    served = catalog.get(options.model)
    service = Service(catalog, InstantWriter(), ScoringSettings(), known_ids=NoIds())
    body = json.dumps({"instances": [example_instance(served.manifest)]}).encode()
    with asyncio.Runner() as loop:
        calls = {
            "service": _service_call(loop, service, served, body),
            "handler": _handler_call(loop, service, served, body),
            **score_steps(served, body),
        }
        figures = measure(calls, options.rounds, options.calls)
        if options.json:
            print(json.dumps({"goal_us": GOAL_US, "load": os.getloadavg()[0], "figures": list(map(vars, figures))}))
        else:
            print(table(figures, served))
        if options.profile:
            print(profile(calls["handler"], options.calls * 10))
    service.close()
    return 0


def measure(calls: Mapping[str, Callable[[int], None]], rounds: int, repeat: int) -> list[Figure]:
    """Each call's figure; the calls take turns, so that a machine that changes does so for all of them."""
    for call in calls.values():
        call(WARM_UP)
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            began_s = time.process_time()
            call(repeat)
            taken[name].append((time.process_time() - began_s) / repeat * 1e6)
    return [
        Figure(name, statistics.median(each), statistics.quantiles(each, n=4)[0] if len(each) > 1 else each[0])
        for name, each in taken.items()
    ]


def table(figures: Sequence[Figure], served: Served) -> str:
    """The figures as text."""
    lines = [
        f"{served.name} {served.version}, {len(served.manifest.features)} features, one row; CPU time, microseconds",
        f"{_cpu()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}",
        "",
        f"{'':<12}{'median':>10}{'quartile':>10}",
    ]
    lines += [f"{each.name:<12}{each.median_us:>10.1f}{each.lower_quartile_us:>10.1f}" for each in figures]
    within = "within" if figures[0].median_us <= GOAL_US else "over"
    return "\n".join([*lines, "", f"service: {within} the goal of {GOAL_US:.0f}"])


def profile(call: Callable[[int], None], repeat: int) -> str:
    """Where the time goes by function; the profiler itself makes small functions look dearer than they are."""
    profiler = cProfile.Profile()
    profiler.runcall(call, repeat)
    out = io.StringIO()
    pstats.Stats(profiler, stream=out).strip_dirs().sort_stats("tottime").print_stats(SHOWN)
    return out.getvalue()


def _service_call(loop: asyncio.Runner, service: Service, served: Served, body: bytes) -> Callable[[int], None]:
    async def repeated(times: int) -> None:
        for _ in range(times):
            await service.score(served.name, None, Content(body, "application/json"), "request-1")

    return lambda times: loop.run(repeated(times))


def _handler_call(loop: asyncio.Runner, service: Service, served: Served, body: bytes) -> Callable[[int], None]:
    """The function `score` as the platform calls it, wired to the service that is measured."""
    os.environ.setdefault("HYPERPLANE_STORAGE", "memory://")
    import azure.functions as func

    import function_app

    class Wired:
        async def service(self) -> Service:
            return service

    function_app.startup = Wired()  # type: ignore[assignment]
    handler = next(each for each in function_app.app.get_functions() if each.get_function_name() == "score")
    score = handler.get_user_function()
    _log_to_nowhere()
    headers = {"content-type": "application/json", "x-request-id": "request-1", "user-agent": "bench"}

    request = func.HttpRequest("POST", "/", headers=headers, route_params={"model": served.name}, body=body)

    async def repeated(times: int) -> None:
        for _ in range(times):
            await score(request)

    return lambda times: loop.run(repeated(times))


def _log_to_nowhere() -> None:
    """Lines are made and formatted, as for the platform's handler, and not written."""
    handler = logging.StreamHandler(io.StringIO())
    handler.emit = handler.format  # type: ignore[method-assign,assignment]
    logger = logging.getLogger("hyperplane")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


def _cpu(info: Path = Path("/proc/cpuinfo")) -> str:
    names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    return names[0] if names else "unknown CPU"


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.one_row", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", type=Path, default=Path("models"), help="folder of the bundles (%(default)s)")
    parser.add_argument("--model", default="breast-cancer", help="the model to ask (default: %(default)s, 30 features)")
    parser.add_argument("--rounds", type=int, default=40, help="rounds (default: %(default)s)")
    parser.add_argument("--calls", type=int, default=200, help="calls of each in a round (default: %(default)s)")
    parser.add_argument("--profile", action="store_true", help="also print the functions that take longest")
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
