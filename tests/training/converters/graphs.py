"""A step or a model alone, as a graph that can be run, beside what scikit-learn makes of the same rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper

from training.converters import registry as registry
from training.converters.dispatch import predict, transform
from training.converters.nodes import Nodes
from training.converters.table import Numbers, Table

Run = Callable[[Any], Any]


def transformed(step: Any, width: int) -> Run:
    """A fitted transformer's graph, from rows × `width` doubles to a matrix."""
    nodes = Nodes()
    table = transform(nodes, step, Table((Numbers("x", width),)))
    return _run(nodes, table.matrix(nodes, step), width)


def predicted(model: Any, width: int, what: str) -> Run:
    """One of a fitted model's answers: "label", "probabilities", "decision" or "value"."""
    nodes = Nodes()
    answer = getattr(predict(nodes, model, Table((Numbers("x", width),))), what)
    assert answer is not None, what
    return _run(nodes, answer, width, TensorProto.INT64 if what == "label" else TensorProto.DOUBLE)


def written(write: Callable[[Nodes], str], width: int = 1) -> Run:
    """Nodes written by a test, from the input `x`."""
    nodes = Nodes()
    return _run(nodes, write(nodes), width)


def _run(nodes: Nodes, name: str, width: int, kind: int = TensorProto.DOUBLE) -> Run:
    nodes.give(name, "y")
    source = helper.make_tensor_value_info("x", TensorProto.DOUBLE, [None, width])
    model = nodes.model(source, [helper.make_tensor_value_info("y", kind, None)])
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return lambda rows: session.run(["y"], {"x": np.asarray(rows, dtype=np.float64)})[0]
