"""Training and test data as the exporter sees them: columns of doubles, and a target of plain values.

The graph takes one tensor of doubles, so everything is brought to that here, once, and every refusal that concerns
the data is raised here, naming the column. Booleans are 0 and 1; a text is its position in the column's vocabulary,
-1 if it is not in it; NaN is missing. What scikit-learn is asked for reference predictions is made from the same
doubles by `Columns.rows`, in the form (array or DataFrame, types of the columns) that the pipeline was fitted with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring.bundle import FeatureType, Label
from training.columns import Column, TextColumn, encode, read_column, restore
from training.converters.table import Vocabulary
from training.errors import ExportRefused

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Columns:
    """The features in the pipeline's order: names, types, and the form in which the pipeline wants its rows."""

    columns: tuple[Column, ...]
    labels: tuple[Any, ...] | None  # column labels of the DataFrame to predict from; None: an array

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names."""
        return tuple(column.name for column in self.columns)

    @property
    def types(self) -> tuple[FeatureType, ...]:
        """The features' types, as manifests have them."""
        return tuple(column.type for column in self.columns)

    @property
    def vocabularies(self) -> list[Vocabulary | None]:
        """For each column its texts; None for numbers."""
        return [column.vocabulary if isinstance(column, TextColumn) else None for column in self.columns]

    @property
    def is_text(self) -> npt.NDArray[np.bool_]:
        """Which columns hold text."""
        return np.array([isinstance(column, TextColumn) for column in self.columns])

    def holds_unknown(self, values: Doubles) -> npt.NDArray[np.bool_]:
        """Rows with a text that is not in its column's vocabulary."""
        return np.asarray((values[:, self.is_text] < 0).any(axis=1))

    def said(self, column: int, value: float) -> str:
        """A value of a column, for messages."""
        vocabulary = self.vocabularies[column]
        if vocabulary is None or np.isnan(value):
            return f"{value:.6g}"
        return repr(vocabulary.values[int(value)]) if value >= 0 else "(unknown)"

    def rows(self, values: Doubles) -> Any:
        """`values` (rows × features) as the pipeline takes them."""
        doubles = not any(isinstance(column, TextColumn) or column.objects for column in self.columns)
        if self.labels is None:
            if doubles:
                return values
            return np.column_stack([
                np.asarray(restore(column, values[:, i]), dtype=object) for i, column in enumerate(self.columns)
            ])  # fmt: skip
        if doubles:
            return pd.DataFrame(values, columns=list(self.labels))
        restored = {i: restore(column, values[:, i]) for i, column in enumerate(self.columns)}
        frame = pd.DataFrame(restored)
        frame.columns = pd.Index(list(self.labels))
        return frame


@dataclass(frozen=True)
class Data:
    """Checked features and target of the training or the test set."""

    values: Doubles  # rows × features, as `Columns` encodes them
    target: npt.NDArray[Any]  # plain labels, or doubles

    def __len__(self) -> int:
        return len(self.values)


def read_columns(pipeline: Any, X: Any, feature_names: Sequence[str] | None) -> Columns:
    """Names and types of the features of `X`, in agreement with what the pipeline was fitted with."""
    fitted = getattr(pipeline, "feature_names_in_", None)
    frame = _frame(X, "X_train")
    given = list(frame.columns) if isinstance(X, pd.DataFrame) else [f"x{i}" for i in range(frame.shape[1])]
    if not isinstance(X, pd.DataFrame) and fitted is not None:
        given = list(fitted)
    _same_columns(pipeline, given if isinstance(X, pd.DataFrame) else None, frame.shape[1])
    names = [str(name) for name in (feature_names if feature_names is not None else given)]
    if len(names) != len(given):
        raise ExportRefused(f"feature_names has {len(names)} names for {len(given)} columns; give one for each")
    repeated = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if repeated:
        raise ExportRefused(f"columns named twice: {', '.join(map(repr, repeated))}; give each feature its own name")
    columns = tuple(read_column(name, frame.iloc[:, i]) for i, name in enumerate(names))
    return Columns(columns, _labels(pipeline, X, fitted))


def _labels(pipeline: Any, X: Any, fitted: Any) -> tuple[Any, ...] | None:
    """What to call the columns: as at the fit. A first step of somebody's own does not say how it was fitted."""
    if fitted is None and isinstance(X, pd.DataFrame) and not hasattr(pipeline, "n_features_in_"):
        return tuple(X.columns)
    return tuple(fitted) if fitted is not None else None


