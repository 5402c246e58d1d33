"""`python -m evaluation`: exit codes, what is written, and messages that say the fix."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from audit.connect import Stores
from audit.errors import Unavailable
from audit.memory_store import MemoryStore
from evaluation import __main__ as command
from evaluation.commands import report as report_command
from evaluation.report_store import latest, list_reports
from tests.evaluation.workshop import HOUR, NOON, Log, label, make_bundle, score

STORAGE = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:1/a"


@pytest.fixture
def environ(log: Log, derived: MemoryStore, models: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setattr(command, "open_stores", lambda settings: Stores(log.store, derived))
    make_bundle(models)
    return {"HYPERPLANE_STORAGE": STORAGE, "HYPERPLANE_MODELS": str(models)}


def test_a_report_is_stored_written_and_told(
    log: Log, derived: MemoryStore, environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log.append(NOON, [score("a"), label("a", "yes")])
    out = tmp_path / "out"
    assert command.main(["report", "--model", "toy", "--as-of", "2026-11-23T15:00", "--out", str(out)], environ) == 0
    told = capsys.readouterr().out
    assert "100 % of the only call got a sensible output" in " ".join(told.split())
    assert "provisional" in told
    assert json.loads((out / "report.json").read_text())["coverage"]["counts"]["calls"] == 1
    assert "<html" in (out / "report.html").read_text()
    entry = latest(derived, "toy")
    assert entry is not None
    assert entry.provisional


def test_an_alert_is_exit_code_1_and_json_is_json(
    log: Log, environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    log.append(NOON, [score(f"i{n}", outcome="failed", reasons=["model_error"]) for n in range(50)])
    code = command.main(["report", "--model", "toy", "--window", "all", "--as-of", "2026-11-24", "--json"], environ)
    assert code == 1
    assert json.loads(capsys.readouterr().out)["verdict"]["level"] == "alert"


def test_an_empty_log_is_no_error(environ: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["report", "--model", "toy"], environ) == 0
    assert "no data" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "calls"),
    [
        (["--window", "hour"], 1),
        (["--window", "day"], 2),
        (["--window", "all"], 3),
        (["--since", "2026-11-23T11:30", "--until", "2026-11-23T12:10"], 1),
        (["--since", "2026-11-22", "--window", "day"], 1),
        (["--since", "2026-11-22"], 3),
    ],
)
def test_windows(
    log: Log, environ: dict[str, str], capsys: pytest.CaptureFixture[str], arguments: list[str], calls: int
) -> None:
    for name, at_s in (("a", NOON - 24 * HOUR), ("b", NOON), ("c", NOON + HOUR)):
        log.append(at_s, [score(name, at_s)])
    command.main(["report", "--model", "toy", "--json", "--as-of", "2026-11-23T20:00", *arguments], environ)
    assert json.loads(capsys.readouterr().out)["coverage"]["counts"]["calls"] == calls


def test_a_backfill_does_what_the_timer_would_have_done(
    log: Log, derived: MemoryStore, environ: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    past = NOON - 365 * 24 * HOUR
    log.append(past, [score("a", past)])
    assert command.main(["profile", "--since", "2025-11-01"], environ) == 0
    assert list_reports(derived, "toy") == []
    assert command.main(["backfill", "--since", "2025-11-01"], environ) == 0
    assert [entry.calls for entry in list_reports(derived, "toy")] == [1]
    assert "1 report written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "environment", "says"),
    [
        (["report", "--model", "none"], {}, "there is: toy"),
        (["report", "--model", "toy"], {"HYPERPLANE_STORAGE": "memory://"}, "use a storage account or Azurite"),
        (["report", "--model", "toy"], {"HYPERPLANE_STORAGE": ""}, "HYPERPLANE_STORAGE"),
        (["report", "--model", "toy"], {"HYPERPLANE_THRESHOLDS": "{"}, "HYPERPLANE_THRESHOLDS"),
        (["report", "--model", "toy", "--since", "2h", "--until", "3h"], {}, "ends before it begins"),
    ],
)
def test_what_cannot_run_is_exit_code_2_and_says_the_fix(
    environ: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    environment: dict[str, str],
    says: str,
) -> None:
    assert command.main(arguments, environ | environment) == 2
    assert says in " ".join(capsys.readouterr().err.split())


def test_storage_that_is_down_is_exit_code_2(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Down(MemoryStore):
        def list(self, prefix: str = ""):  # type: ignore[no-untyped-def]
            raise Unavailable("nobody answers")

    monkeypatch.setattr(command, "open_stores", lambda settings: Stores(Down(), Down()))
    assert command.main(["report", "--model", "toy"], environ) == 2
    assert "Is the storage running" in " ".join(capsys.readouterr().err.split())


def test_an_exception_nobody_expected_is_exit_code_2_and_never_the_1_of_an_alert(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(report_command, "make_report", broken)
    assert command.main(["report", "--model", "toy"], environ) == 2
    told = capsys.readouterr().err
    assert "Traceback" in told
    assert "should not have happened: ZeroDivisionError" in " ".join(told.split())


def test_help_teaches() -> None:
    done = subprocess.run([sys.executable, "-m", "evaluation", "report", "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert "python -m evaluation report --model wine" in done.stdout
    assert "Exit codes" in done.stdout
