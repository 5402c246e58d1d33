"""Everything that is not exported says why, and what to do; and leaves nothing on disk."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import AdaBoostClassifier, RandomForestRegressor, VotingClassifier, VotingRegressor
from sklearn.feature_selection import RFE
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, SGDOneClassSVM
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.neighbors import KNeighborsClassifier, LocalOutlierFactor, NearestCentroid, RadiusNeighborsClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder

from tests.training.problems import Problem, fitted_logistic, fitted_ridge, logistic, numbers, people, values
from training import BundleExists, ExportRefused, TrainingError


def refusal(problem: Problem, pipeline: Any, out: Path, **options: Any) -> str:
    """The message of the refusal, after checking that nothing was written."""
    with pytest.raises(ExportRefused) as caught:
        problem.export(pipeline, out, **options)
    assert not list(out.iterdir())
    return str(caught.value)


def test_a_pipeline_that_is_not_fitted(tmp_path: Path) -> None:
    assert "not fitted; call pipeline.fit" in refusal(numbers(), logistic(), tmp_path)


def test_something_that_is_no_estimator_or_predicts_nothing(tmp_path: Path) -> None:
    problem = numbers()
    assert "a dict is not a scikit-learn estimator" in refusal(problem, {}, tmp_path)
    clusters = KMeans(2, n_init=1).fit(problem.X_train)
    assert "neither a classifier nor a regressor" in refusal(problem, clusters, tmp_path)


def test_several_targets(tmp_path: Path) -> None:
    problem = numbers()
    two = np.column_stack([problem.y_train, problem.y_train])
    many = MultiOutputClassifier(LogisticRegression()).fit(problem.X_train, two)
    assert "export one pipeline for each" in refusal(problem, many, tmp_path)
    multilabel = KNeighborsClassifier().fit(problem.X_train, two)
    assert "export one pipeline for each" in refusal(problem, multilabel, tmp_path)
    line = LinearRegression().fit(problem.X_train, two)
    changed = Problem(problem.X_train, two, problem.X_test, problem.y_test)
    assert "several targets" in refusal(changed, line, tmp_path)


def test_one_class_only(tmp_path: Path) -> None:
    problem = numbers()
    one = DummyClassifier().fit(problem.X_train, np.zeros(len(problem.X_train)))
    assert "knows one class only" in refusal(problem, one, tmp_path)


def test_columns_that_no_client_could_send_name_the_column_and_its_type(tmp_path: Path) -> None:
    problem = people()
    pipeline = make_pipeline(FunctionTransformer(lambda X: X[["age in years"]]), LogisticRegression())
    for said, column in {
        "has dtype datetime64": pd.Timestamp("2026-11-23"),
        "has dtype complex128": 1j,
        "holds values of several types (float, str)": pd.Series(["a", 1.5] * 40, dtype=object),
        "holds values of several types (date)": pd.Series([date(2026, 11, 23)] * 80),
        "holds texts of more than 1,024 characters (1 of them": pd.Series(["a" * 1_025, "b"] * 40),
        "half of a character that UTF-8 cannot hold": pd.Series(["a\ud800", "b"] * 40, dtype=object),
        "marks missing values as None and nan": pd.Series(["a", None, np.nan, "b"] * 20, dtype=object),
    }.items():
        X = problem.X_train.assign(owner=column)
        pipeline.fit(X, problem.y_train)
        message = refusal(Problem(X, problem.y_train, problem.X_test, problem.y_test), pipeline, tmp_path)
        assert "column 'owner'" in message
        assert said in message


def test_test_rows_of_another_type_than_the_training_rows(tmp_path: Path) -> None:
    problem = people()
    pipeline = make_pipeline(FunctionTransformer(lambda X: X[["age in years"]]), LogisticRegression())
    for training, test, said in [
        ("a", 1.0, "X_test, column 'owner' holds 1.0; in training it was text"),
        (1.0, "a", "X_test, column 'owner' has dtype str; in training it was float"),
        (1.0, pd.Series([object()] * 40), "in training it was float"),
    ]:
        X, X_test = problem.X_train.assign(owner=training), problem.X_test.reset_index(drop=True).assign(owner=test)
        pipeline.fit(X, problem.y_train)
        assert said in refusal(Problem(X, problem.y_train, X_test, problem.y_test), pipeline, tmp_path)


def test_text_that_reaches_a_model_as_it_is(tmp_path: Path) -> None:
    problem = people()
    X, X_test = (part.assign(owner=part["owner"].astype(str)) for part in (problem.X_train, problem.X_test))
    prepare = ColumnTransformer([("age", "passthrough", ["age in years"])], remainder=FunctionTransformer(_as_number))
    pipeline = make_pipeline(prepare, LogisticRegression()).fit(X, problem.y_train)
    message = refusal(Problem(X, problem.y_train, X_test, problem.y_test), pipeline, tmp_path)
    assert "FunctionTransformer gets the text column 'owner' as it is; put a OneHotEncoder" in message


def _as_number(X: Any) -> Any:
    return np.zeros((len(X), 1))


def test_an_array_of_another_type_or_shape(tmp_path: Path) -> None:
    problem = numbers()
    pipeline = fitted_logistic(problem)
    complex_ = Problem(problem.X_train + 1j, problem.y_train, problem.X_test, problem.y_test)
    assert "dtype complex128" in refusal(complex_, pipeline, tmp_path)
    flat = Problem(problem.X_train[0], problem.y_train, problem.X_test, problem.y_test)
    assert "it must be rows × features" in refusal(flat, pipeline, tmp_path)
    narrow = Problem(problem.X_train[:, :2], problem.y_train, problem.X_test, problem.y_test)
    assert "X_train has 2 columns, the pipeline was fitted with 4" in refusal(narrow, pipeline, tmp_path)
    narrow_test = Problem(problem.X_train, problem.y_train, problem.X_test[:, :2], problem.y_test)
    assert "X_test has 2 columns" in refusal(narrow_test, pipeline, tmp_path)


def test_columns_named_twice(tmp_path: Path) -> None:
    problem = numbers()
    pipeline = fitted_logistic(problem)
    X = pd.DataFrame(problem.X_train, columns=["a", "b", "a", "d"])
    twice = Problem(X, problem.y_train, problem.X_test, problem.y_test)
    assert "columns named twice: 'a'" in refusal(twice, pipeline, tmp_path)
    message = refusal(problem, pipeline, tmp_path, feature_names=["a", "b", "b", "a"])
    assert "columns named twice: 'a', 'b'" in message
    assert "2 names for 4 columns" in refusal(problem, pipeline, tmp_path, feature_names=["a", "b"])


def test_columns_in_another_order(tmp_path: Path) -> None:
    problem = people()
    X = problem.X_train.fillna(0.0)
    pipeline = logistic().fit(X, problem.y_train)
    turned = Problem(X[X.columns[::-1]], problem.y_train, problem.X_test, problem.y_test)
    assert "pass X_train[list(pipeline.feature_names_in_)]" in refusal(turned, pipeline, tmp_path)
    test = Problem(X, problem.y_train, problem.X_test[X.columns[::-1]], problem.y_test)
    assert "pass X_test[list(pipeline.feature_names_in_)]" in refusal(test, pipeline, tmp_path)
    more = Problem(X.assign(note=1.0), problem.y_train, problem.X_test, problem.y_test)
    assert "it was not fitted with 'note': pass X_train[" in refusal(more, pipeline, tmp_path)
    fewer = Problem(X, problem.y_train, problem.X_test[X.columns[1:]], problem.y_test)
    assert f"X_test has other columns than the pipeline was fitted with; it lacks {X.columns[0]!r}" in refusal(
        fewer, pipeline, tmp_path
    )


def test_a_column_that_is_always_missing(tmp_path: Path) -> None:
    problem = numbers()
    X = problem.X_train.copy()
    X[:, 1] = np.nan
    pipeline = make_pipeline(SimpleImputer(keep_empty_features=True), LogisticRegression(max_iter=9_000))
    pipeline.fit(X, problem.y_train)
    changed = Problem(X, problem.y_train, problem.X_test, problem.y_test)
    assert "column 'x1' is missing in every training row" in refusal(changed, pipeline, tmp_path)
    raising = fitted_logistic(problem)
    assert "column 'x1' is missing in every training row" in refusal(changed, raising, tmp_path)
    assert "column 'x1' is missing" in refusal(changed, raising, tmp_path, allow_constant=True)


def test_missing_values_that_the_pipeline_does_not_take(tmp_path: Path) -> None:
    problem = numbers()
    X = problem.X_test.copy()
    X[3, 2] = np.nan
    changed = Problem(problem.X_train, problem.y_train, X, problem.y_test)
    message = refusal(changed, fitted_logistic(problem), tmp_path)
    assert "X_test, column 'x2' has missing values" in message
    assert "put a SimpleImputer before the model" in message


def test_infinities(tmp_path: Path) -> None:
    problem = numbers()
    X = problem.X_train.copy()
    X[3:5, 2] = np.inf
    changed = Problem(X, problem.y_train, problem.X_test, problem.y_test)
    assert "X_train, column 'x2': 2 infinite values" in refusal(changed, fitted_logistic(problem), tmp_path)
    regression = values()
    y = regression.y_train.copy()
    y[0] = -np.inf
    changed = Problem(regression.X_train, y, regression.X_test, regression.y_test)
    assert "y_train has 1 infinite values" in refusal(changed, fitted_ridge(regression), tmp_path)


def test_targets_that_are_missing_too_few_unknown_or_text(tmp_path: Path) -> None:
    problem = numbers()
    pipeline = fitted_logistic(problem)
    y = problem.y_train.astype(float)
    y[:2] = np.nan
    gone = Problem(problem.X_train, y, problem.X_test, problem.y_test)
    assert "y_train is missing in 2 of 60 rows" in refusal(gone, pipeline, tmp_path)
    few = Problem(problem.X_train, problem.y_train[:-1], problem.X_test, problem.y_test)
    assert "y_train has 59 values for 60 rows" in refusal(few, pipeline, tmp_path)
    other = Problem(problem.X_train, problem.y_train, problem.X_test, problem.y_test + 5)
    assert "y_test holds labels that the classifier does not know: 5, 6; its classes are 0, 1" in refusal(
        other, pipeline, tmp_path
    )
    text = Problem(problem.X_train, problem.y_train.astype(str), problem.X_test, problem.y_test)
    regression = fitted_ridge(problem)
    words = Problem(problem.X_train, np.array(["a"] * 60), problem.X_test, problem.y_test)
    assert "y_train of a regression must be numbers" in refusal(words, regression, tmp_path)
    assert "y_train holds labels that the classifier does not know: '0', '1'" in refusal(text, pipeline, tmp_path)


def test_an_empty_test_set(tmp_path: Path) -> None:
    problem = numbers()
    empty = Problem(problem.X_train, problem.y_train, problem.X_test[:0], problem.y_test[:0])
    assert "X_test has no rows" in refusal(empty, fitted_logistic(problem), tmp_path)


@pytest.mark.parametrize("bad", ["", ".hidden", "a/b", "../a", "a b", "ä", "x" * 65, "-a", "a\n", "a\x00"])
def test_names_and_versions_that_are_malformed(bad: str, tmp_path: Path) -> None:
    problem = numbers()
    pipeline = fitted_logistic(problem)
    assert "1 to 64 letters, digits" in refusal(problem, pipeline, tmp_path, name=bad)
    assert "1 to 64 letters, digits" in refusal(problem, pipeline, tmp_path, version=bad)


def test_a_version_that_is_taken_is_never_overwritten(tmp_path: Path) -> None:
    problem = numbers()
    pipeline = fitted_logistic(problem)
    first = problem.export(pipeline, tmp_path)
    with pytest.raises(BundleExists, match="versions are never overwritten"):
        problem.export(pipeline, tmp_path, description="another")
    assert issubclass(BundleExists, TrainingError)
    assert (first.folder / "manifest.json").read_bytes().find(b"another") == -1


def test_test_rows_to_which_the_pipeline_has_no_answer(tmp_path: Path) -> None:
    coded = numbers()
    codes = np.tile([0.0, 1.0, 2.0], 20)[:, None]
    for encoder in (OneHotEncoder(), OrdinalEncoder()):
        for model, y in ((LogisticRegression(), coded.y_train), (Ridge(), values().y_train)):
            pipeline = make_pipeline(encoder, model).fit(codes, y)
            problem = Problem(codes, y, [[0.0], [7.0], [9.0]], y[:3])
            message = refusal(problem, pipeline, tmp_path)
            assert "no answer to row 1 of X_test: ValueError: Found unknown" in message
            assert "leave them out" in message
    logarithm = make_pipeline(FunctionTransformer(np.log), Ridge()).fit(codes + 1, values().y_train)
    assert "no answer to row 59 of X_test: ValueError: Input X contains infinity" in refusal(
        Problem(codes + 1, values().y_train, np.r_[codes[1:] + 1, [[0.0]]], values().y_train), logarithm, tmp_path
    )


def test_a_model_of_several_targets_with_a_target_of_one_column(tmp_path: Path) -> None:
    problem = values()
    two = np.column_stack([problem.y_train, -problem.y_train])
    for model in (RandomForestRegressor(2), LinearRegression()):
        assert "predicts 2 targets" in refusal(problem, model.fit(problem.X_train, two), tmp_path)


def test_steps_that_have_no_conversion_name_another(tmp_path: Path) -> None:
    problem, numeric = numbers(), values()
    boosted = AdaBoostClassifier(n_estimators=2).fit(problem.X_train, problem.y_train)
    message = refusal(problem, boosted, tmp_path)
    assert "AdaBoostClassifier cannot be exported exactly: its conversion uses TreeEnsembleClassifier" in message
    assert "for example a linear model, a forest or histogram gradient boosting" in message
    nearest = NearestCentroid().fit(problem.X_train, problem.y_train)
    assert "there is no conversion of it" in refusal(problem, nearest, tmp_path)
    outliers = Problem(problem.X_train, np.where(problem.y_train, 1, -1), problem.X_test, [1] * 30)
    for detector in (SGDOneClassSVM(), LocalOutlierFactor(novelty=True)):
        message = refusal(outliers, detector.fit(problem.X_train), tmp_path)
        assert "its decision function has no conversion" in message
        assert "IsolationForest or OneClassSVM" in message
    union = FeatureUnion([("x", "passthrough"), ("vote", VotingRegressor([("a", Ridge())]))])
    voted = make_pipeline(union, Ridge()).fit(numeric.X_train, numeric.y_train)
    assert "VotingRegressor predicts, but stands where the pipeline transforms" in refusal(numeric, voted, tmp_path)
    votes = VotingClassifier([("a", LogisticRegression())], voting="hard").fit(problem.X_train, problem.y_train)
    assert "VotingClassifier with voting='soft'" in refusal(problem, votes, tmp_path)
    within = RadiusNeighborsClassifier(1.0, outlier_label="most_frequent").fit(problem.X_train, problem.y_train)
    assert "docs/parity.md lists those that are exported" in refusal(problem, within, tmp_path)


class Unwilling(LogisticRegression):  # type: ignore[misc]
    """A model of somebody's own, which raises what scikit-learn never does."""

    def predict_proba(self, X: Any) -> Any:
        raise RuntimeError("no license")


