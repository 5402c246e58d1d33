"""`python -m audit`, as a person meets it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import re
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import pytest

from audit.__main__ import main
from audit.connect import open_stores
from audit.ids import new_id
from audit.layout import hour_of
from audit.records import Record, encode_record, timestamp
from audit.settings import from_environ
from audit.store import Store
from audit.writer import LogWriter, new_writer_id
from infra.local.azurite import Azurite

ROOT = Path(__file__).parents[2]
HOSTILE = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202e[bold red]evil[/] \r\n"
SERVER_ID = new_id()


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Command:
    environ: dict[str, str]
    store: Store

    def __call__(self, *arguments: str) -> Done:
        """Run it in this process, which is quicker."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = main(arguments, self.environ)
            except SystemExit as end:  # argparse
                code = int(end.code or 0)
        return Done(code, out.getvalue(), err.getvalue())

    def in_a_process(self, *arguments: str, **environ: str) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "audit", *arguments],
            cwd=ROOT,
            env=os.environ | self.environ | environ,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def command(azurite: Azurite) -> Command:
    """The command, before a log with three models' records in it."""
    environ = {
        "HYPERPLANE_STORAGE": azurite.connection_string,
        "HYPERPLANE_AUDIT_CONTAINER": f"command-{uuid.uuid4().hex}",
    }
    store = open_stores(from_environ(environ)).log
    writer = LogWriter(store, writer_id=new_writer_id(), opening={"code": "test"})
    now_s = time.time()

    def record(name: str, age_s: float, **fields: object) -> bytes:
        given: dict[str, object] = {"kind": "score", "model": "wine", "outcome": "scored", "x": {"a": 1.5}} | fields
        made = Record(v=1, id=name, ts=timestamp(now_s - age_s), writer=writer.writer_id, **given)  # type: ignore[arg-type]
        return encode_record(made)

    probabilities = {"label": "good", "probabilities": {"good": 0.75, "bad": 0.25}}
    writer.commit_blocking([record("p-1", 9, y=probabilities), record(SERVER_ID, 8)], 10)
    writer.commit_blocking([record("p-2", 7, outcome="abstained", reasons=["missing_required"])], 10)
    writer.commit_blocking([record(HOSTILE, 6, model=HOSTILE, outcome=HOSTILE, reasons=[HOSTILE])], 10)
    writer.commit_blocking([record("p-1", 5, kind="label", outcome="recorded", y={"label": "bad"}, x=None)], 10)
    writer.close()
    return Command(environ, store)


def test_show_gives_every_record_of_an_instance_oldest_first(command: Command) -> None:
    done = command("show", "p-1", "--json")
    assert done.returncode == 0
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert (first["record"]["kind"], second["record"]["kind"]) == ("score", "label")
    assert first["record"]["y"]["probabilities"] == {"good": 0.75, "bad": 0.25}
    assert first["position"]["blob"].startswith(f"log/v1/{hour_of(time.time())[:8]}")
    assert (first["position"]["sequence"], first["position"]["line"]) == (1, 0)
    assert json.loads(command("show", SERVER_ID, "--json").stdout)["record"]["id"] == SERVER_ID
    whole = command("show", "p-1").stdout
    for text in ("p-1", "wine", "scored", '{"good": 0.75, "bad": 0.25}', "frame 1, line 0"):
        assert text in whole


def test_an_unknown_id_is_named_and_exits_1(command: Command) -> None:
    done = command("show", "no-such-id")
    assert done.returncode == 1
    assert "no-such-id" in done.stderr
    assert command("show", "p-1", "--model", "diabetes").returncode == 1


def test_tail_shows_the_newest_last(command: Command) -> None:
    done = command("tail", "-n", "2", "--json")
    names = [json.loads(line)["record"]["id"] for line in done.stdout.splitlines()]
    assert names == [HOSTILE, "p-1"]
    assert len(command("tail", "--json").stdout.splitlines()) == 5


def test_find_filters_and_shows_the_newest_first(command: Command) -> None:
    def found(*arguments: str) -> list[str]:
        return [json.loads(line)["record"]["id"] for line in command("find", *arguments, "--json").stdout.splitlines()]

    assert found("--model", "wine", "--kind", "score") == ["p-2", SERVER_ID, "p-1"]
    assert found("--outcome", "abstained", "--since", "1h") == ["p-2"]
    assert found("--reason", "missing_required") == ["p-2"]
    assert found("--until", "1h") == []
    assert found("--limit", "1") == ["p-1"]
    assert len(found("--limit", "0")) == 5
    assert "--limit 0 shows all" in command("find", "--limit", "1").stderr
    assert command("find", "--outcome", "failed").returncode == 1


