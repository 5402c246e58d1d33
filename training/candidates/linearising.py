"""Features that make a problem linear: a straight boundary in them is a curved one in the columns.

    polynomial      all products of two columns, squares included
    interactions    products of two different columns
    splines         a smooth curve of each column (cubic B-splines over five knots)
    logs            log(1 + x) of each column that is never negative and skewed to the right

Each is offered where it has columns to work on, and stays within `WIDEST` features.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures, SplineTransformer

from training.candidates.columns import SPLINE_VALUES, Column, Columns
from training.candidates.preprocessing import combined, numeric, others
from training.candidates.target import Target

WIDEST = 1_000
KNOTS = 5
EXPANSIONS = ("interactions", "polynomial", "splines", "logs")


def why_not(expansion: str, columns: Columns) -> str | None:
    """Why this expansion is not tried on these columns, if so."""
    numbers = len(columns.numbers)
    if expansion == "interactions":
        return _too_wide(numbers * (numbers - 1) // 2, numbers) if numbers > 1 else "one numeric column has no pairs"
    if expansion == "polynomial":
        return _too_wide(numbers * (numbers + 3) // 2, numbers) if numbers else "there is no numeric column"
    if expansion == "splines":
        curved = len(_curved(columns))
        few = f"no column has more than {SPLINE_VALUES} different numbers"
        return _too_wide(curved * (KNOTS + 2), curved) if curved else few
    return None if _skewed(columns) else "no column is skewed to the right and never negative"


def expanded(expansion: str, columns: Columns, target: Target, seed: int) -> Any:
    """Preprocessing for a linear model, with the features added."""
    chosen = {"splines": _curved, "logs": _skewed}.get(expansion, lambda all_of: all_of.numbers)(columns)
    rest = [column for column in columns.numbers if column not in chosen]
    return combined(
        [numeric(expansion, chosen, *_steps(expansion)), numeric("numbers", rest), *others(columns, target, seed)]
    )


def _steps(expansion: str) -> list[Any]:
    if expansion == "splines":
        return [SplineTransformer(n_knots=KNOTS, degree=3, include_bias=False)]
    if expansion == "logs":
        return [FunctionTransformer(np.log1p)]
    only = expansion == "interactions"
    return [_unit_scale(), PolynomialFeatures(degree=2, interaction_only=only, include_bias=False)]


def _unit_scale() -> Any:
    """Scaled before they are multiplied, so that a product is not the shadow of its larger factor."""
    from sklearn.preprocessing import StandardScaler

    return StandardScaler()


def _curved(columns: Columns) -> list[Column]:
    return [column for column in columns.numbers if column.distinct > SPLINE_VALUES]


def _skewed(columns: Columns) -> list[Column]:
    return [column for column in columns.numbers if column.logarithmic]


def _too_wide(features: int, columns: int) -> str | None:
    return f"{features:,} features of {columns} columns are too many" if features > WIDEST else None
