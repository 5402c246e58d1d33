"""The command that measures one row says what it measured, and its steps are those of a request."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from bench.one_row import measure

ROOT = Path(__file__).parents[2]


def one_row(models: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "bench.one_row", "--models", str(models), "--rounds", "3", "--calls", "5"]
    environment = {**os.environ, "HYPERPLANE_STORAGE": "memory://", "HYPERPLANE_MODELS": str(models)}
    done = subprocess.run([*command, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_whole_costs_no_less_than_its_dearest_step(demo_models: Path) -> None:
    told = json.loads(one_row(demo_models, "--json"))
    medians = {each["name"]: each["median_us"] for each in told["figures"]}
    assert list(medians)[:2] == ["service", "handler"]
    assert all(median > 0 for median in medians.values())
    assert max(medians["service"], medians["handler"]) > max(list(medians.values())[2:])


def test_the_table_and_the_profile_name_the_model_and_what_takes_long(demo_models: Path) -> None:
    text = one_row(demo_models, "--model", "wine", "--profile")
    assert "wine 1, 13 features" in text
    assert "the goal of 120" in text
    assert "onnxruntime_inference_collection.py" in text


def test_calls_take_turns_round_by_round() -> None:
    seen: list[tuple[str, int]] = []
    calls = {name: lambda times, name=name: seen.append((name, times)) for name in ("a", "b")}
    figures = measure(calls, rounds=2, repeat=7)
    assert [name for name, times in seen if times == 7] == ["a", "b", "a", "b"]
    assert [figure.name for figure in figures] == ["a", "b"]
