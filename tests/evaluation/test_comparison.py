"""Side by side: versions, windows, challengers; what is worse alerts, and the same moment gives the same bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audit.connect import Stores
from audit.memory_store import MemoryStore
from evaluation import __main__ as command
from tests.evaluation.test_command import STORAGE
from tests.evaluation.workshop import HOUR, NOON, Log, label, make_bundle, score

AS_OF = ["--as-of", "2026-11-23T20:00"]


@pytest.fixture
def environ(log: Log, derived: MemoryStore, models: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setattr(command, "open_stores", lambda settings: Stores(log.store, derived))
    return {"HYPERPLANE_STORAGE": STORAGE, "HYPERPLANE_MODELS": str(models)}


def scored(
    log: Log, at_s: float, bundle: str, *, version: str = "1", role: str = "champion", right: float, shift: float = 0.0
) -> None:
    """300 labelled instances, of which the version gets a share right."""
    draw, lines = np.random.default_rng(int(at_s) + len(version + role)), list[Any]()
    for n in range(300):
        truth, hit = draw.random() < 0.5, draw.random() < right
        p = 0.8 if truth == hit else 0.2
        y = {"label": "yes" if p > 0.5 else "no", "probabilities": {"no": 1 - p, "yes": p}}
        x = {"a": float(draw.normal(shift)), "b": float(draw.normal())}
        name = f"{int(at_s)}-{n}" + ("" if role == "challenger" else version)
        lines.append(score(name, at_s, version=version, bundle=bundle, role=role, x=x, y=y))
        lines.append(label(name, "yes" if truth else "no", at_s + 60))
    log.append(at_s, lines)


def compared(
    environ: dict[str, str], capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, dict[str, Any]]:
    code = command.main(["compare", "--model", "toy", *AS_OF, "--json", *arguments], environ)
    return code, json.loads(capsys.readouterr().out)


def test_a_version_that_is_worse_alerts_and_one_that_is_better_says_so(
    log: Log, models: Path, environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    for version, right in (("1", 0.95), ("2", 0.7)):
        scored(log, NOON, make_bundle(models, version=version).sha256, version=version, right=right)
    code, found = compared(environ, capsys, "--versions", "1", "2")
    assert (code, found["verdict"]["level"]) == (1, "alert")
    figures = {figure["name"]: figure for figure in found["differences"][0]["figures"]}
    assert figures["coverage"]["level"] == "ok"
    assert figures["accuracy"]["value"] < figures["accuracy"]["before"]
    assert "of version 1" in figures["accuracy"]["sentence"]
    code, found = compared(environ, capsys, "--versions", "2", "1")
    assert (code, found["verdict"]["level"]) == (0, "ok")
    assert any("better beyond chance" in figure["sentence"] for figure in found["differences"][0]["figures"])


def test_two_windows_are_held_against_each_other_distributions_too(
    log: Log, models: Path, environ: dict[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bundle = make_bundle(models).sha256
    scored(log, NOON, bundle, right=0.9)
    scored(log, NOON + HOUR, bundle, right=0.9)
    scored(log, NOON + 2 * HOUR, bundle, right=0.9, shift=1.5)
    code, found = compared(environ, capsys, "--windows", "2026-11-23T12", "2026-11-23T13")
    assert (code, found["differences"][0]["drift"]["verdict"]["level"]) == (0, "ok")
    out = str(tmp_path / "out")
    code, found = compared(environ, capsys, "--windows", "2026-11-23T12", "2026-11-23T14", "--out", out)
    assert code == 1
    (drifted,) = [one for one in found["differences"][0]["drift"]["features"] if one["level"] == "alert"]
    assert (drifted["name"], drifted["n_before"], drifted["n_now"]) == ("a", 300, 300)
    page = (tmp_path / "out" / "comparison.html").read_text(encoding="utf-8")
    assert "Drift between the windows" in page
    assert json.loads((tmp_path / "out" / "comparison.json").read_bytes()) == found


def test_champion_and_challenger_are_told_on_a_terminal_and_warn_when_asked_to(
    log: Log, models: Path, environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    bundles = {version: make_bundle(models, version=version).sha256 for version in ("1", "2")}
    scored(log, NOON, bundles["1"], right=0.9)
    scored(log, NOON, bundles["2"], version="2", role="challenger", right=0.9)
    arguments = ["compare", "--model", "toy", "--challengers", *AS_OF]
    assert command.main(arguments, environ) == 0
    told = capsys.readouterr().out
    assert "challenger 2: 300 calls" in told
    assert "Nothing of challenger 2 is worse beyond chance." in " ".join(told.split())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--versions", "1", "7"], "version '7' has not scored in this window; those that have: 1"),
        (["--challengers"], "no challenger scored"),
        (["--windows", "2026-11-23", "soon"], "'soon' is no window: expected a day"),
        (["--windows", "2026-11-23", "2026-11-22", "--since", "7d"], "--since has no place beside --windows"),
    ],
)
def test_what_cannot_be_compared_is_exit_code_2_and_says_why(
    log: Log, models: Path, environ: dict[str, str], capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    make_bundle(models)
    log.append(NOON, [score("a")])
    assert command.main(["compare", "--model", "toy", *AS_OF, *arguments], environ) == 2
    assert says in " ".join(capsys.readouterr().err.split())


def test_windows_without_anything_in_common_have_no_data_and_the_same_moment_gives_the_same_bytes(
    log: Log, models: Path, environ: dict[str, str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    make_bundle(models)
    log.append(NOON, [score("a")])
    code, found = compared(environ, capsys, "--windows", "2026-11-20", "2026-11-23", "--out", str(tmp_path))
    first = (tmp_path / "comparison.json").read_bytes()
    log.append(NOON + 9 * HOUR, [score("later", NOON + 9 * HOUR)])
    compared(environ, capsys, "--windows", "2026-11-20", "2026-11-23", "--out", str(tmp_path))
    assert (tmp_path / "comparison.json").read_bytes() == first
    assert (code, found["verdict"]["level"]) == (0, "no data")
    assert any("Drift between the windows is not known" in note for note in found["notes"])
