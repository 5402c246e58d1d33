"""Every error of shape names the field, what was expected and what was found."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.errors import BadRequest
from scoring.fields import is_id
from scoring.protocols.native import decode_native
from tests.scoring.test_json_body import JSON


def body(**fields: Any) -> bytes:
    return json.dumps(fields).encode()


@given(st.dictionaries(st.sampled_from(["instances", "ids", "request_id", "id"]), JSON) | JSON)
def test_any_json_is_a_request_or_a_bad_request(value: Any) -> None:
    try:
        request = decode_native(json.dumps(value).encode())
    except BadRequest as problem:
        str(problem).encode()
    else:
        assert request.instances
        assert request.ids is None or len(request.ids) == len(request.instances)


@pytest.mark.parametrize(
    ("sent", "reason", "words"),
    [
        (b"[]", "wrong_shape", "the body: expected an object such as .*, found an array"),
        (b"null", "wrong_shape", "found null"),
        (b"{}", "wrong_shape", "instances: missing"),
        (body(instances=3), "wrong_shape", "instances: expected an array of objects, found a number"),
        (body(instances={}), "wrong_shape", "found an object"),
        (body(instances=[]), "no_instances", "instances: empty"),
        (body(instances=[{}] * 6), "too_many_instances", "instances: 6 are more than 5"),
        (
            body(instances=[{}], id=["a"]),
            "wrong_shape",
            "unknown field .id.; the fields are ids",
        ),
        (body(instances=[{}], ids="a"), "malformed_id", "ids: expected an array of strings, found a string"),
        (body(instances=[{}], ids=[]), "malformed_id", "ids: expected 1, one for each instance, found 0"),
        (body(instances=[{}], ids=["a", "b"]), "malformed_id", "ids: expected 1, one for each instance, found 2"),
        (body(instances=[{}, {}], ids=["a", 7]), "malformed_id", r"ids\[1\]: expected a string, found a number"),
        (body(instances=[{}], ids=[None]), "malformed_id", r"ids\[0\]: expected a string, found null"),
        (
            body(instances=[{}], ids=["a b"]),
            "malformed_id",
            r"ids\[0\]: expected 1 to 128 letters.*found another at position 2",
        ),
        (body(instances=[{}], ids=["a\n"]), "malformed_id", r"ids\[0\]"),
        (body(instances=[{}], ids=["é"]), "malformed_id", r"ids\[0\]"),
        (body(instances=[{}], request_id=""), "malformed_id", "request_id: expected 1 to 128"),
        (body(instances=[{}], request_id=5), "malformed_id", "request_id: expected a string, found a number"),
    ],
)
def test_a_wrong_shape_is_named(sent: bytes, reason: str, words: str) -> None:
    with pytest.raises(BadRequest, match=words) as caught:
        decode_native(sent, max_instances=5)
    assert caught.value.reason == reason


def test_an_instance_that_is_no_object_is_left_to_the_judge() -> None:
    assert decode_native(body(instances=[1, None, "a", []])).instances == [1, None, "a", []]


def test_null_ids_are_no_ids() -> None:
    request = decode_native(body(instances=[{}], ids=None, request_id=None))
    assert (request.ids, request.request_id) == (None, None)


def test_repeated_ids_are_left_to_the_judge() -> None:
    assert decode_native(body(instances=[{}, {}], ids=["a", "a"])).ids == ["a", "a"]


@pytest.mark.parametrize(
    ("value", "allowed"),
    [("a" * 128, True), ("a" * 129, False), ("A-1._:z", True), ("", False), ("a/b", False), (1, False), (None, False)],
)
def test_what_can_be_an_id(value: Any, allowed: bool) -> None:
    assert is_id(value) is allowed
