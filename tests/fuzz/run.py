"""One run of schemathesis against a running host, and what came of it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PHASES = ("examples", "coverage", "fuzzing", "stateful")


@dataclass(frozen=True)
class Plan:
    """How much is tried, and from which seed."""

    examples: int  # of each operation, in each phase that draws
    seed: int  # not asked for by a deterministic run
    phases: tuple[str, ...] = PHASES
    workers: int = 1
    deterministic: bool = False  # the same requests on every machine


@dataclass(frozen=True)
class Outcome:
    """What schemathesis said, and the exchanges it had."""

    passed: bool
    text: str
    exchanges: Path  # an HTTP archive


def fuzz(url: str, key: str, plan: Plan, folder: Path) -> Outcome:
    """Try every operation of the document at `url`; `folder` takes the archive. It does not raise for failures."""
    exchanges = folder / "exchanges.har"
    command = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", "--config-file"]
    command += [str(HERE / "schemathesis.toml"), "run", f"{url}/openapi.json", "--header", f"x-functions-key: {key}"]
    command += ["--max-examples", str(plan.examples), "--seed", str(plan.seed), "--phases", ",".join(plan.phases)]
    command += ["--workers", str(plan.workers), "--continue-on-failure", "--no-color", "--request-timeout", "60"]
    command += ["--report-har-path", str(exchanges)]
    command += ["--generation-deterministic"] if plan.deterministic else ["--generation-database", "none"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    return Outcome(done.returncode == 0, (done.stdout + done.stderr).replace(key, "…"), exchanges)
