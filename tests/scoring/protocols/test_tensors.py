"""Binary tensors: every datatype read as JSON would have its values, and nothing read past a tensor's own bytes."""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.protocols.tensors import DATATYPES, TensorError, read_binary, write_binary
from tests.scoring.protocols.tensor_client import packed

FORMATS = {
    "INT8": "<b", "INT16": "<h", "INT32": "<i", "INT64": "<q", "UINT8": "<B", "UINT16": "<H", "UINT32": "<I",
    "UINT64": "<Q", "FP16": "<e", "FP32": "<f", "FP64": "<d",
}  # fmt: skip


@pytest.mark.parametrize("datatype", FORMATS)
@given(data=st.data())
def test_numbers_are_what_struct_reads(datatype: str, data: st.DataObject) -> None:
    form = FORMATS[datatype]
    raw = data.draw(st.lists(st.binary(min_size=struct.calcsize(form), max_size=struct.calcsize(form)), max_size=5))
    expected = [struct.unpack(form, part)[0] for part in raw]
    values = read_binary(datatype, len(raw), b"".join(raw))
    assert repr(values.elements) == repr(expected), "the same numbers of the same Python types, signs of zeros included"
    assert values.plain == all(math.isfinite(value) for value in expected)


@given(st.lists(st.binary(min_size=2, max_size=2), max_size=5))
def test_bf16_is_the_upper_half_of_a_float(raw: list[bytes]) -> None:
    expected = [struct.unpack("<f", b"\0\0" + part)[0] for part in raw]
    assert repr(read_binary("BF16", len(raw), b"".join(raw)).elements) == repr(expected)


def test_a_bool_is_true_or_false_and_no_number() -> None:
    assert read_binary("BOOL", 2, b"\x00\x01").elements == [False, True]
    assert [type(value) for value in read_binary("BOOL", 2, b"\x00\x01").elements] == [bool, bool]
    with pytest.raises(TensorError, match="element 1 is neither 0 nor 1"):
        read_binary("BOOL", 3, b"\x00\xff\x02")


@given(st.lists(st.text(), max_size=5))
def test_texts_survive_both_ways(texts: list[str]) -> None:
    data = packed([text.encode() for text in texts])
    values = read_binary("BYTES", len(texts), data)
    assert (values.elements, values.plain) == (texts, True)
    assert write_binary("BYTES", texts) == data


@given(st.lists(st.binary(max_size=6), min_size=1, max_size=4))
def test_bytes_that_are_no_text_become_lone_surrogates_and_can_be_had_back(parts: list[bytes]) -> None:
    values = read_binary("BYTES", len(parts), packed(parts))
    assert [text.encode(errors="surrogateescape") for text in values.elements] == parts
    assert values.plain == all(_is_text(part) for part in parts)


@given(st.lists(st.floats() | st.none(), max_size=5))
def test_doubles_are_written_bit_by_bit_and_none_as_nan(numbers: list[float | None]) -> None:
    written = write_binary("FP64", numbers)
    assert repr([number for (number,) in struct.iter_unpack("<d", written)]) == repr(
        [math.nan if number is None else number for number in numbers]
    )


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=5))
def test_integers_are_written_as_they_are(numbers: list[int]) -> None:
    assert write_binary("INT64", numbers) == struct.pack(f"<{len(numbers)}q", *numbers)


@pytest.mark.parametrize("datatype", DATATYPES)
def test_a_tensor_cut_at_any_byte_or_with_one_more_is_refused(datatype: str) -> None:
    whole = packed([b"clerk", b"", "é".encode()]) if datatype == "BYTES" else _zeros(datatype, 3)
    assert len(read_binary(datatype, 3, whole).elements) == 3
    for size_bytes in range(len(whole)):
        with pytest.raises(TensorError):
            read_binary(datatype, 3, whole[:size_bytes])
    with pytest.raises(TensorError):
        read_binary(datatype, 3, whole + b"\0")


@pytest.mark.parametrize(
    ("count", "data", "said"),
    [
        (1, b"\xff\xff\xff\xff", "element 0 is said to have 4,294,967,295 bytes, and 0 follow"),
        (2, packed([b"a"]), "its bytes end before the length of element 1, of 2"),
        (1, packed([b"a", b"b"]), "5 bytes follow its 1 elements"),
    ],
)
def test_what_is_wrong_with_texts_is_said(count: int, data: bytes, said: str) -> None:
    with pytest.raises(TensorError, match=said):
        read_binary("BYTES", count, data)


@given(st.sampled_from(DATATYPES), st.integers(0, 10), st.binary(max_size=40))
def test_any_bytes_are_a_tensor_or_refused(datatype: str, count: int, data: bytes) -> None:
    try:
        values = read_binary(datatype, count, data)
    except TensorError:
        return
    assert len(values.elements) == count


def _zeros(datatype: str, count: int) -> bytes:
    sizes: dict[str, Any] = {"BOOL": 1, "BF16": 2} | {name: struct.calcsize(form) for name, form in FORMATS.items()}
    return np.zeros(count * sizes[datatype], "u1").tobytes()


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
