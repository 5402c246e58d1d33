"""Straight lines between points, as `numpy.interp` draws them: y = slope[j] · (v - x[j]) + y[j] for x[j] <= v < x[j+1].

Before the first point y is that of the first, after the last that of the last. Of several points at one place the last
counts. A missing value gives a missing value.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from training.converters.nodes import Nodes

Doubles = npt.NDArray[np.float64]


def interpolate(nodes: Nodes, v: str, x: Doubles, y: Doubles) -> str:
    """y at each value of `v`, [n, 1]; `x` must not fall."""
    place = interval(nodes, v, x)
    with np.errstate(all="ignore"):
        slopes = np.append(np.diff(y) / np.diff(x), 0.0)
    slopes = np.where(np.isfinite(slopes), slopes, 0.0)
    start, height, slope = (_at(nodes, place, values) for values in (x, y, slopes))
    bounded = nodes.op("Max", v, np.array([x[0]]))
    moved = nodes.op("Where", nodes.op("Greater", v, np.array([x[-1]])), start, bounded)
    found = nodes.op("Add", nodes.op("Mul", slope, nodes.op("Sub", moved, start)), height)
    return nodes.op("Where", nodes.op("IsNaN", v), v, found)


def interval(nodes: Nodes, v: str, x: Doubles) -> str:
    """j with x[j] <= v < x[j+1], int64 [n]; 0 before the first point."""
    passed = nodes.cast(nodes.op("GreaterOrEqual", v, x.reshape(1, -1)), TensorProto.INT64)
    count = nodes.op("ReduceSum", passed, np.array([1], dtype=np.int64), keepdims=0)
    return nodes.op("Max", nodes.op("Sub", count, np.array([1], dtype=np.int64)), np.array([0], dtype=np.int64))


def _at(nodes: Nodes, place: str, values: Doubles) -> str:
    return nodes.op("Gather", np.ascontiguousarray(values).reshape(-1, 1), place, axis=0)
