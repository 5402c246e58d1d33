"""The `inputs` of an inference request: a list of tensors, their values in JSON or behind it in binary.

    {"name": "age", "shape": [2], "datatype": "FP64", "data": [41.0, 17.5]}
    {"name": "job", "shape": [2, 1], "datatype": "BYTES", "parameters": {"binary_data_size": 17}}

`data` is flat in row-major order, or nested as the shape says. In JSON a value says itself what it is, and is taken
as it stands whatever the datatype: none is rounded, cut or converted. Binary tensors follow the JSON and each other in
the order of `inputs`, and nothing follows them.

What a tensor must be to be read at all is decided here, and every text names the tensor; what its values are worth is
for judging.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

import msgspec

from scoring.errors import BadRequest, shown
from scoring.json_body import type_name
from scoring.protocols.tensors import DATATYPES, TensorError, Values, read_binary

# What 16 MiB of doubles hold. Of a smaller datatype a body holds more, and each value would be an object in memory.
MOST_VALUES = 2**21
_SHAPES = "[n], [n, 1], or [n, features]"


class Tensor(msgspec.Struct, frozen=True):
    """One input of n rows; `width` is its second dimension, None if it has but one."""

    name: str
    datatype: str
    rows: int
    width: int | None
    elements: list[Any]


class Tensors(msgspec.Struct, frozen=True):
    """All inputs of a request, of as many rows each, their names distinct."""

    tensors: list[Tensor]
    rows: int
    plain: bool  # no NaN, infinity or lone surrogate in what came in binary


def read_inputs(given: Any, binary: bytes | None, max_instances: int) -> Tensors:
    """The tensors of a parsed `inputs` and the bytes behind the JSON, None if none can be there; raises
    `BadRequest`."""
    reader = _Reader(binary, max_instances)
    tensors = [reader.read(f"inputs[{place}]", item) for place, item in enumerate(_input_list(given))]
    reader.check_end()
    _check_together(tensors)
    return Tensors(tensors, tensors[0].rows, reader.plain)


class _Reader:
    """Reads one tensor after the other, and knows where the next one's bytes begin."""

    def __init__(self, binary: bytes | None, max_instances: int) -> None:
        self.plain = True
        self._binary = binary
        self._at = 0
        self._max_instances = max_instances
        self._values_left = MOST_VALUES

    def read(self, field: str, item: Any) -> Tensor:
        """One tensor; raises `BadRequest`."""
        name = _name(field, item)
        about = f"tensor {shown(name)}"
        datatype, rows, width = _datatype(about, item), *_shape(about, item, self._max_instances)
        self._values_left -= rows * (width or 1)
        if self._values_left < 0:
            raise BadRequest(
                f"{about}: the request has over {MOST_VALUES:,} values up to here; send its instances in parts",
                "too_many_instances",
            )
        values = self._values(about, item, datatype, rows, width)
        self.plain = self.plain and values.plain
        return Tensor(name, datatype, rows, width, values.elements)

    def check_end(self) -> None:
        """Whether every byte was some tensor's; raises `BadRequest`."""
        surplus = len(self._binary or b"") - self._at
        if surplus:
            raise BadRequest(
                f"the body: {surplus:,} bytes follow its last tensor's; binary_data_size says how many are"
            )

    def _values(self, about: str, item: dict[str, Any], datatype: str, rows: int, width: int | None) -> Values:
        size_bytes, data = _binary_size(about, item), item.get("data")
        if data is not None:
            if size_bytes is not None:
                raise BadRequest(f"{about}: has both data and binary_data_size; send one of them")
            return Values(_json_elements(about, data, rows, width), plain=True)
        if size_bytes is None:
            raise BadRequest(f"{about}: data is missing; send data, or binary_data_size and its bytes behind the JSON")
        try:
            return read_binary(datatype, rows * (width or 1), self._take(about, size_bytes))
        except TensorError as problem:
            raise BadRequest(f"{about}: {problem}") from None

    def _take(self, about: str, size_bytes: int) -> bytes:
        if self._binary is None:
            raise BadRequest(
                f"{about}: has binary_data_size, but the header Inference-Header-Content-Length is missing"
            )
        left = len(self._binary) - self._at
        if size_bytes > left:
            raise BadRequest(
                f"{about}: its binary_data_size is {size_bytes:,} bytes, and {left:,} are left in the body"
            )
        self._at += size_bytes
        return self._binary[self._at - size_bytes : self._at]


def _check_together(tensors: list[Tensor]) -> None:
    """Whether all tensors have as many rows as the first, and names of their own; raises `BadRequest`."""
    first, names = tensors[0], set[str]()
    for tensor in tensors:
        if tensor.rows != first.rows:
            raise BadRequest(
                f"tensor {shown(tensor.name)}: has {tensor.rows:,} instances, and tensor {shown(first.name)} "
                f"{first.rows:,}; each holds a value of every instance"
            )
        if tensor.name in names:
            raise BadRequest(f"tensor {shown(tensor.name)}: sent twice; send it once")
        names.add(tensor.name)


