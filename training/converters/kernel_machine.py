"""`SVC`, `NuSVC`, `SVR`, `NuSVR` and `OneClassSVM` in double: ONNX Runtime's SVM operators compute in single precision.

libsvm (Chang and Lin, 2011) evaluates K(x, s) for each support vector s, then for each pair of classes i < j

    decision = Σ dual[j-1, s of class i] K(x, s) + Σ dual[i, s of class j] K(x, s) + intercept

Above 0 it is a vote for i, else for j; the class with most votes wins, the first of several. Regression is one sum.
The RBF kernel is exp(-γ |x - s|²); the squared distance is taken as |x|² + |s|² - 2 x·s after moving the support
vectors' mean to the origin, which loses least, with x clipped at ±1e150, so that it cannot overflow to ∞ - ∞.
Probabilities: `training.converters.pairwise_coupling`.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto

from training.converters.nodes import Nodes
from training.converters.pairwise_coupling import coupled_probabilities
from training.converters.prediction import Prediction, above, largest
from training.converters.table import Table
from training.dense import dense
from training.errors import ExportRefused

CLIP = 1e150

Doubles = npt.NDArray[np.float64]


def convert_regressor(nodes: Nodes, model: Any, table: Table) -> Prediction:
    """Values, n × 1."""
    return Prediction(value=_one_sum(nodes, model, table))


def convert_one_class(nodes: Nodes, model: Any, table: Table) -> Prediction:
    """Labels -1 (outside) and 1, at positions 0 and 1, and the decision function, negative outside."""
    decision = _one_sum(nodes, model, table)
    return Prediction(label=above(nodes, decision, 0.0), decision=decision)


def convert_classifier(nodes: Nodes, model: Any, table: Table) -> Prediction:
    """Labels, the decision function, and probabilities where the model has them."""
    classes = len(model.classes_)
    intercept = np.asarray(model._intercept_, dtype=np.float64)
    kernel = _kernel(nodes, model, table.matrix(nodes, model))
    pairs = nodes.op("Add", nodes.op("MatMul", kernel, _pair_weights(model)), intercept)
    probabilities = None
    if hasattr(model, "predict_proba"):
        probabilities = coupled_probabilities(nodes, pairs, model._probA, model._probB, classes)
    if classes == 2:
        against = nodes.op("Not", nodes.op("Greater", pairs, np.array([0.0])))
        label = nodes.flat(nodes.cast(against, TensorProto.INT64))
        return Prediction(label=label, decision=nodes.op("Neg", pairs), probabilities=probabilities)
    if model.decision_function_shape != "ovr" and probabilities is None:
        raise ExportRefused(
            "a decision function for each pair of classes is not supported; set decision_function_shape='ovr'"
        )
    scores = _one_against_rest(nodes, pairs, classes)
    votes = scores if model.break_ties else _votes(nodes, pairs, classes)
    return Prediction(label=largest(nodes, votes), decision=scores, probabilities=probabilities)


def _one_sum(nodes: Nodes, model: Any, table: Table) -> str:
    kernel = _kernel(nodes, model, table.matrix(nodes, model))
    product = nodes.op("MatMul", kernel, np.asarray(model.dual_coef_, dtype=np.float64).T.copy())
    return nodes.op("Add", product, np.asarray(model.intercept_, dtype=np.float64))


def _kernel(nodes: Nodes, model: Any, x: str) -> str:
    """K(x, s), n × support vectors."""
    vectors = dense(model.support_vectors_)
    gamma = float(model._gamma)
    if model.kernel == "rbf":
        return _rbf(nodes, x, vectors, gamma)
    product = nodes.op("MatMul", x, vectors.T.copy())
    if model.kernel == "linear":
        return product
    if model.kernel not in ("poly", "sigmoid"):
        raise ExportRefused(f"kernel {model.kernel!r} is not supported; choose 'rbf', 'linear', 'poly' or 'sigmoid'")
    scaled = nodes.op("Add", nodes.op("Mul", product, np.array([gamma])), np.array([float(model.coef0)]))
    if model.kernel == "sigmoid":
        return nodes.op("Tanh", scaled)
    return nodes.op("Pow", scaled, np.array([float(model.degree)]))


def _rbf(nodes: Nodes, values: str, vectors: Doubles, gamma: float) -> str:
    origin = vectors.mean(axis=0)
    clipped = nodes.op("Clip", values, np.array(-CLIP), np.array(CLIP))
    x = nodes.op("Sub", clipped, origin)
    moved = vectors - origin
    squares = nodes.op("ReduceSum", nodes.op("Mul", x, x), np.array([1], dtype=np.int64), keepdims=1)
    product = nodes.op("MatMul", x, (-2 * moved).T.copy())
    distance = nodes.op("Add", nodes.op("Add", squares, (moved**2).sum(axis=1)[None, :]), product)
    return nodes.op("Exp", nodes.op("Mul", nodes.op("Max", distance, np.array([0.0])), np.array([-gamma])))


def _pair_weights(model: Any) -> Doubles:
    """Support vectors × pairs: each support vector's dual coefficient in each pair's decision, as libsvm has it."""
    dual = np.asarray(model._dual_coef_, dtype=np.float64)
    ends = np.cumsum(model.n_support_)
    of_class = [slice(end - count, end) for end, count in zip(ends, model.n_support_, strict=True)]
    pairs = list(combinations(range(len(ends)), 2))
    weights = np.zeros((dual.shape[1], len(pairs)))
    for column, (i, j) in enumerate(pairs):
        weights[of_class[i], column] = dual[j - 1, of_class[i]]
        weights[of_class[j], column] = dual[i, of_class[j]]
    return weights


def _incidence(classes: int) -> tuple[Doubles, Doubles]:
    """Pairs × classes, twice: 1 where the class is the pair's first, and where it is its second."""
    pairs = list(combinations(range(classes), 2))
    first, second = np.zeros((len(pairs), classes)), np.zeros((len(pairs), classes))
    for row, (i, j) in enumerate(pairs):
        first[row, i] = second[row, j] = 1.0
    return first, second


def _votes(nodes: Nodes, pairs: str, classes: int) -> str:
    """How many pairs each class wins, n × classes; a decision of exactly 0 counts for the second."""
    first, second = _incidence(classes)
    wins = nodes.cast(nodes.op("Greater", pairs, np.array([0.0])))
    return nodes.op("Add", nodes.op("MatMul", wins, first - second), second.sum(axis=0))


def _one_against_rest(nodes: Nodes, pairs: str, classes: int) -> str:
    """scikit-learn's decision function "ovr": votes, and the sum of decisions squeezed into ±1/3 to break ties."""
    first, second = _incidence(classes)
    lost = nodes.cast(nodes.op("Less", pairs, np.array([0.0])))
    votes = nodes.op("Add", nodes.op("MatMul", lost, second - first), first.sum(axis=0))
    total = nodes.op("MatMul", pairs, first - second)
    scale = nodes.op("Mul", nodes.op("Add", nodes.op("Abs", total), np.array([1.0])), np.array([3.0]))
    return nodes.op("Add", votes, nodes.op("Div", total, scale))
