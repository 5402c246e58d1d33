"""`SimpleImputer` and `MissingIndicator`: ONNX Runtime's own Imputer knows single precision only.

    missing = IsNaN(x)            or Equal(x, missing_values)
    filled  = Where(missing, statistics, x)

Columns that were all missing in training have a NaN statistic and are dropped, as scikit-learn does unless
`keep_empty_features`. With `add_indicator`, 1.0 or 0.0 for each column of `indicator_.features_` follows the columns.
In a column of text the fill value takes the place of "missing" in the column's table.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from training.converters.nodes import Nodes
from training.converters.table import Numbers, Table, Texts
from training.errors import ExportRefused


def convert_imputer(nodes: Nodes, model: Any, table: Table) -> Table:
    """The columns that are kept, filled, and then the indicators."""
    if all(isinstance(part, Numbers) for part in table.parts):
        return _numbers(nodes, model, table)
    columns = table.columns(nodes)
    kept = [
        _filled(nodes, column, statistic, model)
        for column, statistic in zip(columns, model.statistics_, strict=True)
        if not _is_nan(statistic)
    ]
    tables = [Table((column,), table.wild) for column in kept]
    if model.add_indicator:
        tables.append(convert_indicator(nodes, model.indicator_, table))
    return Table.beside(tables)


def convert_indicator(nodes: Nodes, model: Any, table: Table) -> Table:
    """1.0 where a value is missing, for the columns that the indicator speaks of."""
    columns = table.columns(nodes)
    flags = [nodes.cast(_is_missing(nodes, columns[i], model)) for i in model.features_]
    return Table((Numbers(nodes.concat(flags), len(flags)),)) if flags else Table(())


def _numbers(nodes: Nodes, model: Any, table: Table) -> Table:
    """All columns as one matrix."""
    x = table.matrix(nodes, model)
    missing = _is_missing(nodes, Numbers(x, table.width), model)
    statistics = np.asarray(model.statistics_, dtype=np.float64)
    filled = nodes.op("Where", missing, np.nan_to_num(statistics)[None, :], x)
    kept = np.flatnonzero(~np.isnan(statistics))
    if len(kept) < len(statistics):
        filled = nodes.columns(filled, kept)
    width = len(kept)
    if model.add_indicator and len(model.indicator_.features_):
        flags = nodes.columns(missing, model.indicator_.features_)
        filled = nodes.concat([filled, nodes.cast(flags)])
        width += len(model.indicator_.features_)
    return table.numbers(filled, width)


def _filled(nodes: Nodes, column: Numbers | Texts, statistic: Any, model: Any) -> Numbers | Texts:
    missing = _is_missing(nodes, column, model)
    if isinstance(column, Numbers):
        return replace(column, name=nodes.op("Where", missing, np.array([float(statistic)]), column.name))
    if not isinstance(statistic, str):
        raise ExportRefused(
            f"SimpleImputer fills the text column {column.source.name!r} with {statistic!r}; use a text"
        )
    values = column.values if statistic in column.values else (*column.values, statistic)
    code = np.array([float(values.index(statistic))])
    return Texts(nodes.op("Where", missing, code, column.name), values, column.source)


def _is_missing(nodes: Nodes, column: Numbers | Texts, model: Any) -> str:
    """Boolean [n, columns]."""
    value = model.missing_values
    if value is None or _is_nan(value):
        return nodes.op("IsNaN", column.name)
    if isinstance(column, Texts):
        if value not in column.values:
            return nodes.op("Less", column.name, np.array([-np.inf]))
        return nodes.op("Equal", column.name, np.array([float(column.values.index(value))]))
    if isinstance(value, str):
        return nodes.op("Less", column.name, np.array([-np.inf]))
    return nodes.op("Equal", column.name, np.array([float(value)]))


def _is_nan(value: Any) -> bool:
    import pandas as pd

    return value is pd.NA or (isinstance(value, float) and bool(np.isnan(value)))
