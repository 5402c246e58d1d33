"""`QuantileTransformer`: the share of training values below, and its place on the normal curve if asked for.

The share is the mean of two interpolations, up and down, so that a value that training held many times gets the middle
of its shares. `normal` takes the inverse of the normal distribution by the rational approximations of the Cephes
library (S. Moshier, 1989), which SciPy uses, within the bounds to which scikit-learn clips.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats
from sklearn.preprocessing._data import BOUNDS_THRESHOLD

from training.converters.interpolation import interpolate
from training.converters.nodes import Nodes
from training.converters.table import Table

CENTRAL = np.exp(-2.0)
# Cephes, ndtri: P0 ÷ Q0 around the middle, P1 ÷ Q1 in the tails up to exp(-32); highest power first.
P0 = (-59.9633501014107895267, 98.0010754185999661536, -56.6762857469070293439, 13.9312609387279679503,
      -1.23916583867381258016)  # fmt: skip
Q0 = (1.0, 1.95448858338141759834, 4.67627912898881538453, 86.3602421390890590575, -225.462687854119370527,
      200.260212380060660359, -82.0372256168333339912, 15.9056225126211695515, -1.18331621121330003142)  # fmt: skip
P1 = (4.05544892305962419923, 31.5251094599893866154, 57.1628192246421288162, 44.0805073893200834700,
      14.6849561928858024014, 2.18663306850790267539, -0.140256079171354495875, -0.0350424626827848203418,
      -0.000857456785154685413611)  # fmt: skip
Q1 = (1.0, 15.7799883256466749731, 45.3907635128879210584, 41.3172038254672030440, 15.0425385692907503408,
      2.50464946208309415979, -0.142182922854787788574, -0.0380806407691578277194,
      -0.000933259480895457427372)  # fmt: skip


def convert_quantiles(nodes: Nodes, model: Any, table: Table) -> Table:
    """As many columns as came in."""
    x = table.matrix(nodes, model)
    columns = [_column(nodes, nodes.columns(x, [i]), i, model) for i in range(table.width)]
    return table.numbers(nodes.concat(columns), len(columns))


def _column(nodes: Nodes, v: str, column: int, model: Any) -> str:
    quantiles, references = model.quantiles_[:, column], model.references_
    up = interpolate(nodes, v, quantiles, references)
    down = interpolate(nodes, nodes.op("Neg", v), -quantiles[::-1], -references[::-1])
    share = nodes.op("Mul", nodes.op("Sub", up, down), np.array([0.5]))
    normal = model.output_distribution == "normal"
    if normal:
        edge = np.array([BOUNDS_THRESHOLD])
        above = nodes.op("Greater", nodes.op("Add", v, edge), quantiles[-1:])
        below = nodes.op("Less", nodes.op("Sub", v, edge), quantiles[:1])
    else:
        above, below = nodes.op("Equal", v, quantiles[-1:]), nodes.op("Equal", v, quantiles[:1])
    share = nodes.op("Where", above, np.array([1.0]), share)
    share = nodes.op("Where", below, np.array([0.0]), share)
    return _normal(nodes, share) if normal else share


def _normal(nodes: Nodes, share: str) -> str:
    """The value below which a normal variable lies with this probability, between scikit-learn's bounds."""
    least = BOUNDS_THRESHOLD - np.spacing(1)
    within = nodes.op("Max", nodes.op("Min", share, np.array([1 - least / 2])), np.array([least / 2]))
    upper = nodes.op("Greater", within, np.array([1 - CENTRAL]))
    tail = nodes.op("Where", upper, nodes.op("Sub", np.array([1.0]), within), within)
    central = nodes.op("Greater", tail, np.array([CENTRAL]))
    found = nodes.op("Where", central, _middle(nodes, tail), _tail(nodes, tail, upper))
    low, high = stats.norm.ppf(least), stats.norm.ppf(1 - least)
    bounded = nodes.op("Min", nodes.op("Max", found, np.array([low])), np.array([high]))
    return nodes.op("Where", nodes.op("IsNaN", share), share, bounded)


def _middle(nodes: Nodes, tail: str) -> str:
    y = nodes.op("Sub", tail, np.array([0.5]))
    square = nodes.op("Mul", y, y)
    ratio = nodes.op("Div", _polynomial(nodes, square, P0), _polynomial(nodes, square, Q0))
    x = nodes.op("Add", y, nodes.op("Mul", y, nodes.op("Mul", square, ratio)))
    return nodes.op("Mul", x, np.array([np.sqrt(2 * np.pi)]))


def _tail(nodes: Nodes, tail: str, upper: str) -> str:
    x = nodes.op("Sqrt", nodes.op("Mul", np.array([-2.0]), nodes.op("Log", tail)))
    z = nodes.op("Div", np.array([1.0]), x)
    ratio = nodes.op("Div", nodes.op("Mul", z, _polynomial(nodes, z, P1)), _polynomial(nodes, z, Q1))
    found = nodes.op("Sub", nodes.op("Sub", x, nodes.op("Div", nodes.op("Log", x), x)), ratio)
    return nodes.op("Where", upper, found, nodes.op("Neg", found))


def _polynomial(nodes: Nodes, x: str, coefficients: tuple[float, ...]) -> str:
    total = nodes.op("Add", nodes.op("Mul", x, np.array([coefficients[0]])), np.array([coefficients[1]]))
    for coefficient in coefficients[2:]:
        total = nodes.op("Add", nodes.op("Mul", total, x), np.array([coefficient]))
    return total