def test_a_model_that_raises_what_scikit_learn_never_does(tmp_path: Path) -> None:
    problem = numbers()
    model = Unwilling().fit(problem.X_train, problem.y_train)
    message = refusal(problem, model, tmp_path)
    assert "no answer to row 0 of X_train: RuntimeError: no license. So it is with 60 of 60 rows" in message


def test_a_search_that_kept_no_model_and_a_selection_as_the_model(tmp_path: Path) -> None:
    problem, numeric = numbers(), values()
    for searched, model in ((problem, LogisticRegression()), (numeric, Ridge())):
        name = "C" if searched is problem else "alpha"
        search = GridSearchCV(model, {name: [1.0]}, cv=2, refit=False).fit(searched.X_train, searched.y_train)
        assert "a search must be fitted with refit=True" in refusal(searched, search, tmp_path)
    chosen = RFE(LogisticRegression()).fit(problem.X_train, problem.y_train)
    assert "its conversion gives no scores" in refusal(problem, chosen, tmp_path)


def test_dates_as_the_target_of_a_regression(tmp_path: Path) -> None:
    problem = values()
    days = Problem(problem.X_train, pd.date_range("2026-01-01", periods=60), problem.X_test, problem.y_test)
    assert "holds dates or durations" in refusal(days, fitted_ridge(problem), tmp_path)


