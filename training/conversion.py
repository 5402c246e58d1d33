"""A fitted pipeline as an ONNX graph with exactly the inputs and outputs that a manifest promises.

    features       double [n, features]      the only input, missing as NaN
    label_index    int64  [n]                classifiers: position in the list of classes
    probabilities  double [n, classes]       classifiers that have them
    score          double [n]                classifiers that have not: the decision function
    value          double [n]                regression

skl2onnx converts the steps; what it emits (labels as text or numbers, scores in several shapes) is brought to this
form by nodes appended here. Everything is double: skl2onnx's and ONNX Runtime's single-precision operators are caught
by the parity gate, not trusted.
"""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np
import onnx
import onnx.compose
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from skl2onnx.common._registration import get_converter
from skl2onnx.common.data_types import DoubleTensorType
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline

from scoring.bundle import Output
from training.converters.registry import our_converters
from training.errors import ExportRefused
from training.model_kind import ModelKind

INPUT = "features"
OPSETS = {"": 21, "ai.onnx.ml": 3}


def convert(pipeline: Any, kind: ModelKind, width: int) -> onnx.ModelProto:
    """The graph of a fitted pipeline; `ExportRefused` if a step has no exact conversion."""
    model = by_position(pipeline)
    with our_converters(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            graph = to_onnx(
                model,
                initial_types=[(INPUT, DoubleTensorType([None, width]))],
                options=_options(model),
                target_opset=OPSETS,
            )
        except ExportRefused:
            raise
        except Exception as problem:
            raise ExportRefused(_unsupported(pipeline, problem)) from problem
    # Names of our own come after this, so that they cannot clash with skl2onnx's.
    graph = onnx.compose.add_prefix(graph, "pipeline/", rename_inputs=False, rename_functions=False)
    _conclude(graph, kind)
    return _checked(graph)


def output_names(kind: ModelKind) -> Output:
    """The outputs that `convert` gives a model of this kind, for the manifest."""
    if kind.task == "regression":
        return Output(value="value")
    if kind.answer == "probabilities":
        return Output(label_index="label_index", probabilities="probabilities")
    return Output(label_index="label_index", score="score")


def by_position(pipeline: Any) -> Any:
    """A copy in which ColumnTransformers select by position, since the graph's columns have no names."""
    if isinstance(pipeline, ColumnTransformer):
        return _columns_by_position(pipeline)
    if isinstance(pipeline, Pipeline):
        changed = copy.copy(pipeline)
        changed.steps = [(name, by_position(step)) for name, step in pipeline.steps]
        return changed
    return pipeline


def _columns_by_position(transformer: ColumnTransformer) -> ColumnTransformer:
    changed = copy.copy(transformer)
    positions = transformer._transformer_to_input_indices
    changed.transformers_ = [
        (name, step if isinstance(step, str) else by_position(step), list(map(int, positions[name])))
        for name, step, _ in transformer.transformers_
    ]
    return changed


def _options(model: Any) -> dict[int, dict[str, Any]]:
    final = model.steps[-1][1] if isinstance(model, Pipeline) else model
    from skl2onnx._supported_operators import sklearn_operator_name_map

    alias = sklearn_operator_name_map.get(type(final))
    allowed = (get_converter(alias).get_allowed_options() if alias else None) or {}
    return {id(final): {"zipmap": False}} if "zipmap" in allowed else {}


def _conclude(model: onnx.ModelProto, kind: ModelKind) -> None:
    """Append the nodes that bring the outputs to their promised names, types and shapes."""
    graph = model.graph
    outputs = list(graph.output)
    del graph.output[:]
    if kind.task == "regression":
        _reshape(graph, _double(graph, outputs[0]), "value", [-1], [None])
        return
    _label_index(graph, outputs[0], kind)
    scores = _double(graph, outputs[1])
    if kind.answer == "probabilities":
        _reshape(graph, scores, "probabilities", [-1, len(kind.classes)], [None, len(kind.classes)])
        return
    if len(kind.classes) > 2:
        graph.initializer.append(numpy_helper.from_array(np.array([1], dtype=np.int64), "one"))
        graph.node.append(helper.make_node("TopK", [scores, "one"], ["best_score", "best_position"], axis=1))
        _reshape(graph, "best_score", "score", [-1], [None])
        return
    graph.initializer.append(numpy_helper.from_array(np.array(-1, dtype=np.int64), "last_column"))
    graph.node.append(helper.make_node("Gather", [scores, "last_column"], ["positive_score"], axis=-1))
    _reshape(graph, "positive_score", "score", [-1], [None])


def _label_index(graph: onnx.GraphProto, output: onnx.ValueInfoProto, kind: ModelKind) -> None:
    keys: dict[str, Any]
    if output.type.tensor_type.elem_type == TensorProto.STRING:
        name, keys = output.name, {"keys_strings": [str(label) for label in kind.classes]}
    else:
        graph.node.append(helper.make_node("Cast", [output.name], ["label_int64"], to=TensorProto.INT64))
        name, keys = "label_int64", {"keys_int64s": [_as_int(label) for label in kind.classes]}
    values = list(range(len(kind.classes)))
    graph.node.append(
        helper.make_node(
            "LabelEncoder",
            [name],
            ["label_position"],
            domain="ai.onnx.ml",
            values_int64s=values,
            default_int64=-1,
            **keys,
        )
    )
    _reshape(graph, "label_position", "label_index", [-1], [None], TensorProto.INT64)


def _as_int(label: Any) -> int:
    if int(label) != label:
        raise ExportRefused(f"class {label!r} is a fraction; use text or whole numbers as class labels")
    return int(label)


def _double(graph: onnx.GraphProto, output: onnx.ValueInfoProto) -> str:
    if output.type.tensor_type.elem_type == TensorProto.DOUBLE:
        return str(output.name)
    graph.node.append(helper.make_node("Cast", [output.name], [f"{output.name}_double"], to=TensorProto.DOUBLE))
    return f"{output.name}_double"


def _reshape(
    graph: onnx.GraphProto,
    source: str,
    target: str,
    shape: list[int],
    declared: list[int | None],
    kind: int = TensorProto.DOUBLE,
) -> None:
    graph.initializer.append(numpy_helper.from_array(np.array(shape, dtype=np.int64), f"{target}_shape"))
    graph.node.append(helper.make_node("Reshape", [source, f"{target}_shape"], [target]))
    graph.output.append(helper.make_tensor_value_info(target, kind, declared))


def _checked(model: onnx.ModelProto) -> onnx.ModelProto:
    for domain in model.opset_import:
        if domain.domain == "ai.onnx.ml":  # skl2onnx declares the lowest version that its nodes need; ours need 2
            domain.version = max(2, domain.version)
    if not any(domain.domain == "ai.onnx.ml" for domain in model.opset_import):
        model.opset_import.append(helper.make_opsetid("ai.onnx.ml", 2))
    del model.metadata_props[:]
    model.producer_name, model.producer_version, model.doc_string = "hyperplane", "", ""
    model.graph.name = "pipeline"
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as problem:
        raise ExportRefused(f"the exported graph is not valid ONNX: {problem}") from problem
    return model


def _unsupported(pipeline: Any, problem: Exception) -> str:
    steps = " → ".join(type(step).__name__ for _, step in pipeline.steps) if isinstance(pipeline, Pipeline) else ""
    reason = " ".join(str(problem).split())[:400]
    return (
        f"{steps or type(pipeline).__name__} cannot be converted to ONNX: {type(problem).__name__}: {reason}. "
        "Replace the step by one that can, for example a linear model, a kernel machine or a multilayer perceptron"
    )
