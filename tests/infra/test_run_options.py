"""What `make run` may be told, and its one line for what it may not."""

from __future__ import annotations

import pytest

from infra.local.run_options import parse


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
