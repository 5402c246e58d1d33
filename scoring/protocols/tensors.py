"""Datatypes of the Open Inference Protocol, and tensors as bytes: Triton's binary tensor data extension.

    BOOL                     one byte, 0 or 1
    INT8 … INT64, UINT8 …    little-endian, two's complement
    FP16, FP32, FP64, BF16   little-endian, IEEE 754; BF16 is the upper half of FP32
    BYTES                    for each element its length, four bytes little-endian, and that many bytes

Elements follow each other in row-major order, nothing between them.
https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/protocol/extension_binary_data.html

What is read are values as JSON would have them, so that judging and records cannot tell the two apart: a BOOL is true
or false, an integer stays an integer, a float becomes the double of the same value, an element of BYTES a text. Bytes
that are no UTF-8 become lone surrogates, one each (PEP 383), which judging flags as it flags those of JSON.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

_LENGTH = struct.Struct("<I")
_BF16 = "BF16"
_NUMBERS: dict[str, npt.DTypeLike] = {
    "BOOL": "<u1",
    "INT8": "<i1", "INT16": "<i2", "INT32": "<i4", "INT64": "<i8",
    "UINT8": "<u1", "UINT16": "<u2", "UINT32": "<u4", "UINT64": "<u8",
    "FP16": "<f2", "FP32": "<f4", "FP64": "<f8", _BF16: "<u2",
}  # fmt: skip
DATATYPES = (*_NUMBERS, "BYTES")


class TensorError(Exception):
    """Bytes that are not the tensor they are said to be; the text says why, without the tensor's name."""


class Values(msgspec.Struct, frozen=True):
    """A tensor's elements in row-major order."""

    elements: list[Any]
    plain: bool  # no NaN, infinity or lone surrogate among them


def read_binary(datatype: str, count: int, data: bytes) -> Values:
    """`count` elements of a known datatype; raises `TensorError` unless the bytes are exactly these.

    >>> read_binary("INT16", 2, b"\\x01\\x00\\xff\\xff")
    Values(elements=[1, -1], plain=True)
    >>> read_binary("BYTES", 1, b"\\x02\\x00\\x00\\x00ab").elements
    ['ab']
    """
    return _texts(count, data) if datatype == "BYTES" else _numbers(datatype, count, data)


def write_binary(datatype: str, elements: Sequence[Any]) -> bytes:
    """The bytes of texts, integers or floats that fit their datatype; None is NaN among floats.

    >>> write_binary("BYTES", ["ab", ""]).hex()
    '02000000616200000000'
    """
    if datatype == "BYTES":
        written = {text: _written(text.encode()) for text in set(elements)}  # most are the same few words
        return b"".join([written[text] for text in elements])
    return np.array(elements, dtype=_NUMBERS[datatype]).tobytes()


def _written(data: bytes) -> bytes:
    return _LENGTH.pack(len(data)) + data


def _numbers(datatype: str, count: int, data: bytes) -> Values:
    kind = np.dtype(_NUMBERS[datatype])
    if len(data) != count * kind.itemsize:
        raise TensorError(f"{count:,} of {datatype} are {count * kind.itemsize:,} bytes, and it has {len(data):,}")
    numbers = np.frombuffer(data, dtype=kind)
    if datatype == "BOOL":
        return Values(_booleans(numbers), plain=True)
    if datatype == _BF16:
        numbers = (numbers.astype("<u4") << 16).view("<f4")
    return Values(numbers.tolist(), plain=numbers.dtype.kind != "f" or bool(np.isfinite(numbers).all()))


def _booleans(numbers: npt.NDArray[np.uint8]) -> list[bool]:
    if numbers.max(initial=0) > 1:
        place = int(np.argmax(numbers > 1))
        raise TensorError(f"element {place} is neither 0 nor 1, as the one byte of a BOOL must be")
    found: list[bool] = numbers.astype(np.bool_).tolist()
    return found


def _texts(count: int, data: bytes) -> Values:
    texts, plain, at = [], True, 0
    for place in range(count):
        start = at + _LENGTH.size
        if start > len(data):
            raise TensorError(f"its bytes end before the length of element {place}, of {count:,}")
        at = start + _LENGTH.unpack_from(data, start - _LENGTH.size)[0]
        if at > len(data):
            raise TensorError(f"element {place} is said to have {at - start:,} bytes, and {len(data) - start:,} follow")
        try:
            texts.append(data[start:at].decode())
        except UnicodeDecodeError:
            texts.append(data[start:at].decode(errors="surrogateescape"))
            plain = False
    if at != len(data):
        raise TensorError(f"{len(data) - at:,} bytes follow its {count:,} elements")
    return Values(texts, plain)
