"""Steps that skl2onnx converts as they should be: one step alone, with a matrix of doubles in.

skl2onnx is asked for a graph of that step, and its nodes become part of ours. What it would get wrong is either
converted by us, or found by the parity gate: no conversion is trusted.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import onnx
import onnx.compose
from onnx import TensorProto
from sklearn.base import is_classifier, is_outlier_detector, is_regressor

from training.converters.nodes import ML, OPSETS, Nodes
from training.converters.prediction import Prediction
from training.converters.table import Table
from training.errors import ExportRefused

INPUT = "x"


def transform(nodes: Nodes, model: Any, table: Table) -> Table:
    """What a transformer makes of the columns, as one matrix."""
    if is_classifier(model) or is_regressor(model):
        raise ExportRefused(
            f"{type(model).__name__} predicts, but stands where the pipeline transforms, and cannot be exported there. "
            "Leave it out, or use StackingClassifier or StackingRegressor for a model of a model's answers"
        )
    made = _adopted(nodes, model, table)[-1]  # of a clustering the label comes first, then the distances
    width = made.type.tensor_type.shape.dim[-1].dim_value or _width(model, table)
    return table.numbers(_double(nodes, made), width)


def predict(nodes: Nodes, model: Any, table: Table) -> Prediction:
    """What a classifier or a regressor says."""
    if not is_classifier(model) and not is_regressor(model):
        raise _refused(model, "its decision function has no conversion")
    outputs = _adopted(nodes, model, table)
    if is_regressor(model):
        return Prediction(value=nodes.op("Reshape", _double(nodes, outputs[0]), np.array([-1, 1], dtype=np.int64)))
    if len(outputs) < 2:
        raise _refused(model, "its conversion gives no scores")
    label, scores = _position(nodes, outputs[0], model), _double(nodes, outputs[1])
    if hasattr(model, "predict_proba"):
        return Prediction(label=label, probabilities=scores)
    if len(model.classes_) == 2:
        last = nodes.op("Gather", scores, np.array(-1, dtype=np.int64), axis=-1)
        scores = nodes.op("Reshape", last, np.array([-1, 1], dtype=np.int64))
    return Prediction(label=label, decision=scores)


def _adopted(nodes: Nodes, model: Any, table: Table) -> list[onnx.ValueInfoProto]:
    """Make the step's nodes ours; returns its outputs."""
    source = table.matrix(nodes, model)
    graph = _graph(model, table.width)
    prefix = nodes.unique(type(model).__name__.lower()) + "/"
    graph = onnx.compose.add_prefix(graph, prefix)
    (given,) = graph.graph.input
    renamed = onnx.helper.make_node("Identity", [source], [given.name], name=nodes.unique("Identity"))
    graph.graph.node.insert(0, renamed)
    nodes.adopt(graph.graph)
    return list(graph.graph.output)


def _graph(model: Any, width: int) -> onnx.ModelProto:
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import DoubleTensorType
    from skl2onnx.common.exceptions import MissingShapeCalculator

    options = {id(model): {"zipmap": False}} if _has_zipmap(model) else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            graph = to_onnx(
                model,
                initial_types=[(INPUT, DoubleTensorType([None, width]))],
                options=options,
                target_opset={"": OPSETS[""], ML: 3},
            )
        except MissingShapeCalculator as problem:
            raise _refused(model, "there is no conversion of it") from problem
        except Exception as problem:
            reason = " ".join(str(problem).split())[:300]
            raise _refused(model, f"{type(problem).__name__}: {reason}") from problem
    withdrawn = sorted({node.op_type for node in graph.graph.node if _is_withdrawn(node)})
    if withdrawn:
        raise _refused(model, f"its conversion uses {', '.join(withdrawn)}, which ONNX has withdrawn")
    return graph


def _is_withdrawn(node: onnx.NodeProto) -> bool:
    """Whether the operator is gone from the release of ai.onnx.ml that our graphs declare."""
    return node.domain == ML and bool(onnx.defs.get_schema(node.op_type, OPSETS[ML], ML).deprecated)


def _refused(model: Any, reason: str) -> ExportRefused:
    if is_outlier_detector(model):
        instead = "IsolationForest or OneClassSVM"
    elif is_classifier(model) or is_regressor(model):
        instead = "a linear model, a forest or histogram gradient boosting"
    else:
        instead = "a scaler, an encoder, an imputer or PCA, or compute its columns before the pipeline and send them"
    return ExportRefused(
        f"{type(model).__name__} cannot be exported exactly: {reason}. Use a step that can, for example {instead}"
    )


def _has_zipmap(model: Any) -> bool:
    from skl2onnx._supported_operators import sklearn_operator_name_map
    from skl2onnx.common._registration import get_converter

    alias = sklearn_operator_name_map.get(type(model))
    return bool(alias) and "zipmap" in (get_converter(alias).get_allowed_options() or {})


def _width(model: Any, table: Table) -> int:
    try:
        return len(model.get_feature_names_out([f"x{i}" for i in range(table.width)]))
    except (AttributeError, ValueError) as problem:
        raise ExportRefused(f"{type(model).__name__} does not say how many columns it makes") from problem


def _double(nodes: Nodes, output: onnx.ValueInfoProto) -> str:
    """The output as doubles, whatever it is: skl2onnx declares some as double that are not."""
    return nodes.cast(output.name)


def _position(nodes: Nodes, output: onnx.ValueInfoProto, model: Any) -> str:
    """Labels as positions in the classes."""
    values = list(range(len(model.classes_)))
    keys: dict[str, Any]
    if output.type.tensor_type.elem_type == TensorProto.STRING:
        name, keys = output.name, {"keys_strings": [str(label) for label in model.classes_]}
    else:
        name = nodes.cast(output.name, TensorProto.INT64)
        keys = {"keys_int64s": [_whole(label) for label in model.classes_]}
    found = nodes.op("LabelEncoder", name, domain=ML, values_int64s=values, default_int64=-1, **keys)
    return nodes.flat(found)


def _whole(label: Any) -> int:
    if int(label) != label:
        raise ExportRefused(f"class {label!r} is a fraction; use text or whole numbers as class labels")
    return int(label)
