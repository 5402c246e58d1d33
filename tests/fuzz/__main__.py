"""`make fuzz`: many requests made from the OpenAPI document, against a host of its own with the demo models.

    make fuzz                              100 requests of each operation and phase, from a seed of its own
    make fuzz EXAMPLES=2000 SEED=7

Prints what schemathesis says, its seed, and whether the log holds what was answered. Ends with 1 if anything is amiss.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

from audit.connect import open_stores
from audit.settings import from_environ
from audit.verify import verify
from infra.local.azurite import Azurite
from infra.local.local_host import LocalHost
from tests.fuzz.balance import recorded, tally_of
from tests.fuzz.run import ROOT, Plan, fuzz
from tests.platform import DEMO_MODELS, Platform, demo_rows


def main() -> int:
    """Run it; the exit code."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--examples", type=int, default=100, help="requests of each operation in each phase that draws")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32), help="of an earlier run, to repeat it")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder, Azurite(Path(folder) / "azurite") as azurite:
        environment = {"HYPERPLANE_STORAGE": azurite.connection_string, "HYPERPLANE_MODELS": str(ROOT / "models")}
        with LocalHost(env=environment, data=Path(folder) / "host") as host:
            _make_a_report(host.url, host.key, environment)
            plan = Plan(examples=given.examples, seed=given.seed, workers=2)
            outcome = fuzz(host.url, host.key, plan, Path(folder))
            print(outcome.text)
        tally, log = tally_of(outcome.exchanges), open_stores(from_environ(environment)).log
        found, outcomes = recorded(log, tally.expected)
        balanced = found == {request: +counts for request, counts in tally.expected.items()} and not verify(log)
        _say(tally.total, outcomes, balanced=balanced, seed=given.seed)
    return 0 if outcome.passed and balanced else 1


def _make_a_report(url: str, key: str, environment: dict[str, str]) -> None:
    """Some traffic and a report of each model, so that the routes of reports have something to answer."""
    platform = Platform(url, key, environment)
    for model in DEMO_MODELS:
        sent = {"instances": [row for row, _ in demo_rows(model)[:20]]}
        platform.client.post(f"/models/{model}/score", json=sent).raise_for_status()
        platform.command("evaluation", "report", "--model", model, check=False)
    platform.close()


def _say(answered: dict[str, int], outcomes: dict[str, int], *, balanced: bool, seed: int) -> None:
    counted = ", ".join(f"{count:,} {kind}" for kind, count in sorted(outcomes.items()))
    print(f"answered: {answered.get('score', 0):,} instances, {answered.get('request_error', 0):,} request errors")
    print(f"the log:  {counted}: {'the same, and all of it verifies' if balanced else 'THIS IS NOT THE SAME'}")
    print(f"to repeat it: make fuzz SEED={seed}")


if __name__ == "__main__":
    sys.exit(main())
