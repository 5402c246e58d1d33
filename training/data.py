"""Training and test data as the exporter sees them: numeric columns of doubles, and a target of plain values.

The graph takes one tensor of doubles, so everything is brought to that here, once, and every refusal that concerns
the data is raised here, naming the column. What scikit-learn is asked for reference predictions is made from the
same doubles by `Frame.rows`, in the form (array or DataFrame) that the pipeline was fitted with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring.bundle import Label
from training.errors import ExportRefused

Doubles = npt.NDArray[np.float64]
ColumnType = Literal["float", "integer", "boolean"]


@dataclass(frozen=True)
class Columns:
    """The features in the pipeline's order: names, types, and the form in which the pipeline wants its rows."""

    names: tuple[str, ...]
    types: tuple[ColumnType, ...]
    labels: tuple[Any, ...] | None  # column labels of the DataFrame to predict from; None: an array

    def rows(self, values: Doubles) -> Any:
        """`values` (rows × features) as the pipeline takes them."""
        return values if self.labels is None else pd.DataFrame(values, columns=list(self.labels))


@dataclass(frozen=True)
class Data:
    """Checked features and target of the training or the test set."""

    values: Doubles  # rows × features, missing as NaN
    target: npt.NDArray[Any]  # plain labels, or doubles

    def __len__(self) -> int:
        return len(self.values)


def read_columns(pipeline: Any, X: Any, feature_names: Sequence[str] | None) -> Columns:
    """Names and types of the features of `X`, in agreement with what the pipeline was fitted with."""
    fitted = getattr(pipeline, "feature_names_in_", None)
    frame = X if isinstance(X, pd.DataFrame) else None
    given = list(frame.columns) if frame is not None else [f"x{i}" for i in range(_matrix(X, "X_train").shape[1])]
    if frame is None and fitted is not None:
        given = list(fitted)
    _same_columns(pipeline, given if frame is not None else None, len(given) if frame is not None else _width(X))
    names = [str(name) for name in (feature_names if feature_names is not None else given)]
    if len(names) != len(given):
        raise ExportRefused(f"feature_names has {len(names)} names for {len(given)} columns; give one for each")
    repeated = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if repeated:
        raise ExportRefused(f"columns named twice: {', '.join(map(repr, repeated))}; give each feature its own name")
    types = _types(frame, names) if frame is not None else [_array_type(X)] * len(names)
    return Columns(tuple(names), tuple(types), tuple(fitted) if fitted is not None else None)


def read_features(X: Any, columns: Columns, what: str) -> Doubles:
    """`X` as doubles, rows × features; refuses other columns, types that are not numbers, and infinities."""
    if isinstance(X, pd.DataFrame):
        _types(X, list(columns.names))
        if X.shape[1] != len(columns.names):
            raise ExportRefused(f"{what} has {X.shape[1]} columns, X_train has {len(columns.names)}")
        if columns.labels is not None and list(X.columns) != list(columns.labels):
            raise ExportRefused(
                f"{what} has other columns, or another order, than the pipeline was fitted with: "
                f"pass {what}[list(pipeline.feature_names_in_)]"
            )
        values = X.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        _array_type(X)
        values = np.array(_matrix(X, what), dtype=np.float64)
        if values.shape[1] != len(columns.names):
            raise ExportRefused(f"{what} has {values.shape[1]} columns, X_train has {len(columns.names)}")
    if not len(values):
        raise ExportRefused(f"{what} has no rows; a bundle needs training rows and test rows")
    for name, column in zip(columns.names, values.T, strict=True):
        if np.isinf(column).any():
            raise ExportRefused(
                f"{what}, column {name!r}: {int(np.isinf(column).sum())} infinite values; "
                "make them missing (NaN) or leave those rows out"
            )
    return np.ascontiguousarray(values)


