"""Which outputs a client asks for, and which of them in binary.

    "outputs": [{"name": "predict", "parameters": {"binary_data": true}}],   without it: all of them
    "parameters": {"binary_data_output": true}                               of those that do not say themselves

A name that the model has no output for is refused, with those it has. So is what would change the meaning of an
output, and what we do not do: `classification` (top classes as texts) and shared memory. Other parameters are hints of
Triton's (priority, timeout) or the client's own, and are passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from scoring.errors import BadRequest, shown
from scoring.json_body import type_name
from scoring.protocols.input_tensors import parameters_of
from scoring.protocols.signature import TensorType

_NOT_DONE = ("classification", "shared_memory_region", "shared_memory_byte_size", "shared_memory_offset")


class RequestedOutput(msgspec.Struct, frozen=True):
    """An output of the answer."""

    tensor: TensorType
    binary: bool


def requested_outputs(fields: dict[str, Any], outputs: Sequence[TensorType]) -> list[RequestedOutput]:
    """What to answer, of the model's outputs; raises `BadRequest`."""
    binary = _switch("the request", parameters_of("the request", fields), "binary_data_output") or False
    given = fields.get("outputs")
    if given is None or given == []:
        return [RequestedOutput(output, binary) for output in outputs]
    if type(given) is not list:
        raise BadRequest(f"outputs: expected an array of objects with a name, found {type_name(given)}")
    known = {output.name: output for output in outputs}
    wanted = [_wanted(f"outputs[{place}]", item, known, binary) for place, item in enumerate(given)]
    for place, output in enumerate(wanted):
        if output.tensor in [earlier.tensor for earlier in wanted[:place]]:
            raise BadRequest(f"outputs[{place}]: output '{output.tensor.name}' is asked for twice; ask once")
    return wanted


def _wanted(field: str, item: Any, known: dict[str, TensorType], binary: bool) -> RequestedOutput:
    if type(item) is not dict or type(item.get("name")) is not str:
        raise BadRequest(f'{field}: expected an object such as {{"name": "predict"}}, found {type_name(item)}')
    name = item["name"]
    if name not in known:
        raise BadRequest(f"{field}: no output named {shown(name)}; there are: {', '.join(known)}")
    parameters = parameters_of(field, item)
    for word in _NOT_DONE:
        if word in parameters:
            raise BadRequest(f"{field}: parameter {word} is not taken; an output is sent in JSON or in binary")
    own = _switch(field, parameters, "binary_data")
    return RequestedOutput(known[name], binary if own is None else own)


def _switch(about: str, parameters: dict[str, Any], name: str) -> bool | None:
    given = parameters.get(name)
    if given is not None and type(given) is not bool:
        raise BadRequest(f"{about}: {name}: expected true or false, found {type_name(given)}")
    return given
