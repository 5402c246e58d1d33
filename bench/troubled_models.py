"""Bundles like one that there is, with the same answers, and with a graph that is slow, never ends or fails.

The trouble comes only with instances whose first feature is over a bound, and not with the instance that a bundle is
warmed with: a graph that failed there would be refused when it is loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from scoring.bundle import Bundle
from scoring.example import example_instance
from training.bundle_writer import write_bundle

NEVER_ENDING = 2**62
_DEVIATIONS = 0.5  # above the mean: the bound
Change = Callable[[onnx.ModelProto, float], None]


def write_version(bundle: Bundle, models: Path, name: str, version: str, change: Change | None = None) -> None:
    """Store the bundle under another name and version, with a changed graph."""
    files = {name: (bundle.folder / name).read_bytes() for name in bundle.manifest.files}
    if change is not None:
        graph = onnx.load_from_string(files["model.onnx"])
        change(graph, _bound(bundle))
        onnx.checker.check_model(graph)
        files["model.onnx"] = graph.SerializeToString()
    write_bundle(models, msgspec.structs.replace(bundle.manifest, name=name, version=version), files)


def troubling_instance(bundle: Bundle) -> dict[str, Any]:
    """An ordinary instance, but for a first feature that is over the bound."""
    first = bundle.manifest.features[0]
    return example_instance(bundle.manifest) | {first.name: (first.mean or 0.0) + 2 * _DEVIATIONS * _deviation(bundle)}


def turning(turns: int) -> Change:
    """A Loop before everything else; 100,000 turns take a twentieth of a second."""

    def change(model: onnx.ModelProto, bound: float) -> None:
        name = _renamed_input(model)
        _prepend(
            model,
            [
                *_is_over(name),
                helper.make_node("Where", ["over", "trouble_turns", "trouble_one"], ["trips"]),
                helper.make_node("Loop", ["trips", "", name], [f"{name}_troubled"], body=_body()),
            ],
            {"trouble_turns": np.array(turns), "trouble_one": np.array(1), "trouble_bound": np.array(bound)},
        )

    return change


def failing(model: onnx.ModelProto, bound: float) -> None:
    """A position that the table of one entry does not have."""
    name = _renamed_input(model)
    _prepend(
        model,
        [
            *_is_over(name),
            helper.make_node("Cast", ["over"], ["position"], to=TensorProto.INT64),
            helper.make_node("Gather", ["trouble_table", "position"], ["nothing"]),
            helper.make_node("Add", [name, "nothing"], [f"{name}_troubled"]),
        ],
        {"trouble_table": np.zeros(1), "trouble_bound": np.array(bound)},
    )


def _is_over(name: str) -> list[onnx.NodeProto]:
    return [
        helper.make_node("Gather", [name, "trouble_first"], ["first"], axis=1),
        helper.make_node("ReduceMax", ["first"], ["largest"], keepdims=0),
        helper.make_node("Greater", ["largest", "trouble_bound"], ["over"]),
    ]


def _body() -> onnx.GraphProto:
    def state(name: str) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, None])

    return helper.make_graph(
        [helper.make_node("Identity", ["go"], ["go_on"]), helper.make_node("Identity", ["before"], ["after"])],
        "turn",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            state("before"),
        ],
        [helper.make_tensor_value_info("go_on", TensorProto.BOOL, []), state("after")],
    )


def _renamed_input(model: onnx.ModelProto) -> str:
    """Let all nodes read what the trouble makes of the input; the input's name."""
    name: str = model.graph.input[0].name
    for node in model.graph.node:
        for place, read in enumerate(node.input):
            if read == name:
                node.input[place] = f"{name}_troubled"
    return name


def _prepend(model: onnx.ModelProto, nodes: list[onnx.NodeProto], constants: dict[str, Any]) -> None:
    constants = constants | {"trouble_first": np.array(0)}
    model.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    own = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *own])


def _bound(bundle: Bundle) -> float:
    return (bundle.manifest.features[0].mean or 0.0) + _DEVIATIONS * _deviation(bundle)


def _deviation(bundle: Bundle) -> float:
    return bundle.manifest.features[0].deviation or 1.0
