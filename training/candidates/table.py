"""A table as a person has it: a CSV or Parquet file, or a DataFrame, brought to five kinds of columns.

    float, integer, boolean    float64; int64 or, with gaps, Int64; bool or, with gaps, boolean
    string                     Python text, missing as NaN
    empty                      nothing but missing values

Everything else (dates, lists, text mixed with numbers) is refused with the column's name and what to do. In a CSV file
an empty cell is missing and nothing else is: "NA" is text.
"""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from training.errors import FitRefused

UNREADABLE = (
    pd.errors.ParserWarning, pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError, csv.Error
)  # fmt: skip
MEANT = {
    "string": "string", "empty": "empty", "boolean": "boolean", "integer": "integer",
    "floating": "float", "mixed-integer-float": "float", "decimal": "float",
}  # fmt: skip


def read_table(path: Path, text: Iterable[str] = ()) -> pd.DataFrame:
    """The file's table; the columns named in `text` are read as text even where they look like numbers."""
    if path.suffix.lower() in {".parquet", ".pq"}:
        table = _parquet(path)
        return table.astype({name: "string" for name in text if name in table})
    try:
        _refuse_repeated(_header(path), str(path))
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # rows longer than the header
            return pd.read_csv(
                path,
                keep_default_na=False,
                na_values=[""],
                dtype_backend="numpy_nullable",
                dtype=dict.fromkeys(text, "string"),
                encoding="utf-8-sig",
                index_col=False,
                low_memory=False,
            )
    except UNREADABLE as problem:
        raise FitRefused(f"{path} is not a CSV file with a header, in UTF-8: {problem}") from problem


def typed(data: pd.DataFrame, what: str = "the table") -> pd.DataFrame:
    """The table with each column in the form that stands above for its kind; refuses what has none."""
    if isinstance(data.columns, pd.MultiIndex):
        raise FitRefused(f"{what} has several levels of column names; flatten them to one")
    _refuse_repeated(data.columns, what)
    columns = {str(name): _typed(str(name), data[name]) for name in data.columns}
    return pd.DataFrame(columns, index=pd.RangeIndex(len(data)))


def kind_of(column: pd.Series) -> str:
    """float, integer, boolean, string or empty, of a column that `typed` has made."""
    if column.isna().all():
        return "empty"
    kinds = {"f": "float", "i": "integer", "b": "boolean"}
    return kinds.get(getattr(column.dtype, "kind", "O"), "string")


def _header(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return next(csv.reader(file), [])


def _parquet(path: Path) -> pd.DataFrame:
    import pyarrow

    try:
        return pd.read_parquet(path)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError) as problem:
        raise FitRefused(f"{path} cannot be read as Parquet: {problem}") from problem


def _refuse_repeated(names: Iterable[Any], what: str) -> None:
    seen: set[str] = set()
    repeated = sorted({str(name) for name in names if str(name) in seen or seen.add(str(name))})  # type: ignore[func-returns-value]
    if repeated:
        raise FitRefused(f"{what} has columns of the same name: {', '.join(map(repr, repeated))}; rename one of each")


def _typed(name: str, column: pd.Series) -> pd.Series:
    values = column.reset_index(drop=True)
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    meant = MEANT.get(pd.api.types.infer_dtype(values, skipna=True))
    if values.isna().all():
        return pd.Series(np.nan, index=values.index, dtype=np.float64)
    if meant is None:
        raise FitRefused(_unsupported(name, values))
    if meant == "string":
        return values.astype(object).where(values.notna(), np.nan)
    if meant == "float":
        return _finite(name, values.astype("Float64").to_numpy(np.float64, na_value=np.nan))
    gaps, boolean = bool(values.isna().any()), meant == "boolean"
    return values.astype(("boolean" if gaps else np.bool_) if boolean else ("Int64" if gaps else np.int64))


def _finite(name: str, values: Any) -> pd.Series:
    infinite = int(np.isinf(values).sum())
    if infinite:
        raise FitRefused(
            f"column {name!r} has {infinite} infinite values; make them missing (an empty cell) or leave those rows out"
        )
    return pd.Series(values)


def _unsupported(name: str, values: pd.Series) -> str:
    found = pd.api.types.infer_dtype(values, skipna=True)
    if "date" in found or "time" in found or found == "period":
        return (
            f"column {name!r} holds dates or times; turn it into a number, such as days since a date that you name, "
            f"or leave it out (drop)"
        )
    return f"column {name!r} holds {found} values; make it all numbers or all text, or leave it out (drop)"
