"""`FunctionTransformer` of NumPy functions that ONNX has too; of any other function the source cannot be exported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from skl2onnx.common.data_types import DoubleTensorType

from training.converters.nodes import Nodes
from training.errors import ExportRefused

FUNCTIONS: dict[Any, Callable[[Nodes, str], str]] = {
    np.log: lambda nodes, x: nodes.op("Log", x),
    np.log1p: lambda nodes, x: nodes.op("Log", nodes.op("Add", x, np.ones(1))),
    np.exp: lambda nodes, x: nodes.op("Exp", x),
    np.expm1: lambda nodes, x: nodes.op("Sub", nodes.op("Exp", x), np.ones(1)),
    np.sqrt: lambda nodes, x: nodes.op("Sqrt", x),
    np.square: lambda nodes, x: nodes.op("Mul", x, x),
    np.absolute: lambda nodes, x: nodes.op("Abs", x),
    np.negative: lambda nodes, x: nodes.op("Neg", x),
    np.reciprocal: lambda nodes, x: nodes.op("Div", np.ones(1), x),
    np.tanh: lambda nodes, x: nodes.op("Tanh", x),
    np.sin: lambda nodes, x: nodes.op("Sin", x),
    np.cos: lambda nodes, x: nodes.op("Cos", x),
}


def function_shape(operator: Any) -> None:
    """As many columns as came in, double."""
    width = sum(variable.type.shape[1] for variable in operator.inputs)
    operator.outputs[0].type = DoubleTensorType([operator.inputs[0].get_first_dimension(), width])


def convert_function(scope: Any, operator: Any, container: Any) -> None:
    """Write the nodes of the function; refuses one that is not in the table, and arguments."""
    model = operator.raw_operator
    nodes = Nodes(scope, operator, container)
    if model.func is None:
        nodes.output(0, nodes.input)
        return
    known = isinstance(model.func, np.ufunc) and model.func in FUNCTIONS
    if not known or model.kw_args:
        name = getattr(model.func, "__name__", repr(model.func))
        name = ("a lambda" if name == "<lambda>" else name) + (" with kw_args" if model.kw_args else "")
        raise ExportRefused(
            f"FunctionTransformer of {name} cannot be exported, only of NumPy's "
            f"{', '.join(sorted(function.__name__ for function in FUNCTIONS))}; "
            "compute the feature before the pipeline, and send it"
        )
    nodes.output(0, FUNCTIONS[model.func](nodes, nodes.input))
