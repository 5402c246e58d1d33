"""The four JSON formats of MLflow's scoring server to instances.

    {"dataframe_split": {"columns": ["age", "job"], "data": [[41, "clerk"]], "index": [0]}}
    {"dataframe_records": [{"age": 41, "job": "clerk"}]}
    {"instances": [{"age": 41, "job": "clerk"}]}     or rows: [[41, "clerk"]]
    {"inputs": {"age": [41], "job": ["clerk"]}}      or rows, or objects; a column may also be [[41]]

Exactly one of them, and beside it `ids` and `request_id`, which are ours and mean what they do in the native protocol.
`params` may be there if it is empty: no model here takes any. An `index` is not an id: DataFrames number their rows
from 0, so two requests would share ids; it is only checked for its length.

A row without names is read in the manifest's order. One that is neither an object nor a row of as many values as there
are columns stays what it is, which judging refuses as `wrong_type`, and its neighbours are scored. Columns of different
lengths, or one name twice, leave open what an instance is: such a body is refused, by a text that quotes nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scoring.errors import BadRequest
from scoring.fields import check_count, filled_list, ids_field, object_fields, request_id_field
from scoring.json_body import read_json, type_name
from scoring.protocols.columns import refuse_extra, repeated
from scoring.protocols.protocol import ScoreRequest, Terms

_EXAMPLE = '{"dataframe_split": {"columns": […], "data": [[…]]}}'
_SPLIT_FIELDS = ("columns", "data", "index")


def read_mlflow_json(body: bytes, terms: Terms) -> ScoreRequest:
    """The request in a body; raises `BadRequest`."""
    value, plain = read_json(body)
    fields = object_fields(value, _FIELDS, _EXAMPLE)
    _refuse_params(fields.get("params"))
    name = _format(fields)
    names = [feature.name for feature in terms.manifest.features]
    instances = _READERS[name](fields[name], names, terms.max_instances)
    return ScoreRequest(
        instances=instances,
        ids=ids_field(fields, len(instances)),
        request_id=request_id_field(fields),
        plain=plain,
    )


def _refuse_params(params: Any) -> None:
    if params is None or params == {}:
        return
    if type(params) is not dict:
        raise BadRequest(f"params: expected an empty object, found {type_name(params)}")
    raise BadRequest("params: no model here takes parameters; leave params out")


def _format(fields: dict[str, Any]) -> str:
    given = [name for name in _READERS if name in fields]
    if len(given) == 1:
        return given[0]
    found = f"found {' and '.join(given)}" if given else "found none"
    raise BadRequest(f"the body: expected exactly one of {', '.join(_READERS)}, {found}")


def _from_split(frame: Any, names: Sequence[str], most: int) -> list[Any]:
    """Rows under the frame's own columns, in the manifest's order if it has none."""
    if type(frame) is not dict:
        raise BadRequest(f"dataframe_split: expected an object with columns and data, found {type_name(frame)}")
    unknown = next((place for place, key in enumerate(frame, 1) if key not in _SPLIT_FIELDS), None)
    if unknown is not None:
        raise BadRequest(f"dataframe_split: field {unknown} is unknown; the fields are {', '.join(_SPLIT_FIELDS)}")
    if "data" not in frame:
        raise BadRequest("dataframe_split.data: missing; expected an array of rows")
    rows = filled_list("dataframe_split.data", frame["data"], most, "an array of rows")
    _check_index(frame.get("index"), len(rows))
    if frame.get("columns") is None:
        return _named(rows, names)
    columns = _columns(frame["columns"])
    refuse_extra("dataframe_split.columns", columns, names, len(rows))
    return _named(rows, columns)


def _check_index(index: Any, rows: int) -> None:
    if index is None:
        return
    if type(index) is not list:
        raise BadRequest(f"dataframe_split.index: expected an array, found {type_name(index)}")
    if len(index) != rows:
        raise BadRequest(f"dataframe_split.index: {len(index):,} entries for {rows:,} rows; expected one each, or none")


def _columns(columns: Any) -> list[str]:
    if type(columns) is not list:
        raise BadRequest(f"dataframe_split.columns: expected an array of names, found {type_name(columns)}")
    unnamed = next((place for place, name in enumerate(columns) if type(name) is not str), None)
    if unnamed is not None:
        raise BadRequest(
            f"dataframe_split.columns[{unnamed}]: expected a feature's name, found {type_name(columns[unnamed])}; "
            "name the columns, or leave columns out if they are in the model's order"
        )
    twice = repeated(columns)
    if twice is not None:
        raise BadRequest(f"dataframe_split.columns: {twice[0]} and {twice[1]} are one name; leave one of them out")
    return columns


def _from_records(records: Any, _: Sequence[str], most: int) -> list[Any]:
    return filled_list("dataframe_records", records, most, "an array of objects")


def _from_instances(rows: Any, names: Sequence[str], most: int) -> list[Any]:
    return _named(filled_list("instances", rows, most, "an array of objects or rows"), names)


def _from_inputs(given: Any, names: Sequence[str], most: int) -> list[Any]:
    if type(given) is dict:
        return _from_columns(given, names, most)
    return _named(filled_list("inputs", given, most, "an object of columns or an array of rows"), names)


def _from_columns(columns: dict[str, Any], names: Sequence[str], most: int) -> list[Any]:
    """An instance for each place in the columns; columns that are single values are one instance."""
    lists = [column for column in columns.values() if type(column) is list]
    if not lists:
        check_count("inputs", len(columns) and 1, most)
        return [columns]
    count = len(lists[0])
    for place, column in enumerate(columns.values(), 1):
        found = f"{len(column):,} values" if type(column) is list else type_name(column)
        if type(column) is not list or len(column) != count:
            raise BadRequest(
                f"inputs: the first column of values has {count:,} and column {place} has {found}; send as many of each"
            )
    check_count("inputs", count, most)
    refuse_extra("inputs", columns, names, count)
    flat = [_flat(column) for column in columns.values()]
    return [dict(zip(columns, values, strict=True)) for values in zip(*flat, strict=True)]


def _flat(column: list[Any]) -> list[Any]:
    """The values of a column, also if each is in an array of its own, as a tensor of shape [n, 1] has them."""
    if all(type(value) is list and len(value) == 1 for value in column):
        return [value for (value,) in column]
    return column


def _named(rows: list[Any], names: Sequence[str]) -> list[Any]:
    """Rows of as many values as names become objects, and so do bare values for a single name."""
    width = len(names)
    if width == 1:
        rows = [row if type(row) in (list, dict) else [row] for row in rows]
    return [dict(zip(names, row, strict=True)) if type(row) is list and len(row) == width else row for row in rows]


_READERS: dict[str, Callable[[Any, Sequence[str], int], list[Any]]] = {
    "dataframe_split": _from_split,
    "dataframe_records": _from_records,
    "instances": _from_instances,
    "inputs": _from_inputs,
}
_FIELDS = frozenset((*_READERS, "params", "ids", "request_id"))
