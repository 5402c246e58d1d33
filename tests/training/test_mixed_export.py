"""Bundles of pipelines on mixed types: what the manifest says of text, and that production answers as the pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, IsolationForest, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler, TargetEncoder

from scoring.bundle import Bundle
from scoring.judge import Judge
from scoring.model import Model
from tests.training.problems import Problem
from training.errors import ExportRefused

JOBS = ["clerk", "nurse", "smith"]


def people(rows: int = 150, gaps: bool = False) -> Problem:
    """A float, a boolean and a column of text; whether credit is good hangs on all three."""
    random = np.random.default_rng(0)
    X = pd.DataFrame({
        "income": random.normal(30, 8, rows),
        "owner": random.random(rows) < 0.4,
        "job": random.choice(JOBS, rows),
    })  # fmt: skip
    good = X["income"] + 5 * X["owner"] + 6 * (X["job"] == "nurse") + random.normal(0, 3, rows) > 33
    if gaps:
        X["job"] = X["job"].where(random.random(rows) > 0.1)
        X["income"] = X["income"].where(random.random(rows) > 0.1)
    y = pd.Series(np.where(good, "good", "bad"), name="credit")
    cut = rows * 2 // 3
    return Problem(X[:cut], y[:cut], X[cut:], y[cut:])


def linear(**options: Any) -> Any:
    """A logistic regression on scaled numbers and one-hot jobs."""
    prepare = ColumnTransformer([
        ("income", make_pipeline(SimpleImputer(), StandardScaler()), ["income"]),
        ("job", OneHotEncoder(**options), ["job"]),
    ], remainder="passthrough")  # fmt: skip
    return make_pipeline(prepare, LogisticRegression())


def judged(bundle: Bundle, instance: dict[str, Any]) -> tuple[str | None, list[str], dict[str, str], Any]:
    """Outcome, reasons, what is outside, and the model's probabilities for one instance."""
    found = Judge(bundle.manifest).judge([instance])
    (verdict,) = found.verdicts
    answers = Model(bundle).run(found.matrix)
    assert answers.probabilities is not None
    return verdict.outcome, verdict.reasons, verdict.outside, answers.probabilities[0]


def test_the_manifest_lists_categories_and_the_graph_takes_their_positions(tmp_path: Path) -> None:
    problem = people()
    pipeline = linear(handle_unknown="ignore").fit(problem.X_train, problem.y_train)
    bundle = problem.export(pipeline, tmp_path)
    income, owner, job = bundle.manifest.features
    assert (income.type, owner.type, job.type) == ("float", "boolean", "string")
    assert (job.categories, job.known, job.outside, job.minimum, job.mean) == (JOBS, [], "flag", None, None)
    for text in [*JOBS, "pilot"]:
        row = {"income": 31.5, "owner": True, "job": text}
        outcome, _, outside, answer = judged(bundle, row)
        assert outcome is None
        assert outside == ({} if text in JOBS else {"job": "unseen"})
        assert answer == pytest.approx(pipeline.predict_proba(pd.DataFrame([row]))[0], abs=1e-12)


def test_where_the_pipeline_raises_for_an_unknown_category_the_model_abstains(tmp_path: Path) -> None:
    problem = people()
    bundle = problem.export(linear().fit(problem.X_train, problem.y_train), tmp_path)
    assert bundle.manifest.features[2].outside == "abstain"
    outcome, reasons, outside, answer = judged(bundle, {"income": 31.5, "owner": True, "job": "pilot"})
    assert (outcome, reasons, outside) == ("abstained", ["outside_calibration"], {"job": "unseen"})
    assert np.isnan(answer).all(), "the graph itself has no answer either"


def test_a_category_that_the_encoder_was_told_of_has_its_own_answer_and_is_flagged(tmp_path: Path) -> None:
    problem = people()
    told = linear(categories=[[*JOBS, "pilot"]]).fit(problem.X_train, problem.y_train)
    bundle = problem.export(told, tmp_path)
    job = bundle.manifest.features[2]
    assert (job.categories, job.known) == (JOBS, ["pilot"])
    row = {"income": 31.5, "owner": False, "job": "pilot"}
    outcome, reasons, outside, answer = judged(bundle, row)
    assert outside == {"job": "unseen"}
    assert (outcome, reasons) == ("abstained", ["outside_calibration"])
    assert answer == pytest.approx(told.predict_proba(pd.DataFrame([row]))[0], abs=1e-12)


