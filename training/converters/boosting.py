"""Gradient boosting and histogram gradient boosting (Friedman, 2001).

    raw = what the model starts from + Σ over the trees of leaf value · learning rate

and the loss's link makes of it a value, or probabilities. Gradient boosting's trees read single precision; histogram
boosting's read doubles, with categories first, as its own ordinal encoder gives them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.dummy import DummyClassifier, DummyRegressor

from training.converters.dispatch import transform
from training.converters.nodes import Nodes
from training.converters.prediction import Prediction, above, at_least, both, largest
from training.converters.table import Table
from training.converters.trees import Tree, scikit_learn_tree, single_precision, summed
from training.errors import ExportRefused

EPSILON = float(np.finfo(np.float64).eps)


def convert_gradient_classifier(nodes: Nodes, model: Any, table: Table) -> Prediction:
    """Labels, probabilities and raw sums."""
    raw = _gradient_sums(nodes, model, table)
    if len(model.classes_) > 2:
        return _several_classes(nodes, raw)
    scaled = nodes.op("Mul", raw, np.array([2.0])) if model.loss == "exponential" else raw
    return Prediction(
        label=at_least(nodes, raw, 0.0),  # zero itself is for the second class
        probabilities=both(nodes, nodes.op("Sigmoid", scaled)),
        decision=raw,
    )


def convert_gradient_regressor(nodes: Nodes, model: Any, table: Table) -> Prediction:
    """Values."""
    return Prediction(value=_gradient_sums(nodes, model, table))


def convert_histogram_classifier(nodes: Nodes, model: Any, table: Table) -> Prediction:
    """Labels, probabilities and raw sums."""
    raw = _histogram_sums(nodes, model, table)
    if len(model.classes_) > 2:
        return _several_classes(nodes, raw)
    return Prediction(label=above(nodes, raw, 0.0), probabilities=both(nodes, nodes.op("Sigmoid", raw)), decision=raw)


def convert_histogram_regressor(nodes: Nodes, model: Any, table: Table) -> Prediction:
    """Values: the sums, or their exponential where the loss has a logarithmic link."""
    raw = _histogram_sums(nodes, model, table)
    link = type(model._loss.link).__name__
    if link not in ("IdentityLink", "LogLink"):
        raise ExportRefused(f"HistGradientBoostingRegressor with the link {link} is not supported; use another loss")
    return Prediction(value=nodes.op("Exp", raw) if link == "LogLink" else raw)


def _several_classes(nodes: Nodes, raw: str) -> Prediction:
    return Prediction(label=largest(nodes, raw), probabilities=nodes.op("Softmax", raw, axis=1), decision=raw)


def _gradient_sums(nodes: Nodes, model: Any, table: Table) -> str:
    """n × 1, or n × classes where there are more than two."""
    if not isinstance(model.init_, str) and not isinstance(model.init_, DummyClassifier | DummyRegressor):
        raise ExportRefused(
            f"{type(model).__name__} that starts from a model of its own (init={type(model.init_).__name__}) is not "
            "supported; leave init out"
        )
    x = single_precision(nodes, model, table)
    start = np.asarray(model._raw_predict_init(np.zeros((1, model.n_features_in_), dtype=np.float32)), np.float64)
    columns = model.estimators_.shape[1]
    trees = [
        scikit_learn_tree(tree.tree_, tree.tree_.value[:, 0, 0] * model.learning_rate)
        for tree in model.estimators_.ravel()
    ]
    targets = [i % columns for i in range(len(trees))]
    return nodes.op("Add", summed(nodes, x, trees, targets, columns), start)


def _histogram_sums(nodes: Nodes, model: Any, table: Table) -> str:
    x = table if model._preprocessor is None else transform(nodes, model._preprocessor, table)
    trees, targets = [], []
    for iteration in model._predictors:
        for column, predictor in enumerate(iteration):
            trees.append(_histogram_tree(predictor))
            targets.append(column)
    if x.rounded:
        trees = _beyond_training_values(trees, x.rounded)
    start = np.asarray(model._baseline_prediction, dtype=np.float64).reshape(1, -1)
    if not trees:
        raise ExportRefused(f"{type(model).__name__} has no tree; fit it with max_iter of at least 1")
    return nodes.op("Add", summed(nodes, x.matrix(nodes, model), trees, targets, start.shape[1]), start)


def _beyond_training_values(trees: list[Tree], rounded: frozenset[int]) -> list[Tree]:
    """Thresholds a few last bits higher: they often are training values themselves, which go left when equal.

    Where the preparation of a column has other last bits than scikit-learn's, an ordinary training value would go right
    half of the time. The margin ends half-way to the column's next threshold.
    """
    places = [np.flatnonzero(~tree.leaf) for tree in trees]
    columns = np.concatenate([tree.feature[at] for tree, at in zip(trees, places, strict=True)])
    thresholds = np.concatenate([tree.threshold[at] for tree, at in zip(trees, places, strict=True)])
    moved = thresholds.copy()
    for column in rounded.intersection(columns.tolist()):
        own = np.unique(thresholds[(columns == column) & np.isfinite(thresholds)])
        if len(own):
            margin = EPSILON * (8 * np.abs(own) + np.abs(own).max())
            higher = np.minimum(own + margin, np.append(own[:-1] / 2 + own[1:] / 2, np.inf))
            of_column = (columns == column) & np.isfinite(thresholds)
            moved[of_column] = higher[np.searchsorted(own, thresholds[of_column])]
    ends = np.cumsum([0, *map(len, places)])
    found = []
    for tree, at, start, end in zip(trees, places, ends[:-1], ends[1:], strict=True):
        threshold = tree.threshold.copy()
        threshold[at] = moved[start:end]
        found.append(replace(tree, threshold=threshold))
    return found


def _histogram_tree(predictor: Any) -> Tree:
    """Values that are in no category of training are missing already, by the model's own encoder."""
    given = predictor.nodes
    leaf = given["is_leaf"].astype(np.bool_)
    categorical = np.flatnonzero(given["is_categorical"].astype(np.bool_) & ~leaf)
    return Tree(
        feature=np.where(leaf, 0, given["feature_idx"]).astype(np.int64),
        threshold=given["num_threshold"].astype(np.float64),
        left=given["left"].astype(np.int64),
        right=given["right"].astype(np.int64),
        leaf=leaf,
        missing_left=given["missing_go_to_left"].astype(np.bool_),
        weight=given["value"].astype(np.float64),
        members={
            int(node): _members(predictor.raw_left_cat_bitsets[given["bitset_idx"][node]]) for node in categorical
        },
    )


def _members(bits: npt.NDArray[np.uint32]) -> npt.NDArray[np.float64]:
    """The numbers whose bit is set, of eight words of 32 bits; -1, which no category has, for an empty set.

    Where a split keeps missing values apart from all categories, its set is empty, which ONNX Runtime refuses.
    """
    found = np.flatnonzero(np.unpackbits(bits.astype("<u4").view(np.uint8), bitorder="little"))
    return found.astype(np.float64) if len(found) else np.array([-1.0])