def test_rows_of_several_lengths_and_a_target_that_is_none(tmp_path: Path) -> None:
    problem = numbers()
    pipeline = fitted_logistic(problem)
    ragged = Problem([[1.0, 2.0], [3.0]], problem.y_train, problem.X_test, problem.y_test)
    assert "X_train has rows of several lengths" in refusal(ragged, pipeline, tmp_path)
    absent = Problem(problem.X_train, None, problem.X_test, problem.y_test)
    assert "y_train is a NoneType; it must hold one label" in refusal(absent, pipeline, tmp_path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"thresholds": {"psy": 0.3}}, "there is no threshold 'psy', but coverage_alert"),
        ({"thresholds": {"psi": "0.3"}}, "thresholds: 'psi' must be a finite number; it is '0.3'"),
        ({"p99_ms": "5"}, "p99_ms must be milliseconds above 0"),
        ({"description": 5}, "Expected `str`, got `int` - at `$.description`"),
        ({"description": "\ud800"}, "text that UTF-8 can hold"),
        ({"target": 5}, "at `$.target`"),
        ({"convergence": [3]}, "at `$.convergence[0]`"),
        ({"criteria": {"joint": "flag"}}, "criteria is a dict; give a scoring.bundle.Criteria"),
        ({"feature_names": 4}, "feature_names is a int; give a list of names"),
        ({"policies": {"x0": 3}}, "policy of feature 'x0' is a int"),
        ({"sample_weight": ["a"] * 60}, "sample_weight must be 60 finite numbers"),
    ],
    ids=lambda value: str(value).encode("ascii", "replace").decode()[:40],
)
def test_options_of_another_type_are_found_before_anything_is_written(
    options: dict[str, Any], said: str, tmp_path: Path
) -> None:
    problem = numbers()
    assert said in refusal(problem, fitted_logistic(problem), tmp_path, **options)


