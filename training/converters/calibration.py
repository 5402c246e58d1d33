"""`CalibratedClassifierCV`: the mean over folds of calibrated scores.

    sigmoid       1 ÷ (1 + exp(a · score + b))                     (Platt, 1999)
    isotonic      a line between the steps that were fitted, flat outside   (Zadrozny and Elkan, 2002)
    temperature   softmax(β · logits)                              (Guo et al., 2017)

The score is the decision function where the model has one, else its probabilities. With more than two classes each
class is calibrated apart and the shares are brought to 1; where all are 0 the classes share equally.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from training.converters.dispatch import predict
from training.converters.interpolation import interpolate
from training.converters.nodes import Nodes
from training.converters.prediction import Prediction, both, largest
from training.converters.table import Table
from training.errors import ExportRefused

LEAST = 1e-12  # what scikit-learn adds to probabilities before it takes their logarithm


def convert_calibrated(nodes: Nodes, model: Any, table: Table) -> Prediction:
    """Labels and probabilities."""
    folds = [_fold(nodes, fold, table) for fold in model.calibrated_classifiers_]
    total = folds[0] if len(folds) == 1 else nodes.op("Sum", *folds)
    mean = nodes.op("Div", total, np.array([float(len(folds))]))
    return Prediction(label=largest(nodes, mean), probabilities=mean)


def _fold(nodes: Nodes, fold: Any, table: Table) -> str:
    """One fold's probabilities, n × classes."""
    classes = len(fold.classes)
    if len(fold.estimator.classes_) != classes:
        raise ExportRefused("a fold of CalibratedClassifierCV has not seen every class; use fewer folds")
    answer = predict(nodes, fold.estimator, table)
    if fold.method == "temperature":
        return _temperature(nodes, answer, float(fold.calibrators[0].beta_), classes)
    if classes == 2:
        positive = answer.decision
        if positive is None:
            assert answer.probabilities is not None, "a classifier has a decision function or probabilities"
            positive = nodes.columns(answer.probabilities, [1])
        return both(nodes, _calibrated(nodes, positive, fold.calibrators[0], fold.method))
    scores = answer.decision or answer.probabilities
    assert scores is not None, "a classifier has a decision function or probabilities"
    shares = [
        _calibrated(nodes, nodes.columns(scores, [i]), calibrator, fold.method)
        for i, calibrator in enumerate(fold.calibrators)
    ]
    return _normalised(nodes, nodes.concat(shares), classes)


def _calibrated(nodes: Nodes, score: str, calibrator: Any, method: str) -> str:
    if method == "sigmoid":
        scaled = nodes.op("Mul", score, np.array([-float(calibrator.a_)]))
        return nodes.op("Sigmoid", nodes.op("Sub", scaled, np.array([float(calibrator.b_)])))
    x = np.asarray(calibrator.X_thresholds_, dtype=np.float64)
    return interpolate(nodes, score, x, np.asarray(calibrator.y_thresholds_, dtype=np.float64))


def _normalised(nodes: Nodes, shares: str, classes: int) -> str:
    total = nodes.op("ReduceSum", shares, np.array([1], dtype=np.int64), keepdims=1)
    none = nodes.op("Equal", total, np.zeros(1))
    share = nodes.op("Div", shares, nodes.op("Where", none, np.ones(1), total))
    return nodes.op("Where", none, np.array([1 / classes]), share)


def _temperature(nodes: Nodes, answer: Prediction, inverse: float, classes: int) -> str:
    if answer.decision is not None:
        logits = answer.decision
        if classes == 2:
            logits = nodes.concat([nodes.op("Neg", logits), logits])
    else:
        assert answer.probabilities is not None, "a classifier has a decision function or probabilities"
        logits = nodes.op("Log", nodes.op("Add", answer.probabilities, np.array([LEAST])))
    return nodes.op("Softmax", nodes.op("Mul", logits, np.array([inverse])), axis=1)
