"""`make demo` between its parts: what it plays again, what it serves as it is, and what it never removes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infra.local import demo
from infra.local.process import LocalError
from infra.local.run_options import Options
from infra.local.serving import STORAGE
from tests.test_make_run import free_port

DAY_S = 24 * 3600


class Parts:
    """Stand-ins for the commands, the storage and the host, which write down what was asked of them."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.commands: list[str] = []
        self.first_day_s = time.time() // DAY_S * DAY_S - 14 * DAY_S
        self.interrupt: str | None = None  # the command that Ctrl-C comes in

    def command(self, module: str, *arguments: str, environment: dict[str, str], fine: Any = (0,)) -> None:
        name = f"{module} {arguments[0]}"
        self.commands.append(name)
        if name == self.interrupt:
            raise KeyboardInterrupt
        if name == "training.credit export":
            bundle = Path(arguments[-1]) / "credit" / "1"
            bundle.mkdir(parents=True)
            (bundle / "manifest.json").touch()
        if name == "training.credit play":
            (self.data / demo.LOG / "played").touch()
            day = {"date": "2026-11-10", "fault": None, "level": "ok", "report": "day-2026-11-10-x"}
            told = {"seed": int(arguments[2]), "first_day_s": self.first_day_s, "days": [day]}
            Path(arguments[-1]).write_text(json.dumps(told), encoding="utf-8")

    def storage(self, options: Options, started: ExitStack) -> Any:
        (options.data / demo.LOG).mkdir(exist_ok=True)
        return SimpleNamespace(connection_string="UseDevelopmentStorage=true")

    @contextmanager
    def host(self, options: Options, environment: dict[str, str]) -> Iterator[Any]:
        yield SimpleNamespace(url="http://127.0.0.1:1", key="a key")


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Parts:
    made = Parts(tmp_path / "demo")
    monkeypatch.delenv(STORAGE, raising=False)
    monkeypatch.setattr(demo, "command", made.command)
    monkeypatch.setattr(demo, "storage", made.storage)
    monkeypatch.setattr(demo, "running_host", made.host)
    monkeypatch.setattr(demo, "until_ctrl_c", _once)
    return made


def _once(options: Options, start: Callable[[ExitStack], Any]) -> int:
    with ExitStack() as started:
        start(started)
    return 0


def run(parts: Parts, *more: str) -> list[str]:
    """The commands that it ran."""
    parts.commands.clear()
    where = ["--port", str(free_port()), "--data", str(parts.data), "--models", str(parts.data / "models")]
    demo.main([*where, *more])
    return list(parts.commands)


EXPORT, PLAY, SEAL = "training.credit export", "training.credit play", "audit seal"


def test_it_plays_once_and_serves_what_is_there_after_that(parts: Parts, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(parts) == [EXPORT, PLAY, SEAL]
    assert "nothing          ok     http://127.0.0.1:1/models/credit/reports/day-2026-11-10-x?code=a%20key" in (
        capsys.readouterr().out
    )
    assert run(parts) == []
    assert "day-2026-11-10-x" in capsys.readouterr().out
    assert run(parts, "--auth", "off") == []
    assert "code=" not in capsys.readouterr().out


def test_another_seed_is_played_into_a_log_of_its_own(parts: Parts) -> None:
    run(parts)
    (parts.data / demo.LOG / "of seed 1").touch()
    assert run(parts, "--seed", "2") == [PLAY, SEAL]
    assert not (parts.data / demo.LOG / "of seed 1").exists()
    assert run(parts, "--seed", "2") == []


@pytest.mark.parametrize("where", [EXPORT, PLAY, SEAL])
def test_interrupted_anywhere_it_begins_anew(parts: Parts, where: str) -> None:
    parts.interrupt = where
    with pytest.raises(KeyboardInterrupt):
        run(parts)
    parts.interrupt = None
    if (parts.data / demo.LOG).exists():
        (parts.data / demo.LOG / "half").touch()
    assert run(parts) == ([EXPORT] if where == EXPORT else []) + [PLAY, SEAL]
    assert not (parts.data / demo.LOG / "half").exists()


def test_what_is_a_month_old_is_played_anew(parts: Parts) -> None:
    parts.first_day_s -= 40 * DAY_S
    run(parts)
    parts.first_day_s += 40 * DAY_S
    assert run(parts) == [PLAY, SEAL]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"seed": 1, "first_day_s": "x", "days": [1]}', "\x00", "1e999"])
def test_a_note_that_nobody_can_read_is_no_play(parts: Parts, text: str) -> None:
    run(parts)
    (parts.data / demo.PLAYED).write_text(text, encoding="utf-8")
    assert run(parts) == [PLAY, SEAL]


def test_a_log_that_is_not_the_demos_is_never_removed(parts: Parts) -> None:
    evidence = parts.data / demo.LOG / "evidence"
    evidence.parent.mkdir(parents=True)
    evidence.touch()
    with pytest.raises(LocalError, match="make demo did not play"):
        run(parts)
    assert evidence.exists()
    assert parts.commands == []


@pytest.mark.parametrize(
    ("setting", "value"),
    [(STORAGE, "memory://"), (f"{STORAGE}__accountName", "own"), (f"{STORAGE}__blobServiceUri", "x")],
)
def test_a_storage_that_somebody_names_is_refused(
    parts: Parts, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], setting: str, value: str
) -> None:
    monkeypatch.setenv(setting, value)
    assert demo.main([]) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert f"unset {setting}," in told
    assert parts.commands == []
