"""Clients written for other servers, each in an environment of its own, and what they got from ours.

A client NAME is two files here: `NAME.in`, what it needs (`make lock` pins it in `NAME.txt`, `make test-clients`
installs that into `.local/clients/NAME`), and `use_NAME.py`, which runs there as

    python use_NAME.py URL KEY < sent

`sent` is JSON, for each model its features in order, rows with null for what is missing, and an id for each row:

    {"wine": {"features": ["alcohol", …], "rows": [[14.23, …], …], "ids": ["wine-0", …]}, …}

It prints JSON: `facts` and `errors` in its own shape, and `answers` by the way it asked and by model, a list of n for
each output that it read; what it did not read it leaves out, and NaN or null stands where there is no prediction:

    {"facts": {…}, "errors": {…},
     "answers": {"binary": {"wine": {"predict": ["class_0", …], "predict_proba": [[0.98, …], …], "outcome": […]}}}}

Tests that hold for every client are in `test_clients.py`; what only one of them says is in `test_NAME.py`.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.platform import DEMO_MODELS, demo_rows

FOLDER = Path(__file__).parent
ENVIRONMENTS = FOLDER.parent.parent / ".local" / "clients"
CLIENTS = sorted(path.stem for path in FOLDER.glob("*.in"))
WITHOUT_KEYS = frozenset(("mlflow",))  # clients that can send no header: they need AUTH=off
ROWS = 12

Sent = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Run:
    """What one client printed."""

    facts: dict[str, Any]
    answers: dict[str, dict[str, dict[str, Any]]]  # by the way it asked, by model
    errors: dict[str, dict[str, str]]


def run_client(name: str, url: str, key: str) -> Run:
    """Let a client ask a server everything, and return what it got."""
    python = ENVIRONMENTS / name / "bin" / "python"
    assert python.exists(), f"{name} is not installed: run `make test-clients`"
    done = subprocess.run(
        [python, FOLDER / f"use_{name}.py", url, key],
        input=json.dumps(sent()),
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-6000:]
    return Run(**json.loads(done.stdout.splitlines()[-1]))


@cache
def sent() -> Sent:
    """Rows of each demo model's data, the second one without its first value."""
    return {model: _sent(model) for model in DEMO_MODELS}


def _sent(model: str) -> dict[str, Any]:
    instances = [row for row, _ in demo_rows(model)[:: len(demo_rows(model)) // ROWS]][:ROWS]
    features = list(instances[0])
    rows: list[list[float | None]] = [[instance[name] for name in features] for instance in instances]
    rows[1][0] = None
    return {"features": features, "rows": rows, "ids": [f"{model}-{place}" for place in range(len(rows))]}
