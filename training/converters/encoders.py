"""`OneHotEncoder`, `OrdinalEncoder` and `TargetEncoder` as tables that the fitted encoder itself fills in.

An encoder looks at one column at a time and knows finitely many values. So for each column it is asked what it makes
of each value, of one that it does not know, and of a missing one, and the graph looks the answer up:

    place   = position of the value, one more for "none of these", one more for "missing"
    output  = Gather(table, place)

That takes every option of theirs as it is: drop, infrequent categories, what stands for unknown and missing values.
Where the encoder raises, the row is refused.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from onnx import TensorProto
from sklearn.preprocessing import OneHotEncoder, TargetEncoder

from training.converters.nodes import Nodes
from training.converters.table import UNSEEN, Numbers, Table, Texts
from training.dense import dense
from training.errors import ExportRefused

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Lookup:
    """A column's places and the values that they stand for: the known ones, one that is unknown, a missing one."""

    place: str  # int64 [n]
    values: list[Any]


def convert_encoder(nodes: Nodes, model: Any, table: Table) -> Table:
    """One matrix of doubles."""
    columns = table.columns(nodes)
    known = [_plain(categories) for categories in model.categories_]
    made = []
    for i, column in enumerate(columns):
        lookup = look_up(nodes, column, known[i])
        answers, refused = _asked(model, i, lookup.values, known)
        if refused.any():
            nodes.refuse(nodes.op("Gather", refused[:, None], lookup.place, axis=0))
        if answers.shape[1]:
            made.append(Numbers(nodes.op("Gather", answers, lookup.place, axis=0), answers.shape[1]))
    return Table(tuple(made))


def look_up(nodes: Nodes, column: Numbers | Texts, known: list[Any]) -> Lookup:
    """Where each row's value stands: `known` values (text columns: all that the column may hold), unknown, missing."""
    if isinstance(column, Texts):
        column.source.learn([value for value in known if isinstance(value, str)])
        count = len(column.values)
        place = nodes.op("Where", nodes.op("Less", column.name, np.zeros(1)), np.array([float(count)]), column.name)
        values = [*column.values, UNSEEN, column.source.missing]
    else:
        if not any(_is_number(value) for value in known):
            raise ExportRefused(
                f"an encoder was fitted on text ({_some(known)}) in a column that holds numbers here; pass the column "
                "as the text that it was at the fit (--text COLUMN, for a CSV file)"
            )
        numbers = sorted({float(value) for value in known if _is_number(value)})
        count = len(numbers)
        hits = nodes.cast(nodes.op("Equal", column.name, np.array(numbers).reshape(1, -1)))
        # One number at most is hit; without a hit the sum stays at the place of the unknown.
        steps = np.arange(count, dtype=np.float64)[:, None] - count
        place = nodes.op("Add", nodes.op("MatMul", hits, steps), np.array([float(count)]))
        values = [*numbers, _other_than(numbers), None if None in known else np.nan]
    gone = nodes.op("Where", nodes.op("IsNaN", column.name), np.array([count + 1.0]), place)
    return Lookup(nodes.flat(nodes.cast(gone, TensorProto.INT64)), values)


def _asked(model: Any, column: int, values: list[Any], known: list[list[Any]]) -> tuple[Doubles, npt.NDArray[np.bool_]]:
    """What the encoder makes of each value of a column: its own output columns, and where it raises."""
    at = _own_columns(model, column)
    found, refused = np.full((len(values), at.stop - at.start), np.nan), np.zeros(len(values), dtype=np.bool_)
    for row, value in enumerate(values):
        given = [value if i == column else others[0] for i, others in enumerate(known)]
        try:
            found[row] = _transformed(model, given)[0, at]
        except (ValueError, TypeError):
            refused[row] = True
    return found, refused


def _transformed(model: Any, row: list[Any]) -> Doubles:
    """The encoder's answer to one row, in columns of the kinds that it was fitted with."""
    series = [
        pd.Series([value], dtype=np.float64 if categories.dtype.kind in "fiub" else object, name=i)
        for i, (value, categories) in enumerate(zip(row, model.categories_, strict=True))
    ]
    frame = pd.concat(series, axis=1)
    names = getattr(model, "feature_names_in_", None)
    if names is not None:
        frame.columns = pd.Index(names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an unknown category that is encoded as zeros
        made = model.transform(frame if names is not None else frame.to_numpy())
    return dense(made)


def _own_columns(model: Any, column: int) -> slice:
    """Which of the encoder's output columns come from its input column."""
    if isinstance(model, OneHotEncoder):
        ends = np.cumsum([0, *model._n_features_outs])
        return slice(int(ends[column]), int(ends[column + 1]))
    width = len(model.classes_) if isinstance(model, TargetEncoder) and model.target_type_ == "multiclass" else 1
    return slice(column * width, (column + 1) * width)


def _plain(categories: Any) -> list[Any]:
    """An encoder's categories as Python values."""
    values: list[Any] = np.asarray(categories, dtype=object).tolist()
    if not values:
        raise ExportRefused("an encoder knows no category of a column; leave the column out")
    return values


def _some(known: list[Any]) -> str:
    return ", ".join(repr(value) for value in known[:3]) + (", …" if len(known) > 3 else "")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number | np.bool_) and not np.isnan(value)


def _other_than(numbers: list[float]) -> float:
    """A number that is none of these."""
    return max(numbers, default=0.0) + 1.0
