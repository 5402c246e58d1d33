"""What a JSON Schema cannot say of a request and the document says besides, taught to the generator of valid requests.

| in the document | what it means |
|---|---|
| `x-unique-by: name` | no two tensors of a request have one name |
| `x-equally-long` | all columns or tensors of a request have as many values, as their shapes and ids say |
| `x-before` | of two times in a query, the first is the earlier one |
| `x-not-with`, `x-only-with` | of two parameters in a query, one excludes or needs the other |
| `x-names-a-feature` | the first line of a table names features, each once, and at least one of the model in the path |

Only valid requests are mended, and only in this; invalid ones go out as they were made. A table is written as CSV.
"""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import schemathesis
from schemathesis import Case, HookContext, SerializationContext


@schemathesis.hook
def map_case(context: HookContext, case: Case[Any]) -> Case[Any]:
    """Mend a valid request's body and query."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return case
    _drop_later_times(case)
    _drop_parameters(case)
    body: Any = case.body
    if case.media_type == "text/csv" and _is_table(body):
        body[0] = _names(body[0], _feature_of(case))
    elif isinstance(body, dict) and isinstance(body.get("inputs"), dict):
        _even_columns(body)
    elif isinstance(body, dict) and case.operation.path.endswith("/infer"):
        _name_apart(body["inputs"])
        _even_tensors(body["inputs"])
    return case


@schemathesis.serializer("text/csv")
def write_table(context: SerializationContext, value: Any) -> bytes:
    """Lines of cells as CSV; what is no table as the text that it is, or as JSON."""
    if not _is_table(value):
        return value.encode(errors="replace") if isinstance(value, str) else json.dumps(value).encode()
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(value)
    return text.getvalue().encode(errors="replace")


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(line, list) for line in value)


def _drop_later_times(case: Case[Any]) -> None:
    """Of two times the earlier alone is left; `x-before`."""
    for parameter in _sent_parameters(case):
        if "x-before" in parameter:
            case.query.pop(parameter["x-before"], None)


def _drop_parameters(case: Case[Any]) -> None:
    """What another parameter excludes, or what needs one that is not there; `x-not-with`, `x-only-with`."""
    for parameter in _sent_parameters(case):
        if "x-not-with" in parameter:
            case.query.pop(parameter["x-not-with"], None)
        if "x-only-with" in parameter and parameter["x-only-with"] not in case.query:
            case.query.pop(parameter["name"], None)


def _sent_parameters(case: Case[Any]) -> list[dict[str, Any]]:
    """What the document says of the parameters of a query that are sent."""
    document = case.operation.schema.raw_schema
    operation = document["paths"][case.operation.path][case.operation.method.lower()]
    return [each for each in operation.get("parameters", []) if case.query and each.get("name") in case.query]


def _feature_of(case: Case[Any]) -> str:
    """A feature of the model that a request goes to, by the document itself."""
    document = case.operation.schema.raw_schema
    operation = document["paths"][case.operation.path]["post"]
    model = (case.path_parameters or {}).get("model")
    examples = operation["requestBody"]["content"]["text/csv"]["x-examples"]
    features = document["components"]["schemas"][f"instance.{model or next(iter(examples))}"]["x-features"]
    return str(features[0]["name"])


def _names(line: list[str], feature: str) -> list[str]:
    """The first line with a feature in it and no name twice; `x-names-a-feature`."""
    return list(dict.fromkeys([feature, *line[1:]])) if feature not in line else list(dict.fromkeys(line))


def _name_apart(tensors: list[dict[str, Any]]) -> None:
    """Tensors of one name get different ones; `x-unique-by`."""
    taken: set[str] = set()
    for tensor in tensors:
        while tensor["name"] in taken:
            tensor["name"] += "'"
        taken.add(tensor["name"])


def _even_tensors(tensors: list[dict[str, Any]]) -> None:
    """Tensors are cut to the shortest, and their shapes say so; `x-equally-long`."""
    rows = min(len(tensor["data"]) for tensor in tensors)
    for tensor in tensors:
        tensor["data"], tensor["shape"] = tensor["data"][:rows], [rows, *tensor["shape"][1:]]


def _even_columns(body: dict[str, Any]) -> None:
    """Columns are cut to the shortest, and ids with them; `x-equally-long`."""
    columns, ids = body["inputs"], body.get("ids")
    if columns and all(isinstance(column, list) for column in columns.values()):
        rows = min([len(column) for column in columns.values()] + ([len(ids)] if ids else []))
        body["inputs"] = {name: column[:rows] for name, column in columns.items()}
        if ids is not None:
            body["ids"] = ids[:rows] or None
