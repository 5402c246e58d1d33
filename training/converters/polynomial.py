"""`PolynomialFeatures` in double: skl2onnx 1.20 makes its column of ones in single precision.

Each output is a product of as many factors as the degree; a row of ones stands in for the factors that a term of lower
degree lacks. For degree d, output = Π over f < d of Gather([x, 1], position[f]).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from skl2onnx.common.data_types import DoubleTensorType

from training.converters.nodes import Nodes


def polynomial_shape(operator: Any) -> None:
    """One double tensor, rows × terms."""
    terms = int(operator.raw_operator.n_output_features_)
    operator.outputs[0].type = DoubleTensorType([operator.inputs[0].get_first_dimension(), terms])


def convert_polynomial(scope: Any, operator: Any, container: Any) -> None:
    """Write the nodes of a fitted `PolynomialFeatures`."""
    powers = np.asarray(operator.raw_operator.powers_, dtype=np.int64)
    nodes = Nodes(scope, operator, container)
    x = nodes.input
    ones = nodes.op("Expand", np.array([[1.0]]), _rows_by_one(nodes, x))
    padded = nodes.op("Concat", x, ones, axis=1)
    factors = _factors(powers)
    product = nodes.op("Gather", padded, factors[:, 0], axis=1)
    for position in factors.T[1:]:
        product = nodes.op("Mul", product, nodes.op("Gather", padded, position.copy(), axis=1))
    nodes.output(0, product)


def _rows_by_one(nodes: Nodes, x: str) -> str:
    """The shape [n, 1]."""
    rows = nodes.op("Shape", x, start=0, end=1)
    return nodes.op("Concat", rows, np.array([1], dtype=np.int64), axis=0)


def _factors(powers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Terms × degree: the feature of each factor, the number of features (the column of ones) where there is none."""
    width, degree = powers.shape[1], max(1, int(powers.sum(axis=1).max()))
    factors = np.full((len(powers), degree), width, dtype=np.int64)
    for term, exponents in enumerate(powers):
        chosen = np.repeat(np.arange(width), exponents)
        factors[term, : len(chosen)] = chosen
    return factors
