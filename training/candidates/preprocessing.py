"""Columns by type made fit for a model, from scikit-learn steps that are exported exactly.

For models that measure distances (linear ones, kernels): numbers imputed with the median, with an indicator where
training had gaps, and scaled; booleans imputed with the commoner value; text one-hot encoded, missing as a category of
its own, or, beyond 50 categories, as the mean target of its category (cross-fitted). For trees: numbers as they are,
since trees split on missing values themselves; text one-hot encoded up to 8 categories, numbered beyond. A category
that training did not hold is nobody's: all zeros, the overall mean, or -1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder

from training.candidates.columns import MANY_CATEGORIES, Column, Columns
from training.candidates.target import Target

FEW_CATEGORIES = 8
MISSING = "missing"
Branch = tuple[str, Any, list[str]]


def scaled(columns: Columns, target: Target, seed: int) -> Any:
    """What linear models and kernels take."""
    return combined([numeric("numbers", columns.numbers), *others(columns, target, seed)])


def for_trees(columns: Columns) -> Any:
    """What trees take."""
    few, many = _by_size(columns.strings, FEW_CATEGORIES)
    numbers = [column.name for column in columns.every if column.kind != "string"]
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return combined(
        [
            ("numbers", "passthrough", numbers),
            ("categories", _one_hot(), few),
            ("numbered", make_pipeline(_missing_as_text(), ordinal), many),
        ]
    )


def numeric(name: str, columns: Sequence[Column], *features: Any) -> Branch:
    """Numbers imputed, passed through `features`, and scaled."""
    return name, make_pipeline(_median(columns), *features, StandardScaler()), [column.name for column in columns]


def others(columns: Columns, target: Target, seed: int) -> list[Branch]:
    """What is not a number, for linear models and kernels."""
    few, many = _by_size(columns.strings, MANY_CATEGORIES)
    booleans = [column.name for column in columns.booleans]
    gaps = any(column.missing for column in columns.booleans)
    encoder = TargetEncoder(target_type=_ENCODED[target.task], cv=3, random_state=seed)
    return [
        ("booleans", SimpleImputer(strategy="most_frequent", add_indicator=gaps), booleans),
        ("categories", _one_hot(), few),
        ("targets", make_pipeline(_missing_as_text(), encoder, StandardScaler()), many),
    ]


def combined(branches: Sequence[Branch]) -> Any:
    """The branches that have columns side by side; a single one needs nobody beside it."""
    used = [branch for branch in branches if branch[2]]
    if len(used) == 1:
        return used[0][1]
    return ColumnTransformer(used, sparse_threshold=0.0)


_ENCODED = {"binary": "binary", "multiclass": "multiclass", "regression": "continuous"}


def _median(columns: Sequence[Column]) -> SimpleImputer:
    return SimpleImputer(strategy="median", add_indicator=any(column.missing for column in columns))


def _missing_as_text() -> SimpleImputer:
    return SimpleImputer(strategy="constant", fill_value=MISSING)


def _one_hot() -> Any:
    return make_pipeline(_missing_as_text(), OneHotEncoder(handle_unknown="ignore", sparse_output=False))


def _by_size(columns: Sequence[Column], most: int) -> tuple[list[str], list[str]]:
    few = [column.name for column in columns if column.distinct <= most]
    return few, [column.name for column in columns if column.distinct > most]
