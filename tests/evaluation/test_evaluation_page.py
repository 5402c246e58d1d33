"""The pages on reports: every command shown runs as it stands, and a verdict has the fields that are documented."""

from __future__ import annotations

import json
import logging
import re
import shlex
from pathlib import Path

import pytest

from audit.connect import Stores
from audit.memory_store import MemoryStore
from evaluation import __main__ as command
from evaluation.hourly import run_due
from tests.evaluation.test_command import STORAGE
from tests.evaluation.workshop import HOUR, NOON, Log, make_bundle, score

DOCS = Path(__file__).parent.parent.parent / "docs"
COMMANDS = re.findall(r"^python -m evaluation (.+?)(?: +#.*)?$", (DOCS / "evaluation.md").read_text(), re.MULTILINE)


@pytest.fixture
def environ(log: Log, derived: MemoryStore, models: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A model `wine` of two versions, the second first a challenger and then the champion."""
    monkeypatch.setattr(command, "open_stores", lambda settings: Stores(log.store, derived))
    for version in ("1", "2"):
        make_bundle(models, name="wine", version=version)
    for back, version, role in ((9, "1", "champion"), (9, "2", "challenger"), (2, "2", "champion")):
        at_s = NOON - back * 24 * HOUR
        log.append(at_s, [score(f"{back}", at_s, model="wine", version=version, role=role)])
    return {"HYPERPLANE_STORAGE": STORAGE, "HYPERPLANE_MODELS": str(models)}


def test_every_command_of_the_page_runs(
    environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert {line.split()[0] for line in COMMANDS} == {"report", "compare", "backfill", "profile"}
    for line in COMMANDS:
        assert command.main(shlex.split(line), environ) in (0, 1), f"{line}: {capsys.readouterr().err}"
    written = {"reports/report.html", "side-by-side/comparison.html", "side-by-side/comparison.json"}
    assert {name for name in written if not (tmp_path / name).exists()} == set()


def test_the_fields_of_a_verdict_are_those_of_the_page_on_operations(
    log: Log, derived: MemoryStore, models: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log.append(NOON, [score("a", bundle=make_bundle(models).sha256)])
    with caplog.at_level(logging.INFO, "hyperplane.evaluation"):
        run_due(log.store, derived, models, NOON + HOUR + 301)
    (line, *_) = [json.loads(record.message) for record in caplog.records if record.message.startswith("{")]
    page = (DOCS / "operations.md").read_text(encoding="utf-8")
    table = page.partition("| field of a verdict |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(line)
    example = next(text for text in re.findall(r"```json\n(.*?)\n```", page) if '"event": "verdict"' in text)
    assert list(json.loads(example)) == list(line)
