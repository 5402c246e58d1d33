"""What do challengers cost the champion? One connection, single rows, with none and with each kind of challenger.

The promise: a challenger that is as quick as the champion, slow, never ending or failing adds less than 1 ms to the
champion's p50. Each round starts the service anew for every kind, in an order that turns from round to round; a kind is
compared with none of the same round, and the table gives medians of the rounds.
"""

from __future__ import annotations

import argparse
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
from bench.measuring import Connection, Loop, percentile, request_body
from bench.troubled_models import NEVER_ENDING, Change, failing, troubling_instance, turning, write_version
from infra.local.azurite import Azurite
from infra.local.local_host import LocalHost
from scoring.bundle import Bundle, load_bundle

LIMIT_MS = 1.0
NONE = "none"
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
    seconds: float
    rounds: int


@dataclass(frozen=True)
class Phase:
    """What the champion's requests took, and what came of the challenger's instances."""

    p50_ms: float
    p99_ms: float
    requests: int
    challenged: Counter[str]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print the table; 1 if the promise is not kept."""
    options = _parse(arguments)
    rounds = measure(options)
    added_ms = {kind: statistics.median(each[kind].p50_ms - each[NONE].p50_ms for each in rounds) for kind in rounds[0]}
    print(_report(rounds, added_ms))
    return int(max(added_ms.values()) >= LIMIT_MS)


def measure(options: Options) -> list[dict[str, Phase]]:
    """A phase of each kind, once a round."""
    bundle = load_bundle(options.model)
    body = request_body([troubling_instance(bundle)] * options.rows)
    rounds = []
    with tempfile.TemporaryDirectory() as folder, Azurite() as azurite:
        models = {kind: _models(Path(folder) / kind, bundle, kind) for kind in (NONE, *KINDS)}
        for number in range(options.rounds):
            turned = [*models][number % len(models) :] + [*models][: number % len(models)]
            found = {}
            for place, kind in enumerate(turned):
                container = f"bench-{number}-{place}"
                found[kind] = phase(azurite.connection_string, container, models[kind], bundle, body, options.seconds)
                sys.stderr.write(f"round {number + 1}, {kind}: {found[kind]}\n")
            rounds.append(found)
    return rounds


def phase(storage: str, container: str, models: Path, bundle: Bundle, body: bytes, seconds: float) -> Phase:
    """A service of its own, one connection in a loop, and what the log holds at the end."""
    environment = {
        "HYPERPLANE_STORAGE": storage,
        "HYPERPLANE_AUDIT_CONTAINER": container,
        "HYPERPLANE_MODELS": str(models),
    }
    with LocalHost(env=environment) as host, closing(Connection(host, f"/models/{bundle.manifest.name}/score")) as warm:
        for _ in range(30):
            warm.post(body)
        loop = Loop(warm, body)
        time.sleep(seconds)
        times_ms = [1000 * time_s for time_s in loop.stop()]
    log = open_stores(from_environ(environment)).log
    challenged = Counter(
        " ".join([str(record.outcome), *record.reasons, *([] if record.run else ["not run"])])
        for record, _ in records(log)
        if record.role == "challenger"
    )
    return Phase(percentile(times_ms, 50), percentile(times_ms, 99), len(times_ms), challenged)


def _models(folder: Path, bundle: Bundle, kind: str) -> Path:
    """A folder with the champion as version 1 and its challenger as version 2."""
    write_version(bundle, folder, "1")
    challengers = "[]"
    if kind != NONE:
        write_version(bundle, folder, "2", KINDS[kind])
        challengers = '["2"]'
    serving = f'[models."{bundle.manifest.name}"]\nchampion = "1"\nchallengers = {challengers}\n'
    (folder / "serving.toml").write_text(serving, encoding="utf-8")
    return folder


def _report(rounds: Sequence[dict[str, Phase]], added_ms: dict[str, float]) -> str:
    lines = [f"{'challenger':<14}{'p50':>10}{'p99':>10}{'added at p50':>16}   what the challengers' records say"]
    for kind in rounds[0]:
        p50_ms, p99_ms = (
            statistics.median(getattr(each[kind], field) for each in rounds) for field in ("p50_ms", "p99_ms")
        )
        told: Counter[str] = sum((each[kind].challenged for each in rounds), Counter())
        outcomes = ", ".join(f"{count:,} {outcome}" for outcome, count in told.most_common())
        lines.append(f"{kind:<14}{p50_ms:>7.2f} ms{p99_ms:>7.2f} ms{added_ms[kind]:>13.2f} ms   {outcomes}")
    return "\n".join(lines)


def _parse(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(prog="python -m bench.challengers", description=__doc__)
    parser.add_argument(
        "--model", type=Path, default=Path("models/breast-cancer/1"), help="bundle (default: %(default)s)"
    )
    parser.add_argument("--rows", type=int, default=1, help="instances of a request (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each phase (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="of all kinds (default: %(default)s)")
    return Options(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    raise SystemExit(main())
