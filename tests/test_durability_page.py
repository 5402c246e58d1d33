"""docs/durability.md names only tests that there are, and what it says of answers is what the siege checks."""

from __future__ import annotations

import re
from pathlib import Path

from tests.siege.ledger import PROMISES
from tests.siege.misfortunes import KINDS

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "durability.md").read_text(encoding="utf-8")


def rows_after(heading: str) -> list[list[str]]:
    """The cells of the first table behind a heading, without its own head."""
    lines = [line for line in PAGE.split(heading)[1].split("\n\n## ")[0].splitlines() if line.startswith("|")]
    return [line.strip("| ").split(" | ") for line in lines[2:]]


def test_every_fault_has_a_result_and_tests_that_there_are() -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    there = set(re.findall(r"\bdef (test_\w+)", source))
    rows = rows_after("## Faults, one by one")
    assert len(rows) > 20
    for fault, result, tests in rows:
        named = re.findall(r"`(test_\w+)`", tests)
        assert result, fault
        assert named, fault
        assert set(named) <= there, f"{fault}: there is no {set(named) - there}"


def test_every_answer_of_the_siege_is_explained() -> None:
    explained = [row[0] for row in rows_after("## What an answer means for its records")]
    assert len(explained) == len(PROMISES) - 1, "all but `commit_later`, which no client sees"
    shown = {row[0] for row in rows_after("## The siege")}
    assert {told for told in PROMISES if told != "handed over"} <= shown
    assert set(KINDS) <= shown