def test_options_that_contradict_the_data(tmp_path: Path) -> None:
    problem = numbers()
    pipeline = fitted_logistic(problem)
    assert "positive=7 is none of the classes" in refusal(problem, pipeline, tmp_path, positive=7)
    three = numbers(3)
    assert "is for classifiers of two classes" in refusal(three, fitted_logistic(three), tmp_path, positive=1)
    assert "policies name no feature: 'zz'" in refusal(problem, pipeline, tmp_path, units={"zz": "m"})
    message = refusal(problem, pipeline, tmp_path, policies={"x0": {"mising": "abstain"}})
    assert "policy of feature 'x0'" in message
    assert "mising" in message
    message = refusal(problem, pipeline, tmp_path, policies={"x0": {"missing": "impute"}})
    assert "the pipeline raises when it is missing" in message
    value = float(problem.X_train[0, 0])
    message = refusal(problem, pipeline, tmp_path, policies={"x0": {"sentinels": [value, "N/A"]}})
    assert "1 training rows hold its sentinel" in message
    message = refusal(problem, pipeline, tmp_path, policies={"x0": {"defaults": ["unknown"]}})
    assert "feature 'x0': the default 'unknown' is no float; if it means missing, declare it as a sentinel" in message
    message = refusal(problem, pipeline, tmp_path, policies={"x0": {"defaults": [99, 0], "sentinels": [99.0]}})
    assert "99 is declared as a sentinel and as a default" in message
    assert "has the name of a feature" in refusal(problem, pipeline, tmp_path, target="x2")
    for weights in ([1.0], ["heavy"] * 60):
        assert "sample_weight must be 60 finite numbers" in refusal(problem, pipeline, tmp_path, sample_weight=weights)


def test_options_that_no_report_could_use(tmp_path: Path) -> None:
    problem = numbers()
    pipeline = fitted_logistic(problem)
    message = refusal(problem, pipeline, tmp_path, thresholds={"psy": 0.3})
    assert "thresholds: there is no threshold 'psy', but coverage_alert" in message
    for wrong in ("0.3", float("nan"), True):
        assert "thresholds: 'psi' must be a finite number" in refusal(
            problem, pipeline, tmp_path, thresholds={"psi": wrong}
        )
    for wrong in (0, -5.0, float("nan")):
        assert "p99_ms must be milliseconds above 0" in refusal(problem, pipeline, tmp_path, p99_ms=wrong)
        assert "cold_start_ms must be milliseconds" in refusal(problem, pipeline, tmp_path, cold_start_ms=wrong)
    message = refusal(problem, pipeline, tmp_path, policies={"x0": {"missing": "maybe"}})
    assert "missing is default, impute, abstain or reject" in message
    negative = [-1.0] + [1.0] * 59
    assert "of at least 0" in refusal(problem, pipeline, tmp_path, sample_weight=negative)
