"""Small bundles with graphs built by hand, so that a test knows every number that a model must answer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from scoring.bundle import Baseline, Bundle, Calibration, Feature, Label, Manifest, Output, Parity
from training import bundle_writer

DOUBLE = TensorProto.DOUBLE
AGE = Feature(name="age", type="float", minimum=20.0, maximum=80.0, mean=50.0, deviation=10.0)
INCOME = Feature(name="income", type="integer", minimum=0.0, maximum=1000.0, mean=500.0, deviation=100.0)
MEMBER = Feature(name="member", type="boolean", categories=[False, True])
JOB = Feature(
    name="job",
    type="string",
    categories=["clerk", "cook"],
    known=["chef"],
    sentinels=["", "N/A"],
    missing_in_training=3,
)
_ONE = 1 / math.sqrt(2)
CALIBRATION = Calibration(centres=[[0.0, 0.0, _ONE, 0.0], [0.0, 0.0, 0.0, _ONE]], threshold=3.0)


def manifest(**changes: Any) -> Manifest:
    """A binary classifier of age, income and member; see `classifier` for its graph."""
    usual: dict[str, Any] = {
        "schema": 1,
        "name": "credit",
        "version": "1",
        "created": "2026-11-23T00:00:00Z",
        "task": "binary",
        "features": [AGE, INCOME, MEMBER],
        "input": "x",
        "output": Output(label_index="label_index", probabilities="probabilities"),
        "classes": ["bad", "good"],
        "calibration": CALIBRATION,
        "parity": Parity(rows=1, adversarial_rows=1, largest_difference=0.0, label_ties=0, takes_missing=True),
        "files": {},
    }
    return Manifest(**(usual | changes))


def classifier(features: int = 3, classes: int = 2) -> onnx.ModelProto:
    """Softmax over [0, x0 / 10 - 5, …]: the odds of the second class are e to the power of (x0 / 10 - 5)."""
    weights = np.zeros((features, classes))
    weights[0, 1:] = 0.1
    bias = np.zeros(classes)
    bias[1:] = -5.0
    nodes = [
        helper.make_node("MatMul", ["x", "weights"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["scores"]),
        helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1),
        helper.make_node("ArgMax", ["probabilities"], ["label_index"], axis=1, keepdims=0),
    ]
    outputs = [_tensor("label_index", TensorProto.INT64, 1), _tensor("probabilities", DOUBLE, 2)]
    return _model(nodes, outputs, features, {"weights": weights, "bias": bias})


def decision_function(features: int = 3) -> onnx.ModelProto:
    """label_index and a score of shape [n]: x0 - 50."""
    nodes = [
        helper.make_node("Gather", ["x", "zero"], ["first"], axis=1),
        helper.make_node("Sub", ["first", "fifty"], ["score"]),
        helper.make_node("Greater", ["score", "none"], ["positive"]),
        helper.make_node("Cast", ["positive"], ["label_index"], to=TensorProto.INT64),
    ]
    constants = {"zero": np.array(0), "fifty": np.array(50.0), "none": np.array(0.0)}
    return _model(
        nodes, [_tensor("label_index", TensorProto.INT64, 1), _tensor("score", DOUBLE, 1)], features, constants
    )


def regression(features: int = 3, weight: float = 1.0) -> onnx.ModelProto:
    """value = weight · (x0 + x1)."""
    nodes = [
        helper.make_node("MatMul", ["x", "weights"], ["value"]),
    ]
    weights = np.zeros(features)
    weights[:2] = weight
    return _model(nodes, [_tensor("value", DOUBLE, 1)], features, {"weights": weights})


def positions() -> onnx.ModelProto:
    """value = x0 + 1000 · x1, x1 being 7 where it is missing: the number that a text became can be read off it."""
    nodes = [
        helper.make_node("Gather", ["x", "zero"], ["first"], axis=1),
        helper.make_node("Gather", ["x", "one"], ["second"], axis=1),
        helper.make_node("IsNaN", ["second"], ["missing"]),
        helper.make_node("Where", ["missing", "seven", "second"], ["position"]),
        helper.make_node("Mul", ["position", "thousand"], ["thousands"]),
        helper.make_node("Add", ["first", "thousands"], ["value"]),
    ]
    constants = {
        "zero": np.array(0), "one": np.array(1), "seven": np.array(7.0), "thousand": np.array(1000.0),
    }  # fmt: skip
    return _model(nodes, [_tensor("value", DOUBLE, 1)], 2, constants)


def breaking(features: int = 3) -> onnx.ModelProto:
    """value = table[x0] with a table of 60 entries: the run fails where x0 is 60 or more."""
    nodes = [
        helper.make_node("Gather", ["x", "zero"], ["first"], axis=1),
        helper.make_node("Cast", ["first"], ["position"], to=TensorProto.INT64),
        helper.make_node("Gather", ["table", "position"], ["value"]),
    ]
    constants = {"zero": np.array(0), "table": np.arange(60.0)}
    return _model(nodes, [_tensor("value", DOUBLE, 1)], features, constants)


def looping(features: int = 2, beyond: float = 60.0, turns: int = 2**62) -> onnx.ModelProto:
    """value = x0, after a Loop that turns `turns` times where any x0 is over `beyond`: a million in about 0.7 s."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["go_on"]), helper.make_node("Identity", ["state"], ["next"])],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("state", DOUBLE, None),
        ],
        [helper.make_tensor_value_info("go_on", TensorProto.BOOL, []), _tensor("next", DOUBLE, 1)],
    )
    nodes = [
        helper.make_node("Gather", ["x", "zero"], ["first"], axis=1),
        helper.make_node("ReduceMax", ["first"], ["most"], keepdims=0),
        helper.make_node("Greater", ["most", "beyond"], ["long"]),
        helper.make_node("Where", ["long", "turns", "one"], ["trips"]),
        helper.make_node("Loop", ["trips", "", "first"], ["value"], body=body),
    ]
    constants = {"zero": np.array(0), "beyond": np.array(beyond), "turns": np.array(turns), "one": np.array(1)}
    return _model(nodes, [_tensor("value", DOUBLE, 1)], features, constants)


