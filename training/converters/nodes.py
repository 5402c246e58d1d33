"""A short way to write an ONNX graph: operators and constants by name, everything in double.

    x = nodes.op("Sub", x, mean)          a NumPy array among the inputs becomes a constant

Node names begin with the path of the pipeline's step that they belong to (`Nodes.step`), so that what ONNX Runtime's
profiler says of a node can be said of the step. Operators are of the opsets in `OPSETS`; every operator that a
converter uses must have a kernel for doubles in ONNX Runtime, which `training.session` finds out at once.

Some rows have no answer, because scikit-learn refuses them (a category that an encoder does not know, a logarithm of
nothing before a model that takes no infinities). `Nodes.refuse` marks them, and their scores become NaN at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

OPSETS = {"": 21, "ai.onnx.ml": 5}
ML = "ai.onnx.ml"

Constant = npt.NDArray[Any]


class Nodes:
    """The graph under construction: nodes, constants and the rows that are refused."""

    def __init__(self) -> None:
        self._nodes: list[NodeProto] = []
        self._constants: dict[bytes, tuple[str, Constant]] = {}
        self._initializers: list[TensorProto] = []
        self._path: list[str] = []
        self._count = 0
        self.refused: list[str] = []

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Within this block nodes belong to the step `name`."""
        self._path.append(name.replace("/", "_"))
        try:
            yield
        finally:
            self._path.pop()

    def op(self, kind: str, *inputs: str | Constant, outputs: int = 1, domain: str = "", **attributes: Any) -> str:
        """Add a node of ONNX operator `kind`; returns its (first) output."""
        return self.ops(kind, *inputs, outputs=outputs, domain=domain, **attributes)[0]

    def ops(self, kind: str, *inputs: str | Constant, outputs: int, domain: str = "", **attributes: Any) -> list[str]:
        """The same for nodes of several outputs."""
        names = [item if isinstance(item, str) else self.constant(item) for item in inputs]
        made = [self.unique(kind.lower()) for _ in range(outputs)]
        self._nodes.append(helper.make_node(kind, names, made, name=self.unique(kind), domain=domain, **attributes))
        return made

    def cast(self, name: str, to: int = TensorProto.DOUBLE) -> str:
        """`name` as another type, double by default."""
        return self.op("Cast", name, to=to)

    def unique(self, seed: str) -> str:
        """A name that nothing else in the graph has, under the step's path."""
        self._count += 1
        return "/".join(["pipeline", *self._path, f"{seed}_{self._count}"])

    def constant(self, array: Constant) -> str:
        """The name of a constant; equal ones are stored once."""
        key = repr((array.dtype.str, array.shape)).encode() + array.tobytes()
        if key not in self._constants:
            self._constants[key] = (self.unique("constant"), np.ascontiguousarray(array).reshape(array.shape))
        return self._constants[key][0]

    def columns(self, name: str, positions: npt.ArrayLike) -> str:
        """Some columns of a matrix."""
        return self.op("Gather", name, np.asarray(positions, dtype=np.int64), axis=1)

    def concat(self, names: list[str]) -> str:
        """Matrices side by side."""
        return names[0] if len(names) == 1 else self.op("Concat", *names, axis=1)

    def flat(self, name: str) -> str:
        """[n, 1] as [n]."""
        return self.op("Reshape", name, np.array([-1], dtype=np.int64))

    def refuse(self, rows: str) -> None:
        """Give no answer to rows where `rows`, boolean [n, columns], is true anywhere."""
        marks = self.op("ReduceMax", self.cast(rows), np.array([1], dtype=np.int64), keepdims=1)
        self.refused.append(marks)

    def give(self, name: str, output: str) -> None:
        """Give a tensor the name of an output of the graph."""
        self._nodes.append(helper.make_node("Identity", [name], [output], name=self.unique("Identity")))

    def adopt(self, graph: onnx.GraphProto) -> None:
        """Take over the nodes and constants of another graph, whose names must be unique already."""
        self._nodes.extend(graph.node)
        self._initializers.extend(graph.initializer)

    def model(self, source: onnx.ValueInfoProto, outputs: list[onnx.ValueInfoProto]) -> onnx.ModelProto:
        """The finished model: what no output needs is left out."""
        nodes = _needed(self._nodes, [output.name for output in outputs])
        used = {name for node in nodes for name in _read(node)} | {output.name for output in outputs}
        constants = [numpy_helper.from_array(array, name) for name, array in self._constants.values() if name in used]
        constants += [tensor for tensor in self._initializers if tensor.name in used]
        graph = helper.make_graph(nodes, "pipeline", [source], outputs, constants)
        opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
        return helper.make_model(graph, opset_imports=opsets, ir_version=10, producer_name="hyperplane")


def _needed(nodes: list[NodeProto], outputs: list[str]) -> list[NodeProto]:
    wanted, kept = set(outputs), []
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            kept.append(node)
            wanted.update(_read(node))
    return kept[::-1]


def _read(node: NodeProto) -> Iterator[str]:
    """What a node reads, by itself or in the body of a loop."""
    yield from node.input
    for attribute in node.attribute:
        for inner in attribute.g.node:
            yield from _read(inner)
