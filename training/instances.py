"""Test rows as a client would send them: instances and their truth, in plain JSON values.

Nothing is checked against the model's features here: a cell of the wrong type, a column too many or too few is what
production would get, and is judged as production judges it. A missing cell (NaN, None, NA, NaT) is null. Only what no
client could send is refused: no rows, no names, a truth of another length.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from scoring.bundle import Manifest
from scoring.content import Content
from scoring.score import Arrival
from training.errors import ReportRefused

LABELS = 1000  # in one request; no request of instances holds more
_AT_ONCE = 4096  # rows turned into Python values together


@dataclass(frozen=True)
class Rows:
    """Test rows with their truth; `truth` is None where it is not known."""

    table: pd.DataFrame
    names: tuple[str, ...]
    truth: list[Any]

    def __len__(self) -> int:
        return len(self.table)

    def instances(self) -> Iterator[dict[str, Any]]:
        """One object a row, in order; rows are converted as they are needed."""
        for start in range(0, len(self.table), _AT_ONCE):
            part = self.table.iloc[start : start + _AT_ONCE]
            columns = [plain_values(part.iloc[:, position]) for position in range(len(self.names))]
            for row in zip(*columns, strict=True):
                yield dict(zip(self.names, row, strict=True))


def read_rows(X: Any, y: Any, manifest: Manifest) -> Rows:
    """Rows from a DataFrame, or from an array in the order of the model's features; raises `ReportRefused`."""
    table = X if isinstance(X, pd.DataFrame) else _named(X, [feature.name for feature in manifest.features])
    names = tuple(str(name) for name in table.columns)
    if not len(table):
        raise ReportRefused("there are no test rows; a report needs at least one")
    if len(set(names)) < len(names):
        repeated = sorted({name for name in names if names.count(name) > 1})
        raise ReportRefused(f"columns named twice: {', '.join(map(repr, repeated))}; give each its own name")
    return Rows(table, names, _truth(y, len(table)))


def arrival(body: bytes, received_s: float, request_id: str, writer_id: str) -> Arrival:
    """A body as it would come in over HTTP. `cold` stays false: how long this process took to start says nothing
    about one that serves."""
    return Arrival(
        content=Content(body),
        received_s=received_s,
        request_id=request_id,
        writer_id=writer_id,
        max_instances=LABELS,
        max_body_bytes=len(body),
    )


def column_notes(names: Sequence[str], manifest: Manifest) -> list[str]:
    """What to know about columns that are not the model's features: every row is judged by them."""
    features = [feature.name for feature in manifest.features]
    unknown = [name for name in names if name not in features]
    absent = [name for name in features if name not in names]
    notes = []
    if unknown:
        rejects = manifest.criteria.extra_features == "reject"
        what = "rejects rows with them: leave the columns out (--drop)" if rejects else "ignores them"
        notes.append(f"Columns that the model does not know: {_listed(unknown)}. It {what}.")
    if absent:
        notes.append(f"Features that the test rows have no column of: {_listed(absent)}. They count as missing.")
    return notes


def plain_values(column: pd.Series) -> list[Any]:
    """A column's values as Python's own, None where one is missing.

    >>> plain_values(pd.Series([1.5, None])), plain_values(pd.Series(["a", None])), plain_values(pd.Series([True]))
    ([1.5, None], ['a', None], [True])
    """
    values = column.astype(object).tolist()
    missing = column.isna().to_numpy()
    if missing.any():
        return [None if gone else value for value, gone in zip(values, missing.tolist(), strict=True)]
    return values


def json_body(fields: dict[str, Any]) -> bytes:
    """A request's body. An infinity is written as some clients do, and judged; other objects become their text.

    >>> json_body({"instances": [{"a": float("inf"), "b": np.int64(3)}]})
    b'{"instances": [{"a": Infinity, "b": 3}]}'
    """
    return json.dumps(fields, default=_plain).encode()


def _named(X: Any, names: list[str]) -> pd.DataFrame:
    matrix = np.asarray(X.toarray() if hasattr(X, "toarray") else X)
    if matrix.ndim != 2 or matrix.shape[1] != len(names):
        raise ReportRefused(
            f"X_test has shape {matrix.shape}; an array must be rows × {len(names)} features, in the order "
            f"{_listed(names)}. Or pass a DataFrame with these columns"
        )
    return pd.DataFrame(matrix, columns=names)


def _truth(y: Any, rows: int) -> list[Any]:
    values: Any = y.to_numpy() if isinstance(y, pd.Series | pd.DataFrame) else np.asarray(y)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1 or len(values) != rows:
        raise ReportRefused(f"y_test has shape {values.shape} for {rows:,} test rows; it must hold one value a row")
    return plain_values(pd.Series(values))


def _plain(value: Any) -> Any:
    if isinstance(value, np.longdouble):
        return float(value)  # whose item() is a longdouble again
    return value.item() if isinstance(value, np.generic) else str(value)


def _listed(names: Sequence[str], most: int = 10) -> str:
    shown = ", ".join(repr(name[:60]) for name in names[:most])
    return f"{shown} and {len(names) - most:,} more" if len(names) > most else shown