def write_bundle(models: Path, described: Manifest, graph: onnx.ModelProto | None = None) -> Bundle:
    """Store a bundle as `models/{name}/{version}` and load it."""
    served = graph or classifier(len(described.features), max(len(described.classes), 2))
    baseline = Baseline(schema=1, rows=0, test_rows=0, features={}, outputs={})
    files = {"model.onnx": served.SerializeToString(), "baseline.json": msgspec.json.encode(baseline)}
    return bundle_writer.write_bundle(models, described, files)


def regressor_manifest(**changes: Any) -> Manifest:
    """Age and income to a value; no missing values taken."""
    usual: dict[str, Any] = {
        "name": "amount",
        "task": "regression",
        "features": [AGE, INCOME],
        "output": Output(value="value"),
        "classes": [],
        "calibration": None,
    }
    return manifest(**(usual | changes))


def job_manifest(job: Feature = JOB, **changes: Any) -> Manifest:
    """Age and a job to a value; see `positions` for its graph."""
    width = 1 + len(job.categories or [])
    calibration = Calibration(centres=[[0.0] * width, [1.0] * width], threshold=3.0)
    return regressor_manifest(**{"features": [AGE, job], "calibration": calibration} | changes)


def numeric_manifest(count: int, classes: Sequence[Label] = ("bad", "good"), **changes: Any) -> Manifest:
    """A classifier of `count` float features f0, f1, … with training range -3 to 3 and two centres."""
    features = [
        Feature(name=f"f{i}", type="float", minimum=-3.0, maximum=3.0, mean=0.0, deviation=1.0) for i in range(count)
    ]
    calibration = Calibration(centres=[[0.0] * count, [1.0] * count], threshold=1e6)
    return manifest(features=features, calibration=calibration, classes=list(classes), **changes)


def _model(
    nodes: list[onnx.NodeProto],
    outputs: list[onnx.ValueInfoProto],
    features: int,
    constants: dict[str, np.ndarray[Any, Any]],
) -> onnx.ModelProto:
    stored = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    inputs = [helper.make_tensor_value_info("x", DOUBLE, [None, features])]
    graph = helper.make_graph(nodes, "hand-built", inputs, outputs, stored)
    model: onnx.ModelProto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    return model


def _tensor(name: str, kind: int, rank: int) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, [None] * rank)
