"""What do challengers cost the champion? One connection, one request after the other, with each kind of challenger.

The promise: a challenger that is as quick as the champion, slow, never ending or failing adds less than 1 ms to the
champion's p50. Each kind has a service of its own, which serves the same bundle under two names: one alone and one with
the challenger. Short blocks of requests to the one and to the other take turns, so that a machine that changes does so
for both; after each block it is waited for that the service comes to rest. The table gives medians over the rounds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from audit.connect import open_stores
from audit.reader import records
from audit.settings import from_environ
from bench.measuring import Connection, percentile, request_body
from bench.troubled_models import NEVER_ENDING, Change, failing, troubling_instance, turning, write_version
from infra.local.azurite import Azurite
from infra.local.local_host import LocalHost
from scoring.bundle import Bundle, load_bundle

LIMIT_MS = 1.0
ALONE, CHALLENGED = "alone", "challenged"
WARM_UP = 30  # requests
REST_LOOK_S = 0.2
KINDS: dict[str, Change | None] = {  # version 2 of the model, by what is changed in its graph
    "equal": None,
    "slow": turning(100_000),
    "never ending": turning(NEVER_ENDING),
    "failing": failing,
}


@dataclass(frozen=True)
class Options:
    """The command line."""

    model: Path
    rows: int
    requests: int
    rounds: int


@dataclass(frozen=True)
class Pair:
    """A block of requests to the model alone, and one to the same with a challenger."""

    alone_ms: list[float]
    challenged_ms: list[float]

    @property
    def added_ms(self) -> float:
        """What the challenger adds at p50."""
        return percentile(self.challenged_ms, 50) - percentile(self.alone_ms, 50)


@dataclass(frozen=True)
class Measured:
    """One kind of challenger: pairs of blocks, and what the log says came of its instances."""

    kind: str
    pairs: list[Pair]
    records: Counter[str]

    @property
    def added_ms(self) -> float:
        """The median of the pairs."""
        return statistics.median(pair.added_ms for pair in self.pairs)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the table; 1 if the promise is not kept."""
    options = _parse(arguments)
    measured = measure(options)
    print(_report(measured))
    return int(max(each.added_ms for each in measured) >= LIMIT_MS)


def measure(options: Options) -> list[Measured]:
    """All kinds, one after the other."""
    bundle = load_bundle(options.model)
    body = request_body([troubling_instance(bundle)] * options.rows)
    measured = []
    with tempfile.TemporaryDirectory() as folder, Azurite() as azurite:
        for kind in KINDS:
            environment = {
                "HYPERPLANE_STORAGE": azurite.connection_string,
                "HYPERPLANE_AUDIT_CONTAINER": f"bench-{kind.replace(' ', '-')}",
                "HYPERPLANE_MODELS": str(_models(Path(folder) / kind, bundle, kind)),
            }
            with LocalHost(env=environment) as host:
                pairs = _pairs(host, body, options)
            measured.append(Measured(kind, pairs, _challengers_records(environment)))
            sys.stderr.write(f"{kind}: {measured[-1].added_ms:+.2f} ms\n")
    return measured


def _pairs(host: LocalHost, body: bytes, options: Options) -> list[Pair]:
    with (
        closing(Connection(host, f"/models/{ALONE}/score")) as alone,
        closing(Connection(host, f"/models/{CHALLENGED}/score")) as challenged,
    ):
        for connection in (alone, challenged):
            _block(host, connection, body, WARM_UP)
        pairs = []
        for number in range(options.rounds):
            turn = (alone, challenged) if number % 2 else (challenged, alone)
            times_ms = {each: _block(host, each, body, options.requests) for each in turn}
            pairs.append(Pair(times_ms[alone], times_ms[challenged]))
    return pairs


def _block(host: LocalHost, connection: Connection, body: bytes, requests: int) -> list[float]:
    times_ms = []
    for _ in range(requests):
        began_s = time.perf_counter()
        connection.post(body)
        times_ms.append(1000 * (time.perf_counter() - began_s))
    assert host.process is not None
    wait_for_rest(host.process.pid)
    return times_ms


def wait_for_rest(process: int, longest_s: float = 120.0) -> None:
    """Return once a process uses less than a tenth of a processor, or after `longest_s`."""
    ends_s = time.monotonic() + longest_s
    while time.monotonic() < ends_s:
        before_s = cpu_s(process)
        time.sleep(REST_LOOK_S)
        if cpu_s(process) - before_s < 0.1 * REST_LOOK_S:
            return


def cpu_s(process: int) -> float:
    """Processor seconds that a process has used, as Linux counts them (proc_pid_stat(5))."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _challengers_records(environment: dict[str, str]) -> Counter[str]:
    log = open_stores(from_environ(environment)).log
    return Counter(
        " ".join([str(record.outcome), *record.reasons, *([] if record.run else ["not run"])])
        for record, _ in records(log)
        if record.role == "challenger"
    )


def _models(folder: Path, bundle: Bundle, kind: str) -> Path:
    """A folder with the bundle under two names, under one of them with a challenger."""
    write_version(bundle, folder, ALONE, "1")
    write_version(bundle, folder, CHALLENGED, "1")
    write_version(bundle, folder, CHALLENGED, "2", KINDS[kind])
    serving = f'[models.{CHALLENGED}]\nchampion = "1"\nchallengers = ["2"]\n'
    (folder / "serving.toml").write_text(serving, encoding="utf-8")
    return folder


def _report(measured: Sequence[Measured]) -> str:
    heads = f"{'alone p50':>12}{'p99':>10}{'beside it p50':>16}{'p99':>10}{'added at p50':>15}"
    lines = [f"{'challenger':<14}{heads}   its records"]
    for each in measured:
        alone = [time_ms for pair in each.pairs for time_ms in pair.alone_ms]
        challenged = [time_ms for pair in each.pairs for time_ms in pair.challenged_ms]
        outcomes = ", ".join(f"{count:,} {outcome}" for outcome, count in each.records.most_common())
        figures = [percentile(alone, 50), percentile(alone, 99), percentile(challenged, 50), percentile(challenged, 99)]
        widths = (12, 10, 16, 10)
        cells = "".join(f"{f'{figure:.2f} ms':>{width}}" for figure, width in zip(figures, widths, strict=True))
        lines.append(f"{each.kind:<14}{cells}{f'{each.added_ms:+.2f} ms':>15}   {outcomes}")
    return "\n".join(lines)


def _parse(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(prog="python -m bench.challengers", description=__doc__)
    parser.add_argument(
        "--model", type=Path, default=Path("models/breast-cancer/1"), help="bundle (default: %(default)s)"
    )
    parser.add_argument("--rows", type=int, default=1, help="instances of a request (default: %(default)s)")
    parser.add_argument("--requests", type=int, default=60, help="in a block (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=15, help="pairs of blocks of each kind (default: %(default)s)")
    return Options(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    raise SystemExit(main())
