"""Trees are walked as scikit-learn walks them: on thresholds, on their neighbours, and with values missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier

from tests.training.converters.graphs import predicted
from training.data import read_columns
from training.splits import split_rows


def rows(count: int = 400, gaps: bool = False, seed: int = 0) -> Any:
    random = np.random.default_rng(seed)
    X = random.normal(size=(count, 4)) * [1.0, 100.0, 1e-3, 1.0]
    X[:, 3] = random.integers(0, 5, count)
    return np.where(random.random(X.shape) < 0.2, np.nan, X) if gaps else X


def target(X: Any, classes: int) -> Any:
    score = np.nan_to_num(X[:, 0]) + np.nan_to_num(X[:, 1]) / 100 + 0.5 * np.isnan(X[:, 2])
    return np.digitize(score, np.quantile(score, np.linspace(0, 1, classes + 1)[1:-1]))


def beside_splits(model: Any, X: Any) -> Any:
    """Both sides of the model's splits, training rows, and rows without values where the model takes them."""
    found, _ = split_rows(model, X, read_columns(model, X, None), np.random.default_rng(0))
    parts = [found, X]
    if np.isnan(X).any():
        parts.append(np.where(np.random.default_rng(1).random(X.shape) < 0.5, np.nan, X))
    return np.concatenate(parts)


CLASSIFIERS = [
    DecisionTreeClassifier(random_state=0),
    ExtraTreeClassifier(random_state=0),
    RandomForestClassifier(15, random_state=0),
    RandomForestClassifier(15, random_state=0, class_weight="balanced", max_depth=3, min_samples_leaf=5),
    ExtraTreesClassifier(15, random_state=0),
    HistGradientBoostingClassifier(max_iter=15, random_state=0),
]
REGRESSORS = [
    DecisionTreeRegressor(random_state=0),
    RandomForestRegressor(15, random_state=0),
    RandomForestRegressor(10, random_state=0, criterion="poisson"),
    ExtraTreesRegressor(15, random_state=0),
    HistGradientBoostingRegressor(max_iter=15, random_state=0),
    HistGradientBoostingRegressor(max_iter=15, random_state=0, loss="poisson"),
    HistGradientBoostingRegressor(max_iter=15, random_state=0, loss="quantile", quantile=0.3),
]


@pytest.mark.parametrize("gaps", [False, True], ids=["complete", "gaps"])
@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("model", CLASSIFIERS, ids=lambda model: repr(model)[:60])
def test_a_classifier_of_trees_gives_scikit_learns_probabilities(model: Any, classes: int, gaps: bool) -> None:
    X = rows(gaps=gaps)
    model.fit(X, target(X, classes))
    tried = beside_splits(model, X)
    assert len(tried) > len(X)
    assert np.abs(predicted(model, 4, "probabilities")(tried) - model.predict_proba(tried)).max() < 1e-14
    top = np.sort(model.predict_proba(tried), axis=1)
    clear = top[:, -1] - top[:, -2] > 1e-9
    assert (predicted(model, 4, "label")(tried) == model.predict(tried))[clear].all()


@pytest.mark.parametrize("gaps", [False, True], ids=["complete", "gaps"])
@pytest.mark.parametrize("model", REGRESSORS, ids=lambda model: repr(model)[:70])
def test_a_regressor_of_trees_gives_scikit_learns_values(model: Any, gaps: bool) -> None:
    X = rows(gaps=gaps)
    y = np.exp(np.nan_to_num(X[:, 0])) + target(X, 4)
    model.fit(X, y)
    tried = beside_splits(model, X)
    assert predicted(model, 4, "value")(tried).ravel() == pytest.approx(model.predict(tried), rel=1e-13, abs=1e-13)


@pytest.mark.parametrize("loss", ["log_loss", "exponential"])
def test_gradient_boosting_of_two_classes(loss: str) -> None:
    X = rows()
    model = GradientBoostingClassifier(n_estimators=20, loss=loss, random_state=0).fit(X, target(X, 2))
    tried = beside_splits(model, X)
    assert predicted(model, 4, "probabilities")(tried) == pytest.approx(model.predict_proba(tried), abs=1e-14)
    assert (predicted(model, 4, "label")(tried) == model.predict(tried)).all()