def test_verify_says_that_all_is_well_and_names_what_is_not(command: Command) -> None:
    done = command("verify")
    assert (done.returncode, done.stdout) == (0, "")
    assert "1 blob read: everything verifies" in done.stderr
    foreign = f"log/v1/{hour_of(time.time())}/{uuid.uuid4().hex}.txt"
    command.store.create(foreign)
    try:
        done = command("verify", "--json")
        assert done.returncode == 1
        (line,) = done.stdout.splitlines()
        assert json.loads(line)["what"] == "foreign"
        done = command("verify")
        assert done.returncode == 1
        assert foreign in done.stdout
        assert "1 finding" in done.stderr
    finally:
        command.store.delete(foreign)


@pytest.mark.parametrize("arguments", [["show", HOSTILE], ["find", "--model", HOSTILE], ["tail", "--json"]])
def test_hostile_values_do_nothing_to_a_terminal(command: Command, arguments: list[str]) -> None:
    shown = on_a_terminal(command, arguments)
    assert "evil" in shown
    own_styles = re.sub(r"\x1b\[[0-9;]*m", "", shown)  # colours and weights of our own tables
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", own_styles.replace("\r\n", "\n"))
    assert "evil[/]" in re.sub(r"\s+", "", own_styles), "markup is shown, not obeyed"


def on_a_terminal(command: Command, arguments: list[str]) -> str:
    """What the command writes when its standard output is a terminal."""
    ours, theirs = pty.openpty()
    environ = os.environ | command.environ | {"TERM": "xterm-256color", "COLUMNS": "200"}
    with subprocess.Popen(
        [sys.executable, "-m", "audit", *arguments], cwd=ROOT, env=environ, stdout=theirs, stderr=subprocess.DEVNULL
    ) as process:
        os.close(theirs)
        parts = []
        while True:
            try:
                data = os.read(ours, 65536)
            except OSError:  # Linux ends a terminal whose other side is closed with EIO
                break
            if not data:
                break
            parts.append(data)
        process.wait(60)
    os.close(ours)
    return b"".join(parts).decode()


def test_help_teaches(command: Command) -> None:
    done = command.in_a_process("--help")
    assert done.returncode == 0
    for text in ("usage", "examples", "HYPERPLANE_STORAGE", "Exit codes"):
        assert text in done.stdout
    for name in ("show", "tail", "find", "verify", "digests", "public-key", "seal"):
        assert command(name, "--help").returncode == 0


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"HYPERPLANE_STORAGE": ""}, "HYPERPLANE_STORAGE is not set"),
        ({"HYPERPLANE_STORAGE": "memory://"}, "no other can read it"),
        (
            {"HYPERPLANE_STORAGE": "AccountName=a;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:9/a"},
            "Is the storage running",
        ),
        ({"HYPERPLANE_STORAGE": "AccountName=a;AccountKey=YQ==;BlobEndpoint"}, "connection string"),
    ],
)
def test_what_keeps_it_from_running_is_said_in_one_line(command: Command, environ: dict[str, str], says: str) -> None:
    done = Command(command.environ | environ, command.store)("verify")
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [["find", "--since", "yesterday"], ["tail", "-n", "0"], ["tail", "-n", "-3"], ["nonsense"], []]
)
def test_a_wrong_argument_is_a_usage_error(command: Command, arguments: list[str]) -> None:
    done = command(*arguments)
    assert done.returncode == 2
    assert "usage" in done.stderr


def test_a_terminal_without_unicode_gets_escapes(command: Command) -> None:
    done = command.in_a_process("tail", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "evil" in done.stdout


def test_an_empty_log_is_said(command: Command) -> None:
    empty = Command(command.environ | {"HYPERPLANE_AUDIT_CONTAINER": f"empty-{uuid.uuid4().hex}"}, command.store)
    assert empty("tail").returncode == 1
    assert "no records" in empty("tail").stderr
    assert empty("verify").returncode == 1, "a log that was taken away whole, or a misspelt container, is not well"
    assert "nothing to verify" in empty("verify").stderr
    assert empty("verify", "--since", "1h").returncode == 0, "an hour without requests is"
