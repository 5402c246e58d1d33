"""What `make run` may be told, and its one line for what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.local.run_options import parse, parse_demo


def test_requests_are_logged_only_when_that_is_asked_for() -> None:
    assert [parse(arguments).log_requests for arguments in ([], ["--log", "on"], ["--log", "off"])] == [
        False,
        True,
        False,
    ]


@pytest.mark.parametrize("name", ["AUTH", "LOG"])
def test_a_switch_that_is_neither_on_nor_off_is_named(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse([f"--{name.lower()}", "perhaps"])
    assert capsys.readouterr().err == f"make run: {name}: Setting {name} is 'perhaps': write on or off.\n"


def test_the_demo_keeps_its_things_apart_from_those_of_make_run() -> None:
    (demo, seed), run = parse_demo([]), parse([])
    assert seed == 1
    assert (demo.port, demo.data, demo.models) == (7072, Path(".local/demo"), Path(".local/demo/models"))
    assert (run.port, run.data, run.models) == (7071, Path(".local"), Path("models"))
    assert parse_demo(["--seed", "0", "--port", "8000", "--auth", "off"])[1] == 0


@pytest.mark.parametrize("seed", ["-1", "1;ls", "", "1e3", "\u0663", "9" * 10])
def test_a_seed_that_is_none_is_one_line(seed: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse_demo([f"--seed={seed}"])
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"make demo: SEED: {seed!r} is no seed: give a whole number such as 1\n"
