"""Rows beside splits: neighbours in the input that scikit-learn sends to different sides, whatever stands between."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, PowerTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from tests.training.problems import numbers
from training.columns import NumberColumn
from training.data import Columns, read_columns
from training.rounding import splits_on_rounded_values
from training.splits import split_rows

PROBLEM = numbers(rows=600)
X, Y = PROBLEM.X_train, PROBLEM.y_train


def pairs(pipeline: Any, columns: Columns | None = None, training: Any = X) -> Any:
    """Pairs × 2 × features."""
    found, origins = split_rows(
        pipeline, training, columns or read_columns(pipeline, training, None), np.random.default_rng(0)
    )
    assert len(found) == len(origins)
    return found.reshape(-1, 2, training.shape[1])


@pytest.mark.parametrize(
    "before",
    [[], [StandardScaler()], [PowerTransformer()], [StandardScaler(), PCA(3)], [FunctionTransformer(np.tanh)]],
    ids=repr,
)
def test_the_two_rows_of_a_pair_are_neighbours_and_end_in_different_leaves(before: list[Any]) -> None:
    pipeline = make_pipeline(*before, DecisionTreeClassifier(random_state=0)).fit(X, Y)
    found = pairs(pipeline)
    splits = int((pipeline[-1].tree_.children_left >= 0).sum())
    assert len(found) >= 0.5 * splits > 3
    differs = found[:, 0] != found[:, 1]
    assert (differs.sum(axis=1) == 1).all()
    low, high = found[:, 0][differs], found[:, 1][differs]
    assert (np.nextafter(low, high) == high).all()
    prepared = [pipeline[:-1].transform(found[:, side]) if before else found[:, side] for side in (0, 1)]
    assert (pipeline[-1].tree_.threshold[:, None, None].size) > 0
    sides = [np.asarray(rows, dtype=np.float32) for rows in prepared]
    assert (sides[0] != sides[1]).any(axis=1).all()


def test_whole_numbers_stay_whole() -> None:
    whole = np.round(X * 10)
    pipeline = make_pipeline(StandardScaler(), RandomForestClassifier(5, random_state=0)).fit(whole, Y)
    columns = Columns(tuple(NumberColumn(f"x{i}", "integer") for i in range(4)), None)
    found = pairs(pipeline, columns, whole)
    assert len(found) > 20
    assert (found == np.rint(found)).all()
    assert (np.abs(found[:, 0] - found[:, 1]).sum(axis=1) == 1).all()


@pytest.mark.parametrize(
    "model",
    [
        HistGradientBoostingClassifier(max_iter=10, random_state=0),
        GradientBoostingRegressor(n_estimators=10, random_state=0),
        IsolationForest(n_estimators=10, random_state=0),
        IsolationForest(n_estimators=10, max_features=2, random_state=0),
        VotingClassifier([("forest", RandomForestClassifier(5)), ("logistic", LogisticRegression())], voting="soft"),
        CalibratedClassifierCV(make_pipeline(StandardScaler(), RandomForestClassifier(5)), cv=3),
    ],
    ids=lambda model: type(model).__name__,
)
def test_trees_are_found_in_every_kind_of_model(model: Any) -> None:
    assert len(pairs(make_pipeline(StandardScaler(), model).fit(X, Y))) > 10


def test_models_without_trees_have_no_splits() -> None:
    assert len(pairs(make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y))) == 0


def test_a_last_bit_matters_only_behind_arithmetic_that_does_not_fix_it() -> None:
    forest, logistic = RandomForestClassifier(3, random_state=0), LogisticRegression()
    stack = StackingClassifier([("logistic", logistic)], final_estimator=forest, cv=3)
    cases = [
        (make_pipeline(StandardScaler(), forest), False),
        (make_pipeline(FunctionTransformer(np.sqrt), forest), False),
        (make_pipeline(FunctionTransformer(np.tanh), forest), True),
        (make_pipeline(StandardScaler(), PCA(2), forest), True),
        (make_pipeline(StandardScaler(), PCA(2), logistic), False),
        (make_pipeline(PCA(2), CalibratedClassifierCV(forest, cv=2)), True),
        (make_pipeline(StandardScaler(), stack), True),
        (make_pipeline(PowerTransformer(), VotingClassifier([("f", forest), ("l", logistic)])), True),
    ]
    positive = np.abs(X)
    for pipeline, expected in cases:
        assert splits_on_rounded_values(pipeline.fit(positive, Y)) is expected, pipeline
