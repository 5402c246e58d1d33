"""Which columns become features, in which role, and why the others are left out.

Decided on the training rows alone, so that nothing of the test rows leaks into the choice; but for logarithms, which
need to know that no row at hand is negative. Left out are columns that cannot help and would mislead: empty ones,
constant ones, texts that are all different (an identifier), and whole numbers that count the rows. `keep` overrules
the last two.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.candidates.table import kind_of
from training.errors import FitRefused

IDENTIFIER_ROWS = 20  # in fewer rows, texts may all differ by chance
MANY_CATEGORIES = 50  # one-hot encoded up to here
SPLINE_VALUES = 10  # distinct values that a spline needs to be more than a step
SKEWED = 1.0  # skewness beyond which a logarithm may help


@dataclass(frozen=True)
class Column:
    """One feature, as the training rows show it."""

    name: str
    kind: str  # float, integer, boolean, string
    missing: int
    distinct: int
    logarithmic: bool = False  # never negative, and skewed to the right


@dataclass(frozen=True)
class Columns:
    """All features by role."""

    every: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        """In the table's order."""
        return [column.name for column in self.every]

    @property
    def numbers(self) -> list[Column]:
        """Floats and integers."""
        return [column for column in self.every if column.kind in ("float", "integer")]

    @property
    def booleans(self) -> list[Column]:
        """True and false."""
        return [column for column in self.every if column.kind == "boolean"]

    @property
    def strings(self) -> list[Column]:
        """Categories."""
        return [column for column in self.every if column.kind == "string"]


def choose_columns(
    train: pd.DataFrame, test: pd.DataFrame, keep: Collection[str] = ()
) -> tuple[Columns, dict[str, str]]:
    """The features, and for each column that is left out the reason."""
    reasons = {name: _useless(train[name], name in keep) for name in train.columns}
    left_out = {name: reason for name, reason in reasons.items() if reason}
    kept = [_column(train[name], test[name]) for name in train.columns if name not in left_out]
    if not kept:
        told = "; ".join(f"{name!r} {reason}" for name, reason in left_out.items())
        raise FitRefused(f"no column is left to predict from: {told or 'the table has the target only'}")
    return Columns(tuple(kept)), left_out


def plain(table: pd.DataFrame, columns: Columns) -> pd.DataFrame:
    """The features as pipelines are fitted on them: doubles and text, missing as NaN."""
    dtypes = {column.name: object if column.kind == "string" else np.float64 for column in columns.every}
    return table[columns.names].astype(dtypes)


def _useless(column: pd.Series, kept: bool) -> str | None:
    there = column.dropna()
    if there.empty:
        return "is missing in every training row"
    if there.nunique() == 1 and len(there) == len(column):
        return f"is {str(there.iloc[0])!r} in every training row"
    if kept or len(there) < IDENTIFIER_ROWS:
        return None
    if kind_of(column) == "string" and there.is_unique:
        return "holds a different text in every row, like an identifier"
    if kind_of(column) == "integer" and len(there) == len(column) and _counts(there):
        return "counts the rows"
    return None


def _counts(values: pd.Series) -> bool:
    """Whether each value is its row's number in the table, plus a constant; the index is that number."""
    numbers = values.to_numpy(np.int64)
    return bool((numbers - numbers[0] == np.asarray(values.index) - values.index[0]).all())


def _column(train: pd.Series, test: pd.Series) -> Column:
    kind, there = kind_of(train), train.dropna()
    logarithmic = False
    if kind in ("float", "integer"):
        values = there.to_numpy(np.float64)
        lowest = min(values.min(), test.dropna().to_numpy(np.float64).min(initial=np.inf))
        logarithmic = bool(lowest >= 0 and _skewness(values) > SKEWED)
    return Column(
        name=str(train.name), kind=kind, missing=int(train.isna().sum()), distinct=int(there.nunique()),
        logarithmic=logarithmic,
    )  # fmt: skip


def _skewness(values: npt.NDArray[np.float64]) -> float:
    """The third standardised moment; 0 of a constant."""
    centred = values / (np.abs(values).max() or 1.0)
    centred = centred - centred.mean()
    deviation = float(np.sqrt(np.mean(centred**2)))
    return float(np.mean(centred**3)) / deviation**3 if deviation > 1e-9 else 0.0
