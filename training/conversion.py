"""A fitted pipeline as an ONNX graph with exactly the inputs and outputs that a manifest promises.

    features       double [n, features]      the only input, missing as NaN, text as the number of its category
    label_index    int64  [n]                classifiers: position in the list of classes
    probabilities  double [n, classes]       classifiers that have them
    score          double [n]                classifiers that have not: the decision function
    value          double [n]                regression

Converters (`training.converters`) walk the pipeline step by step, in double. Rows that scikit-learn refuses get NaN.
Converters may learn of texts that no training row holds, since an encoder was told of them; then the graph is made
again with these texts in the vocabularies.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper

from scoring.bundle import Output
from training.converters import registry as registry  # fills the tables of dispatch
from training.converters.dispatch import predict
from training.converters.nodes import Nodes
from training.converters.prediction import Prediction
from training.converters.table import Numbers, Table, Texts, Vocabulary
from training.errors import ExportRefused
from training.model_kind import ModelKind

INPUT = "features"
LARGEST_BYTES = 2**31 - 1
TOO_LARGE = (
    "the graph is larger than 2 GB, which an ONNX file cannot hold; fit fewer or shallower trees (n_estimators, "
    "max_depth, min_samples_leaf), or keep fewer training rows in a model that keeps them (nearest neighbours, SVMs)"
)


def convert(pipeline: Any, kind: ModelKind, vocabularies: Sequence[Vocabulary | None]) -> onnx.ModelProto:
    """The graph of a fitted pipeline; `ExportRefused` if a step has no exact conversion.

    `vocabularies`: for each input column its texts, or None for numbers; they may grow.
    """
    while True:
        for vocabulary in vocabularies:
            if vocabulary is not None:
                vocabulary.grown = False
        model = _graph(pipeline, kind, vocabularies)
        if not any(vocabulary is not None and vocabulary.grown for vocabulary in vocabularies):
            return _checked(model)


def output_names(kind: ModelKind) -> Output:
    """The outputs that `convert` gives a model of this kind, for the manifest."""
    if kind.task == "regression":
        return Output(value="value")
    if kind.answer == "probabilities":
        return Output(label_index="label_index", probabilities="probabilities")
    return Output(label_index="label_index", score="score")


def _graph(pipeline: Any, kind: ModelKind, vocabularies: Sequence[Vocabulary | None]) -> onnx.ModelProto:
    nodes = Nodes()
    width = len(vocabularies)
    answer = predict(nodes, pipeline, _inputs(nodes, vocabularies))
    outputs = _conclude(nodes, answer, kind)
    return nodes.model(helper.make_tensor_value_info(INPUT, TensorProto.DOUBLE, [None, width]), outputs)


def _inputs(nodes: Nodes, vocabularies: Sequence[Vocabulary | None]) -> Table:
    """The input's columns: numbers as they are, texts each with its vocabulary."""
    whole = Table((Numbers(INPUT, len(vocabularies)),))
    parts: list[Numbers | Texts] = []
    start = 0
    for end in range(len(vocabularies) + 1):
        vocabulary = vocabularies[end] if end < len(vocabularies) else None
        if end < len(vocabularies) and vocabulary is None:
            continue
        if start < end:
            parts += whole.select(nodes, range(start, end)).parts
        if vocabulary is not None:
            parts.append(Texts(nodes.columns(INPUT, [end]), tuple(vocabulary.values), vocabulary))
        start = end + 1
    return Table(tuple(parts))


def _conclude(nodes: Nodes, answer: Prediction, kind: ModelKind) -> list[onnx.ValueInfoProto]:
    """Bring the answer to its promised names, types and shapes."""
    if kind.task == "regression":
        return [_output(nodes, _answered(nodes, answer.value), "value", [-1])]
    label = _output(nodes, answer.label, "label_index", [-1], TensorProto.INT64)
    if kind.answer == "probabilities":
        shape = [-1, len(kind.classes)]
        return [label, _output(nodes, _answered(nodes, answer.probabilities), "probabilities", shape)]
    score = answer.decision
    if score is not None and len(kind.classes) > 2:
        score = nodes.op("ReduceMax", score, np.array([1], dtype=np.int64), keepdims=1)
    return [label, _output(nodes, _answered(nodes, score), "score", [-1])]


def _answered(nodes: Nodes, scores: str | None) -> str | None:
    """NaN in the rows that are refused."""
    if scores is None or not nodes.refused:
        return scores
    marks = nodes.refused[0] if len(nodes.refused) == 1 else nodes.op("Max", *nodes.refused)
    return nodes.op("Where", nodes.op("Greater", marks, np.zeros(1)), np.array([np.nan]), scores)


def _output(
    nodes: Nodes, source: str | None, name: str, shape: list[int], kind: int = TensorProto.DOUBLE
) -> onnx.ValueInfoProto:
    if source is None:
        raise ExportRefused(f"the converted model gives no {name.replace('_', ' ')}")
    nodes.give(nodes.op("Reshape", source, np.array(shape, dtype=np.int64)), name)
    return helper.make_tensor_value_info(name, kind, [None, *shape[1:]])


def _checked(model: onnx.ModelProto) -> onnx.ModelProto:
    if model.ByteSize() >= LARGEST_BYTES:
        raise ExportRefused(TOO_LARGE)
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as problem:
        raise ExportRefused(f"the exported graph is not valid ONNX: {problem}") from problem
    return model
