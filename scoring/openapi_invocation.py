"""MLflow's scoring protocol in the OpenAPI document: what `scoring.protocols.mlflow` takes and answers.

One request is one of a few shapes. Rows are any JSON, for they are judged and not refused; what leaves open which
instances are meant is refused, and so it is described: columns of different lengths, an id too many. Of long columns
a JSON Schema cannot say it, and `x-equally-long` does.
"""

from __future__ import annotations

import csv
import io
from typing import Any

from scoring.bundle import Manifest
from scoring.example import shown_instance
from scoring.openapi_lengths import Schema, equally_long, items_of, of_length

CSV_TEXT = (
    "A line that names the features, then a line for each instance (RFC 4180, UTF-8). An empty cell is a missing "
    "value. A first column without a name, as pandas writes its index, is not read."
)
_FEW = 3  # lengths of columns that are spelled out
_OBJECTS = "Objects; anything else is answered as `rejected`"
_ROWS = "Objects, or rows of values in the model's order; anything else is answered as `rejected`"


def invocation_schemas(beside: Schema, answered: Schema) -> dict[str, Schema]:
    """Component schemas. `beside` are the fields that the native protocol has too, `answered` is its answer."""
    ids = items_of("ids")
    split_rows = items_of("dataframe_split", "data")
    no_params: Schema = {"type": ["object", "null"], "maxProperties": 0, "description": "No model here takes any"}
    fields = beside | {"params": no_params}
    shapes = {
        "Split": _shape("dataframe_split", _split(), fields) | equally_long((ids, split_rows)),
        "Records": _shape("dataframe_records", _array(_OBJECTS), fields)
        | equally_long((ids, items_of("dataframe_records"))),
        "Instances": _shape("instances", _array(_ROWS), fields) | equally_long((ids, items_of("instances"))),
        "Rows": _shape("inputs", _array(_ROWS), fields) | equally_long((ids, items_of("inputs"))),
        "Columns": _shape("inputs", _columns(), fields) | {"anyOf": _even_columns()},
        "Values": _shape("inputs", _values(), fields | {"ids": beside["ids"] | of_length(1)}),
    }
    named = {f"Invocation{name}": schema for name, schema in shapes.items()}
    request = {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in named]}
    return named | {"InvocationRequest": request, "InvocationResponse": _with_predictions(answered)}


def invocation_examples(manifest: Manifest) -> dict[str, Any]:
    """Three of the JSON formats, by name."""
    instance = shown_instance(manifest)
    return {
        "dataframe_split": {"dataframe_split": {"columns": list(instance), "data": [list(instance.values())]}},
        "dataframe_records": {"dataframe_records": [instance]},
        "inputs": {"inputs": {name: [value] for name, value in instance.items()}},
    }


def csv_example(manifest: Manifest) -> str:
    """A line of names and one of values."""
    instance, text = shown_instance(manifest), io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([list(instance), list(instance.values())])
    return text.getvalue()


def csv_schema() -> Schema:
    """A table as its lines of cells, for JSON Schema knows no CSV; examples are texts, so they stand beside it."""
    line: Schema = {"type": "array", "minItems": 1, "items": {"type": "string"}}
    return {"type": "array", "minItems": 2, "items": line, "x-names-a-feature": True, "description": CSV_TEXT}


def _shape(field: str, given: Schema, fields: dict[str, Schema]) -> Schema:
    return {
        "type": "object",
        "required": [field],
        "additionalProperties": False,
        "properties": {field: given, **fields},
    }


def _array(description: str) -> Schema:
    return {"type": "array", "minItems": 1, "description": description}


def _split() -> Schema:
    names: Schema = {"type": ["array", "null"], "items": {"type": "string"}, "uniqueItems": True}
    rows = "A row that is longer or shorter than `columns` is answered as `rejected`"
    index: Schema = {"type": ["array", "null"], "description": "As pandas writes it; it is not an id, and only counted"}
    fields = {"columns": names | {"description": "Without them the model's own order"}, "index": index}
    return _shape("data", _array(rows), fields) | equally_long((items_of("data"), items_of("index")))


def _columns() -> Schema:
    return {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": {"type": "array", "minItems": 1},
        "x-equally-long": True,
        "description": "The values of each feature, one for each instance: as many of each, and as many ids",
    }


def _values() -> Schema:
    return {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": {"not": {"type": "array"}},
        "description": "One instance, as its values by name",
    }


def _even_columns() -> list[Schema]:
    """Columns of so many values each, and as many ids, for a few lengths; more than that are left to the text."""
    few = [_of_columns(of_length(length), of_length(length)) for length in range(1, _FEW + 1)]
    return [*few, _of_columns({"minItems": _FEW + 1}, {"minItems": _FEW + 1})]


def _of_columns(values: Schema, ids: Schema) -> Schema:
    return {"properties": {"inputs": {"additionalProperties": values}, "ids": ids}}


def _with_predictions(answered: Schema) -> Schema:
    """The native answer, and the predictions alone as MLflow's clients read them."""
    predictions = {"type": "array", "description": "Of each instance its label or value; null if it was not scored"}
    return answered | {
        "required": ["predictions", *answered["required"]],
        "properties": {"predictions": predictions, **answered["properties"]},
    }
