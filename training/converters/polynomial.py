"""`PolynomialFeatures` in double: skl2onnx 1.20 makes its column of ones in single precision.

Each output is a product of as many factors as the degree; a row of ones stands in for the factors that a term of lower
degree lacks. For degree d, output = Π over f < d of Gather([x, 1], position[f]), multiplied from the last factor on,
which is scikit-learn's order, so that the products have its bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from training.converters.nodes import Nodes
from training.converters.table import Table


def convert_polynomial(nodes: Nodes, model: Any, table: Table) -> Table:
    """One matrix, rows × terms."""
    powers = np.asarray(model.powers_, dtype=np.int64)
    x = table.matrix(nodes, model)
    ones = nodes.op("Expand", np.array([[1.0]]), _rows_by_one(nodes, x))
    padded = nodes.concat([x, ones])
    factors = _factors(powers)
    product = nodes.columns(padded, factors[:, -1])
    for position in factors.T[-2::-1]:
        product = nodes.op("Mul", nodes.columns(padded, position), product)
    return table.numbers(product, len(powers))


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
