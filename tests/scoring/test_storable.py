"""Whatever a client sent can be stored as UTF-8 JSON, and told apart from what it was not."""

from __future__ import annotations

import hashlib
import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given

from scoring.storable import INSTANCE_LIMIT, STRING_LIMIT, storable, too_large
from tests.scoring.test_json_body import JSON


@given(JSON)
def test_every_json_value_becomes_valid_utf8_json(value: Any) -> None:
    encoded = msgspec.json.encode(storable(value))
    assert json.loads(encoded.decode()) == storable(value)


@pytest.mark.parametrize(
    ("received", "stored"),
    [
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        (10**400, "Infinity"),
        (-(10**400), "-Infinity"),
        (2**70, 2**70),
        (True, True),
        (None, None),
        ("a\ud800b", "a\\ud800b"),
        ({"\udfff": [math.nan]}, {"\\udfff": ["NaN"]}),
        ("é\x00", "é\x00"),
    ],
)
def test_single_values(received: Any, stored: Any) -> None:
    assert storable(received) == stored
    assert type(storable(received)) is type(stored)


def test_a_string_of_the_limit_is_kept_and_a_longer_one_is_a_prefix_with_its_hash() -> None:
    assert storable("é" * STRING_LIMIT) == "é" * STRING_LIMIT
    text = "é" * (STRING_LIMIT + 1)
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert storable({"a": text}) == {"a": {"prefix": "é" * 64, "length": STRING_LIMIT + 1, "sha256": digest}}


def test_an_instance_too_large_for_a_record_is_a_prefix_with_its_hash() -> None:
    instance = {"a": list(range(INSTANCE_LIMIT))}
    assert too_large(instance)
    assert storable(instance)["prefix"].startswith('{"a":[0,1,2')
    assert storable(instance)["length"] > INSTANCE_LIMIT


@pytest.mark.parametrize("items", [[0] * 2**20, [[] for _ in range(2**20)], [""] * 2**20, [[0, 1.5]] * 2**18])
def test_what_is_far_too_large_is_seen_without_a_look_at_each_value(
    items: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[Any] = []
    monkeypatch.setattr("scoring.storable._storable", looks.append)
    assert too_large(items)
    assert too_large({"a": {"b": items}})
    assert not looks


@pytest.mark.parametrize("odd", [math.nan, math.inf, 10**400, "a\ud800", "a" * 2000, ["a" * 2000], {"\ud800": 1}])
@pytest.mark.parametrize("others", [[1], [1.5], [True], ["a"], [[]], [{}], [None], []])
def test_an_array_is_stored_value_by_value(odd: Any, others: list[Any]) -> None:
    stored = storable([*others, odd])
    assert stored == [*(storable(other) for other in others), storable(odd)]
    assert json.loads(msgspec.json.encode(stored)) == stored


def test_a_huge_key_is_cut() -> None:
    assert list(storable({"k" * 5000: 1})) == ["k" * 64 + "… (5000 characters)"]
