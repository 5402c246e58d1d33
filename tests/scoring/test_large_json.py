"""A body read in parts gives what it gives when read at once: the same values, or the same refusal."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.errors import BadRequest
from scoring.json_body import read_json
from scoring.large_json import LARGE_BYTES, decode_in_parts
from tests.scoring.test_json_body import JSON


def outcome(read: Any, body: bytes) -> str:
    """The value as text, which tells NaN and -0.0 apart as == does not, or that there was an error."""
    try:
        return repr(read(body))
    except (ValueError, RecursionError):
        return "an error"


def in_parts(body: bytes) -> Any:
    return decode_in_parts(body, large_bytes=8)


@given(value=JSON, indent=st.none() | st.integers(0, 3))
def test_the_values_are_those_of_msgspec(value: Any, indent: int | None) -> None:
    body = json.dumps(value, indent=indent).encode()
    assert outcome(in_parts, body) == outcome(msgspec.json.decode, body)


@given(value=JSON, place=st.floats(0, 1), noise=st.binary(max_size=4), cut=st.integers(0, 4))
def test_what_is_broken_is_refused_by_both(value: Any, place: float, noise: bytes, cut: int) -> None:
    whole = json.dumps([value, {"a": value}]).encode()
    start = int(place * len(whole))
    body = whole[:start] + noise + whole[start + cut :]
    assert outcome(in_parts, body) == outcome(msgspec.json.decode, body)


@pytest.mark.parametrize(
    "body", [b"[1, 2", b'{"a": [1, 2]} 3', b'{"a": [1, "\xff\xff"]}', b'[{"a": 1}, {"a": }]', b" " * 9]
)
def test_an_error_in_any_part_is_an_error(body: bytes) -> None:
    assert outcome(in_parts, body) == outcome(msgspec.json.decode, body) == "an error"


def test_of_a_key_that_comes_twice_the_last_counts() -> None:
    assert in_parts(b'{"a": [1, 2, 3], "a": [4, 5, 6]}') == {"a": [4, 5, 6]}


def test_a_large_body_is_read_as_a_small_one() -> None:
    row = {"age": 41.5, "job": "cook é", "none": None, "flag": True}
    request = {"instances": [row] * (LARGE_BYTES // 40), "ids": ["a"], "request_id": "r"}
    body = json.dumps(request).encode()
    assert len(body) > LARGE_BYTES
    assert read_json(body) == (request, True)
    assert read_json(body.replace(b"true", b"NaN ", 1))[1] is False
    with pytest.raises(BadRequest, match="not JSON"):
        read_json(body[:-2])


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_deep_nesting_is_refused_in_good_time(opening: bytes) -> None:
    with pytest.raises(BadRequest, match="deep"):
        read_json(opening * (2 * LARGE_BYTES // len(opening)))
    closing = b"]" if opening == b"[" else b"}"
    text = b'"' + b"x" * LARGE_BYTES + b'"'
    with pytest.raises(BadRequest, match="deep"):
        read_json(opening * 200 + text + closing * 200)