@pytest.mark.parametrize("init", [None, "zero"])
def test_gradient_boosting_of_more_classes_and_of_numbers(init: Any) -> None:
    X = rows()
    several = GradientBoostingClassifier(n_estimators=20, init=init, random_state=0).fit(X, target(X, 3))
    tried = beside_splits(several, X)
    assert predicted(several, 4, "probabilities")(tried) == pytest.approx(several.predict_proba(tried), abs=1e-14)
    numbers = GradientBoostingRegressor(n_estimators=20, init=init, loss="huber", random_state=0).fit(X, X[:, 1] ** 2)
    tried = beside_splits(numbers, X)
    assert predicted(numbers, 4, "value")(tried).ravel() == pytest.approx(numbers.predict(tried), rel=1e-13)


@pytest.mark.parametrize("options", [{}, {"max_features": 2}, {"max_samples": 1}, {"contamination": 0.1}], ids=repr)
def test_isolation_forests(options: Any) -> None:
    X = rows()
    model = IsolationForest(n_estimators=20, random_state=0, **options).fit(X)
    tried = beside_splits(model, X)
    decision = model.decision_function(tried)
    assert predicted(model, 4, "decision")(tried).ravel() == pytest.approx(decision, abs=1e-13)
    labels = np.array([-1, 1])[predicted(model, 4, "label")(tried)]
    assert (labels == model.predict(tried))[np.abs(decision) > 1e-9].all()


def test_a_tree_without_a_split_answers_everything_alike() -> None:
    X = rows(20)
    for model in (DecisionTreeRegressor(max_depth=1).fit(X, np.ones(20)), RandomForestRegressor(3).fit(X, np.ones(20))):
        assert predicted(model, 4, "value")(X).ravel().tolist() == [1.0] * 20


@pytest.mark.parametrize("categories", [2, 12, 200])
def test_categories_of_histogram_boosting_are_members_of_sets(categories: int) -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(3_000, 3))
    X[:, 1] = random.integers(0, categories, 3_000)
    X[random.random(3_000) < 0.1, 1] = np.nan
    y = X[:, 0] + np.sin(1e3 * np.nan_to_num(X[:, 1], nan=-5.0)) + random.normal(0, 0.1, 3_000)
    model = HistGradientBoostingRegressor(max_iter=20, categorical_features=[1], random_state=0).fit(X, y)
    tried = X[:1_000].copy()
    tried[:400, 1] = random.choice([-1.0, 0.5, categories + 3.0, 1e9, -0.0, np.nan], 400)
    assert predicted(model, 3, "value")(tried).ravel() == pytest.approx(model.predict(tried), rel=1e-13, abs=1e-13)


def test_a_split_of_missing_values_from_all_categories() -> None:
    X = np.array([[0.0], [1.0], [2.0], [np.nan]] * 50)
    model = HistGradientBoostingRegressor(max_iter=3, categorical_features=[0], min_samples_leaf=5)
    model.fit(X, np.isnan(X[:, 0]).astype(float))
    assert predicted(model, 1, "value")(X).ravel() == pytest.approx(model.predict(X), rel=1e-13, abs=1e-13)


FOREST_ROWS = rows(gaps=True)
FOREST = RandomForestClassifier(10, random_state=0).fit(FOREST_ROWS, target(FOREST_ROWS, 3))
FOREST_GRAPH = predicted(FOREST, 4, "probabilities")
NUMBERS = st.floats(-1e30, 1e30) | st.just(np.nan) | st.sampled_from(FOREST_ROWS.ravel().tolist())


@settings(max_examples=100, deadline=None)
@given(row=st.lists(NUMBERS, min_size=4, max_size=4))
def test_any_row_of_numbers_and_gaps_ends_in_the_same_leaves(row: list[float]) -> None:
    assert FOREST_GRAPH([row]) == pytest.approx(FOREST.predict_proba([row]), abs=1e-14)
