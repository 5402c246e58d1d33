"""Rows on a narrow terminal: never wider than it, what matters least cut first, no character cut in two."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from audit.rows import cut, fitted

NAMES = ("time", "id", "reasons")
STEPS = (("time", 4), ("reasons", 3), ("id", 3))
FLAG, FAMILY, THUMB = "\U0001f1e9\U0001f1ea", "👨\u200d👩\u200d👧", "👍\U0001f3fd"


def table(*rows: tuple[str, str, str], width: int) -> list[str]:
    return [line.plain for line in fitted(NAMES, [[Text(cell) for cell in row] for row in rows], STEPS, width)]


def test_what_fits_is_whole_and_aligned() -> None:
    assert table(("12:00:00", "a-17", "x"), ("12:00:01", "b", "yy"), width=80) == [
        "time     id   reasons",
        "12:00:00 a-17 x",
        "12:00:01 b    yy",
    ]


def test_columns_give_way_in_their_order_and_no_further_than_needed() -> None:
    row = ("12:00:00", "patient-17", "missing")
    assert table(row, width=25)[1] == "12:00… patient-17 missing"
    assert table(row, width=20)[1] == "12:… patient-17 mis…"
    assert table(row, width=12)[1] == "12:… pa… mi…"


def test_a_column_in_which_nothing_stands_goes_before_any_is_cut() -> None:
    assert table(("12:00:00", "patient-17", ""), width=20) == ["time     id", "12:00:00 patient-17"]


def test_where_even_the_least_is_too_much_whole_columns_go() -> None:
    row = ("12:00:00", "patient-17", "missing")
    assert table(row, width=8)[1] == "pat… mi…"
    assert table(row, width=3)[1] == "pa…"
    assert table(row, width=1)[1] == "…"


def test_no_rows_are_a_line_of_names() -> None:
    assert table(width=80) == ["time id reasons"]


@pytest.mark.parametrize("text", [FLAG * 4, FAMILY * 3, THUMB * 4, "é" * 8, "e\u0301\u0323" * 8, "漢字" * 4])
def test_a_character_is_shown_whole_or_not_at_all(text: str) -> None:
    whole = {FLAG: FLAG, FAMILY: FAMILY, THUMB: THUMB}.get(text[: len(text) // 4], "")
    for width in range(1, cell_len(text)):
        shown = cut(text, width).removesuffix("…")
        assert text.startswith(shown)
        assert not whole or len(shown) % len(whole) == 0, width
        rest = text[len(shown) :]
        assert not unicodedata.combining(rest[0])
        assert rest[0] != "\u200d"


@given(st.lists(st.tuples(st.text(), st.text(), st.text()), max_size=5), st.integers(1, 60))
def test_no_line_is_wider_than_the_terminal(rows: list[tuple[str, str, str]], width: int) -> None:
    shown = table(*rows, width=width)
    assert len(shown) == len(rows) + 1
    assert all(cell_len(line) <= width for line in shown)
