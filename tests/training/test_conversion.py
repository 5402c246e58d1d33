"""Which pipelines become graphs, and that the graph is the pipeline: outputs, shapes, and every step exactly."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import RFE, SelectFromModel, SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    ElasticNet,
    HuberRegressor,
    LinearRegression,
    LogisticRegression,
    LogisticRegressionCV,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    PolynomialFeatures,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR, NuSVC, NuSVR

from tests.training.problems import Problem, numbers, people, values
from training.conversion import convert
from training.data import read_columns
from training.errors import ExportRefused
from training.exactness import compare
from training.model_kind import model_kind
from training.reference import Reference
from training.session import GraphSession

CLASSIFIERS = [
    LogisticRegression(),
    LogisticRegression(C=1e-3, class_weight="balanced"),
    LogisticRegressionCV(Cs=3, l1_ratios=(0,), use_legacy_attributes=False, scoring="accuracy"),
    SGDClassifier(random_state=0),
    SGDClassifier(loss="log_loss", random_state=0),
    LinearSVC(),
    SVC(),
    SVC(kernel="linear"),
    SVC(kernel="poly", coef0=1.0),
    SVC(kernel="sigmoid"),
    SVC(break_ties=True),
    NuSVC(nu=0.3),
    RidgeClassifier(),
    LinearDiscriminantAnalysis(),
    GaussianNB(),
    KNeighborsClassifier(),
    KNeighborsClassifier(n_neighbors=3, weights="distance", metric="manhattan"),
    MLPClassifier((5,), solver="lbfgs", max_iter=5_000, random_state=0),
    CalibratedClassifierCV(LinearSVC(), cv=3),
]
REGRESSORS = [
    LinearRegression(),
    Ridge(),
    ElasticNet(),
    HuberRegressor(),
    PoissonRegressor(),
    LinearSVR(max_iter=100_000),
    SVR(),
    SVR(kernel="poly"),
    NuSVR(kernel="linear"),
    KNeighborsRegressor(weights="distance"),
    MLPRegressor(hidden_layer_sizes=(5,), solver="lbfgs", max_iter=5_000, random_state=0),
]
PREPARATIONS = [
    SimpleImputer(strategy="median"),
    SimpleImputer(strategy="most_frequent"),
    SimpleImputer(strategy="constant", fill_value=-1.5),
    SimpleImputer(add_indicator=True),
    make_pipeline(SimpleImputer(), MinMaxScaler(clip=True)),
    make_pipeline(StandardScaler(), PCA(2, whiten=True)),
    make_pipeline(StandardScaler(), PolynomialFeatures(3)),
    make_pipeline(StandardScaler(), PolynomialFeatures(2, include_bias=False, interaction_only=True)),
    make_pipeline(RobustScaler(), SelectKBest(k=2)),
    make_pipeline(StandardScaler(), RFE(LogisticRegression(), n_features_to_select=2)),
    make_pipeline(StandardScaler(), KMeans(3, n_init=1, random_state=0)),
    make_pipeline(FunctionTransformer(np.absolute), FunctionTransformer(np.log1p), MaxAbsScaler()),
    FeatureUnion([("scaled", StandardScaler()), ("squares", PolynomialFeatures(2))]),
    ColumnTransformer([("a", StandardScaler(), [0, 2]), ("b", "passthrough", [1])]),
]


def named(estimators: list[Any]) -> list[Any]:
    return [pytest.param(estimator, id=" ".join(repr(estimator).split())[:70]) for estimator in estimators]


def gaps(X: Any) -> Any:
    """A tenth of the values missing."""
    return np.where(np.random.default_rng(1).random(X.shape) < 0.1, np.nan, X)


def assert_same(pipeline: Any, X: Any, rows: Any) -> None:
    """The graph answers `rows` as the pipeline does, in one batch and singly."""
    kind, columns = model_kind(pipeline), read_columns(pipeline, X, None)
    session = GraphSession(convert(pipeline, kind, columns.vocabularies).SerializeToString(), kind)
    expected = Reference(pipeline, kind, columns).predict(rows)
    for answer in (session.predict(rows), session.predict_singly(rows)):
        found = compare(expected, answer)
        assert not found.wrong.any(), rows[found.wrong][:3]


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("estimator", named(CLASSIFIERS))
def test_a_classifier_after_scaling_is_exported_exactly(estimator: Any, classes: int, tmp_path: Path) -> None:
    problem = numbers(classes)
    pipeline = make_pipeline(StandardScaler(), estimator).fit(problem.X_train, problem.y_train)
    bundle = problem.export(pipeline, tmp_path)
    assert bundle.manifest.parity.rows > 5_000
    assert bundle.manifest.parity.largest_difference < 1e-9


@pytest.mark.parametrize("estimator", named(REGRESSORS))
def test_a_regressor_after_scaling_is_exported_exactly(estimator: Any, tmp_path: Path) -> None:
    problem = values()
    pipeline = make_pipeline(StandardScaler(), estimator).fit(problem.X_train, problem.y_train)
    assert problem.export(pipeline, tmp_path).manifest.parity.largest_difference < 1e-9


@pytest.mark.filterwarnings("ignore:.*probability.*:FutureWarning")
@pytest.mark.parametrize("classes", [2, 4])
def test_probabilities_of_a_support_vector_machine_are_libsvms_own(classes: int, tmp_path: Path) -> None:
    problem = numbers(classes, rows=150)
    pipeline = make_pipeline(StandardScaler(), SVC(probability=True, random_state=0))
    pipeline.fit(problem.X_train, problem.y_train)
    bundle = problem.export(pipeline, tmp_path)
    assert bundle.manifest.output.probabilities == "probabilities"
    assert bundle.manifest.parity.largest_difference < 1e-9


@pytest.mark.parametrize("preparation", named(PREPARATIONS))
def test_a_preparation_is_exported_exactly(preparation: Any, tmp_path: Path) -> None:
    problem = numbers()
    takes_gaps = "Imputer" in repr(preparation)
    X_train = gaps(problem.X_train) if takes_gaps else problem.X_train
    pipeline = make_pipeline(preparation, LogisticRegression(max_iter=5_000)).fit(X_train, problem.y_train)
    changed = Problem(X_train, problem.y_train, problem.X_test, problem.y_test)
    bundle = changed.export(pipeline, tmp_path)
    drops_a_column = isinstance(preparation, ColumnTransformer)
    assert bundle.manifest.parity.takes_missing == (takes_gaps or drops_a_column)
    assert bundle.manifest.parity.largest_difference < 1e-9


def test_an_imputer_of_declared_values_replaces_them() -> None:
    problem = numbers()
    X = problem.X_train.copy()
    X[::7, 1] = -999.0
    pipeline = make_pipeline(SimpleImputer(missing_values=-999.0), LogisticRegression(max_iter=9_000))
    assert_same(pipeline.fit(X, problem.y_train), X, X)


def test_a_column_that_an_imputer_drops_is_dropped() -> None:
    problem = numbers()
    X = problem.X_train.copy()
    X[:, 2] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = make_pipeline(SimpleImputer(), LogisticRegression(max_iter=9_000)).fit(X, problem.y_train)
    assert_same(pipeline, X, problem.X_test)


def test_a_column_transformer_selects_by_name_type_or_position(tmp_path: Path) -> None:
    problem = people()
    prepare = ColumnTransformer(
        [("gaps", make_pipeline(SimpleImputer(), StandardScaler()), ["income"]), ("scaled", MinMaxScaler(), [1])],
        remainder="passthrough",
    )
    pipeline = make_pipeline(prepare, LogisticRegression(max_iter=1000)).fit(problem.X_train, problem.y_train)
    bundle = problem.export(pipeline, tmp_path)
    policies = {feature.name: feature.missing for feature in bundle.manifest.features}
    assert policies == {"income": "default", "age in years": "abstain", "owner": "abstain"}


@pytest.mark.parametrize(
    "classes", [["b", "a"], ["", "Ünïcode\n\"'"], [10, -3], [True, False], [0.0, 1.0], [2**40, -(2**40)]], ids=repr
)
def test_labels_of_any_kind_become_their_position(classes: list[Any], tmp_path: Path) -> None:
    problem = numbers()
    y_train, y_test = np.array(classes)[problem.y_train], np.array(classes)[problem.y_test]
    pipeline = make_pipeline(StandardScaler(), SVC()).fit(problem.X_train, y_train)
    bundle = Problem(problem.X_train, y_train, problem.X_test, y_test).export(pipeline, tmp_path)
    session = ort.InferenceSession(bundle.model_path)
    (labels,) = session.run(["label_index"], {"features": problem.X_test})
    assert [bundle.manifest.classes[i] for i in labels] == pipeline.predict(problem.X_test).tolist()


def test_the_graph_has_one_input_and_the_promised_outputs(tmp_path: Path) -> None:
    found = {}
    for name, problem, estimator in [
        ("probabilities", numbers(3), LogisticRegression()),
        ("score", numbers(), RidgeClassifier()),
        ("winner", numbers(3), RidgeClassifier()),
        ("value", values(), Ridge()),
    ]:
        pipeline = make_pipeline(StandardScaler(), estimator).fit(problem.X_train, problem.y_train)
        session = ort.InferenceSession(problem.export(pipeline, tmp_path, name=name).model_path)
        (given_input,) = session.get_inputs()
        assert (given_input.name, given_input.type, given_input.shape[1]) == ("features", "tensor(double)", 4)
        outputs = session.run(None, {"features": problem.X_test})
        found[name] = [(o.name, o.type, array.shape) for o, array in zip(session.get_outputs(), outputs, strict=True)]
    n = 30
    label = ("label_index", "tensor(int64)", (n,))
    assert found == {
        "probabilities": [label, ("probabilities", "tensor(double)", (n, 3))],
        "score": [label, ("score", "tensor(double)", (n,))],
        "winner": [label, ("score", "tensor(double)", (n,))],
        "value": [("value", "tensor(double)", (n,))],
    }


def test_conversion_leaves_the_pipeline_as_it_was() -> None:
    problem = people()
    prepare = ColumnTransformer([("all", SimpleImputer(), ["income", "age in years"])])
    pipeline = make_pipeline(prepare, LogisticRegression(max_iter=9_000)).fit(problem.X_train, problem.y_train)
    before = repr(pipeline[0].transformers_)
    convert(pipeline, model_kind(pipeline), [None] * 3)
    assert repr(pipeline[0].transformers_) == before


def test_a_pipeline_that_cannot_be_converted_is_refused_by_name() -> None:
    problem = numbers()
    pipeline = make_pipeline(FunctionTransformer(lambda x: x), LogisticRegression()).fit(
        problem.X_train, problem.y_train
    )
    with pytest.raises(ExportRefused, match="FunctionTransformer of a lambda cannot be exported"):
        convert(pipeline, model_kind(pipeline), [None] * 4)


def test_neighbours_among_too_many_training_rows_are_refused() -> None:
    X = np.random.default_rng(0).normal(size=(50_001, 2))
    model = KNeighborsClassifier().fit(X, X[:, 0] > 0)
    with pytest.raises(ExportRefused, match=r"keeps its 50,001 training rows .* Fit it on fewer rows"):
        convert(model, model_kind(model), [None] * 2)


def test_a_graph_that_no_file_can_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = numbers()
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(problem.X_train, problem.y_train)
    monkeypatch.setattr("training.conversion.LARGEST_BYTES", 100)
    with pytest.raises(ExportRefused, match=r"larger than 2 GB.*fewer or shallower trees"):
        convert(pipeline, model_kind(pipeline), [None] * 4)


HARD = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), SVC(C=10.0))
HARD_PROBLEM = numbers(3)
HARD.fit(gaps(HARD_PROBLEM.X_train), HARD_PROBLEM.y_train)
HARD_KIND, HARD_COLUMNS = model_kind(HARD), read_columns(HARD, HARD_PROBLEM.X_train, None)
HARD_SESSION = GraphSession(convert(HARD, HARD_KIND, [None] * 4).SerializeToString(), HARD_KIND)


@settings(max_examples=200, deadline=None)
@given(rows=arrays(np.float64, (3, 4), elements=st.floats(-1e12, 1e12) | st.just(np.nan)))
def test_any_row_of_numbers_and_gaps_is_answered_as_by_scikit_learn(rows: Any) -> None:
    expected = Reference(HARD, HARD_KIND, HARD_COLUMNS).predict(rows)
    assert not compare(expected, HARD_SESSION.predict(rows)).wrong.any()


@settings(max_examples=200, deadline=None)
@given(rows=arrays(np.float64, (2, 4), elements=st.floats(allow_nan=False, allow_infinity=False)))
def test_any_finite_row_is_answered_without_an_error(rows: Any) -> None:
    answer = HARD_SESSION.predict(rows)
    assert answer.labels is not None
    assert set(answer.labels.tolist()) <= {0, 1, 2}


def test_a_frame_of_integers_and_booleans_is_answered_as_doubles() -> None:
    problem = people()
    X = problem.X_train.dropna().astype({"income": int})
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, problem.y_train[X.index])
    assert_same(pipeline, X, X.to_numpy(dtype=np.float64))
    assert isinstance(X, pd.DataFrame)


def test_a_forest_behind_a_selection_keeps_the_way_of_missing_values() -> None:
    problem = numbers()
    X = gaps(problem.X_train)
    forest = RandomForestClassifier(5, random_state=0)
    pipeline = make_pipeline(SelectFromModel(forest), forest).fit(X, problem.y_train)
    assert_same(pipeline, X, np.vstack([X, np.full((1, 4), np.nan)]))
