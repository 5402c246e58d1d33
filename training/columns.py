"""One column of a table: what its values are, as doubles for the graph, and back as scikit-learn had them.

    numbers    float, integer or boolean; NaN is missing
    text       str objects, pandas' text and category types; a double is the position in the vocabulary

Back means the type that the column had when the pipeline was fitted, and the same object for a missing value, since
scikit-learn's encoders tell None from NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from scoring.artifacts import LONE_SURROGATE, text_artifacts
from scoring.storable import STRING_LIMIT
from training.converters.table import UNSEEN, Vocabulary
from training.errors import ExportRefused

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class NumberColumn:
    """A column of numbers or booleans.

    `objects`: the pipeline was fitted with Python objects, as pandas has booleans with gaps; `missing` is then what
    stands for a missing one.
    """

    name: str
    type: Literal["float", "integer", "boolean"]
    objects: bool = False
    missing: Any = np.nan


@dataclass(frozen=True)
class TextColumn:
    """A column of text; `dtype` is pandas' type of the training column."""

    name: str
    categories: tuple[str, ...]  # of the training rows, sorted; the vocabulary begins with them
    dtype: Any
    vocabulary: Vocabulary
    type: Literal["string"] = "string"


Column = NumberColumn | TextColumn


def read_column(name: str, series: pd.Series) -> Column:
    """What a training column is; refuses dates, complex numbers, mixtures of text and numbers."""
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype) and not _is_text(dtype.categories.dtype, dtype.categories):
        return NumberColumn(name, _number_type(name, dtype.categories.dtype))
    if isinstance(dtype, pd.CategoricalDtype) or _is_text(dtype, series):
        return _text_column(name, series)
    if pd.api.types.is_object_dtype(dtype):
        return _object_column(name, series)
    return NumberColumn(name, _number_type(name, dtype))


def encode(column: Column, series: pd.Series, what: str) -> Doubles:
    """A column's values as doubles; refuses values of another type than the training column's."""
    if isinstance(column, NumberColumn):
        return _numbers(column, series, what)
    objects = np.asarray(series, dtype=object)
    missing = np.asarray(pd.isna(objects))
    codes = {value: float(code) for code, value in enumerate(column.vocabulary.values)}
    wrong = next((value for value in objects[~missing] if not isinstance(value, str)), None)
    if wrong is not None:
        raise ExportRefused(f"{what}, column {column.name!r} holds {wrong!r}; in training it was text")
    found = np.array([codes.get(value, -1.0) for value in np.where(missing, "", objects)], dtype=np.float64)
    return np.where(missing, np.nan, found)


def restore(column: Column, values: Doubles) -> Any:
    """Doubles as the pipeline had this column when it was fitted."""
    if isinstance(column, NumberColumn):
        return _objects(column, values) if column.objects else values
    texts = np.array([*column.vocabulary.values, UNSEEN, column.vocabulary.missing], dtype=object)
    place = np.where(np.isnan(values), len(texts) - 1, np.where(values < 0, len(texts) - 2, values))
    objects = texts[place.astype(np.int64)]
    if isinstance(column.dtype, pd.CategoricalDtype):
        known = column.dtype.categories.tolist()
        more = [text for text in texts[:-1].tolist() if text not in known]
        return pd.Categorical(objects, categories=[*known, *more], ordered=column.dtype.ordered)
    return pd.Series(objects, dtype=column.dtype)


def _objects(column: NumberColumn, values: Doubles) -> npt.NDArray[np.object_]:
    objects = values.astype(object) if column.type != "boolean" else (values != 0).astype(object)
    objects[np.isnan(values)] = column.missing
    return objects


def _is_text(dtype: Any, values: Any) -> bool:
    """Whether pandas' or Arrow's text type, or objects that are all str (or missing)."""
    if isinstance(dtype, pd.StringDtype) or (isinstance(dtype, pd.ArrowDtype) and dtype.kind == "U"):
        return True
    if not pd.api.types.is_object_dtype(dtype):
        return False
    there = [value for value in values if not pd.isna(value)]
    return bool(there) and all(isinstance(value, str) for value in there)