def test_test_rows_may_hold_a_category_that_only_the_encoder_was_told_of(tmp_path: Path) -> None:
    problem = people()
    told = linear(categories=[[*JOBS, "pilot"]]).fit(problem.X_train, problem.y_train)
    problem.X_test.iloc[3, 2] = "pilot"
    bundle = problem.export(told, tmp_path)
    right = (told.predict(problem.X_test) == problem.y_test).mean()
    assert bundle.manifest.metrics["accuracy"].value == pytest.approx(right)


def test_a_test_row_for_which_the_pipeline_raises_is_named_with_the_reason(tmp_path: Path) -> None:
    problem = people()
    pipeline = linear().fit(problem.X_train, problem.y_train)
    problem.X_test.iloc[3, 2] = "pilot"
    with pytest.raises(ExportRefused) as caught:
        problem.export(pipeline, tmp_path)
    assert "the pipeline has no answer to row 3 of X_test: ValueError: Found unknown categories" in str(caught.value)
    assert "'pilot'" in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("dtype", ["str", "object", "category", "string"])
def test_text_in_every_form_that_pandas_has(dtype: str, tmp_path: Path) -> None:
    problem = people(gaps=dtype != "string")
    X, X_test = (part.astype({"job": dtype}) for part in (problem.X_train, problem.X_test))
    changed = Problem(X, problem.y_train, X_test, problem.y_test)
    pipeline = linear(handle_unknown="ignore").fit(X, problem.y_train)
    bundle = changed.export(pipeline, tmp_path)
    job = bundle.manifest.features[2]
    assert job.categories == JOBS
    assert job.missing_in_training == X["job"].isna().sum()
    assert bundle.manifest.parity.adversarial_rows >= 5_000


def test_trees_take_categories_and_gaps_as_they_are(tmp_path: Path) -> None:
    problem = people(600, gaps=True)
    X, X_test = (part.astype({"job": "category"}) for part in (problem.X_train, problem.X_test))
    boosted = HistGradientBoostingClassifier(categorical_features="from_dtype").fit(X, problem.y_train)
    bundle = Problem(X, problem.y_train, X_test, problem.y_test).export(boosted, tmp_path, name="boosted")
    assert [feature.missing for feature in bundle.manifest.features] == ["default"] * 3
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    prepare = ColumnTransformer([("job", ordinal, ["job"])], remainder="passthrough")
    forest = make_pipeline(prepare, RandomForestClassifier(20, random_state=0)).fit(problem.X_train, problem.y_train)
    bundle = problem.export(forest, tmp_path, name="forest")
    assert bundle.manifest.parity.largest_difference < 1e-14
    assert bundle.manifest.parity.split_ties == 0
    row = {"income": None, "owner": True, "job": None}
    outcome, _, _, answer = judged(bundle, row)
    assert outcome is None
    frame = pd.DataFrame([row]).astype({"income": float, "job": "str"})
    assert answer == pytest.approx(forest.predict_proba(frame)[0], abs=1e-14)


@pytest.mark.parametrize("gone", [None, np.nan], ids=repr)
@pytest.mark.parametrize("encoder", [OneHotEncoder(sparse_output=False), OrdinalEncoder(), TargetEncoder()], ids=repr)
def test_booleans_and_numbers_with_gaps_are_encoded_as_the_objects_that_pandas_has(
    encoder: Any, gone: Any, tmp_path: Path
) -> None:
    problem = people()
    X, X_test = (part[["owner"]].assign(rooms=np.arange(len(part)) % 4) for part in (problem.X_train, problem.X_test))
    for part in (X, X_test):
        for position, name in enumerate(part):
            part[name] = part[name].astype(object)
            part.loc[part.index[position::9], name] = gone
    pipeline = make_pipeline(encoder, HistGradientBoostingClassifier(max_iter=5)).fit(X, problem.y_train)
    bundle = Problem(X, problem.y_train, X_test, problem.y_test).export(pipeline, tmp_path)
    assert [feature.type for feature in bundle.manifest.features] == ["boolean", "integer"]
    for row in ({"owner": True, "rooms": 3}, {"owner": None, "rooms": 0}, {"owner": False, "rooms": None}):
        plain = {name: gone if value is None else value for name, value in row.items()}
        expected = pipeline.predict_proba(pd.DataFrame([plain], dtype=object))[0]
        assert judged(bundle, row)[3] == pytest.approx(expected, abs=1e-12)


