"""`KNeighborsClassifier` and `KNeighborsRegressor`: distances summed feature by feature, as scikit-learn's trees do.

skl2onnx 1.20 scans the training rows one by one (milliseconds a row) and weighs by distance wrongly. Here, for rows x
and training rows t,

    distance² = Σ over features f of (x[:, f] - t[:, f])²      (or absolute differences, or their maximum)

is an n × training matrix that is added up in place; the k smallest are taken, and vote. With weights="distance" a vote
counts 1 ÷ distance, and where a neighbour is at distance 0, only such neighbours count.

Which of several equally distant neighbours is taken, scikit-learn leaves to the order of the training rows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto

from training.converters.nodes import Nodes
from training.converters.prediction import Prediction, largest
from training.converters.table import Table
from training.dense import dense
from training.errors import ExportRefused

ROWS_AT_MOST = 50_000
METRICS = ("euclidean", "manhattan", "chebyshev")


def convert_classifier(nodes: Nodes, model: Any, table: Table) -> Prediction:
    """Labels and probabilities."""
    shares = np.eye(len(model.classes_))[np.asarray(model._y, dtype=np.int64)]
    probabilities = _vote(nodes, model, table, shares)
    return Prediction(label=largest(nodes, probabilities), probabilities=probabilities)


def convert_regressor(nodes: Nodes, model: Any, table: Table) -> Prediction:
    """Values, n × 1."""
    return Prediction(value=_vote(nodes, model, table, np.asarray(model._y, dtype=np.float64).reshape(-1, 1)))


def _vote(nodes: Nodes, model: Any, table: Table, votes: Any) -> str:
    """The weighted mean of the neighbours' rows of `votes` (training rows × columns), n × columns."""
    if model.weights not in ("uniform", "distance", None):
        raise ExportRefused("k-nearest neighbours with a weight function of your own; use 'uniform' or 'distance'")
    k = np.array([model.n_neighbors], dtype=np.int64)
    apart = _distances(nodes, model, table.matrix(nodes, model))
    distances, indices = nodes.ops("TopK", apart, k, outputs=2, axis=1, largest=0)
    chosen = nodes.op("Gather", votes, indices, axis=0)
    if model.weights != "distance":
        return nodes.op("ReduceMean", chosen, np.array([1], np.int64), keepdims=0)
    weights = nodes.op("Unsqueeze", _weights(nodes, distances, model), np.array([2], np.int64))
    total = nodes.op("ReduceSum", weights, np.array([1], np.int64), keepdims=0)
    weighted = nodes.op("ReduceSum", nodes.op("Mul", chosen, weights), np.array([1], np.int64), keepdims=0)
    return nodes.op("Div", weighted, nodes.op("Where", nodes.op("Equal", total, np.zeros(1)), np.ones(1), total))


def _distances(nodes: Nodes, model: Any, x: str) -> str:
    """n × training rows; squared for the Euclidean metric, which has the same order."""
    metric = model.effective_metric_
    if metric not in METRICS:
        raise ExportRefused(f"nearest neighbours by metric {metric!r}; use one of {', '.join(METRICS)}")
    if model.n_samples_fit_ > ROWS_AT_MOST:
        raise ExportRefused(
            f"{type(model).__name__} keeps its {model.n_samples_fit_:,} training rows and looks at all of them for "
            f"each prediction; more than {ROWS_AT_MOST:,} are not exported: a large request would take gigabytes. "
            "Fit it on fewer rows, or use another model"
        )
    training = dense(model._fit_X)
    columns = [nodes.columns(x, [f]) for f in range(training.shape[1])]
    total = ""
    for column, values in zip(columns, training.T, strict=True):
        difference = nodes.op("Sub", column, values[None, :].copy())
        part = nodes.op("Mul", difference, difference) if metric == "euclidean" else nodes.op("Abs", difference)
        total = nodes.op("Max" if metric == "chebyshev" else "Add", total, part) if total else part
    return total


def _weights(nodes: Nodes, distances: str, model: Any) -> str:
    """1 ÷ distance; 1 and 0 in rows that have a neighbour at distance 0."""
    actual = nodes.op("Sqrt", distances) if model.effective_metric_ == "euclidean" else distances
    at_zero = nodes.op("Equal", actual, np.zeros(1))
    hits = nodes.cast(at_zero, TensorProto.DOUBLE)
    hit = nodes.op("Greater", nodes.op("ReduceMax", hits, np.array([1], np.int64), keepdims=1), np.zeros(1))
    return nodes.op("Where", hit, hits, nodes.op("Div", np.ones(1), actual))
