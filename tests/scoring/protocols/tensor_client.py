"""A client of the Open Inference Protocol for tests, written from its specification and from none of our code."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoring.content import Content, Reply

Tensor = dict[str, Any]


@dataclass(frozen=True)
class Binary:
    """A tensor whose bytes stand behind the JSON."""

    entry: Tensor
    data: bytes


def tensor(name: str, datatype: str, data: Sequence[Any], shape: Sequence[int] | None = None) -> Tensor:
    """A tensor in JSON; by default of shape [n]."""
    return {"name": name, "datatype": datatype, "shape": list(shape or [len(data)]), "data": data}


def binary(name: str, datatype: str, data: bytes, shape: Sequence[int]) -> Binary:
    """A tensor in binary."""
    parameters = {"binary_data_size": len(data)}
    return Binary({"name": name, "datatype": datatype, "shape": list(shape), "parameters": parameters}, data)


def numbers(name: str, datatype: str, dtype: str, values: Any) -> Binary:
    """Numbers in binary, of the shape that they have."""
    array = np.array(values, dtype=dtype)
    return binary(name, datatype, array.tobytes(), array.shape)


def packed(texts: Sequence[bytes]) -> bytes:
    """Elements of BYTES."""
    return b"".join(struct.pack("<I", len(text)) + text for text in texts)


def texts(name: str, values: Sequence[bytes]) -> Binary:
    """Texts in binary."""
    return binary(name, "BYTES", packed(values), [len(values)])


def request(*inputs: Tensor | Binary, **fields: Any) -> Content:
    """A request, with its header if anything is binary."""
    entries = [given.entry if isinstance(given, Binary) else given for given in inputs]
    behind = [given.data for given in inputs if isinstance(given, Binary)]
    text = json.dumps({"inputs": entries, **fields}).encode()
    return Content(b"".join((text, *behind)), json_bytes=str(len(text)) if behind else "")


def read(reply: Reply) -> dict[str, list[Any]]:
    """The outputs by name, their elements in row-major order."""
    behind, found = reply.body[_json_bytes(reply) :], {}
    for output in head(reply)["outputs"]:
        if "data" in output:
            found[output["name"]] = output["data"]
        else:
            size_bytes = output["parameters"]["binary_data_size"]
            found[output["name"]] = _elements(output["datatype"], behind[:size_bytes])
            behind = behind[size_bytes:]
    assert not behind, "bytes that are no output's"
    return found


def head(reply: Reply) -> dict[str, Any]:
    """The answer's JSON."""
    answer: dict[str, Any] = json.loads(reply.body[: _json_bytes(reply)])
    return answer


def _json_bytes(reply: Reply) -> int:
    return int(reply.headers.get("Inference-Header-Content-Length", len(reply.body)))


def _elements(datatype: str, data: bytes) -> list[Any]:
    if datatype != "BYTES":
        found: list[Any] = np.frombuffer(data, {"FP64": "<f8", "INT64": "<i8"}[datatype]).tolist()
        return found
    elements = []
    while data:
        (size_bytes,) = struct.unpack("<I", data[:4])
        elements.append(data[4 : 4 + size_bytes].decode())
        data = data[4 + size_bytes :]
    return elements
