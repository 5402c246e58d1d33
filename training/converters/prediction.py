"""What a converted model says about each row, in the forms that other models and the graph's outputs want."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from onnx import TensorProto

from training.converters.nodes import Nodes


@dataclass(frozen=True)
class Prediction:
    """Names of tensors. A regressor has a value, a classifier the others as far as scikit-learn has them."""

    value: str | None = None  # double [n, 1]
    label: str | None = None  # int64 [n], position in `classes_`
    probabilities: str | None = None  # double [n, classes]
    decision: str | None = None  # double [n, 1] of two classes, [n, classes] of more


def winner(nodes: Nodes, scores: str, classes: int) -> str:
    """Class positions, int64 [n]: the second of two classes where the one score is above 0, or the largest's."""
    return largest(nodes, scores) if classes > 2 else above(nodes, scores, 0.0)


def largest(nodes: Nodes, scores: str) -> str:
    """Position of each row's largest score, the first of several, int64 [n]."""
    return nodes.op("ArgMax", scores, axis=1, keepdims=0)


def above(nodes: Nodes, score: str, threshold: float) -> str:
    """1 where the score [n, 1] is above the threshold, else 0, int64 [n]."""
    return nodes.flat(nodes.cast(nodes.op("Greater", score, np.array([threshold])), TensorProto.INT64))


def at_least(nodes: Nodes, score: str, threshold: float) -> str:
    """1 where the score [n, 1] reaches the threshold, else 0, int64 [n]."""
    return nodes.flat(nodes.cast(nodes.op("GreaterOrEqual", score, np.array([threshold])), TensorProto.INT64))


def both(nodes: Nodes, positive: str) -> str:
    """Probabilities of two classes from that of the second, [n, 1]."""
    return nodes.concat([nodes.op("Sub", np.array([1.0]), positive), positive])


def from_decision(nodes: Nodes, decision: str, classes: int) -> Prediction:
    """Labels by sign or size, probabilities by the logistic function or the softmax."""
    label = winner(nodes, decision, classes)
    if classes > 2:
        return Prediction(label=label, decision=decision, probabilities=nodes.op("Softmax", decision, axis=1))
    return Prediction(label=label, decision=decision, probabilities=both(nodes, nodes.op("Sigmoid", decision)))
