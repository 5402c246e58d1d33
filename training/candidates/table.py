"""A table as a person has it, brought to five kinds of columns.

    float, integer, boolean    float64; int64 or, with gaps, Int64; bool or, with gaps, boolean
    string                     Python text, missing as NaN
    empty                      nothing but missing values

Everything else (dates, lists, text mixed with numbers) is refused with the column's name and what to do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from training.errors import FitRefused
from training.table_file import refuse_repeated

MEANT = {
    "string": "string", "empty": "empty", "boolean": "boolean", "integer": "integer",
    "floating": "float", "mixed-integer-float": "float", "decimal": "float",
}  # fmt: skip


def typed(data: pd.DataFrame, what: str = "the table") -> pd.DataFrame:
    """The table with each column in the form that stands above for its kind; refuses what has none."""
    if isinstance(data.columns, pd.MultiIndex):
        raise FitRefused(f"{what} has several levels of column names; flatten them to one")
    refuse_repeated(data.columns, what)
    columns = {str(name): _typed(str(name), data[name]) for name in data.columns}
    return pd.DataFrame(columns, index=pd.RangeIndex(len(data)))


def kind_of(column: pd.Series) -> str:
    """float, integer, boolean, string or empty, of a column that `typed` has made."""
    if column.isna().all():
        return "empty"
    kinds = {"f": "float", "i": "integer", "b": "boolean"}
    return kinds.get(getattr(column.dtype, "kind", "O"), "string")


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
