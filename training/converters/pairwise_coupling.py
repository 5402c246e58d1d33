"""libsvm's probabilities: Platt's sigmoid for each pair of classes, then coupled (Wu, Lin and Weng, 2004, method 2).

    r[i, j] = 1 / (1 + exp(A d + B)), kept within 1e-7 of 0 and 1;  r[j, i] = 1 - r[i, j]
    Q[t, t] = Σ r[j, t]²,  Q[t, j] = -r[j, t] r[t, j]

and p minimises pᵀQp over the simplex, by sweeps from p = 1/k until no |(Qp)[t] - pᵀQp| reaches 0.005 / k, at most
max(100, k) of them. libsvm stops early on purpose, so its probabilities are those of the sweep at which it stopped:
they are reproduced sweep by sweep, in an ONNX Loop over all rows in which rows that have stopped keep their p.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import NodeProto, TensorProto, helper, numpy_helper

from training.converters.nodes import Nodes

LEAST = 1e-7

Doubles = npt.NDArray[np.float64]


def coupled_probabilities(nodes: Nodes, decisions: str, a: Doubles, b: Doubles, classes: int) -> str:
    """Probabilities, n × classes, from the decisions of the pairs, n × pairs."""
    against = nodes.op("Add", nodes.op("Mul", decisions, np.asarray(a, np.float64)), np.asarray(b, np.float64))
    pairwise = nodes.op("Clip", nodes.op("Sigmoid", nodes.op("Neg", against)), np.array(LEAST), np.array(1 - LEAST))
    quadratic = _quadratic(nodes, pairwise, classes)
    start = nodes.op("Add", nodes.op("MatMul", pairwise, np.zeros((_pairs(classes), classes))), np.array([1 / classes]))
    done = nodes.op("Less", nodes.op("ReduceMax", start, np.array([1], np.int64), keepdims=1), np.array([0.0]))
    body = _Sweep(nodes, quadratic, classes).graph()
    limit, go_on = np.array(max(100, classes), np.int64), np.array(True)
    return nodes.ops("Loop", limit, go_on, start, done, outputs=2, body=body)[0]


def _pairs(classes: int) -> int:
    return classes * (classes - 1) // 2


def _quadratic(nodes: Nodes, pairwise: str, classes: int) -> list[list[str]]:
    """Q as one n × 1 tensor for each of its elements."""
    r: dict[tuple[int, int], str] = {}
    columns = nodes.ops("Split", pairwise, outputs=_pairs(classes), axis=1, num_outputs=_pairs(classes))
    for column, (i, j) in zip(columns, combinations(range(classes), 2), strict=True):
        r[i, j], r[j, i] = column, nodes.op("Sub", np.array([1.0]), column)
    q = [[""] * classes for _ in range(classes)]
    for t in range(classes):
        squares = [nodes.op("Mul", r[j, t], r[j, t]) for j in range(classes) if j != t]
        q[t][t] = nodes.op("Sum", *squares)
        for j in range(t):
            q[t][j] = q[j][t]
        for j in range(t + 1, classes):
            q[t][j] = nodes.op("Neg", nodes.op("Mul", r[j, t], r[t, j]))
    return q


class _Sweep:
    """The Loop's body: one sweep over the classes, in libsvm's order of operations."""

    def __init__(self, outside: Nodes, q: list[list[str]], classes: int) -> None:
        self._outside, self._q, self._classes = outside, q, classes
        self._nodes: list[NodeProto] = []
        self._constants: dict[str, npt.NDArray[Any]] = {}

    def graph(self) -> object:
        """(iteration, condition, p, done) → (condition, p, done)."""
        k = self._classes
        iteration, condition, p, done = (self._outside.unique(seed) for seed in ("iteration", "go_on", "p", "done"))
        columns = self._split(p)
        products = [self._dot(self._q[t], columns) for t in range(k)]
        total = self._dot(columns, products)
        errors = self._op("Concat", *(self._op("Abs", self._op("Sub", q, total)) for q in products), axis=1)
        worst = self._op("ReduceMax", errors, self._constant(np.array([1], np.int64)), keepdims=1)
        stop = self._op("Or", done, self._op("Less", worst, self._constant(np.array([0.005 / k]))))
        for t in range(k):
            columns, products, total = self._update(t, columns, products, total)
        kept = self._op("Where", stop, p, self._op("Concat", *columns, axis=1))
        open_rows = self._op("ReduceMax", self._op("Cast", self._op("Not", stop), to=TensorProto.INT64), keepdims=0)
        again = self._op("Cast", open_rows, to=TensorProto.BOOL)
        double, boolean = TensorProto.DOUBLE, TensorProto.BOOL
        return helper.make_graph(
            self._nodes,
            self._outside.unique("sweep"),
            [
                helper.make_tensor_value_info(iteration, TensorProto.INT64, []),
                helper.make_tensor_value_info(condition, boolean, []),
                helper.make_tensor_value_info(p, double, [None, k]),
                helper.make_tensor_value_info(done, boolean, [None, 1]),
            ],
            [
                helper.make_tensor_value_info(again, boolean, []),
                helper.make_tensor_value_info(kept, double, [None, k]),
                helper.make_tensor_value_info(stop, boolean, [None, 1]),
            ],
            [numpy_helper.from_array(array, name) for name, array in self._constants.items()],
        )

    def _update(self, t: int, p: list[str], products: list[str], total: str) -> tuple[list[str], list[str], str]:
        """Move p[t] to where its derivative vanishes, and normalise."""
        one, two = self._constant(np.array([1.0])), self._constant(np.array([2.0]))
        own = self._q[t][t]
        step = self._op("Div", self._op("Sub", total, products[t]), own)
        scale = self._op("Add", one, step)
        inner = self._op("Add", self._op("Mul", step, own), self._op("Mul", two, products[t]))
        total = self._op("Add", total, self._op("Mul", step, inner))
        total = self._op("Div", self._op("Div", total, scale), scale)
        products = [
            self._op("Div", self._op("Add", product, self._op("Mul", step, self._q[t][j])), scale)
            for j, product in enumerate(products)
        ]
        moved = [self._op("Add", column, step) if j == t else column for j, column in enumerate(p)]
        return [self._op("Div", column, scale) for column in moved], products, total

    def _dot(self, left: list[str], right: list[str]) -> str:
        terms = [self._op("Mul", a, b) for a, b in zip(left, right, strict=True)]
        total = terms[0]
        for term in terms[1:]:
            total = self._op("Add", total, term)
        return total

    def _split(self, p: str) -> list[str]:
        made = [self._outside.unique("column") for _ in range(self._classes)]
        self._nodes.append(helper.make_node("Split", [p], made, axis=1, num_outputs=self._classes))
        return made

    def _op(self, kind: str, *inputs: str, **attributes: object) -> str:
        made = self._outside.unique(kind.lower())
        self._nodes.append(helper.make_node(kind, list(inputs), [made], **attributes))
        return made

    def _constant(self, array: npt.NDArray[Any]) -> str:
        name = self._outside.unique("constant")
        self._constants[name] = array
        return name
