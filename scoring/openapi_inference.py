"""The Open Inference Protocol in the OpenAPI document: what `scoring.protocols.open_inference` takes and answers.

What a JSON Schema cannot say, the texts do: the names of a request's tensors differ (`x-unique-by`), and a single
tensor may hold all features if it has as many columns as the model in the path. That a tensor's data are as many as
its shape says is spelled out up to a length, that all tensors have as many up to a smaller one; `x-equally-long` says
it of all.
"""

from __future__ import annotations

from typing import Any

from scoring.bundle import Manifest
from scoring.example import shown_instance
from scoring.openapi_lengths import LENGTHS, Schema, of_length
from scoring.protocols.signature import INSTANCE_ID, inputs_of, outputs_of
from scoring.protocols.tensors import DATATYPES

BINARY_TEXT = (
    "With binary tensors the body is JSON and then, without anything between, the bytes of each tensor that has "
    "`parameters.binary_data_size` in place of `data`, in their order; the header `Inference-Header-Content-Length` "
    "says how long the JSON is. Without the header all of the body is JSON. Content-Type is not looked at."
)
_FEW = 3  # numbers of instances that are spelled out as what a request is, so that a generator finds some
_ANY = {"type": ["null", "boolean", "number", "string", "object"]}


def inference_schemas(manifests: list[Manifest], an_id: Schema) -> dict[str, Schema]:
    """Component schemas; `an_id` is that of ids."""
    return {
        "InferRequest": _request(manifests, an_id),
        "InferTensor": _tensor(an_id),
        "InferResponse": _response(),
        "InferOutput": _output(),
    }


def inference_example(manifest: Manifest) -> dict[str, Any]:
    """A tensor for each feature, of one instance."""
    kinds = {tensor.name: tensor.datatype for tensor in inputs_of(manifest)}
    tensors = [
        {"name": name, "shape": [1], "datatype": kinds[name], "data": [value]}
        for name, value in shown_instance(manifest).items()
    ]
    return {"id": "request-1", "inputs": tensors}


def _request(manifests: list[Manifest], an_id: Schema) -> Schema:
    inputs = {
        "type": "array",
        "minItems": 1,
        "uniqueItems": True,
        "items": {"$ref": "#/components/schemas/InferTensor"},
        "x-unique-by": "name",
        "x-equally-long": "data",
        "description": "A tensor for each feature, named as it is, all with a value for each instance; no name twice. "
        "Or a single one [n, features] with all features in the model's order, if none of them is a string.",
    }
    path = {"enum": [None, ""], "description": "Best left out; else as in the path"}
    return {
        "type": "object",
        "required": ["inputs"],
        "additionalProperties": False,
        "properties": {
            "id": {"anyOf": [an_id, {"enum": [None, ""]}]},
            "inputs": inputs,
            "outputs": _wanted(manifests),
            "parameters": _parameters("binary_data_output", "Send all outputs in binary"),
            "model_name": path,
            "model_version": path,
        },
        "anyOf": _even_tensors(),
    }


def _even_tensors() -> list[Schema]:
    """Tensors of as many instances each, for a few numbers; more than that are left to the text."""
    few = [{"properties": {"inputs": {"items": _of_rows(length)}}} for length in range(1, _FEW + 1)]
    return [*few, {"properties": {"inputs": {"items": {"properties": {"data": {"minItems": _FEW + 1}}}}}}]


def _of_rows(length: int) -> Schema:
    return {"properties": {"shape": {"enum": [[length], [length, 1]]}, "data": of_length(length)}}


def _wanted(manifests: list[Manifest]) -> Schema:
    """The outputs that every model has; the others are named in the text."""
    each = [[output.name for output in outputs_of(manifest)] for manifest in manifests]
    common = [name for name in (each[0] if each else ["predict"]) if all(name in names for names in each)]
    more = sorted({name for names in each for name in names} - set(common))
    own = _parameters("binary_data", "Send it in binary", "^(classification|shared_memory_(region|byte_size|offset))$")
    once = [{"contains": _named(name), "minContains": 0, "maxContains": 1} for name in common]
    return {
        "type": ["array", "null"],
        "description": "Those to answer, each once; all without it"
        + (f". Some models have {' and '.join(more)} too" if more else ""),
        "items": {
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"enum": common}, "parameters": own},
        },
        "allOf": once,
    }


def _named(name: str) -> Schema:
    return {"required": ["name"], "properties": {"name": {"const": name}}}


def _parameters(switch: str, words: str, refused: str = "") -> Schema:
    found: Schema = {
        "type": ["object", "null"],
        "properties": {switch: {"type": ["boolean", "null"], "description": words}},
    }
    return found | ({"propertyNames": {"not": {"pattern": refused}}} if refused else {})


def _tensor(an_id: Schema) -> Schema:
    misshapen = [
        {"properties": {"data": of_length(length), "shape": {"not": {"contains": {"const": length}}}}}
        for length in range(_FEW + 1, LENGTHS + 1)
    ]
    flat = {"properties": {"data": {"items": _ANY}}}
    wrapped = {"properties": {"shape": {"minItems": 2}, "data": {"items": _one(_ANY)}}}
    ids = {"properties": {"datatype": {"const": "BYTES"}, "data": {"items": {"anyOf": [an_id, _one(an_id)]}}}}
    return {
        "type": "object",
        "required": ["name", "shape", "datatype", "data"],
        "properties": {
            "name": {"type": "string", "description": "A feature's, or `instance_id` for the instances' ids"},
            "shape": {
                "type": "array",
                "minItems": 1,
                "maxItems": 2,
                "prefixItems": [{"type": "integer", "minimum": 1}, {"const": 1}],
                "description": "[n] or [n, 1] for n instances",
            },
            "datatype": {"enum": list(DATATYPES)},
            "data": {
                "type": "array",
                "minItems": 1,
                "description": "A value for each instance, flat, or each in an array if the shape is [n, 1]",
            },
            "parameters": {
                "type": ["object", "null"],
                "properties": {"binary_data_size": {"type": "null", "description": "Bytes, of a binary tensor"}},
                "propertyNames": {"not": {"pattern": "^shared_memory"}},
            },
        },
        "allOf": [
            {"anyOf": [flat, wrapped]},
            {"anyOf": [{"properties": {"name": {"not": {"const": INSTANCE_ID}}}}, ids]},
        ],
        "not": {"anyOf": misshapen},
    }


def _one(schema: Schema) -> Schema:
    return {"type": "array", "items": schema, **of_length(1)}


def _response() -> Schema:
    text: Schema = {"type": "string"}
    parameters = {
        "type": "object",
        "required": ["request_id", "receipt"],
        "properties": {
            "request_id": text,
            "receipt": {"type": "string", "description": "Where the log holds the records, as JSON"},
            "classes": {"type": "string", "description": "In the order of predict_proba, as JSON"},
        },
    }
    outputs = {"type": "array", "items": {"$ref": "#/components/schemas/InferOutput"}}
    fields = {"model_name": text, "model_version": text, "id": text, "parameters": parameters, "outputs": outputs}
    return {"type": "object", "required": list(fields), "properties": fields}


def _output() -> Schema:
    return {
        "type": "object",
        "required": ["name", "datatype", "shape", "data"],
        "description": "Only a scored instance has a prediction: elsewhere null in FP64, the empty text in BYTES, and "
        "the smallest number in INT64. `outcome` and `reasons` say why.",
        "properties": {
            "name": {"type": "string"},
            "datatype": {"enum": ["FP64", "INT64", "BYTES"]},
            "shape": {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 2},
            "data": {"type": "array", "items": {"type": ["number", "string", "null"]}},
        },
    }
