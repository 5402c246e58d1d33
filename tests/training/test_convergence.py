"""A fit that had not converged leaves a note, wherever in a pipeline it hides, and no other fit does.

scikit-learn itself is the judge: an estimator that warned when it was fitted must have a note afterwards, and one that
had enough iterations must have none.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import NMF, FastICA, LatentDirichletAllocation
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401  IterativeImputer cannot be imported without
from sklearn.feature_selection import SelectFromModel
from sklearn.frozen import FrozenEstimator
from sklearn.impute import IterativeImputer
from sklearn.linear_model import (
    ElasticNet,
    HuberRegressor,
    Lasso,
    LogisticRegression,
    LogisticRegressionCV,
    OrthogonalMatchingPursuitCV,
    Perceptron,
    PoissonRegressor,
    Ridge,
    SGDClassifier,
    SGDRegressor,
    TheilSenRegressor,
)
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.svm import SVC, SVR, LinearSVC

from training.convergence import convergence_notes, fit_recorded

RANDOM = np.random.default_rng(3)
X = np.abs(RANDOM.normal(size=(120, 5))) + 0.01
VALUES = np.abs(X @ RANDOM.normal(size=5) + 0.3 * RANDOM.normal(size=120)) + 0.1
CLASSES = (np.median(VALUES) < VALUES).astype(int)

# Classifiers, regressors and transformers of each kind of solver: with enough iterations, and with too few of them.
SEARCHES: list[tuple[Any, int]] = [
    (LogisticRegression(), 2),
    (LogisticRegression(solver="saga", max_iter=10_000), 2),
    (LogisticRegression(solver="newton-cholesky"), 1),
    (LogisticRegressionCV(Cs=2, cv=2, l1_ratios=(0,), scoring="accuracy", use_legacy_attributes=False), 1),
    (LinearSVC(max_iter=10_000), 1),
    (SVC(max_iter=100_000), 2),
    (SVR(max_iter=100_000), 2),
    (SGDClassifier(random_state=0), 2),
    (SGDRegressor(random_state=0), 2),
    (Perceptron(), 2),
    (MLPClassifier((4,), max_iter=3000, random_state=0), 3),
    (MLPRegressor(hidden_layer_sizes=(4,), solver="lbfgs", max_iter=5000, random_state=0), 3),
    (Lasso(alpha=0.01), 1),
    (ElasticNet(alpha=0.01), 1),
    (HuberRegressor(max_iter=1000), 1),
    (PoissonRegressor(), 1),
    (TheilSenRegressor(max_subpopulation=50, random_state=0), 2),
    (NMF(2, max_iter=5000, random_state=0), 2),
    (FastICA(2, random_state=0, max_iter=1000), 1),
    (GaussianMixture(2, random_state=0, max_iter=1000), 1),
    (IterativeImputer(max_iter=30), 1),
]

# Estimators that are meant to use all of their `max_iter`; scikit-learn warns of none.
COUNTS: list[Any] = [
    HistGradientBoostingClassifier(max_iter=5),
    HistGradientBoostingRegressor(max_iter=5, early_stopping=True, random_state=0),
    GradientBoostingClassifier(n_estimators=5),
    SGDClassifier(max_iter=5, tol=None, random_state=0),
    SGDRegressor(max_iter=5, tol=None, random_state=0),
    NMF(2, max_iter=5, tol=0, random_state=0),
    LatentDirichletAllocation(2, max_iter=3, random_state=0),
    IterativeImputer(max_iter=2, sample_posterior=True, random_state=0),
    OrthogonalMatchingPursuitCV(max_iter=2, cv=3),
    SelfTrainingClassifier(LogisticRegression(), max_iter=1),
    Ridge(max_iter=3, solver="cholesky"),
    GaussianMixture(2, max_iter=2, tol=1e9, random_state=0),
]


def warned(estimator: Any) -> bool:
    """Fit; whether scikit-learn warned that it had not converged."""
    gaps = np.where(np.arange(X.size).reshape(X.shape) % 17 == 0, np.nan, X)
    rows = gaps if isinstance(estimator, IterativeImputer) else X
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        estimator.fit(rows, CLASSES if is_classifier(estimator) else VALUES)
    return any(issubclass(warning.category, ConvergenceWarning) for warning in caught)


def is_classifier(estimator: Any) -> bool:
    return hasattr(estimator, "predict") and estimator.__sklearn_tags__().estimator_type == "classifier"


def name(estimator: Any) -> str:
    return str(estimator)[:60] if not isinstance(estimator, int) else str(estimator)


@pytest.mark.parametrize(("estimator", "too_few"), SEARCHES, ids=name)
def test_a_note_stands_where_scikit_learn_warned_and_nowhere_else(estimator: Any, too_few: int) -> None:
    patient, hasty = clone(estimator), clone(estimator).set_params(max_iter=too_few)
    assert not warned(patient), "the example is meant to converge"
    assert convergence_notes(patient) == []
    assert warned(hasty), "the example is meant to be cut off"
    assert convergence_notes(hasty) == [
        f"{type(hasty).__name__.lower()}: {type(hasty).__name__} stopped after max_iter={too_few} iterations; "
        "it may not have converged"
    ]


@pytest.mark.parametrize("estimator", COUNTS, ids=name)
def test_using_all_iterations_is_no_fault_where_it_is_meant(estimator: Any) -> None:
    fitted = clone(estimator)
    assert not warned(fitted)
    assert convergence_notes(fitted) == []


def test_a_perceptron_that_met_its_tolerance_in_the_last_iteration_has_converged() -> None:
    long = MLPClassifier((4,), max_iter=3000, random_state=0).fit(X, CLASSES)
    assert long.n_iter_ < 3000
    exact = MLPClassifier((4,), max_iter=long.n_iter_, random_state=0)
    assert not warned(exact)
    assert exact.n_iter_ == exact.max_iter
    assert convergence_notes(exact) == []


def hasty() -> LogisticRegression:
    return LogisticRegression(max_iter=1)


def patient() -> LogisticRegression:
    return LogisticRegression(max_iter=1000)


def stopped() -> LogisticRegression:
    """Fitted already, with one iteration."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return hasty().fit(X, CLASSES)


