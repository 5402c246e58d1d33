"""Linear classifiers that skl2onnx converts in single precision, wrongly, or in another shape.

`LinearSVC`, `RidgeClassifier` and `RidgeClassifierCV` give a decision function; scikit-learn decides by its sign, or by
the largest of several. `LinearDiscriminantAnalysis` of two classes gives the logistic function of its decision
(skl2onnx 1.20 takes the softmax), of more classes the softmax.

    decision = x · coefᵀ + intercept
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto

from training.converters.nodes import Nodes


def convert_decision(scope: Any, operator: Any, container: Any) -> None:
    """Labels, and the decision function: n × classes, that of two classes negated and as it is."""
    nodes = Nodes(scope, operator, container)
    decision = _decision(nodes, operator.raw_operator)
    classes = len(operator.raw_operator.classes_)
    nodes.label(winner(nodes, decision, classes))
    nodes.output(1, decision if classes > 2 else nodes.op("Concat", nodes.op("Neg", decision), decision, axis=1))


def convert_discriminant(scope: Any, operator: Any, container: Any) -> None:
    """Labels and probabilities of a linear discriminant analysis."""
    nodes = Nodes(scope, operator, container)
    decision = _decision(nodes, operator.raw_operator)
    classes = len(operator.raw_operator.classes_)
    nodes.label(winner(nodes, decision, classes))
    if classes > 2:
        nodes.output(1, nodes.op("Softmax", decision, axis=1))
        return
    positive = nodes.op("Sigmoid", decision)
    nodes.output(1, nodes.op("Concat", nodes.op("Sub", np.array([1.0]), positive), positive, axis=1))


def winner(nodes: Nodes, decision: str, classes: int) -> str:
    """Class positions, int64 [n]: the second of two classes where the decision is above 0, or the largest's."""
    if classes > 2:
        return nodes.op("ArgMax", decision, axis=1, keepdims=0)
    above = nodes.op("Greater", decision, np.array([0.0]))
    return nodes.op("Reshape", nodes.cast(above, TensorProto.INT64), np.array([-1], dtype=np.int64))


def _decision(nodes: Nodes, model: Any) -> str:
    coefficients = np.atleast_2d(np.asarray(model.coef_, dtype=np.float64))
    product = nodes.op("MatMul", nodes.input, np.ascontiguousarray(coefficients.T))
    return nodes.op("Add", product, np.atleast_1d(np.asarray(model.intercept_, dtype=np.float64)))
