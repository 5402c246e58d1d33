"""`PowerTransformer`, column by column, then scaled (Box and Cox, 1964; Yeo and Johnson, 2000).

    Yeo–Johnson   x >= 0   ((1 + x)^λ - 1) ÷ λ,                log(1 + x) for λ = 0
                  x <  0   -((1 - x)^(2 - λ) - 1) ÷ (2 - λ),   -log(1 - x) for λ = 2
    Box–Cox       x >  0   (x^λ - 1) ÷ λ,                      log x for λ = 0;  other rows are refused

Powers are taken as expm1(λ · log1p(x)), as SciPy does.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from training.converters.elementary import expm1, log1p
from training.converters.nodes import Nodes
from training.converters.scaling import convert_standard
from training.converters.table import Numbers, Table

EPSILON = float(np.finfo(np.float64).eps)


def convert_power(nodes: Nodes, model: Any, table: Table) -> Table:
    """As many columns as came in."""
    x = table.matrix(nodes, model)
    if model.method == "box-cox":
        nodes.refuse(nodes.op("LessOrEqual", x, np.zeros(1)))
    one = _box_cox if model.method == "box-cox" else _yeo_johnson
    columns = [one(nodes, nodes.columns(x, [i]), float(power)) for i, power in enumerate(model.lambdas_)]
    made = Table((Numbers(nodes.concat(columns), len(columns)),), wild=True)
    return convert_standard(nodes, model._scaler, made) if model.standardize else made


def _yeo_johnson(nodes: Nodes, x: str, power: float) -> str:
    zero = np.zeros(1)
    positive = nodes.op("Max", x, zero)
    negative = nodes.op("Max", nodes.op("Neg", x), zero)
    above = _power(nodes, log1p(nodes, positive), power)
    below = nodes.op("Neg", _power(nodes, log1p(nodes, negative), 2 - power))
    found = nodes.op("Where", nodes.op("GreaterOrEqual", x, zero), above, below)
    return nodes.op("Where", nodes.op("IsNaN", x), x, found)


def _box_cox(nodes: Nodes, x: str, power: float) -> str:
    return _power(nodes, nodes.op("Log", x), power)


def _power(nodes: Nodes, logarithm: str, power: float) -> str:
    """(exp(power · logarithm) - 1) ÷ power."""
    if abs(power) <= EPSILON:
        return logarithm
    return nodes.op("Div", expm1(nodes, nodes.op("Mul", logarithm, np.array([power]))), np.array([power]))