def test_text_and_numbers_of_arrow(tmp_path: Path) -> None:
    problem = people()
    X, X_test = (part.convert_dtypes(dtype_backend="pyarrow") for part in (problem.X_train, problem.X_test))
    pipeline = linear(handle_unknown="ignore").fit(X, problem.y_train)
    bundle = Problem(X, problem.y_train, X_test, problem.y_test).export(pipeline, tmp_path)
    assert [feature.type for feature in bundle.manifest.features] == ["float", "boolean", "string"]


def test_whole_numbers_beyond_64_bits(tmp_path: Path) -> None:
    problem = people()
    X, X_test = (
        part.assign(account=pd.Series([10**30, 1] * (len(part) // 2), index=part.index, dtype=object))
        for part in (problem.X_train, problem.X_test)
    )
    pipeline = make_pipeline(ColumnTransformer([("income", "passthrough", ["income"])]), LogisticRegression())
    bundle = Problem(X, problem.y_train, X_test, problem.y_test).export(pipeline.fit(X, problem.y_train), tmp_path)
    assert pd.read_parquet(bundle.folder / "sample.parquet")["account"].tolist()[:2] == [1e30, 1.0]


def test_labels_beyond_63_bits(tmp_path: Path) -> None:
    problem = people()
    large = np.array([1, 2**64 - 1], dtype=np.uint64)
    labels = [large[(y == "good").astype(int)] for y in (problem.y_train, problem.y_test)]
    changed = Problem(problem.X_train, labels[0], problem.X_test, labels[1])
    bundle = changed.export(linear().fit(problem.X_train, labels[0]), tmp_path)
    assert bundle.manifest.classes == [1, 2**64 - 1]
    assert set(pd.read_parquet(bundle.folder / "sample.parquet")["prediction"]) == {1, 2**64 - 1}


def test_an_outlier_detector_is_a_classifier_of_outliers_and_others(tmp_path: Path) -> None:
    problem = people()
    prepare = ColumnTransformer([("job", OneHotEncoder(), ["job"])], remainder="passthrough")
    detector = make_pipeline(prepare, IsolationForest(n_estimators=20, random_state=0)).fit(problem.X_train)
    truth = [np.where(part["income"] > 15, 1, -1) for part in (problem.X_train, problem.X_test)]
    manifest = Problem(problem.X_train, truth[0], problem.X_test, truth[1]).export(detector, tmp_path).manifest
    assert (manifest.task, manifest.classes, manifest.positive) == ("binary", [-1, 1], -1)
    assert (manifest.output.score, manifest.output.probabilities) == ("score", None)
    assert manifest.metrics["recall"].n >= 0


def test_a_sentinel_that_is_a_training_text_is_refused(tmp_path: Path) -> None:
    problem = people()
    pipeline = linear().fit(problem.X_train, problem.y_train)
    with pytest.raises(ExportRefused, match="training rows hold its sentinel 'nurse'"):
        problem.export(pipeline, tmp_path, policies={"job": {"sentinels": ["nurse"]}})
    bundle = problem.export(pipeline, tmp_path, policies={"job": {"sentinels": ["n/a", ""], "missing": "reject"}})
    assert judged(bundle, {"income": 1.0, "owner": True, "job": "n/a"})[1] == ["missing_feature"]


def test_the_fingerprint_tells_texts_apart(tmp_path: Path) -> None:
    problem = people()
    renamed = [part.assign(job=part["job"].str.replace("smith", "smyth")) for part in (problem.X_train, problem.X_test)]
    other = Problem(renamed[0], problem.y_train, renamed[1], problem.y_test)
    shas = [
        each.export(linear().fit(each.X_train, each.y_train), tmp_path, name=name).manifest.data["sha256"]
        for name, each in {"a": problem, "b": other}.items()
    ]
    assert shas[0] != shas[1]


class ByIndex(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A step that looks at what no client can send."""

    def fit(self, X: Any, y: Any = None) -> ByIndex:
        self.fitted_ = True
        return self

    def transform(self, X: Any) -> Any:
        return np.column_stack([X["income"], X.index.to_numpy(dtype=float)])


def test_a_pipeline_that_looks_at_the_index_is_refused(tmp_path: Path) -> None:
    problem = people()
    pipeline = make_pipeline(ByIndex(), LogisticRegression()).fit(problem.X_train, problem.y_train)
    with pytest.raises(ExportRefused, match="it looks at something that a client cannot send"):
        problem.export(pipeline, tmp_path)
