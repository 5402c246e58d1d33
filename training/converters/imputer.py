"""`SimpleImputer` in double from standard operators: ONNX Runtime's own Imputer knows single precision only.

    missing = IsNaN(x)            or Equal(x, missing_values)
    filled  = Where(missing, statistics, x)

Columns that were all missing in training have a NaN statistic and are dropped, as scikit-learn does unless
`keep_empty_features`. With `add_indicator`, 1.0 or 0.0 for each column of `indicator_.features_` follows the columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto
from skl2onnx.common.data_types import DoubleTensorType

from training.converters.nodes import Nodes
from training.errors import ExportRefused


def imputer_shape(operator: Any) -> None:
    """One double tensor, rows × (columns kept + indicators)."""
    model = operator.raw_operator
    width = int((~np.isnan(_statistics(model))).sum()) + (len(model.indicator_.features_) if model.add_indicator else 0)
    operator.outputs[0].type = DoubleTensorType([operator.inputs[0].get_first_dimension(), width])


def convert_imputer(scope: Any, operator: Any, container: Any) -> None:
    """Write the nodes of a fitted numeric `SimpleImputer`."""
    model = operator.raw_operator
    statistics = _statistics(model)
    nodes = Nodes(scope, operator, container)
    x = nodes.input
    missing = _is_missing(nodes, x, model.missing_values)
    filled = nodes.op("Where", missing, np.nan_to_num(statistics)[None, :], x)
    kept = np.flatnonzero(~np.isnan(statistics))
    if len(kept) < len(statistics):
        filled = nodes.op("Gather", filled, kept.astype(np.int64), axis=1)
    if model.add_indicator:
        flags = nodes.op("Gather", missing, model.indicator_.features_.astype(np.int64), axis=1)
        filled = nodes.op("Concat", filled, nodes.cast(flags, TensorProto.DOUBLE), axis=1)
    nodes.output(0, filled)


def _is_missing(nodes: Nodes, x: str, value: Any) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return nodes.op("IsNaN", x)
    return nodes.op("Equal", x, np.array([value], dtype=np.float64))


def _statistics(model: Any) -> npt.NDArray[np.float64]:
    try:
        return np.asarray(model.statistics_, dtype=np.float64)
    except (TypeError, ValueError) as problem:
        raise ExportRefused(f"SimpleImputer fills with values that are not numbers: {problem}") from problem
