"""`SplineTransformer`: B-splines as piecewise polynomials, evaluated by Horner's rule in the interval of the value.

Outside the training knots: `constant` stays at the boundary's value, `linear` goes on with its slope, `continue` with
its polynomial, `periodic` starts again; with `error` the row is refused. A missing value gives zeros where
`handle_missing="zeros"` says so.
"""

from __future__ import annotations

from math import factorial
from typing import Any

import numpy as np

from training.converters.interpolation import interval
from training.converters.nodes import Nodes
from training.converters.table import Table


def convert_splines(nodes: Nodes, model: Any, table: Table) -> Table:
    """One matrix: the splines of the first column, of the second, and so on."""
    x = table.matrix(nodes, model)
    made = []
    for i, spline in enumerate(model.bsplines_):
        basis = _basis(nodes, nodes.columns(x, [i]), spline, model)
        count = spline.c.shape[1] - (0 if model.include_bias else 1)
        made.append(basis if model.include_bias else nodes.columns(basis, np.arange(count)))
    width = sum(spline.c.shape[1] - (0 if model.include_bias else 1) for spline in model.bsplines_)
    return table.numbers(nodes.concat(made), width)


def _basis(nodes: Nodes, v: str, spline: Any, model: Any) -> str:
    low, high = float(spline.t[spline.k]), float(spline.t[-spline.k - 1])
    inside = nodes.op("Min", nodes.op("Max", v, np.array([low])), np.array([high]))
    if model.extrapolation == "periodic":
        found = _evaluated(nodes, _wrapped(nodes, v, low, high), spline, low, high)
    elif model.extrapolation == "continue":
        found = _evaluated(nodes, v, spline, low, high)
    else:
        at_end = np.asarray(spline(high), dtype=np.float64).reshape(1, -1)  # not a piece's end if knots coincide there
        reached = nodes.op("GreaterOrEqual", v, np.array([high]))
        found = nodes.op("Where", reached, at_end, _evaluated(nodes, inside, spline, low, high))
        beyond = nodes.op("Sub", v, inside)
        if model.extrapolation == "error":
            nodes.refuse(nodes.op("Greater", nodes.op("Abs", beyond), np.zeros(1)))
        if model.extrapolation == "linear":
            found = nodes.op("Add", found, nodes.op("Mul", beyond, _slope(nodes, v, spline, low, high)))
    missing = nodes.op("IsNaN", v)
    instead = 0.0 if getattr(model, "handle_missing", "error") == "zeros" else np.nan
    return nodes.op("Where", missing, np.array([instead]), found)


def _evaluated(nodes: Nodes, v: str, spline: Any, low: float, high: float) -> str:
    """Every spline at v, n × splines; before `low` the first piece within goes on, after `high` the last."""
    knots = np.unique(spline.t)
    starts = knots[(knots >= low) & (knots < high)]
    coefficients = [  # of a Taylor series at the start of each piece, which is exact; highest power first
        np.asarray(spline(starts, nu=power), dtype=np.float64) / factorial(power) for power in range(spline.k, -1, -1)
    ]
    place = interval(nodes, v, starts)
    moved = nodes.op("Sub", v, nodes.op("Gather", starts.reshape(-1, 1), place, axis=0))
    terms = [nodes.op("Gather", np.ascontiguousarray(power), place, axis=0) for power in coefficients]
    total = terms[0]
    for term in terms[1:]:
        total = nodes.op("Add", nodes.op("Mul", total, moved), term)
    return total


def _slope(nodes: Nodes, v: str, spline: Any, low: float, high: float) -> str:
    """The splines' slopes at the boundary on whose side v lies, n × splines."""
    left, right = (np.asarray(spline(at, nu=1), dtype=np.float64).reshape(1, -1) for at in (low, high))
    return nodes.op("Where", nodes.op("Less", v, np.array([low])), left, right)


def _wrapped(nodes: Nodes, v: str, low: float, high: float) -> str:
    """low + (v - low) modulo the period."""
    moved = nodes.op("Sub", v, np.array([low]))
    turns = nodes.op("Floor", nodes.op("Div", moved, np.array([high - low])))
    return nodes.op("Add", nodes.op("Sub", moved, nodes.op("Mul", turns, np.array([high - low]))), np.array([low]))
