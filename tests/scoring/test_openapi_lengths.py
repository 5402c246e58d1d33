"""Equally long arrays in JSON Schema: what is even is valid at any length, what is not is invalid up to the limit."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.openapi_lengths import LENGTHS, equally_long, items_of, of_length

EVEN = jsonschema.Draft202012Validator(
    equally_long((items_of("ids"), items_of("rows")), (items_of("ids"), items_of("frame", "data")))
)
LISTS = st.integers(0, 3 * LENGTHS).map(lambda length: [None] * length)


@given(LISTS)
def test_arrays_of_one_length_are_valid(items: list[Any]) -> None:
    assert EVEN.is_valid({"ids": items, "rows": items, "frame": {"data": items}})


@given(st.integers(0, LENGTHS - 1), st.integers(1, 3 * LENGTHS))
def test_arrays_of_two_lengths_are_invalid_if_one_is_short(short: int, more: int) -> None:
    shorter, longer = [None] * short, [None] * (short + more)
    for ids, rows in ((shorter, longer), (longer, shorter)):
        assert not EVEN.is_valid({"ids": ids, "rows": rows})
        assert not EVEN.is_valid({"ids": ids, "frame": {"data": rows}})


@pytest.mark.parametrize("value", [{}, {"ids": None, "rows": [1]}, {"ids": [1]}, {"rows": [1]}, {"frame": {}}])
def test_what_is_not_there_has_no_length(value: Any) -> None:
    assert EVEN.is_valid(value)


def test_a_length_is_exact() -> None:
    assert of_length(2) == {"minItems": 2, "maxItems": 2}
