"""`python -m audit`, as a person meets it."""

from __future__ import annotations

import contextlib
import csv
import errno
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
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


def test_sample_draws_what_anybody_can_draw_again(command: Command) -> None:
    def drawn(*arguments: str) -> tuple[list[str], Done]:
        done = command("sample", *arguments, "--json")
        return [json.loads(line)["record"]["id"] for line in done.stdout.splitlines()], done

    first, done = drawn("2", "--seed", "7")
    assert (done.returncode, len(first)) == (0, 2)
    assert "2 of 5 matching records; draw them again with --seed 7" in done.stderr
    assert drawn("2", "--seed", "7")[0] == first
    again, done = drawn("3")
    seed = re.findall(r"--seed ([0-9]+)", done.stderr)[0]
    assert drawn("3", "--seed", seed)[0] == again
    assert drawn("9", "--kind", "score", "--model", "wine", "--seed", "1")[0] == ["p-2", SERVER_ID, "p-1"]
    assert "p-2" in command("sample", "1", "--outcome", "abstained").stdout
    nothing = command("sample", "3", "--outcome", "failed")
    assert (nothing.returncode, "no record matches" in nothing.stderr) == (1, True)


def test_export_writes_what_matches_and_replaces_nothing_by_itself(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "all.csv"
    done = command("export", str(path))
    assert (done.returncode, done.stdout) == (0, "")
    assert f"5 of 5 records exported in {path}" in done.stderr
    header, *rows = csv.reader(io.StringIO(path.read_bytes().decode(), newline=""))
    assert [row[header.index("id")] for row in rows] == ["p-1", SERVER_ID, "p-2", HOSTILE, "p-1"]
    assert "--force" in command("export", str(path)).stderr
    assert command("export", str(path), "--force", "--kind", "label").returncode == 0
    assert path.read_bytes().count(b"\r\n") == 2
    assert [each.name for each in tmp_path.iterdir()] == ["all.csv"]
    done = command("export", str(tmp_path / "wine.parquet"), "--model", "wine", "--json")
    told = json.loads(done.stdout)
    assert (told["records"], told["looked_at"], told["findings"]) == (4, 5, [])
    assert pq.read_table(tmp_path / "wine.parquet")["model"].to_pylist() == ["wine"] * 4


def test_an_export_to_standard_output_is_what_find_shows(command: Command) -> None:
    done = command.in_a_process("export", "-", "--format", "jsonl")
    assert (done.returncode, done.stderr) == (0, "5 of 5 records exported\n")
    assert sorted(done.stdout.splitlines()) == sorted(command("find", "--json").stdout.splitlines())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["-"], "--format csv or --format jsonl"),
        (["-", "--format", "csv", "--json"], "leave one of the two away"),
        (["x.xlsx"], "must end in .parquet, .csv or .jsonl"),
        (["{}"], "is a folder"),
        (["/dev/null", "--format", "csv", "--force"], "never replaced"),
        (["{}/../link.csv", "--force"], "never replaced"),
        (["{}/none/x.csv"], "there is no folder"),
    ],
)
def test_a_file_that_cannot_be_is_said_before_the_log_is_read(
    command: Command, tmp_path: Path, arguments: list[str], says: str
) -> None:
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    (tmp_path / "link.csv").symlink_to(tmp_path / "target.csv")
    done = command("export", *(argument.format(folder) for argument in arguments))
    assert (done.returncode, says in done.stderr) == (2, True), done.stderr


def test_an_export_without_records_makes_no_file(command: Command, tmp_path: Path) -> None:
    done = command("export", str(tmp_path / "a.csv"), "--outcome", "failed")
    assert (done.returncode, "no file was made" in done.stderr) == (1, True)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_is_said_and_leaves_no_half_file(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("audit.aside.os.fsync", full)
    done = command("export", str(tmp_path / "a.csv"))
    assert (done.returncode, "No space left on device" in done.stderr) == (2, True)
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_verify_is_not_exported_and_is_said(command: Command, tmp_path: Path) -> None:
    name = f"log/v1/{hour_of(time.time())}/20261123T000000-99999999-0.jsonl"
    command.store.create(name)
    command.store.append(name, b"no frame\n", 0)
    try:
        for arguments in (["export", str(tmp_path / "a.csv")], ["sample", "3"]):
            done = command(*arguments)
            assert (done.returncode, name in done.stderr) == (1, True)
    finally:
        command.store.delete(name)


def test_tail_follows_until_it_is_interrupted(command: Command) -> None:
    name = f"follow-{uuid.uuid4().hex}"
    environ = os.environ | command.environ | {"HYPERPLANE_AUDIT_CONTAINER": name, "PYTHONUNBUFFERED": "1"}
    store = open_stores(from_environ(environ)).log
    writer = LogWriter(store, writer_id=new_writer_id(), opening={"code": "test"})

    def record(instance: str) -> None:
        ts = timestamp(time.time())
        made = Record(v=1, kind="score", id=instance, ts=ts, model="wine", writer=writer.writer_id)
        writer.commit_blocking([encode_record(made)], 10)

    record("before")
    following = [sys.executable, "-m", "audit", "tail", "-f", "--json"]
    with subprocess.Popen(following, cwd=ROOT, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["record"]["id"] == "before"
        record("after")
        assert json.loads(process.stdout.readline())["record"]["id"] == "after"
        process.send_signal(signal.SIGINT)
        _, problems = process.communicate(timeout=20)
    assert (process.returncode, problems) == (130, b"")
    writer.close()


def test_verify_says_that_all_is_well_and_names_what_is_not(command: Command) -> None:
    done = command("verify")
    assert (done.returncode, done.stdout) == (0, "")
    assert "1 blob and 0 digests read: everything verifies" in done.stderr
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
    names = "show tail find sample export note verify digests public-key seal index"
    for name in names.split():
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
    assert empty("verify", "--since", "1h").returncode == 1, "whatever the time"
