"""A short way to write the nodes of a converter: constants and operators by name, on skl2onnx's container."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto
from onnx.helper import np_dtype_to_tensor_dtype
from skl2onnx.common.data_types import DoubleTensorType


class Nodes:
    """Adds nodes to the graph that skl2onnx is building for one operator.

    `op("Sub", x, y)` returns the name of the node's output; a NumPy array among its inputs becomes a constant.
    """

    def __init__(self, scope: Any, operator: Any, container: Any) -> None:
        self._scope, self._operator, self._container = scope, operator, container

    @property
    def input(self) -> str:
        """The operator's input as one tensor of doubles, rows × features."""
        inputs = self._operator.inputs
        names = [i.full_name if isinstance(i.type, DoubleTensorType) else self.cast(i.full_name) for i in inputs]
        return names[0] if len(names) == 1 else self.op("Concat", *names, axis=1)

    def op(self, kind: str, *inputs: str | npt.NDArray[Any], outputs: int = 1, **attributes: Any) -> str:
        """Add a node of ONNX operator `kind`; returns its (first) output."""
        return self.ops(kind, *inputs, outputs=outputs, **attributes)[0]

    def ops(self, kind: str, *inputs: str | npt.NDArray[Any], outputs: int, **attributes: Any) -> list[str]:
        """The same for nodes of several outputs."""
        names = [item if isinstance(item, str) else self._constant(item) for item in inputs]
        made = [self._scope.get_unique_variable_name(kind.lower()) for _ in range(outputs)]
        self._container.add_node(
            kind, names, made, name=self._scope.get_unique_operator_name(kind), op_version=None, **attributes
        )
        return made

    def cast(self, name: str, to: int = TensorProto.DOUBLE) -> str:
        """`name` as another type, double by default."""
        return self.op("Cast", name, to=to)

    def label(self, index: str) -> None:
        """Give a classifier's first output the labels of the class positions `index`, int64 [n]."""
        classes = np.asarray(self._operator.raw_operator.classes_)
        self.output(0, self.op("Gather", classes if classes.dtype.kind in "UO" else classes.astype(np.int64), index))

    def unique(self, seed: str) -> str:
        """A name that nothing else in the graph has."""
        return str(self._scope.get_unique_variable_name(seed))

    def output(self, index: int, name: str) -> None:
        """Give the operator's output number `index` the value of `name`."""
        target = self._operator.outputs[index].full_name
        self._container.add_node(
            "Identity", [name], [target], name=self._scope.get_unique_operator_name("Identity"), op_version=None
        )

    def _constant(self, array: npt.NDArray[Any]) -> str:
        name = self._scope.get_unique_variable_name("constant")
        if array.dtype.kind in "UO":
            texts = [str(text).encode() for text in array.ravel()]
            self._container.add_initializer(name, TensorProto.STRING, list(array.shape), texts)
        else:
            kind = np_dtype_to_tensor_dtype(array.dtype)
            self._container.add_initializer(name, kind, list(array.shape), array.ravel().tolist())
        return str(name)
