"""Models made of models answer as scikit-learn's, whatever stands inside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, TunedThresholdClassifierCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC, LinearSVC, OneClassSVM
from sklearn.tree import DecisionTreeClassifier

from tests.training.converters.graphs import predicted
from training.candidates.anomaly import AnomalyClassifier
from training.converters.dispatch import predict
from training.converters.nodes import Nodes
from training.converters.table import Numbers, Table
from training.errors import ExportRefused

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(300, 4)) * [1, 10, 0.1, 1]
ROWS = np.concatenate([X, RANDOM.normal(size=(300, 4)) * [3, 30, 0.3, 3]])
SCORE = X[:, 0] + X[:, 1] / 10 + RANDOM.normal(0, 0.3, 300)


def labels(classes: int) -> Any:
    found = np.digitize(SCORE, np.quantile(SCORE, np.linspace(0, 1, classes + 1)[1:-1]))
    return np.array(["no", "yes", "maybe"])[found]


def logistic() -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression())


def forest() -> Any:
    return RandomForestClassifier(8, random_state=0)


MEMBERS = [("logistic", logistic()), ("forest", forest()), ("bayes", GaussianNB())]
PROBABILITIES = [
    CalibratedClassifierCV(LinearSVC(), cv=3),
    CalibratedClassifierCV(LinearSVC(), cv=3, method="isotonic"),
    CalibratedClassifierCV(LinearSVC(), cv=3, method="temperature"),
    CalibratedClassifierCV(forest(), cv=3, method="isotonic"),
    CalibratedClassifierCV(forest(), cv=3, method="temperature"),
    CalibratedClassifierCV(GaussianNB(), cv=3, ensemble=False),
    CalibratedClassifierCV(make_pipeline(MinMaxScaler(), SVC()), cv=3),
    CalibratedClassifierCV(FrozenEstimator(forest().fit(X, labels(2)))),
    VotingClassifier(MEMBERS, voting="soft"),
    VotingClassifier(MEMBERS, voting="soft", weights=[3, 1.5, 1]),
    VotingClassifier([*MEMBERS, ("gone", "drop")], voting="soft"),
    StackingClassifier(MEMBERS, cv=3),
    StackingClassifier([*MEMBERS, ("svm", LinearSVC())], cv=3, passthrough=True, final_estimator=forest()),
    StackingClassifier(MEMBERS, cv=3, stack_method="predict"),
    BaggingClassifier(logistic(), 5, random_state=0),
    BaggingClassifier(DecisionTreeClassifier(max_depth=4), 8, max_features=0.6, random_state=0),
    GridSearchCV(logistic(), {"logisticregression__C": [0.1, 10.0]}, cv=3),
    make_pipeline(
        StandardScaler(),
        VotingClassifier([("a", logistic()), ("b", HistGradientBoostingClassifier(max_iter=5))], voting="soft"),
    ),
]


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("model", PROBABILITIES, ids=lambda model: "".join(repr(model).split())[:80])
def test_probabilities_and_labels(model: Any, classes: int) -> None:
    if "FrozenEstimator" in repr(model) and classes == 3:
        model = CalibratedClassifierCV(FrozenEstimator(forest().fit(X, labels(3))))
    model.fit(X, labels(classes))
    expected = model.predict_proba(ROWS)
    assert predicted(model, 4, "probabilities")(ROWS) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    top = np.sort(expected, axis=1)
    clear = top[:, -1] - top[:, -2] > 1e-9
    assert clear.sum() > 300
    found = model.classes_[predicted(model, 4, "label")(ROWS)]
    assert (found == model.predict(ROWS))[clear].all()


@pytest.mark.parametrize(
    "model",
    [
        VotingRegressor([("a", Ridge()), ("b", RandomForestRegressor(5, random_state=0))], weights=[1, 2]),
        StackingRegressor([("a", Ridge()), ("b", RandomForestRegressor(5, random_state=0))], cv=3, passthrough=True),
        StackingRegressor([("a", Ridge())], cv=3, final_estimator=LinearRegression()),
        BaggingRegressor(Ridge(), 5, max_features=3, random_state=0),
    ],
    ids=lambda model: "".join(repr(model).split())[:60],
)
def test_values(model: Any) -> None:
    model.fit(X, SCORE)
    assert predicted(model, 4, "value")(ROWS).ravel() == pytest.approx(model.predict(ROWS), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    "model",
    [
        FixedThresholdClassifier(logistic(), threshold=0.8),
        FixedThresholdClassifier(logistic(), threshold=0.8, pos_label="no"),
        FixedThresholdClassifier(logistic(), threshold=-1.5, response_method="decision_function"),
        FixedThresholdClassifier(logistic(), threshold=-1.5, response_method="decision_function", pos_label="no"),
        FixedThresholdClassifier(forest()),
        TunedThresholdClassifierCV(logistic(), scoring="balanced_accuracy", cv=3, random_state=0),
        TunedThresholdClassifierCV(forest(), scoring="balanced_accuracy", cv=3, response_method="predict_proba"),
    ],
    ids=lambda model: "".join(repr(model).split())[:90],
)
def test_a_threshold_decides_the_label(model: Any) -> None:
    model.fit(X, labels(2))
    labelled = model.classes_[predicted(model, 4, "label")(ROWS)]
    assert labelled.tolist() == model.predict(ROWS).tolist()
    assert predicted(model, 4, "probabilities")(ROWS) == pytest.approx(model.predict_proba(ROWS), abs=1e-13)


def test_a_one_class_machine_says_inside_or_outside() -> None:
    for model in (OneClassSVM(nu=0.1), OneClassSVM(kernel="poly", nu=0.3), OneClassSVM(kernel="sigmoid", nu=0.2)):
        model.fit(X)
        decision = model.decision_function(ROWS)
        assert predicted(model, 4, "decision")(ROWS).ravel() == pytest.approx(decision, rel=1e-9, abs=1e-9)
        found = np.array([-1, 1])[predicted(model, 4, "label")(ROWS)]
        assert (found == model.predict(ROWS))[np.abs(decision) > 1e-9].all()


def test_a_threshold_on_a_model_without_probabilities() -> None:
    model = FixedThresholdClassifier(RidgeClassifier(), response_method="decision_function", threshold=0.1)
    model.fit(X, labels(2))
    assert (model.classes_[predicted(model, 4, "label")(ROWS)] == model.predict(ROWS)).all()


@pytest.mark.parametrize("common", ["no", "yes"])
@pytest.mark.parametrize("detector", [OneClassSVM(nu=0.2), IsolationForest(n_estimators=10, random_state=0)], ids=repr)
def test_a_detector_of_anomalies_is_a_classifier_of_two_classes(detector: Any, common: str) -> None:
    model = make_pipeline(StandardScaler(), AnomalyClassifier(detector, common)).fit(X, labels(2))
    decision = model.decision_function(ROWS)
    assert predicted(model, 4, "decision")(ROWS).ravel() == pytest.approx(decision, rel=1e-9, abs=1e-12)
    found = model.classes_[predicted(model, 4, "label")(ROWS)]
    assert (found == model.predict(ROWS))[np.abs(decision) > 1e-9].all()


def test_votes_without_scores_are_refused() -> None:
    model = VotingClassifier(MEMBERS, voting="hard").fit(X, labels(2))
    with pytest.raises(ExportRefused, match="set voting='soft'"):
        predict(Nodes(), model, Table((Numbers("x", 4),)))
