"""`python -m training.credit`: what it prints, its exit codes, and one line for what is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from training.credit import check, schedule
from training.credit.check import DayResult
from training.credit.command import main
from training.credit.faults import FAULTS, SECTIONS
from training.credit.schedule import Day, days


def results(seed: int, missed: str | None) -> list[DayResult]:
    """A fortnight without a false alert, on which one fault may have been missed."""
    return [DayResult(seed, day, bool(day.fault and day.fault.name != missed), (), SECTIONS) for day in days(seed)]


@pytest.mark.parametrize(("missed", "code"), [(None, 0), ("slow period", 1)])
def test_the_check_prints_its_counts_and_says_whether_it_holds(
    missed: str | None, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def played(models: Path, seeds: range, per_day: int, workers: int) -> Iterator[list[DayResult]]:
        yield from (results(seed, missed) for seed in seeds)

    monkeypatch.setattr(check, "check_seeds", played)
    (tmp_path / "credit").mkdir()
    assert main(["check", "--models", str(tmp_path), "--seeds", "3", "--from", "5"]) == code
    told = capsys.readouterr().out
    assert "concept drift    named on 3 of 3 days" in told
    assert "drift            0 false alerts on 42 clean days" in told
    assert ("not named: seed 7, day" in told) == bool(missed)
    assert told.splitlines()[-1].endswith("FAILS" if missed else "holds")


def test_the_play_prints_what_was_planted_or_writes_it_down(
    credit_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HYPERPLANE_STORAGE", "memory://")
    monkeypatch.setenv("HYPERPLANE_MODELS", str(credit_models))
    monkeypatch.setattr(schedule, "days", lambda seed: [Day(0, None), Day(1, FAULTS[0])])
    out = tmp_path / "played.json"
    assert main(["play", "--seed", "3", "--per-day", "8", "--out", str(out)]) == 0
    assert capsys.readouterr().out == ""
    assert main(["play", "--seed", "3", "--per-day", "8"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line[10:].split("  ")[1] for line in lines] == ["nothing", "covariate shift"]
    told: dict[str, Any] = json.loads(out.read_bytes())
    assert (told["seed"], told["model"]) == (3, "credit")
    assert [day["fault"] for day in told["days"]] == [None, "covariate shift"]
    assert all(day["report"].startswith(f"day-{day['date']}-") for day in told["days"])


@pytest.mark.parametrize("wrong", [["play", "--seed=-1"], ["check", "--seeds", "many"], ["check", "--from=-1"], []])
def test_a_wrong_option_is_explained(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(wrong)
    assert ended.value.code == 2
    assert capsys.readouterr().err


def test_what_keeps_it_from_running_is_one_line(
    tmp_path: Path, credit_models: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setenv("HYPERPLANE_MODELS", str(tmp_path))
    monkeypatch.setenv("HYPERPLANE_STORAGE", "memory://")
    assert main(["check", "--models", str(tmp_path)]) == 2
    assert main(["play"]) == 2
    monkeypatch.delenv("HYPERPLANE_STORAGE")
    assert main(["play"]) == 2
    assert main(["export", "--out", str(credit_models)]) == 2
    missing, unmade, nowhere, there = capsys.readouterr().err.splitlines()
    assert "there is no credit in" in missing
    assert "there is no credit: make it with" in unmade
    assert "HYPERPLANE_STORAGE" in nowhere
    assert "credit/1" in there


def test_help_fits_a_terminal_and_answers_without_scikit_learn() -> None:
    code = (
        "import sys\nfrom training.credit.command import main\n"
        "for words in ([], ['export'], ['play'], ['check']):\n"
        " try:\n  main([*words, '--help'])\n except SystemExit:\n  pass\n"
        "assert not {'sklearn', 'pandas', 'onnx', 'skl2onnx'} & set(sys.modules)"
    )
    narrow = {**os.environ, "COLUMNS": "80"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=narrow, check=True)
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "docs/demo.md" in done.stdout
