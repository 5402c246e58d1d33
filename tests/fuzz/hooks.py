"""What a JSON Schema cannot say of a request and the document says besides, taught to the generator of valid requests.

| in the document | what it means |
|---|---|
| `x-unique-by: name` | no two tensors of a request have one name |
| `x-equally-long` | all columns of a request have as many values, and there are as many ids |

Only valid requests are mended, and only in this; invalid ones go out as they were made.
"""

from __future__ import annotations

from typing import Any

import schemathesis
from schemathesis import Case, HookContext


@schemathesis.hook
def map_case(context: HookContext, case: Case[Any]) -> Case[Any]:
    """Mend a valid request's body."""
    if case.meta is not None and case.meta.generation.mode.is_positive and isinstance(case.body, dict):
        _name_apart(case.body.get("inputs"))
        _even_out(case.body)
    return case


def _name_apart(inputs: Any) -> None:
    """Tensors of one name get different ones; `x-unique-by`."""
    if isinstance(inputs, list):
        taken: set[str] = set()
        for tensor in inputs:
            while isinstance(tensor, dict) and tensor.get("name") in taken:
                tensor["name"] += "'"
            taken |= {tensor["name"]} if isinstance(tensor, dict) and "name" in tensor else set()


def _even_out(body: dict[str, Any]) -> None:
    """Columns are cut to the shortest, and ids with them; `x-equally-long`."""
    columns = body.get("inputs")
    if isinstance(columns, dict) and columns and all(isinstance(column, list) for column in columns.values()):
        rows = min(map(len, columns.values()))
        ids = body.get("ids")
        if ids is not None:
            rows = min(rows, len(ids)) or 1
            body["ids"] = ids[:rows] if ids else None
        body["inputs"] = {name: column[:rows] for name, column in columns.items()}
