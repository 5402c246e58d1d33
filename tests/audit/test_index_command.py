"""`python -m audit index` and `show`, as a person meets them, on Azurite."""

from __future__ import annotations

import contextlib
import io
import json
import uuid
from collections.abc import Callable

import pytest

from audit.__main__ import main
from audit.connect import Stores, open_stores
from audit.records import encode_record
from audit.settings import from_environ
from infra.local.azurite import Azurite
from tests.audit.examples import NOON_S, Clock, appender
from tests.audit.indexed_logs import record

type Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def environ(azurite: Azurite) -> dict[str, str]:
    name = uuid.uuid4().hex
    return {
        "HYPERPLANE_STORAGE": azurite.connection_string,
        "HYPERPLANE_AUDIT_CONTAINER": f"log-{name}",
        "HYPERPLANE_DERIVED_CONTAINER": f"derived-{name}",
    }


@pytest.fixture
def stores(environ: dict[str, str]) -> Stores:
    """Three hours of one writer, which is still busy in the last."""
    opened, clock = open_stores(from_environ(environ)), Clock()
    writer = appender(opened.log, clock=clock)
    for hour in range(3):
        clock.now_s = NOON_S + hour * 3600
        for frame in range(3):
            writer.append([encode_record(record(f"i-{hour}-{frame}-{row}", hour)) for row in range(4)])
    return opened


@pytest.fixture
def command(environ: dict[str, str]) -> Command:
    def run(*arguments: str) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = main(arguments, environ)
            except SystemExit as end:  # argparse
                code = int(end.code or 0)
        return code, out.getvalue(), err.getvalue()

    return run


def shown(command: Command, *arguments: str) -> list[str]:
    code, out, _ = command("show", "--json", *arguments)
    assert code == (0 if out else 1)
    return [json.loads(line)["record"]["id"] for line in out.splitlines()]


def test_index_covers_what_is_closed_says_so_and_does_it_once(stores: Stores, command: Command) -> None:
    assert command("index")[::2] == (
        0,
        "2 of 3 blobs indexed, 0 were already; 1 not closed, to be read whole by who looks for an id; 1 day merged\n",
    )
    assert json.loads(command("index", "--json")[1]) == {"blobs": 0, "not_closed": 1, "days_merged": 0}
    assert len([info for info in stores.derived.list("index/") if info.name.endswith(".json")]) == 1
    before = {info.name: stores.derived.read(info.name) for info in stores.derived.list()}
    assert json.loads(command("index", "--rebuild", "--json")[1]) == {"blobs": 2, "not_closed": 1, "days_merged": 1}
    assert before == {info.name: stores.derived.read(info.name) for info in stores.derived.list()}


def test_show_finds_the_same_with_and_without_the_index(stores: Stores, command: Command) -> None:
    asked = ["i-0-1-2", "i-1-2-3", "i-2-0-0", "nobody"]
    without = [shown(command, name) for name in asked]
    command("index")
    assert [shown(command, name) for name in asked] == without == [[asked[0]], [asked[1]], [asked[2]], []]
    (segment,) = [info.name for info in stores.derived.list("index/") if info.name.endswith(".ids")]
    stores.derived.put(segment, bytes(stores.derived.size(segment)), overwrite=True)
    assert [shown(command, name) for name in asked] == without
    assert shown(command, asked[0], "--scan") == [asked[0]]


def test_times_are_rounded_out_to_whole_days(stores: Stores, command: Command) -> None:
    assert json.loads(command("index", "--json", "--since", "2026-11-24", "--until", "2026-11-25")[1])["blobs"] == 0
    assert json.loads(command("index", "--json", "--since", "2026-11-23T13:30", "--until", "2026-11-23T14:00")[1]) == {
        "blobs": 2,
        "not_closed": 1,
        "days_merged": 1,
    }


def test_an_empty_log_is_indexed_in_no_time(command: Command) -> None:
    assert command("index")[::2] == (0, "there are no blobs to index\n")


def test_help_says_that_nothing_depends_on_it(command: Command) -> None:
    code, out, _ = command("index", "--help")
    assert code == 0
    assert "made anew from the log at any time" in " ".join(out.split())
