"""Single trees, random and extremely randomised forests, isolation forests.

    classifier         mean over the trees of the shares of classes in the leaf       (Breiman, 2001)
    regressor          mean over the trees of the leaf's value
    isolation forest   -2^(-depth ÷ (trees · c)), depth = path length + what the leaf's rows would still need,
                       minus the offset                                      (Liu, Ting and Zhou, 2008)

With two classes one sum is enough, that of the second class. With more, each tree's leaf is found once, and its shares
are looked up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.ensemble._iforest import _average_path_length

from training.converters.nodes import Nodes
from training.converters.prediction import Prediction, at_least, both, largest
from training.converters.table import Table
from training.converters.trees import leaf_positions, scikit_learn_tree, single_precision, summed


def convert_classifier(nodes: Nodes, model: Any, table: Table) -> Prediction:
    """A tree or a forest."""
    trees = getattr(model, "estimators_", [model])
    probabilities = mean_shares(nodes, trees, single_precision(nodes, model, table))
    return Prediction(label=largest(nodes, probabilities), probabilities=probabilities)


def convert_regressor(nodes: Nodes, model: Any, table: Table) -> Prediction:
    """A tree or a forest."""
    trees = getattr(model, "estimators_", [model])
    x = single_precision(nodes, model, table)
    walked = [scikit_learn_tree(tree.tree_, tree.tree_.value[:, 0, 0]) for tree in trees]
    total = summed(nodes, x, walked, [0] * len(trees), 1)
    return Prediction(value=total if len(trees) == 1 else nodes.op("Div", total, np.array([float(len(trees))])))


def convert_isolation(nodes: Nodes, model: Any, table: Table) -> Prediction:
    """Labels -1 (anomaly) and 1, at positions 0 and 1, and the decision function, negative for anomalies."""
    x = single_precision(nodes, model, replace(table, wild=False))  # the one model here that takes infinities
    walked = []
    for i, (tree, features) in enumerate(zip(model.estimators_, model.estimators_features_, strict=True)):
        depth = model._decision_path_lengths[i] + model._average_path_length_per_tree[i] - 1.0
        own = scikit_learn_tree(tree.tree_, depth)
        walked.append(replace(own, feature=np.asarray(features, dtype=np.int64)[own.feature]))
    depths = summed(nodes, x, walked, [0] * len(walked), 1)
    most = len(walked) * float(_average_path_length([model._max_samples])[0])
    if most:
        score = nodes.op("Neg", nodes.op("Pow", np.array([2.0]), nodes.op("Div", depths, np.array([-most]))))
    else:  # of one training row each tree is a leaf, and scikit-learn sets the exponent to -1
        score = nodes.op("Sub", nodes.op("Mul", depths, np.array([0.0])), np.array([0.5]))
    decision = nodes.op("Sub", score, np.array([float(model.offset_)]))
    return Prediction(label=at_least(nodes, decision, 0.0), decision=decision)


def mean_shares(nodes: Nodes, trees: Sequence[Any], x: str) -> str:
    """The mean of the leaves' shares of classes, n × classes."""
    shares = [tree.tree_.value[:, 0, : int(tree.n_classes_)] for tree in trees]
    if shares[0].shape[1] == 2:
        walked = [scikit_learn_tree(tree.tree_, share[:, 1]) for tree, share in zip(trees, shares, strict=True)]
        total = summed(nodes, x, walked, [0] * len(walked), 1)
        return both(nodes, total if len(walked) == 1 else nodes.op("Div", total, np.array([float(len(walked))])))
    walked = [scikit_learn_tree(tree.tree_, np.zeros(tree.tree_.node_count)) for tree in trees]
    positions, leaves = leaf_positions(nodes, x, walked)
    values = np.concatenate([share[own] for share, own in zip(shares, leaves, strict=True)])
    found = nodes.op("Gather", np.ascontiguousarray(values), positions, axis=0)
    return nodes.op("ReduceMean", found, np.array([1], dtype=np.int64), keepdims=0)
