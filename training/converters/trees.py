"""Decision trees as one `TreeEnsemble` (ai.onnx.ml 5) in double: splits, weights and the way of missing values.

skl2onnx loses where scikit-learn sends missing values (sklearn-onnx#1253), and compares in single precision what is
double. Here a tree is the arrays that scikit-learn itself walks:

    at an inner node   x[feature] <= threshold, or x[feature] in members, goes left; a missing value goes left
                       where `missing_left` says so
    at a leaf          a weight, added to the tree's target

scikit-learn's own trees read single precision (`single_precision`), histogram boosting reads doubles as they are.
A leaf of an ensemble has one weight. Where leaves hold a vector (shares of several classes), `leaf_positions` gives
the leaf that each tree ends in, and the vectors are looked up.

https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, numpy_helper

from training.converters.nodes import ML, Nodes
from training.converters.table import Table

LESS_OR_EQUAL, MEMBER = 0, 6
SUM, NO_TRANSFORM = 1, 0

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Tree:
    """Arrays over the nodes of one tree; node 0 is the root. `members[i]`: the values that go left at node i."""

    feature: Ints
    threshold: Doubles
    left: Ints
    right: Ints
    leaf: Flags
    missing_left: Flags
    weight: Doubles
    members: dict[int, Doubles]


def scikit_learn_tree(tree: Any, weight: Doubles) -> Tree:
    """A `sklearn.tree._tree.Tree`, with a weight for each of its nodes."""
    return Tree(
        feature=np.maximum(tree.feature, 0).astype(np.int64),
        threshold=tree.threshold,
        left=tree.children_left,
        right=tree.children_right,
        leaf=tree.children_left == -1,
        missing_left=tree.missing_go_to_left.astype(np.bool_),
        weight=np.asarray(weight, dtype=np.float64),
        members={},
    )


def single_precision(nodes: Nodes, model: Any, table: Table) -> str:
    """Doubles as scikit-learn's trees read them: rounded to single precision; refused where that gives an infinity."""
    single = nodes.cast(table.matrix(nodes, model), TensorProto.FLOAT)
    if table.wild:
        nodes.refuse(nodes.op("IsInf", single))
    return nodes.cast(single, TensorProto.DOUBLE)


def summed(nodes: Nodes, x: str, trees: Sequence[Tree], targets: Sequence[int], count: int) -> str:
    """The sums of the leaves' weights, n × `count`; `targets` says into which sum each tree goes."""
    return nodes.op("TreeEnsemble", x, domain=ML, **_attributes(trees, targets, count))


def leaf_positions(nodes: Nodes, x: str, trees: Sequence[Tree]) -> tuple[str, list[Ints]]:
    """The leaf that each tree ends in, int64 n × trees, counted through all trees; and each tree's leaves in order."""
    leaves = [np.flatnonzero(tree.leaf) for tree in trees]
    starts = np.cumsum([0, *map(len, leaves)])
    numbered = []
    for tree, own, start in zip(trees, leaves, starts[:-1], strict=True):
        weight = np.zeros(len(tree.leaf))
        weight[own] = start + np.arange(len(own))
        numbered.append(replace(tree, weight=weight))
    found = summed(nodes, x, numbered, range(len(trees)), len(trees))
    return nodes.cast(found, TensorProto.INT64), leaves


def _attributes(trees: Sequence[Tree], targets: Sequence[int], count: int) -> dict[str, Any]:
    parts = [_part(tree) for tree in trees]
    inner, outer = (np.cumsum([0, *(len(part[key]) for part in parts)]) for key in ("feature", "weight"))
    members = [value for part in parts for value in part["members"]]
    attributes = {
        "n_targets": count,
        "aggregate_function": SUM,
        "post_transform": NO_TRANSFORM,
        "tree_roots": inner[:-1].tolist(),
        "nodes_modes": numpy_helper.from_array(_joined(parts, "mode").astype(np.uint8)),
        "nodes_featureids": _joined(parts, "feature").tolist(),
        "nodes_splits": numpy_helper.from_array(_joined(parts, "threshold")),
        "nodes_missing_value_tracks_true": _joined(parts, "missing_left").astype(np.int64).tolist(),
        "leaf_targetids": np.repeat(list(targets), [len(part["weight"]) for part in parts]).tolist(),
        "leaf_weights": numpy_helper.from_array(_joined(parts, "weight")),
    }
    for side, name in (("left", "true"), ("right", "false")):
        is_leaf = [part[f"{side}_leaf"] for part in parts]
        places = [
            part[side] + np.where(leaf, outer[i], inner[i])
            for i, (part, leaf) in enumerate(zip(parts, is_leaf, strict=True))
        ]
        attributes[f"nodes_{name}nodeids"] = np.concatenate(places).tolist()
        attributes[f"nodes_{name}leafs"] = np.concatenate(is_leaf).astype(np.int64).tolist()
    return attributes | ({"membership_values": numpy_helper.from_array(np.array(members))} if members else {})


def _joined(parts: list[dict[str, Any]], key: str) -> npt.NDArray[Any]:
    return np.concatenate([part[key] for part in parts])


def _part(tree: Tree) -> dict[str, Any]:
    """One tree's columns of the operator's attributes, with places counted from 0 in this tree."""
    if tree.leaf[0]:
        return _lone_leaf(tree)
    at = np.flatnonzero(~tree.leaf)
    place = np.where(tree.leaf, np.cumsum(tree.leaf) - 1, np.cumsum(~tree.leaf) - 1)
    return {
        "mode": np.array([MEMBER if int(node) in tree.members else LESS_OR_EQUAL for node in at]),
        "feature": tree.feature[at],
        "threshold": np.where([int(node) in tree.members for node in at], 0.0, tree.threshold[at]),
        "missing_left": tree.missing_left[at],
        "left": place[tree.left[at]],
        "right": place[tree.right[at]],
        "left_leaf": tree.leaf[tree.left[at]],
        "right_leaf": tree.leaf[tree.right[at]],
        "weight": tree.weight[tree.leaf],
        # Members of one node follow those of the node before, each list ended by a NaN.
        "members": [v for node in at if int(node) in tree.members for v in (*tree.members[int(node)], np.nan)],
    }


def _lone_leaf(tree: Tree) -> dict[str, Any]:
    """A tree without a split, as a split whose sides are the same leaf: the operator has no tree of a leaf only."""
    zero, yes = np.zeros(1, dtype=np.int64), np.ones(1, dtype=np.bool_)
    return {
        "mode": zero, "feature": zero, "threshold": np.zeros(1), "missing_left": yes, "left": zero, "right": zero,
        "left_leaf": yes, "right_leaf": yes, "weight": tree.weight[:1], "members": [],
    }  # fmt: skip
