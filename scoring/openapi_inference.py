"""The Open Inference Protocol in the OpenAPI document: what `scoring.protocols.open_inference` takes and answers.

Two things a JSON Schema cannot say, and the texts do: the names of a request's tensors differ (`x-unique-by`), and a
single tensor may hold all features if it has as many columns as the model in the path. That a tensor's data are as
many as its shape says is spelled out for a few lengths, by `scoring.openapi_lengths`' way for more.
"""

from __future__ import annotations

from typing import Any

from scoring.bundle import Manifest
from scoring.example import example_instance
from scoring.metadata import model_metadata
from scoring.openapi_lengths import LENGTHS, Schema, any_item, equally_long, of_length

BINARY = "application/octet-stream"
HEADER = "Inference-Header-Content-Length"
BINARY_TEXT = (
    "With binary tensors the body is JSON and then, without anything between, the bytes of each tensor that has "
    "`parameters.binary_data_size` in place of `data`, in their order; the header `Inference-Header-Content-Length` "
    "says how long the JSON is. Without the header all of the body is JSON. Content-Type is not looked at."
)
DATATYPES = (
    "BOOL", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64",
    "FP16", "FP32", "FP64", "BF16", "BYTES",
)  # fmt: skip
_SHORT = 3  # lengths of tensors that are spelled out as what they are, so that a generator finds some
_ANY = {"type": ["null", "boolean", "number", "string", "object"]}
_WRAPPED = {"type": "array", "items": _ANY, **of_length(1)}


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
    kinds = {each["name"]: each["datatype"] for each in model_metadata(manifest, [], None)["inputs"]}
    tensors = [
        {"name": name, "shape": [1], "datatype": kinds[name], "data": [value]}
        for name, value in example_instance(manifest).items()
    ]
    return {"id": "request-1", "inputs": tensors}


def _request(manifests: list[Manifest], an_id: Schema) -> Schema:
    rows = any_item("inputs", "data")
    inputs = {
        "type": "array",
        "minItems": 1,
        "uniqueItems": True,
        "items": {"$ref": "#/components/schemas/InferTensor"},
        "x-unique-by": "name",
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
        **equally_long((rows, rows)),
    }


def _wanted(manifests: list[Manifest]) -> Schema:
    """The outputs that every model has; the others are named in the text."""
    each = [[output["name"] for output in model_metadata(manifest, [], None)["outputs"]] for manifest in manifests]
    common = [name for name in (each[0] if each else ["predict"]) if all(name in names for names in each)]
    more = sorted({name for names in each for name in names} - set(common))
    once = [
        {"contains": {"required": ["name"], "properties": {"name": {"const": name}}}, "minContains": 0, "maxContains": 1}
        for name in common
    ]
    return {
        "type": ["array", "null"],
        "description": "Those to answer, each once; all without it"
        + (f". Some models have {' and '.join(more)} too" if more else ""),
        "items": {
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"enum": common}, "parameters": _parameters("binary_data", "Send it in binary")},
        },
        "allOf": once,
    }


def _parameters(switch: str, words: str) -> Schema:
    refused = "^(classification|shared_memory)"
    return {
        "type": ["object", "null"],
        "properties": {switch: {"type": ["boolean", "null"], "description": words}},
        "propertyNames": {"not": {"pattern": refused}},
    }


def _tensor(an_id: Schema) -> Schema:
    short = [_exactly(length, item) for length in range(1, _SHORT + 1) for item in (_ANY, _WRAPPED)]
    longer = {"properties": {"data": {"minItems": _SHORT + 1}}}
    misshapen = [
        {"properties": {"data": of_length(length), "shape": {"not": {"enum": [[length], [length, 1]]}}}}
        for length in range(_SHORT + 1, LENGTHS + 1)
    ]
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
            {"anyOf": [*short, longer]},
            {"anyOf": [{"properties": {"name": {"not": {"const": "instance_id"}}}}, ids]},
        ],
        "not": {"anyOf": misshapen},
    }


def _exactly(length: int, item: Schema) -> Schema:
    """A tensor of so many instances, its data flat or wrapped one by one."""
    shapes = [[length, 1]] if item is _WRAPPED else [[length], [length, 1]]
    return {"properties": {"shape": {"enum": shapes}, "data": {**of_length(length), "items": item}}}


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
