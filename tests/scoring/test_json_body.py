"""Any bytes give a value or a BadRequest that says what is wrong."""

from __future__ import annotations

import gzip
import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.errors import BadRequest
from scoring.json_body import DEPTH, depth, read_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=20,
)


def refusal(body: bytes) -> str | None:
    """The reason for which a body is refused, None if it is read."""
    try:
        read_json(body)
    except BadRequest as problem:
        return problem.reason
    return None


@given(st.binary(max_size=60))
def test_arbitrary_bytes_raise_nothing_but_bad_request(body: bytes) -> None:
    assert refusal(body) in (None, "not_json", "too_deep")


@given(JSON)
def test_whatever_the_standard_library_writes_is_read_as_it_reads_it(value: Any) -> None:
    body = json.dumps(value).encode()
    read, _ = read_json(body)
    assert repr(read) == repr(json.loads(body))


@given(JSON)
def test_a_plain_value_is_one_that_msgspec_can_write(value: Any) -> None:
    read, plain = read_json(json.dumps(value).encode())
    if plain:
        assert msgspec.json.decode(msgspec.json.encode(read)) == read


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"NaN", math.nan),
        (b"-Infinity", -math.inf),
        (b"1e400", math.inf),
        (b"-1e400", -math.inf),
        (b'"\\ud800"', "\ud800"),
        (b"9" * 5000, math.inf),
        (b"-" + b"9" * 5000, -math.inf),
        (b"\xef\xbb\xbf[1]", [1]),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b'{"a": NaN, "a": 2}', {"a": 2}),
    ],
)
def test_what_msgspec_refuses_is_read_patiently(body: bytes, expected: Any) -> None:
    assert repr(read_json(body)[0]) == repr(expected)


@pytest.mark.parametrize(
    ("body", "reason", "words"),
    [
        (b"", "not_json", "the body is empty"),
        (b"  \n", "not_json", "the body is empty"),
        (b"{", "not_json", "line 1, column 2"),
        (b'{"a": 1}x', "not_json", "Extra data at line 1, column 9$"),
        (b'{"a": "\t"}', "not_json", "Invalid control character at line 1, column 8$"),
        (b"\xff\xfe", "not_json", "seems to be UTF-16; send it as UTF-8"),
        ("{}".encode("utf-16-le"), "not_json", "seems to be UTF-16-LE; send it as UTF-8"),
        ("{}".encode("utf-32"), "not_json", "seems to be UTF-32; send it as UTF-8"),
        (
            gzip.compress(b"{}", mtime=0),
            "not_json",
            "compressed with gzip; say so in the header Content-Encoding: gzip",
        ),
        (b'"\xed\xa0\x80"', "not_json", "not UTF-8"),
        ("[" * 100_000, "too_deep", "64 levels"),
        ("[" * 65 + "]" * 65, "too_deep", "64 levels"),
        ('{"a":' * 65 + "1" + "}" * 65, "too_deep", "64 levels"),
        ("[NaN," + "[" * 100_000, "too_deep", "64 levels"),
        ('{"instances": [' + "[1]," * 1000 + "[" * 70 + "]" * 70 + "]}", "too_deep", "64 levels"),
        ('{"instances": [' + "1," * 1000 + "[" * 70 + "]" * 70 + "]}", "too_deep", "64 levels"),
    ],
)
def test_a_body_that_is_no_json_says_where(body: bytes | str, reason: str, words: str) -> None:
    with pytest.raises(BadRequest, match=words) as caught:
        read_json(body.encode() if isinstance(body, str) else body)
    assert caught.value.reason == reason


def test_brackets_in_strings_are_no_depth() -> None:
    assert read_json(json.dumps(["[" * 1000]).encode())[0] == ["[" * 1000]


def test_the_deepest_value_allowed_is_read() -> None:
    value, _ = read_json(b"[" * DEPTH + b"]" * DEPTH)
    assert depth(value) == DEPTH
