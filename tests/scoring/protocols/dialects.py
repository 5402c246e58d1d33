"""One request in every way that a client may say it, and the answers as facts that can be compared.

A dialect is a protocol and a form of it. `say` is None where a form has no words for the instances: a cell of
CSV holds no array, and a tensor of doubles no text.
"""

from __future__ import annotations

import csv
import io
import json
import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from scoring.content import Content, Reply
from scoring.protocols.registry import ProtocolName

Instances = Sequence[dict[str, Any]]


@dataclass(frozen=True)
class Heard:
    """What a client learns of one instance, whichever protocol it speaks."""

    id: str
    outcome: str
    reasons: tuple[str, ...]
    predicted: Any  # label or value; None if there is none


@dataclass(frozen=True)
class Dialect:
    """One way to ask, and to understand the answer."""

    name: str
    protocol: ProtocolName
    say: Callable[[Instances, Sequence[str]], Content | None]
    hear: Callable[[Reply], list[Heard]]
    has_ids: bool = True


def native(instances: Instances, ids: Sequence[str]) -> Content:
    return _json({"instances": list(instances), "ids": list(ids)})


def infer_json(instances: Instances, ids: Sequence[str]) -> Content:
    tensors = [
        {"name": name, "datatype": _datatype(values) or "FP64", "shape": [len(values)], "data": values}
        for name, values in _columns(instances).items()
    ]
    named = {"name": "instance_id", "datatype": "BYTES", "shape": [len(ids), 1], "data": [[name] for name in ids]}
    return _json({"inputs": [*tensors, named]})


def infer_binary(instances: Instances, ids: Sequence[str]) -> Content | None:
    columns = _columns(instances) | {"instance_id": list(ids)}
    tensors, parts = [], []
    for name, values in columns.items():
        datatype = _datatype(values)
        if datatype is None:
            return None
        part = b"".join(_PACK[datatype](value) for value in values)
        parameters = {"binary_data_size": len(part)}
        tensors.append({"name": name, "datatype": datatype, "shape": [len(values)], "parameters": parameters})
        parts.append(part)
    head = json.dumps({"inputs": tensors, "parameters": {"binary_data_output": False}}).encode()
    return Content(head + b"".join(parts), kind="application/octet-stream", json_bytes=str(len(head)))


def records(instances: Instances, ids: Sequence[str]) -> Content:
    return _json({"dataframe_records": list(instances), "ids": list(ids)})


def split(instances: Instances, ids: Sequence[str]) -> Content | None:
    names = list(instances[0])
    if any(list(instance) != names for instance in instances):
        return None
    data = [list(instance.values()) for instance in instances]
    return _json({"dataframe_split": {"columns": names, "data": data}, "ids": list(ids)})


def inputs(instances: Instances, ids: Sequence[str]) -> Content:
    return _json({"inputs": _columns(instances), "ids": list(ids)})


def comma_separated(instances: Instances, ids: Sequence[str]) -> Content | None:
    del ids  # the format has none
    if any(isinstance(value, list | dict) for instance in instances for value in instance.values()):
        return None
    columns = _columns(instances)
    file = io.StringIO()
    rows = csv.writer(file)
    rows.writerow(columns)
    rows.writerows([[_cell(value) for value in row] for row in zip(*columns.values(), strict=True)])
    return Content(file.getvalue().encode(errors="surrogatepass"), kind="text/csv")


def hear_native(reply: Reply) -> list[Heard]:
    return [
        Heard(each["id"], each["outcome"], tuple(each["reasons"]), each.get("label", each.get("value")))
        for each in json.loads(reply.body)["results"]
    ]


def hear_infer(reply: Reply) -> list[Heard]:
    outputs = {output["name"]: output for output in json.loads(reply.body)["outputs"]}
    columns = [outputs[name]["data"] for name in ("instance_id", "outcome", "reasons", "predict")]
    return [
        Heard(name, outcome, tuple(filter(None, reasons.split(","))), predicted if outcome == "scored" else None)
        for name, outcome, reasons, predicted in zip(*columns, strict=True)
    ]


def hear_mlflow(reply: Reply) -> list[Heard]:
    predictions = json.loads(reply.body)["predictions"]
    heard = hear_native(reply)
    assert [each.predicted for each in heard] == predictions
    return heard


DIALECTS = (
    Dialect("native", "native", native, hear_native),
    Dialect("infer, JSON", "open_inference", infer_json, hear_infer),
    Dialect("infer, binary", "open_inference", infer_binary, hear_infer),
    Dialect("dataframe_records", "mlflow", records, hear_mlflow),
    Dialect("dataframe_split", "mlflow", split, hear_mlflow),
    Dialect("inputs", "mlflow", inputs, hear_mlflow),
    Dialect("CSV", "mlflow", comma_separated, hear_mlflow, has_ids=False),
)

_PACK: dict[str, Callable[[Any], bytes]] = {
    "FP64": lambda value: struct.pack("<d", math.nan if value is None else value),
    "BOOL": lambda value: struct.pack("<?", value),
    "BYTES": lambda text: (
        struct.pack("<I", len(text.encode(errors="surrogatepass"))) + text.encode(errors="surrogatepass")
    ),
}


def _columns(instances: Instances) -> dict[str, list[Any]]:
    """Values by name; null where an instance lacks what another has."""
    names = list(dict.fromkeys(name for instance in instances for name in instance))
    return {name: [instance.get(name) for instance in instances] for name in names}


def _datatype(values: list[Any]) -> str | None:
    kinds = {type(value) for value in values}
    if kinds <= {float, type(None)}:
        return "FP64"
    return {frozenset({bool}): "BOOL", frozenset({str}): "BYTES", frozenset({int}): "FP64"}.get(frozenset(kinds))


def _cell(value: Any) -> Any:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else value


def _json(value: Any) -> Content:
    return Content(json.dumps(value).encode(), kind="application/json")
