"""Some hundred seeds of the simulator, and that it would say so if the log had a bug; `make simulate` runs more."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.audit.simulation import __main__ as command
from tests.audit.simulation.mishaps import ALL_KINDS
from tests.audit.simulation.planted import PLANTED
from tests.audit.simulation.run import Outcome, simulate
from tests.audit.simulation.world import Parts

ROOT = Path(__file__).parent.parent.parent
MOST_SEEDS = 2000
SOME_SEED = 12


@pytest.mark.parametrize("first", range(0, 240, 60))
def test_whatever_happens_the_log_keeps_its_promises(first: int) -> None:
    hits = Counter[str]()
    for seed in range(first, first + 60):
        outcome = simulate(seed)
        assert outcome.broken == [], f"python -m tests.audit.simulation --seed {seed} --trace"
        assert outcome.operations >= 200
        assert outcome.hits.total() >= 3
        hits += outcome.hits
    assert set(hits) == set(ALL_KINDS), "every kind of mishap comes about"


@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_caught(bug: str) -> None:
    caught = next((seed for seed in range(MOST_SEEDS) if simulate(seed, PLANTED[bug]).broken), None)
    assert caught is not None


def test_a_seed_happens_again_exactly_in_another_process_too() -> None:
    trace = simulate(SOME_SEED, traced=True).trace
    assert len(trace) > 200
    assert simulate(SOME_SEED, traced=True).trace == trace
    code = "import sys; from tests.audit.test_simulation import *; print(fingerprint(simulate(SOME_SEED, traced=True)))"
    environment = os.environ | {"PYTHONHASHSEED": "12345", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == fingerprint(simulate(SOME_SEED, traced=True))


def test_seeds_differ() -> None:
    assert len({fingerprint(simulate(seed, traced=True)) for seed in range(5)}) == 5


def test_the_command_counts_and_tells_that_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--seeds", "20", "--from", "1000", "--processes", "1"]) == 0
    said = capsys.readouterr().out
    assert all(kind in said for kind in ALL_KINDS)
    assert "20 seeds, " in said
    assert "no promise was broken" in said


def test_a_broken_promise_is_shown_with_all_that_led_to_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_a_bug(seed: int, parts: Parts | None = None, *, traced: bool = False) -> Outcome:
        return simulate(seed, parts or PLANTED["retries on"], traced=traced)

    monkeypatch.setattr(command, "simulate", with_a_bug)
    assert command.main(["--seeds", "300", "--processes", "1"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith("to play it again: python -m tests.audit.simulation --seed ")
    seed = lines[-1].split()[-2]
    assert any(line.startswith("BROKEN: ") for line in lines)
    assert sum(" append log/" in line for line in lines) > 20, "one line for each call"
    assert command.main(["--seed", seed, "--planted", "retries on"]) == 1


def fingerprint(outcome: Outcome) -> str:
    return hashlib.sha256("\n".join(outcome.trace).encode()).hexdigest()