NESTED: dict[str, tuple[Any, list[str]]] = {
    "pipeline in a pipeline": (
        make_pipeline(make_pipeline(StandardScaler(), SelectFromModel(hasty())), patient()),
        ["pipeline → selectfrommodel → estimator"],
    ),
    "column transformer": (
        make_pipeline(
            ColumnTransformer([("parts", FastICA(2, max_iter=1, random_state=0), [0, 1, 2]), ("rest", "drop", [3])]),
            patient(),
        ),
        ["columntransformer → parts"],
    ),
    "union": (
        make_pipeline(FeatureUnion([("groups", KMeans(2, max_iter=1, random_state=0, n_init=1))]), patient()),
        ["featureunion → groups"],
    ),
    "vote": (VotingClassifier([("quick", hasty()), ("slow", patient())]), ["quick"]),
    "stack": (StackingClassifier([("quick", hasty())], hasty(), cv=2), ["quick", "final_estimator"]),
    "calibration": (
        CalibratedClassifierCV(make_pipeline(StandardScaler(), hasty()), cv=2),
        [f"calibrated_classifiers[{i}] → estimator → logisticregression" for i in (0, 1)],
    ),
    "calibration of a frozen model": (
        CalibratedClassifierCV(FrozenEstimator(stopped()), cv=2),
        ["calibrated_classifiers[0] → estimator → estimator"],
    ),
    "one against the rest": (OneVsRestClassifier(hasty()), ["estimators[0]"]),
    "bagging": (BaggingClassifier(hasty(), 2, random_state=0), ["estimators[0]", "estimators[1]"]),
    "boosting": (AdaBoostClassifier(hasty(), n_estimators=2), ["estimators[0]", "estimators[1]"]),
    "search": (GridSearchCV(hasty(), {"C": [1.0]}, cv=2), ["best_estimator"]),
    "tuned threshold": (TunedThresholdClassifierCV(hasty(), cv=2), ["estimator"]),
    "transformed target": (TransformedTargetRegressor(Lasso(0.001, max_iter=1)), ["regressor"]),
    "converged throughout": (make_pipeline(StandardScaler(), VotingClassifier([("slow", patient())])), []),
}


@pytest.mark.parametrize("shape", NESTED)
def test_the_way_to_a_nested_fit_is_named(shape: str) -> None:
    model, ways = NESTED[shape]
    warned(model)
    assert [note.partition(": ")[0] for note in convergence_notes(model)] == ways


def test_an_estimator_that_stands_in_two_places_has_one_note() -> None:
    shared = stopped()
    vote = VotingClassifier([("a", FrozenEstimator(shared)), ("b", FrozenEstimator(shared))]).fit(X, CLASSES)
    assert len(convergence_notes(vote)) == 1


def test_what_is_not_fitted_has_no_note() -> None:
    assert convergence_notes(make_pipeline(StandardScaler(), hasty())) == []


def test_a_recorded_fit_keeps_each_warning_once_and_lets_others_through() -> None:
    class Chatty(LogisticRegression):  # type: ignore[misc]
        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
            warnings.warn("disk is nearly full", UserWarning, stacklevel=1)
            return super().fit(X, y, sample_weight)

    with pytest.warns(UserWarning, match="disk is nearly full"):
        notes = fit_recorded(BaggingClassifier(Chatty(max_iter=1), 2, random_state=0), X, CLASSES)
    assert len(notes) == 1
    assert notes[0].startswith("lbfgs failed to converge")
