"""Scalers, with scikit-learn's own operations in its own order, so that not one bit differs.

A tree behind a scaler compares scaled values with its thresholds: the last bit decides on which side a value lies. In
single precision a forest behind a `StandardScaler` is off by some hundredths.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from training.converters.nodes import Nodes
from training.converters.table import Table


def convert_standard(nodes: Nodes, model: Any, table: Table) -> Table:
    """(x - mean) ÷ scale."""
    x = table.matrix(nodes, model)
    if model.with_mean:
        x = nodes.op("Sub", x, _row(model.mean_))
    if model.with_std:
        x = nodes.op("Div", x, _row(model.scale_))
    return table.numbers(x, table.width)


def convert_robust(nodes: Nodes, model: Any, table: Table) -> Table:
    """(x - median) ÷ quantile range."""
    x = table.matrix(nodes, model)
    if model.with_centering:
        x = nodes.op("Sub", x, _row(model.center_))
    if model.with_scaling:
        x = nodes.op("Div", x, _row(model.scale_))
    return table.numbers(x, table.width)


def convert_min_max(nodes: Nodes, model: Any, table: Table) -> Table:
    """x · scale + min, clipped if asked for."""
    x = nodes.op("Mul", table.matrix(nodes, model), _row(model.scale_))
    x = nodes.op("Add", x, _row(model.min_))
    if model.clip:
        low, high = (np.array(float(bound)) for bound in model.feature_range)
        x = nodes.op("Where", nodes.op("IsNaN", x), x, nodes.op("Clip", x, low, high))
    return table.numbers(x, table.width)


def convert_max_abs(nodes: Nodes, model: Any, table: Table) -> Table:
    """x ÷ largest absolute value."""
    x = nodes.op("Div", table.matrix(nodes, model), _row(model.scale_))
    return table.numbers(
        nodes.op("Clip", x, np.array(-1.0), np.array(1.0)) if getattr(model, "clip", False) else x, table.width
    )


def _row(values: Any) -> Any:
    return np.asarray(values, dtype=np.float64).reshape(1, -1)
