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
from tests.evaluation.workshop import HOUR, NOON, Log, UnreadableBlob, label, make_bundle, score

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
        (["--window", "week"], 2),
        (["--window", "week", "--since", "2026-11-22"], 1),
        (["--window", "all", "--until", "2026-11-23"], 1),
        (["--since-version", "1"], 3),
        (["--since-version", "2"], 1),
    ],
)
def test_windows(
    log: Log, environ: dict[str, str], capsys: pytest.CaptureFixture[str], arguments: list[str], calls: int
) -> None:
    for name, at_s, version in (("a", NOON - 24 * HOUR, "1"), ("b", NOON, "1"), ("c", NOON + HOUR, "2")):
        log.append(at_s, [score(name, at_s, version=version)])
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
        (["report", "--model", "toy", "--since-version", "9"], {}, "version '9' of model toy has not scored"),
        (["report", "--model", "toy", "--since-version", "../9"], {}, "expected the name of a version"),
        (["report", "--model", "toy", "--since-version", "1", "--since", "2h"], {}, "--since has no place beside"),
        (["report", "--model", "toy", "--window", "day", "--until", "2h"], {}, "--until has no place beside"),
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
    def broken(*_: object, **_more: object) -> None:
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


def test_without_a_command_it_says_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([], {}) == 0
    told = capsys.readouterr().out
    for name in ("report", "compare", "backfill", "profile", "schema"):
        assert f"\n    {name} " in told


@pytest.mark.parametrize("name", ["", "report", "compare", "backfill", "profile", "schema"])
def test_help_fits_a_terminal_of_80_columns(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as ended:
        command.main([name, "--help"] if name else ["--help"], {})
    assert ended.value.code == 0
    assert [line for line in capsys.readouterr().out.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize(("arguments", "code"), [([], 0), (["--fail-on", "warn"], 1)])
def test_a_warning_is_exit_code_1_only_when_asked_for(
    log: Log, environ: dict[str, str], arguments: list[str], code: int
) -> None:
    outcomes = ["failed"] * 8 + ["scored"] * 92
    log.append(NOON, [score(f"i{n}", outcome=outcome) for n, outcome in enumerate(outcomes)])
    assert command.main(["report", "--model", "toy", "--as-of", "2026-11-24", *arguments], environ) == code
    backfilled = ["backfill", "--since", "2026-11-23", *arguments]
    assert command.main(backfilled, environ) == code


def test_a_problem_of_a_backfill_is_exit_code_1_whatever_the_verdicts(
    log: Log, derived: MemoryStore, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = log.append(NOON, [score("bad")], writer="bad")
    log.close(bad)
    monkeypatch.setattr(command, "open_stores", lambda settings: Stores(UnreadableBlob(log.store, bad), derived))
    assert command.main(["backfill", "--since", "2026-11-23"], environ) == 1
