"""Rows on both sides of a tree's splits: neighbouring doubles of an input, between which scikit-learn changes sides.

A wrong conversion of a tree shows where a value lies on a threshold to the last bit. Between the input and the tree
there may be any preparation (a scaler, a logarithm, principal components), so thresholds are brought back by search:
in a training row one input is moved between two training values that end up on different sides of the threshold, and
bisected until no double lies between. What decides is scikit-learn's own preparation, not ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.pipeline import Pipeline

from training.data import Columns, Doubles
from training.dense import dense

TARGETS = 1_000  # splits that are looked for, drawn from all
CANDIDATES = 24  # values of the input that are tried for each
STEPS = 1_100  # of bisection at most; from 1 to its neighbour it takes 52, from 0 to the smallest double 1,075

Prepare = Callable[[Doubles], Doubles]


@dataclass(frozen=True)
class _Trees:
    """Splits of one model: columns and thresholds in the space that its trees see, and the way there."""

    prepare: Prepare
    columns: npt.NDArray[np.int64]
    thresholds: Doubles


def split_rows(
    pipeline: Any, training: Doubles, columns: Columns, random: np.random.Generator
) -> tuple[Doubles, list[str]]:
    """Rows in pairs, and how each was made; none for a pipeline without trees, or where no input reaches a split."""
    found, origins = [], []
    models = list(_models(pipeline, columns.rows))
    for trees in models:
        share = max(1, TARGETS // len(models))
        pairs, inputs = _pairs(trees, training, columns, share, random)
        found.append(pairs)
        origins += [f"{columns.names[i]} beside a split" for i in inputs for _ in range(2)]
    return (np.concatenate(found) if found else np.empty((0, training.shape[1]))), origins


def has_splits(model: Any) -> bool:
    """Whether the model itself compares a value with thresholds, so that a last bit may change its answer a lot."""
    return _own_trees(model) is not None


def inner_models(model: Any) -> list[Any]:
    """The models that a model of models asks, all with the same columns."""
    if hasattr(model, "calibrated_classifiers_"):
        return [fold.estimator for fold in model.calibrated_classifiers_]
    for name in ("best_estimator_", "estimator_"):
        if hasattr(model, name) and not isinstance(getattr(model, name), str):
            return [getattr(model, name)]
    many = getattr(model, "estimators_", None)
    return [each for each in many if not isinstance(each, str)] if isinstance(many, list) else []


def _models(model: Any, prepare: Callable[[Any], Any]) -> Iterator[_Trees]:
    """Every tree-based model within, with what stands before it."""
    if isinstance(model, Pipeline):
        before, final = model[:-1], model.steps[-1][1]
        yield from _models(final, _after(prepare, before.transform) if len(model.steps) > 1 else prepare)
        return
    own = _own_trees(model)
    if own is None:
        for inner in inner_models(model):
            yield from _models(inner, prepare)
        return
    single, columns, thresholds = own
    encoder = getattr(model, "_preprocessor", None)
    if encoder is not None:
        prepare = _after(prepare, encoder.transform)
    if len(columns):
        yield _Trees(_after(prepare, _as_single if single else dense), columns, thresholds)


def _after(first: Callable[[Any], Any], second: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda rows: second(first(rows))


def _as_single(rows: Any) -> Doubles:
    return dense(rows).astype(np.float32).astype(np.float64)


def _own_trees(model: Any) -> tuple[bool, npt.NDArray[np.int64], Doubles] | None:
    """Whether the trees read single precision, and their distinct splits; None for a model without trees."""
    if hasattr(model, "_predictors"):
        nodes = np.concatenate([predictor.nodes for iteration in model._predictors for predictor in iteration])
        inner = (nodes["is_leaf"] == 0) & (nodes["is_categorical"] == 0)
        return False, *_distinct(nodes["feature_idx"][inner], nodes["num_threshold"][inner])
    many = getattr(model, "estimators_", [])
    trees = [model] if hasattr(model, "tree_") else many.ravel().tolist() if isinstance(many, np.ndarray) else many
    if not trees or not all(hasattr(tree, "tree_") for tree in trees):
        return None
    chosen = getattr(model, "estimators_features_", [None] * len(trees))
    features, thresholds = [], []
    for tree, subset in zip(trees, chosen, strict=True):
        inner = tree.tree_.children_left >= 0
        feature = tree.tree_.feature[inner]
        features.append(feature if subset is None else np.asarray(subset)[feature])
        thresholds.append(tree.tree_.threshold[inner])
    return True, *_distinct(np.concatenate(features), np.concatenate(thresholds))


def _distinct(features: npt.NDArray[Any], thresholds: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int64], Doubles]:
    pairs = np.unique(np.column_stack([features.astype(np.float64), thresholds.astype(np.float64)]), axis=0)
    pairs = pairs[np.isfinite(pairs[:, 1])]
    return pairs[:, 0].astype(np.int64), pairs[:, 1]


def _pairs(
    trees: _Trees, training: Doubles, columns: Columns, count: int, random: np.random.Generator
) -> tuple[Doubles, npt.NDArray[np.int64]]:
    """Pairs of rows that differ in one input by one double (or one whole number), on both sides of a split."""
    at = random.permutation(len(trees.columns))[:count]
    column, threshold = trees.columns[at], trees.thresholds[at]
    movable = np.flatnonzero([kind in ("float", "integer") for kind in columns.types])
    reach = _reach(trees, training, movable, random)[:, column]
    reached = reach.any(axis=0)
    column, threshold, reach = column[reached], threshold[reached], reach[:, reached]
    if not len(column):
        return np.empty((0, training.shape[1])), np.empty(0, dtype=np.int64)
    inputs = movable[(random.random(reach.shape) * reach).argmax(axis=0)]
    rows = training[random.integers(len(training), size=len(column))].copy()
    search = _Search(trees, column, threshold, rows, inputs)
    low, high, both = search.bracket(training, random)
    search = search.some(both)
    whole = np.array([columns.types[i] == "integer" for i in inputs[both]], dtype=np.bool_)
    low, high = search.bisect(low[both], high[both], whole)
    made = np.repeat(search.rows, 2, axis=0)
    made[np.arange(len(made)), np.repeat(search.inputs, 2)] = np.column_stack([low, high]).ravel()
    return made, search.inputs


def _reach(
    trees: _Trees, training: Doubles, movable: npt.NDArray[Any], random: np.random.Generator
) -> npt.NDArray[Any]:
    """Which inputs change which prepared columns, found by exchanging an input between some rows."""
    some = training[random.integers(len(training), size=16)]
    before = trees.prepare(some)
    reach = np.zeros((len(movable), before.shape[1]), dtype=np.bool_)
    for k, i in enumerate(movable):
        changed = some.copy()
        changed[:, i] = training[random.integers(len(training), size=16), i]
        reach[k] = (trees.prepare(changed) != before).any(axis=0)
    return reach


@dataclass(frozen=True)
class _Search:
    """For each target: a column and a threshold behind the preparation, a row, and the input that is moved in it."""

    trees: _Trees
    column: npt.NDArray[np.int64]
    threshold: Doubles
    rows: Doubles
    inputs: npt.NDArray[np.int64]

    def some(self, kept: npt.NDArray[np.bool_]) -> _Search:
        """The targets that are kept."""
        return _Search(self.trees, self.column[kept], self.threshold[kept], self.rows[kept], self.inputs[kept])

    def goes_left(self, value: Doubles) -> npt.NDArray[np.bool_]:
        """Whether each row, with its input at `value`, goes left at its split."""
        moved = self.rows.copy()
        moved[np.arange(len(moved)), self.inputs] = value
        seen = self.trees.prepare(moved)[np.arange(len(moved)), self.column]
        return np.asarray(seen <= self.threshold)

    def bracket(self, training: Doubles, random: np.random.Generator) -> tuple[Doubles, Doubles, npt.NDArray[np.bool_]]:
        """Two training values of each input that go left and right, and where there are two."""
        left, right = np.full(len(self.inputs), np.nan), np.full(len(self.inputs), np.nan)
        for _ in range(CANDIDATES):
            value = training[random.integers(len(training), size=len(self.inputs)), self.inputs]
            there = ~np.isnan(value)
            goes_left = self.goes_left(np.where(there, value, 0.0))
            left = np.where(there & goes_left, value, left)
            right = np.where(there & ~goes_left, value, right)
        return left, right, ~np.isnan(left) & ~np.isnan(right)

    def bisect(self, left: Doubles, right: Doubles, whole: npt.NDArray[np.bool_]) -> tuple[Doubles, Doubles]:
        """Neighbouring doubles (whole numbers where `whole`), of which the first goes left and the second does not."""
        for _ in range(STEPS):
            middle = left / 2 + right / 2
            middle = np.where(whole, np.floor(middle), middle)
            open_ = (middle != left) & (middle != right)
            if not open_.any():
                break
            goes_left = self.goes_left(np.where(open_, middle, left))
            left = np.where(open_ & goes_left, middle, left)
            right = np.where(open_ & ~goes_left, middle, right)
        return left, right
