"""Tensors that no honest client sends: shapes that lie, data that end early, texts that are none."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring.protocols.tensors import DATATYPES
from tests.hostile.ledger import GOOD, INFER, Ledger
from tests.scoring.test_json_body import JSON


def tensor(name: str = "alcohol", shape: Any = (1,), datatype: Any = "FP64", **more: Any) -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": datatype, **(more or {"data": [13.0]})}


def inputs(*tensors: Any, **more: Any) -> bytes:
    return json.dumps({"inputs": list(tensors), **more}).encode()


def one_value(text: bytes, datatype: str = "FP64") -> bytes:
    """A tensor with one value as this JSON text."""
    return b'{"inputs": [{"name": "ash", "shape": [1], "datatype": "%s", "data": [%s]}]}' % (datatype.encode(), text)


def nested(depth: int) -> Any:
    return json.loads("[" * depth + "1" + "]" * depth)


WHOLE = inputs(*(tensor(name, data=[value]) for name, value in GOOD.items()))
REFUSED = {
    "nothing": b"",
    "no tensors": inputs(),
    "tensors that are none": b'{"inputs": [null, 1, "x", [], {}]}',
    "inputs in an object": b'{"inputs": {"alcohol": [13.0]}}',
    "a shape of more than there are": inputs(tensor(shape=[2**31])),
    "a shape beyond 64 bits": inputs(tensor(shape=[2**70])),
    "a shape of 1e400": b'{"inputs": [{"name": "a", "shape": [1e400], "datatype": "FP64", "data": [1]}]}',
    "a shape of NaN": b'{"inputs": [{"name": "a", "shape": [NaN], "datatype": "FP64", "data": [1]}]}',
    "a negative shape": inputs(tensor(shape=[-1])),
    "a shape of nothing": inputs(tensor(shape=[])),
    "a thousand dimensions": inputs(tensor(shape=[1] * 1000)),
    "no instances": inputs(tensor(shape=[0], data=[])),
    "a matrix of other columns": inputs(tensor(shape=[1, 7], data=[1] * 7)),
    "sizes whose product overflows": inputs(tensor(shape=[2**33, 2**33], data=[1])),
    "lengths that differ": inputs(tensor(), tensor("ash", shape=[2], data=[1, 2])),
    "one name twice": inputs(tensor(), tensor()),
    "an unknown datatype": inputs(tensor(datatype="FP128")),
    "a datatype that is a list": inputs(tensor(datatype=["FP64"])),
    "data nested 60 deep": inputs(tensor(data=nested(60))),
    "data nested 10,000 deep": one_value(b"[" * 10_000 + b"]" * 10_000),
    "shared memory": inputs(tensor(parameters={"shared_memory_region": "x"}, data=[1])),
    "binary without its header": inputs(tensor(parameters={"binary_data_size": 8})),
    "binary and data": inputs(tensor(parameters={"binary_data_size": 8}, data=[1])),
    "a size of true": inputs(tensor(parameters={"binary_data_size": True})),
    "a size that is negative": inputs(tensor(parameters={"binary_data_size": -8})),
    "an output that there is not": inputs(tensor(), outputs=[{"name": "\u0000" * 500}]),
    "an output twice": inputs(tensor(), outputs=[{"name": "predict"}, {"name": "predict"}]),
    "outputs that are none": inputs(tensor(), outputs=[None, 1, {}]),
    "another model's name": inputs(tensor(), model_name="diabetes"),
    "an id with a newline": inputs(tensor(), id="a\nb"),
    "ids that are numbers": inputs(tensor(), tensor("instance_id", datatype="INT64", data=[1])),
    "a surrogate as an instance's id": inputs(tensor(), tensor("instance_id", datatype="BYTES", data=["\ud800"])),
    "50,001 instances": inputs(tensor(shape=[50_001], data=[1] * 50_001)),
}
TAKEN = {
    "a string of 10 MB": inputs(tensor(data=["s" * 10_000_000])),
    "an integer of 1,000 digits": one_value(b"9" * 1000),
    "not a number": one_value(b"NaN"),
    "minus infinity": one_value(b"-Infinity"),
    "a number beyond all doubles": one_value(b"1e400"),
    "a repeated key": b'{"inputs": [], "inputs": [{"name": "ash", "shape": [1], "datatype": "FP64", "data": [1]}]}',
    "a million surrogates": one_value(b'"%s"' % (b"\\ud800" * 1_000_000), "BYTES"),
    "a name of 1 MB": inputs(tensor("n" * 2**20, data=[1])),
    "a name that is a surrogate": inputs(tensor("\ud800", data=[1])),
    "objects as values": inputs(tensor(shape=[3], data=[{}, {"a": nested(20)}, None])),
    "the wrong values for a datatype": inputs(tensor(datatype="BOOL", shape=[2, 1], data=[["x"], [1]])),
    "5,000 tensors": inputs(*(tensor(f"t{number}", data=[1]) for number in range(5000))),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_request_is_refused_clearly(ledger: Ledger, name: str) -> None:
    answer = ledger.post(INFER, REFUSED[name])
    assert answer.status_code == 400
    assert len(answer.json()["error"]) > 20


@pytest.mark.parametrize("name", TAKEN)
def test_what_is_wrong_with_a_value_is_a_matter_of_its_instance(ledger: Ledger, name: str) -> None:
    answer = ledger.post(INFER, TAKEN[name])
    assert answer.status_code == 200
    outputs = {output["name"]: output["data"] for output in answer.json()["outputs"]}
    assert set(outputs["outcome"]) <= {"rejected", "abstained"}
    assert all(outputs["reasons"])


def with_binary(described: list[dict[str, Any]], data: bytes) -> tuple[bytes, dict[str, str]]:
    head = json.dumps({"inputs": described}).encode()
    return head + data, {"inference_header_content_length": str(len(head))}


def binary(size: int, shape: int = 1, datatype: str = "FP64", name: str = "alcohol") -> dict[str, Any]:
    return tensor(name, [shape], datatype, parameters={"binary_data_size": size})


TRUNCATED = {
    "nothing behind the JSON": ([binary(8)], b""),
    "seven of eight bytes": ([binary(8)], b"\0" * 7),
    "a byte too many": ([binary(8)], b"\0" * 9),
    "a size that is not the shape's": ([binary(16)], b"\0" * 16),
    "a size beyond all bodies": ([binary(2**62)], b"\0" * 8),
    "a text that ends in its length": ([binary(3, datatype="BYTES")], b"\x01\0\0"),
    "a text of 4 GB": ([binary(4, datatype="BYTES")], b"\xff\xff\xff\xff"),
    "fewer texts than instances": ([binary(5, 2, "BYTES")], struct.pack("<I", 1) + b"a"),
    "a BOOL of 2": ([binary(1, datatype="BOOL")], b"\x02"),
    "the second tensor missing": ([binary(8), binary(8, name="ash")], b"\0" * 8),
}


@pytest.mark.parametrize("name", TRUNCATED)
def test_binary_data_that_are_not_what_they_are_said_to_be_are_refused(ledger: Ledger, name: str) -> None:
    body, headers = with_binary(*TRUNCATED[name])
    assert ledger.post(INFER, body, **headers).status_code == 400


@pytest.mark.parametrize("length", ["0", "-1", "+8", "1e3", "9" * 30, "٣", "0x10", "8, 8", str(len(WHOLE) + 1)])
def test_a_length_of_the_json_that_is_none_is_refused(ledger: Ledger, length: str) -> None:
    assert ledger.post(INFER, WHOLE, inference_header_content_length=length.encode()).status_code == 400


WHOLE_BINARY = with_binary(
    [binary(8, name=name) for name in GOOD] + [binary(7, datatype="BYTES", name="instance_id")],
    b"".join(struct.pack("<d", value) for value in GOOD.values()) + struct.pack("<I", 3) + b"cut",
)


@settings(max_examples=60)
@given(st.integers(0, len(WHOLE_BINARY[0]) - 1))
def test_a_binary_request_cut_off_anywhere_is_refused(ledger: Ledger, length: int) -> None:
    body, headers = WHOLE_BINARY
    assert ledger.post(INFER, body[:length], **headers).status_code == 400


SIZES = st.integers(-2, 5) | st.sampled_from([2**31, 2**64, 10**400, 1.0, True, None, "1", [1]])
TENSORS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["alcohol", "ash", "instance_id", "", "\ud800"]) | JSON,
        "shape": st.lists(SIZES, max_size=3) | JSON,
        "datatype": st.sampled_from([*DATATYPES, "FP128", None, 1]),
        "data": st.lists(JSON, max_size=4) | st.lists(st.lists(JSON, min_size=1, max_size=1), max_size=4) | JSON,
        "parameters": st.fixed_dictionaries({}, optional={"binary_data_size": SIZES, "shared_memory_offset": JSON}),
    },
)
REQUESTS = st.fixed_dictionaries(
    {"inputs": st.lists(TENSORS | JSON, max_size=4) | JSON},
    optional={
        "id": st.sampled_from(["", "a", "a b", None, 1]),
        "outputs": st.lists(
            st.fixed_dictionaries({"name": st.sampled_from(["predict", "outcome", "x", 1])}), max_size=3
        )
        | JSON,
        "parameters": st.fixed_dictionaries({}, optional={"binary_data_output": st.booleans() | JSON}) | JSON,
        "model_name": st.sampled_from(["wine", "diabetes", "", None, 1]),
    },
)


@settings(max_examples=150)
@given(REQUESTS)
def test_any_drawn_request_gets_a_clear_answer(ledger: Ledger, request_: Any) -> None:
    ledger.post(INFER, json.dumps(request_).encode())


@settings(max_examples=100)
@given(
    st.lists(st.tuples(st.sampled_from(DATATYPES), st.integers(0, 20), st.integers(1, 3)), max_size=3),
    st.binary(max_size=60),
)
def test_any_drawn_binary_body_gets_a_clear_answer(
    ledger: Ledger, tensors: list[tuple[str, int, int]], data: bytes
) -> None:
    described = [binary(size, shape, kind, f"t{place}") for place, (kind, size, shape) in enumerate(tensors)]
    body, headers = with_binary(described, data)
    ledger.post(INFER, body, **headers)