def _text_column(name: str, series: pd.Series) -> TextColumn:
    objects = np.asarray(series, dtype=object)
    missing = np.asarray(pd.isna(objects))
    kinds = {repr(value) for value in objects[missing]}
    if len(kinds) > 1:
        raise ExportRefused(
            f"column {name!r} marks missing values as {' and '.join(sorted(kinds))}, which scikit-learn tells apart; "
            f"use one of them: X[{name!r}] = X[{name!r}].where(X[{name!r}].notna(), None)"
        )
    categories = tuple(sorted({str(value) for value in objects[~missing]}))
    _check_texts(name, categories)
    gone = objects[missing][0] if missing.any() else _usual_missing(series.dtype)
    return TextColumn(name, categories, series.dtype, Vocabulary(name, list(categories), gone))


def _check_texts(name: str, categories: tuple[str, ...]) -> None:
    """Refuse texts that no client could send or no manifest hold."""
    long = [text for text in categories if len(text) > STRING_LIMIT]
    if long:
        raise ExportRefused(
            f"column {name!r} holds texts of more than {STRING_LIMIT:,} characters ({len(long)} of them, the first "
            f"begins {long[0][:30]!r}); requests may not hold such. Shorten them, or leave the column out"
        )
    broken = next((text for text in categories if LONE_SURROGATE in text_artifacts(text)), None)
    if broken is not None:
        raise ExportRefused(f"column {name!r} holds {broken!r}, half of a character that UTF-8 cannot hold; mend it")


def _usual_missing(dtype: Any) -> Any:
    return dtype.na_value if isinstance(dtype, pd.StringDtype | pd.ArrowDtype) else np.nan


def _object_column(name: str, series: pd.Series) -> NumberColumn:
    """Objects that are numbers or booleans."""
    missing = np.asarray(series.isna())
    kinds = {type(value) for value in series[~missing]}
    gone = series[missing].iloc[0] if missing.any() else np.nan
    if kinds and all(issubclass(kind, bool | np.bool_) for kind in kinds):
        return NumberColumn(name, "boolean", objects=True, missing=gone)
    if kinds and all(issubclass(kind, int | np.integer) and not issubclass(kind, bool | np.bool_) for kind in kinds):
        return NumberColumn(name, "integer", objects=True, missing=gone)
    if all(
        issubclass(kind, int | float | np.number) and not issubclass(kind, complex | np.complexfloating)
        for kind in kinds
    ):
        return NumberColumn(name, "float", objects=True, missing=gone)
    names = ", ".join(sorted(kind.__name__ for kind in kinds))
    raise ExportRefused(f"column {name!r} holds values of several types ({names}); make all of them text, or numbers")


def _number_type(name: str, dtype: Any) -> Literal["float", "integer", "boolean"]:
    kind = getattr(dtype, "kind", "?")
    if kind not in "fiub":
        raise ExportRefused(
            f"column {name!r} has dtype {dtype}, which is not supported: make it a number (of a date, the days since "
            "a fixed day), text, or a boolean"
        )
    return "float" if kind == "f" else "boolean" if kind == "b" else "integer"


def _numbers(column: NumberColumn, series: pd.Series, what: str) -> Doubles:
    plain = series.astype(object) if isinstance(series.dtype, pd.CategoricalDtype) else series
    if isinstance(plain.dtype, pd.StringDtype) or getattr(plain.dtype, "kind", "?") not in "fiubO":
        raise ExportRefused(
            f"{what}, column {column.name!r} has dtype {series.dtype}; in training it was {column.type}"
        )
    if pd.api.types.is_object_dtype(plain.dtype):
        wrong = next((v for v in plain if not pd.isna(v) and not isinstance(v, bool | int | float | np.generic)), None)
        if wrong is not None:
            raise ExportRefused(f"{what}, column {column.name!r} holds {wrong!r}; in training it was {column.type}")
    return plain.to_numpy(dtype=np.float64, na_value=np.nan)
