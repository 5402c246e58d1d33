"""`FunctionTransformer` of NumPy functions that ONNX has too; of any other function the source cannot be exported."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.utils.validation import check_array

from training.converters.elementary import expm1, log1p
from training.converters.nodes import Nodes
from training.converters.table import Table
from training.errors import ExportRefused

FUNCTIONS: dict[Any, Callable[[Nodes, str], str]] = {
    np.log: lambda nodes, x: nodes.op("Log", x),
    np.log2: lambda nodes, x: nodes.op("Div", nodes.op("Log", x), np.array([np.log(2.0)])),
    np.log10: lambda nodes, x: nodes.op("Div", nodes.op("Log", x), np.array([np.log(10.0)])),
    np.log1p: log1p,
    np.exp: lambda nodes, x: nodes.op("Exp", x),
    np.expm1: expm1,
    np.sqrt: lambda nodes, x: nodes.op("Sqrt", x),
    np.square: lambda nodes, x: nodes.op("Mul", x, x),
    np.absolute: lambda nodes, x: nodes.op("Abs", x),
    np.negative: lambda nodes, x: nodes.op("Neg", x),
    np.reciprocal: lambda nodes, x: nodes.op("Div", np.ones(1), x),
    np.sign: lambda nodes, x: nodes.op("Sign", x),
    np.floor: lambda nodes, x: nodes.op("Floor", x),
    np.ceil: lambda nodes, x: nodes.op("Ceil", x),
    np.tanh: lambda nodes, x: nodes.op("Tanh", x),
    np.sin: lambda nodes, x: nodes.op("Sin", x),
    np.cos: lambda nodes, x: nodes.op("Cos", x),
}
BIT_BY_BIT = {np.sqrt, np.square, np.absolute, np.negative, np.reciprocal, np.sign, np.floor, np.ceil}


def convert_function(nodes: Nodes, model: Any, table: Table) -> Table:
    """As many columns as came in."""
    if model.func is None or _only_checks(model.func):
        return table
    return table.numbers(apply(nodes, model.func, model.kw_args, table.matrix(nodes, model)), table.width, wild=True)


def apply(nodes: Nodes, function: Any, arguments: Any, x: str) -> str:
    """The function of a matrix; refuses one that is not in the table, and arguments."""
    known = isinstance(function, np.ufunc) and function in FUNCTIONS
    if not known or arguments:
        name = getattr(function, "__name__", repr(function))
        name = ("a lambda" if name == "<lambda>" else name) + (" with kw_args" if arguments else "")
        raise ExportRefused(
            f"FunctionTransformer of {name} cannot be exported, only of NumPy's "
            f"{', '.join(sorted(function.__name__ for function in FUNCTIONS))}; "
            "compute the feature before the pipeline, and send it"
        )
    return FUNCTIONS[function](nodes, x)


def is_bit_by_bit(model: Any) -> bool:
    """Whether NumPy and ONNX Runtime give the same bits."""
    return model.func is None or _only_checks(model.func) or model.func in BIT_BY_BIT


def _only_checks(function: Any) -> bool:
    """Histogram gradient boosting wraps `check_array`, which changes no value."""
    return isinstance(function, functools.partial) and function.func is check_array