def _binary_size(about: str, item: dict[str, Any]) -> int | None:
    """A tensor's `binary_data_size`, None if it has none; raises `BadRequest`."""
    parameters = parameters_of(about, item)
    if any(key.startswith("shared_memory") for key in parameters):
        raise BadRequest(f"{about}: shared memory is not taken; send data, or binary_data_size and its bytes")
    size_bytes = parameters.get("binary_data_size")
    if size_bytes is None:
        return None
    if type(size_bytes) is not int or size_bytes < 0:
        raise BadRequest(f"{about}: binary_data_size: expected a number of bytes, found {_found(size_bytes)}")
    return size_bytes


def parameters_of(about: str, item: dict[str, Any]) -> dict[str, Any]:
    """The `parameters` of an object, empty if it has none; raises `BadRequest`."""
    parameters = item.get("parameters")
    if parameters is None:
        return {}
    if type(parameters) is not dict:
        raise BadRequest(f"{about}: parameters: expected an object, found {type_name(parameters)}")
    return parameters


def _input_list(given: Any) -> list[Any]:
    if type(given) is not list:
        raise BadRequest(f"inputs: expected an array of tensors, found {_found(given)}")
    if not given:
        raise BadRequest("inputs: empty; send a tensor for each feature", "no_instances")
    return given


def _name(field: str, item: Any) -> str:
    if type(item) is not dict:
        raise BadRequest(f"{field}: expected a tensor, an object, found {type_name(item)}")
    if type(item.get("name")) is not str:
        raise BadRequest(f"{field}.name: expected the name of a feature, found {_found(item.get('name'))}")
    return str(item["name"])


def _datatype(about: str, item: dict[str, Any]) -> str:
    given = item.get("datatype")
    if type(given) is not str or given not in DATATYPES:
        raise BadRequest(f"{about}: datatype: expected one of {', '.join(DATATYPES)}, found {_found(given)}")
    return given


def _shape(about: str, item: dict[str, Any], max_instances: int) -> tuple[int, int | None]:
    given = item.get("shape")
    if type(given) is not list or not all(type(size) is int and size >= 0 for size in given):
        raise BadRequest(f"{about}: shape: expected {_SHAPES}, whole numbers from 0, found {_dimensions(given)}")
    if len(given) not in (1, 2):
        raise BadRequest(f"{about}: shape: expected {_SHAPES}, found {len(given)} dimensions")
    rows, width = given[0], given[1] if len(given) == 2 else None
    if rows == 0:
        raise BadRequest(f"{about}: has no instances; send at least one", "no_instances")
    if rows > max_instances:
        raise BadRequest(f"{about}: {rows:,} instances are more than {max_instances:,}; send them in parts",
                         "too_many_instances")  # fmt: skip
    if width == 0:
        raise BadRequest(f"{about}: shape: expected {_SHAPES}, found [{rows}, 0]")
    return rows, width


def _json_elements(about: str, data: Any, rows: int, width: int | None) -> list[Any]:
    if type(data) is not list:
        raise BadRequest(f"{about}: data: expected an array, found {type_name(data)}")
    kinds = set(map(type, data))
    if kinds == {list} and width is not None:
        data = _flattened(about, data, rows, width)
        kinds = set(map(type, data))
    if list in kinds:
        raise BadRequest(f"{about}: data: nested deeper than its shape; expected {_expected(rows, width)}")
    if len(data) != rows * (width or 1):
        raise BadRequest(f"{about}: data: expected {_expected(rows, width)}, found {len(data):,} values")
    elements: list[Any] = data
    return elements


def _flattened(about: str, data: list[list[Any]], rows: int, width: int) -> list[Any]:
    if len(data) != rows or set(map(len, data)) != {width}:
        raise BadRequest(f"{about}: data: nested otherwise than its shape; expected {_expected(rows, width)}")
    return list(chain.from_iterable(data))


def _expected(rows: int, width: int | None) -> str:
    return f"{rows:,} values" if width is None else f"{rows:,} × {width:,} values, flat or an array for each instance"


def _dimensions(given: Any) -> str:
    """A wrong shape, shown if it is short and made of numbers that are."""
    short = type(given) is list and len(given) <= 4 and all(type(size) in (int, float) for size in given)
    return shown(str(given))[1:-1] if short else _found(given)


def _found(value: Any) -> str:
    """What was found, for an error's text."""
    return shown(value) if type(value) is str else "nothing" if value is None else type_name(value)
