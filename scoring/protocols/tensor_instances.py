"""Tensors to instances, in the one of two ways in which a request may be meant.

| tensors | instances |
|---|---|
| one for each feature, [n] or [n, 1], named as the feature | their rows; a name that is no feature's is an extra key |
| a single one [n, features], whatever its name | its columns are the features in the manifest's order |

Beside either, `instance_id` (BYTES) gives the instances' ids, unless the model has a feature of that name. A single
tensor has a single datatype, so in that form 0 and 1 stand for false and true in a boolean feature's column; where a
tensor is one feature's, they are numbers there, as in the native protocol. A model with string features takes no
single tensor.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from scoring.bundle import Manifest
from scoring.errors import BadRequest, shown
from scoring.fields import check_ids
from scoring.protocols.columns import refuse_extra
from scoring.protocols.input_tensors import Tensor, Tensors
from scoring.protocols.signature import INSTANCE_ID, takes_ids

_BOOLEAN_OF: dict[float, bool] = {0: False, 1: True}


class Instances(msgspec.Struct, frozen=True):
    """What the tensors say, an object for each row, and the client's ids if it sent some."""

    instances: list[dict[str, Any]]
    ids: list[str] | None


def to_instances(given: Tensors, manifest: Manifest) -> Instances:
    """The instances of a request; raises `BadRequest`."""
    ids, tensors = None, given.tensors
    if takes_ids(manifest):
        ids = next((_ids(tensor) for tensor in tensors if tensor.name == INSTANCE_ID), None)
        tensors = [tensor for tensor in tensors if tensor.name != INSTANCE_ID]
    if _is_matrix(tensors, manifest):
        return Instances(_of_matrix(tensors[0], manifest), ids)
    _check_columns(tensors, manifest)
    names = [tensor.name for tensor in tensors]
    refuse_extra("inputs", names, [feature.name for feature in manifest.features], given.rows)
    if not tensors:
        return Instances([{} for _ in range(given.rows)], ids)
    rows = zip(*(tensor.elements for tensor in tensors), strict=True)
    return Instances(_objects(names, rows), ids)


def _ids(tensor: Tensor) -> list[str]:
    if tensor.datatype != "BYTES" or tensor.width not in (None, 1):
        raise BadRequest(
            f"tensor '{INSTANCE_ID}': expected BYTES of shape [n], an id for each instance", "malformed_id"
        )
    check_ids(INSTANCE_ID, tensor.elements, tensor.rows)
    return tensor.elements


def _is_matrix(tensors: Sequence[Tensor], manifest: Manifest) -> bool:
    if len(tensors) != 1 or tensors[0].width != len(manifest.features):
        return False
    return tensors[0].width > 1 or not _strings(manifest)


def _of_matrix(tensor: Tensor, manifest: Manifest) -> list[dict[str, Any]]:
    strings = _strings(manifest)
    if strings:
        raise BadRequest(
            f"tensor {shown(tensor.name)}: feature {shown(strings[0])} is a string, "
            "which no single tensor can hold; send a tensor for each feature"
        )
    names = [feature.name for feature in manifest.features]
    instances = _objects(names, zip(*[iter(tensor.elements)] * len(names), strict=True))
    if tensor.datatype != "BOOL":
        for name in (feature.name for feature in manifest.features if feature.type == "boolean"):
            for instance in instances:
                instance[name] = _as_boolean(instance[name])
    return instances


def _as_boolean(value: Any) -> Any:
    return _BOOLEAN_OF.get(value, value) if isinstance(value, int | float) else value


def _check_columns(tensors: Sequence[Tensor], manifest: Manifest) -> None:
    for tensor in tensors:
        if tensor.width not in (None, 1):
            raise BadRequest(
                f"tensor {shown(tensor.name)}: its shape is [{tensor.rows}, {tensor.width}]; expected [n] or [n, 1] "
                f"for one feature, or a single tensor [n, {len(manifest.features)}] with all features in their order"
            )


def _objects(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(names, row, strict=True)) for row in rows]


def _strings(manifest: Manifest) -> list[str]:
    return [feature.name for feature in manifest.features if feature.type == "string"]