def read_target(y: Any, rows: int, what: str, *, classifier: bool) -> npt.NDArray[Any]:
    """`y` as an array [n] of labels or doubles; refuses several targets, other lengths and missing values."""
    target = np.asarray(y)
    if target.ndim == 2 and target.shape[1] == 1:
        target = target[:, 0]
    if target.ndim != 1:
        raise ExportRefused(
            f"{what} has shape {target.shape}: several targets (multi-label, multi-output) are not "
            "supported; export one pipeline for each target"
        )
    if len(target) != rows:
        raise ExportRefused(f"{what} has {len(target)} values for {rows} rows; they must be as many")
    missing = int(pd.isna(target).sum())
    if missing:
        raise ExportRefused(f"{what} is missing in {missing} of {rows} rows; leave those rows out")
    if classifier:
        return target
    try:
        numbers = target.astype(np.float64)
    except (TypeError, ValueError) as problem:
        raise ExportRefused(f"{what} of a regression must be numbers: {problem}") from problem
    if np.isinf(numbers).any():
        raise ExportRefused(f"{what} has {int(np.isinf(numbers).sum())} infinite values; leave those rows out")
    return numbers


def plain_label(label: Any) -> Label:
    """A NumPy scalar as the Python value that JSON can hold; refuses what it cannot.

    >>> plain_label(np.int64(3)), plain_label(np.str_("good")), plain_label(np.True_)
    (3, 'good', True)
    """
    value = label.item() if isinstance(label, np.generic) else label
    if isinstance(value, str | bool | int):
        return value
    if isinstance(value, float) and np.isfinite(value):
        return value
    raise ExportRefused(f"class {label!r} is a {type(label).__name__}; classes must be text, numbers or booleans")


def fingerprint(data: Data, columns: Columns, weights: Doubles | None) -> dict[str, Any]:
    """What identifies the training data: rows, columns, and a SHA-256 that any machine computes alike.

    The hash is over, in this order: names and types as UTF-8 lines; the values row by row as little-endian doubles,
    every NaN as the same quiet NaN; the target as UTF-8 lines of `repr`; the weights as little-endian doubles.
    """
    digest = hashlib.sha256()
    for name, kind in zip(columns.names, columns.types, strict=True):
        digest.update(f"{kind} {name!r}\n".encode())
    digest.update(np.where(np.isnan(data.values), np.nan, data.values).astype("<f8").tobytes())
    digest.update("\n".join(repr(value) for value in data.target.tolist()).encode())
    if weights is not None:
        digest.update(weights.astype("<f8").tobytes())
    return {"rows": len(data), "columns": len(columns.names), "sha256": digest.hexdigest()}


def _width(X: Any) -> int:
    return int(_matrix(X, "X_train").shape[1])


def _matrix(X: Any, what: str) -> npt.NDArray[Any]:
    if hasattr(X, "toarray"):
        raise ExportRefused(f"{what} is sparse; pass {what}.toarray()")
    matrix = np.asarray(X)
    if matrix.ndim != 2:
        raise ExportRefused(f"{what} has shape {matrix.shape}; it must be rows × features")
    return matrix


def _array_type(X: Any) -> ColumnType:
    dtype = _matrix(X, "X").dtype
    if dtype.kind not in "fiub":
        raise ExportRefused(
            f"an array of dtype {dtype} is not supported yet by this exporter; "
            "pass numbers, or a DataFrame whose columns are numbers or booleans"
        )
    return "float" if dtype.kind == "f" else "boolean" if dtype.kind == "b" else "integer"


def _types(frame: pd.DataFrame, names: list[str]) -> list[ColumnType]:
    if isinstance(frame.columns, pd.MultiIndex):
        raise ExportRefused("the DataFrame has several levels of column names; flatten them to one")
    return [_column_type(name, dtype) for name, dtype in zip(names, frame.dtypes, strict=False)]


def _column_type(name: str, dtype: Any) -> ColumnType:
    if isinstance(dtype, pd.CategoricalDtype) or not hasattr(dtype, "kind") or dtype.kind not in "fiub":
        raise ExportRefused(
            f"column {name!r} has dtype {dtype}: strings and categories are not supported yet by this "
            "exporter, nor are dates; encode the column as numbers before the pipeline"
        )
    return "float" if dtype.kind == "f" else "boolean" if dtype.kind == "b" else "integer"


def _same_columns(pipeline: Any, given: list[Any] | None, width: int) -> None:
    fitted = getattr(pipeline, "feature_names_in_", None)
    if given is not None and fitted is not None and list(fitted) != given:
        raise ExportRefused(
            "X_train has other columns, or another order, than the pipeline was fitted with: "
            "pass X_train[list(pipeline.feature_names_in_)]"
        )
    expected = getattr(pipeline, "n_features_in_", width)
    if expected != width:
        raise ExportRefused(f"X_train has {width} columns, the pipeline was fitted with {expected}")