def read_features(X: Any, columns: Columns, what: str) -> Doubles:
    """`X` as doubles, rows × features; refuses other columns, other types, and infinities."""
    frame = _frame(X, what)
    if isinstance(X, pd.DataFrame) and columns.labels is not None:
        _same_names(list(X.columns), list(columns.labels), what)
    if frame.shape[1] != len(columns.names):
        raise ExportRefused(f"{what} has {frame.shape[1]} columns, X_train has {len(columns.names)}")
    if not len(frame):
        raise ExportRefused(f"{what} has no rows; a bundle needs training rows and test rows")
    values = np.column_stack([encode(column, frame.iloc[:, i], what) for i, column in enumerate(columns.columns)])
    for name, column in zip(columns.names, values.T, strict=True):
        if np.isinf(column).any():
            raise ExportRefused(
                f"{what}, column {name!r}: {int(np.isinf(column).sum())} infinite values; "
                "make them missing (NaN) or leave those rows out"
            )
    return np.ascontiguousarray(values)


def read_target(y: Any, rows: int, what: str, *, classifier: bool) -> npt.NDArray[Any]:
    """`y` as an array [n] of labels or doubles; refuses several targets, other lengths and missing values."""
    target = _array(y, what)
    if target.ndim == 0:
        raise ExportRefused(f"{what} is a {type(y).__name__}; it must hold one label or number for each row")
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
    if target.dtype.kind in "mM":
        raise ExportRefused(f"{what} of a regression must be numbers, and holds dates or durations; make them days")
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

    The hash is over, in this order: names and types as UTF-8 lines, a column of text with its sorted texts; the values
    row by row as little-endian doubles, every NaN as the same quiet NaN; the target as UTF-8 lines of `repr`; the
    weights as little-endian doubles.
    """
    digest = hashlib.sha256()
    for column in columns.columns:
        digest.update(f"{column.type} {column.name!r}\n".encode())
        if isinstance(column, TextColumn):
            digest.update(f"{column.categories!r}\n".encode())
    digest.update(np.where(np.isnan(data.values), np.nan, data.values).astype("<f8").tobytes())
    digest.update("\n".join(repr(value) for value in data.target.tolist()).encode())
    if weights is not None:
        digest.update(weights.astype("<f8").tobytes())
    return {"rows": len(data), "columns": len(columns.names), "sha256": digest.hexdigest()}


def _frame(X: Any, what: str) -> pd.DataFrame:
    """`X` as a DataFrame, an array's columns each with a type of their own."""
    if isinstance(X, pd.DataFrame):
        if isinstance(X.columns, pd.MultiIndex):
            raise ExportRefused("the DataFrame has several levels of column names; flatten them to one")
        return X
    if hasattr(X, "toarray"):
        raise ExportRefused(f"{what} is sparse; pass {what}.toarray()")
    matrix = _array(X, what)
    if matrix.ndim != 2:
        raise ExportRefused(f"{what} has shape {matrix.shape}; it must be rows × features")
    if matrix.dtype.kind not in "fiubOUT":
        raise ExportRefused(f"an array of dtype {matrix.dtype} is not supported; pass numbers, booleans or text")
    return pd.DataFrame(matrix.astype(object) if matrix.dtype.kind in "UT" else matrix)


def _array(given: Any, what: str) -> npt.NDArray[Any]:
    try:
        return np.asarray(given)
    except ValueError as problem:
        raise ExportRefused(f"{what} has rows of several lengths; it must be rows × features: {problem}") from problem


def _same_columns(pipeline: Any, given: list[Any] | None, width: int) -> None:
    fitted = getattr(pipeline, "feature_names_in_", None)
    if given is not None and fitted is not None:
        _same_names(given, list(fitted), "X_train")
    expected = getattr(pipeline, "n_features_in_", width)
    if expected != width:
        raise ExportRefused(f"X_train has {width} columns, the pipeline was fitted with {expected}")


def _same_names(given: list[Any], fitted: list[Any], what: str) -> None:
    """Refuse column names other than those of the fit, or in another order."""
    if given == fitted:
        return
    lacking = [name for name in fitted if name not in given]
    more = [name for name in given if name not in fitted]
    if lacking:
        raise ExportRefused(f"{what} has other columns than the pipeline was fitted with; it lacks {_listed(lacking)}")
    if more:
        raise ExportRefused(
            f"{what} has columns that the pipeline does not know; it was not fitted with {_listed(more)}: "
            f"pass {what}[list(pipeline.feature_names_in_)] (--drop COLUMN)"
        )
    raise ExportRefused(
        f"{what} has its columns in another order than the pipeline was fitted with, or one of them twice: "
        f"pass {what}[list(pipeline.feature_names_in_)]"
    )


def _listed(names: list[Any]) -> str:
    shown = ", ".join(map(repr, names[:5]))
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown
