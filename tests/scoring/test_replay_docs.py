"""The page about replay says what the code does."""

from __future__ import annotations

import re
import typing
from pathlib import Path

from scoring.replay_result import REASONS, Verdict

PAGE = (Path(__file__).parents[2] / "docs" / "replay.md").read_text(encoding="utf-8")


def rows(header: str) -> list[list[str]]:
    """The cells of the table that begins with this header."""
    table = PAGE.split(header)[1].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def test_every_verdict_and_every_reason_is_explained_and_no_other() -> None:
    verdicts = [name.strip("`") for name, *_ in rows("| verdict | what it means | what to do |")]
    assert tuple(verdicts) == typing.get_args(Verdict)
    assert {name.strip("`"): why for name, why, _ in rows("| reason | why | what to do |")} == REASONS


def test_the_options_that_it_shows_are_the_commands() -> None:
    source = (Path(__file__).parents[2] / "scoring" / "commands" / "replay.py").read_text(encoding="utf-8")
    for option in set(re.findall(r"--[a-z]+", PAGE)):
        assert f'"{option}"' in source, option


def test_the_reasons_that_the_code_gives_are_those_that_it_lists() -> None:
    given = set()
    for path in (Path(__file__).parents[2] / "scoring").glob("re*.py"):
        given |= set(re.findall(r'CannotReplay\(\s*"([a-z_]+)"', path.read_text(encoding="utf-8")))
    assert given == set(REASONS)
