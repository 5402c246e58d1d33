"""`python -m scoring replay`, as an auditor meets it."""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from audit.connect import Stores
from audit.errors import Unavailable
from audit.memory_store import MemoryStore
from audit.reader import records
from audit.store import BlobInfo, Store
from scoring.__main__ import main
from scoring.commands import replay as command
from scoring.startup import opening
from tests.audit.examples import appender
from tests.scoring.bundles import regression, regressor_manifest, write_bundle
from tests.scoring.services import line

EVIL = "\x1b[31mevil\u202e[bold]"


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def replays(self) -> list[dict[str, object]]:
        return [json.loads(one) for one in self.out.splitlines()]


Run = Callable[..., Done]


@pytest.fixture
def models(tmp_path: Path) -> Path:
    write_bundle(tmp_path, regressor_manifest(), regression(2))
    return tmp_path


@pytest.fixture
def run(models: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command before a log of 40 scored instances, one rejected one, and labels."""
    with line(models, about=opening()) as started:
        rows = [{"age": 20.0 + i, "income": i} for i in range(40)]
        started.score({"instances": rows, "ids": [f"i{i}" for i in range(40)]}, model="amount")
        started.score({"instances": [{"age": EVIL}], "ids": ["refused"]}, model="amount")
        started.label({"labels": [{"id": "i1", "value": 2.0}, {"id": "only-a-label", "value": 2.0}]}, model="amount")
    return command_on(started.store, models, monkeypatch)


def command_on(store: Store, models: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(command, "open_stores", lambda settings: Stores(store, MemoryStore()))
    environ = {"HYPERPLANE_STORAGE": "UseDevelopmentStorage=true", "HYPERPLANE_MODELS": str(models)}

    def running(*arguments: str) -> Done:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = main(["replay", *arguments], environ)
            except SystemExit as end:
                code = int(end.code or 0)
        return Done(code, out.getvalue(), err.getvalue())

    return running


def test_a_terminal_gets_rows_of_its_width_and_below_them_what_is_not_equal_whole(
    run: Run, models: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setattr("scoring.replay_display.sys", SimpleNamespace(stdout=SimpleNamespace(isatty=lambda: True)))
    monkeypatch.setenv("COLUMNS", "60")

    def shown(*arguments: str) -> list[str]:
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", run(*arguments).out).splitlines()

    header, equal = shown("i7")
    assert header.split() == ["time", "id", "model", "verdict"]
    assert equal.split()[1:] == ["i7", "amount", "1", "equal"]
    _, first, *below = shown("i7", "--models", str(tmp_path_factory.mktemp("empty")))
    assert first.split()[-1] == "cannot"
    assert all(line.startswith("    ") and len(line) <= 60 for line in below)
    assert "No bundle in the models folder has the recorded hash" in " ".join(" ".join(below).split())


def test_an_instance_is_replayed_by_its_id(run: Run) -> None:
    done = run("i7", "i8", "i7")
    assert done.code == 0
    assert [row.split()[1:5] for row in done.out.splitlines()[1:]] == [
        ["i7", "amount", "1", "equal"],
        ["i8", "amount", "1", "equal"],
    ]
    assert done.err == "2 replayed: 2 equal\n"


def test_what_was_never_run_is_no_failure_and_is_told(run: Run) -> None:
    done = run("refused", "i1")
    assert done.code == 0
    assert "cannot" in done.out
    assert "1 cannot (not_run)" in done.err


@pytest.mark.parametrize("name", ["nobody", "only-a-label"])
def test_an_id_without_a_score_is_named_and_a_failure(run: Run, name: str) -> None:
    alone, beside = run(name), run(name, "i1")
    assert (alone.code, beside.code) == (1, 1)
    assert f"no score of an instance with the id '{name}'" in alone.err
    assert "1 replayed: 1 equal" in beside.err


def test_a_sample_lists_what_is_not_equal_and_with_all_everything(run: Run) -> None:
    done = run("--sample", "10", "--seed", "7")
    assert (done.code, done.out) == (0, "")
    assert done.err == "10 replayed: 10 equal; drawn from 40 that were run, seed 7\n"
    assert len(run("--sample", "10", "--seed", "7", "--all").out.splitlines()) == 11


def test_a_sample_as_json_has_a_line_for_each_and_the_same_seed_draws_the_same(run: Run) -> None:
    done = run("--sample", "1000", "--json")
    assert sorted(str(one["id"]) for one in done.replays) == sorted(f"i{i}" for i in range(40))
    assert {str(one["verdict"]) for one in done.replays} == {"equal"}
    assert done.out.isascii()
    first, again = run("--sample", "3", "--seed", "5", "--json"), run("--sample", "3", "--seed", "5", "--json")
    assert first.replays == again.replays
    assert len(first.replays) == 3


def test_nothing_to_draw_from_is_told(run: Run) -> None:
    done = run("--sample", "5", "--model", "wine", "--since", "1h")
    assert (done.code, done.out) == (1, "")
    assert done.err == "replay: no record of an instance that wine was run on in that time\n"


def test_without_the_bundle_each_record_says_so_and_the_command_fails(
    run: Run, models: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("empty")
    done = run("--sample", "4", "--models", str(elsewhere))
    assert done.code == 1
    assert "4 cannot (bundle_gone)" in done.err
    assert done.out.count("No bundle in the models folder has the recorded hash") == 4
    missing = run("i1", "--models", str(elsewhere / "nowhere"))
    assert missing.code == 2
    assert "there is no folder" in missing.err


def test_what_differs_is_shown_with_both_answers_and_nothing_of_it_reaches_the_terminal_raw(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with line(models, about=opening()) as started:
        started.score({"instances": [{"age": 61.0, "income": 2}], "ids": ["a"]}, model="amount")
    ((record, _),) = records(started.store)
    store = MemoryStore()
    writer = appender(store)
    writer.append([msgspec.json.encode(msgspec.structs.replace(record, y={"value": 1.5, EVIL: EVIL}))])
    done = command_on(store, models, monkeypatch)("a")
    assert done.code == 1
    assert "\x1b" not in done.out
    assert "\u202e" not in done.out
    assert '"value": 1.5' in done.out
    assert '"value": 63.0' in done.out
    assert "the largest difference is 61.5" in done.err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["i1", "--sample", "3"],
        ["i1", "--seed", "3"],
        ["i1", "--all"],
        ["--sample", "0"],
        ["--sample", "x"],
        ["i1", "--since", "x"],
    ],
    ids=" ".join,
)
def test_options_that_make_no_sense_are_refused(run: Run, arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.code == 2
    assert "error" in done.err


def test_settings_that_cannot_be_used_are_named(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "a"], {"HYPERPLANE_STORAGE": "memory://"}) == 2
    assert "memory://" in capsys.readouterr().err
    assert main(["replay", "a"], {}) == 2
    assert "HYPERPLANE_STORAGE is not set" in capsys.readouterr().err


def test_a_storage_that_is_down_ends_the_command_with_one_line(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Down(MemoryStore):
        def list(self, prefix: str = "") -> Iterator[BlobInfo]:
            raise Unavailable("the storage cannot be reached")

    done = command_on(Down(), models, monkeypatch)("--sample", "3")
    assert (done.code, done.out) == (2, "")
    assert "cannot be reached" in done.err
