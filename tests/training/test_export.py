"""What a bundle says: manifest, baseline, sample and card, field by field, and the same bytes each time."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from sklearn import metrics
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from scoring.bundle import Bundle, Criteria, load_bundle
from scoring.envelope import Envelope
from scoring.model import Model
from tests.training.problems import Problem, fitted_logistic, fitted_ridge, numbers, people, values
from training.errors import ExportRefused


def exported_people(out: Path, **options: Any) -> tuple[Problem, Any, Bundle]:
    problem = people()
    pipeline = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())
    X = problem.X_train.astype({"owner": float})
    pipeline.fit(X, problem.y_train)
    return problem, pipeline, problem.export(pipeline, out, **options)


def test_the_manifest_describes_each_feature(tmp_path: Path) -> None:
    problem, _, bundle = exported_people(tmp_path, units={"age in years": "years"})
    income, age, owner = bundle.manifest.features
    there = problem.X_train["income"].dropna()
    assert (income.name, income.type, income.unit) == ("income", "float", None)
    assert (income.minimum, income.maximum) == (there.min(), there.max())
    assert income.mean == pytest.approx(there.mean(), rel=1e-14)
    assert income.deviation == pytest.approx(there.std(ddof=0), rel=1e-12)
    assert income.missing_in_training == problem.X_train["income"].isna().sum() > 0
    assert (age.name, age.type, age.unit, age.missing_in_training) == ("age in years", "integer", "years", 0)
    assert (owner.type, owner.categories, owner.minimum, owner.mean) == ("boolean", [False, True], None, None)
    assert income.importance is not None
    assert income.importance > 0.05


def test_the_manifest_describes_the_model(tmp_path: Path) -> None:
    problem, _, bundle = exported_people(
        tmp_path,
        positive="bad",
        criteria=Criteria(minimum_probability=0.6),
        p99_ms=20.0,
        cold_start_ms=900.0,
        thresholds={"psi": 0.3},
        description="Who pays back?",
        source="made up",
        policies={"income": {"sentinels": [-1], "outside": "abstain"}},
        convergence=["lbfgs failed to converge"],
    )
    manifest = bundle.manifest
    assert (manifest.name, manifest.version, manifest.schema) == ("model", "1", 1)
    assert manifest.created == "2026-11-23T12:00:00Z"
    assert (manifest.task, manifest.classes, manifest.positive) == ("binary", ["bad", "good"], "bad")
    assert (manifest.target, manifest.target_unit) == ("credit", None)
    assert (manifest.input, manifest.output.label_index, manifest.output.probabilities) == (
        "features", "label_index", "probabilities",
    )  # fmt: skip
    assert manifest.criteria.minimum_probability == 0.6
    assert (manifest.requirements.p99_ms, manifest.requirements.cold_start_ms) == (20.0, 900.0)
    assert manifest.thresholds == {"psi": 0.3}
    assert manifest.features[0].sentinels == [-1]
    assert manifest.features[0].outside == "abstain"
    assert manifest.convergence == ["lbfgs failed to converge"]
    assert set(manifest.libraries) == {"scikit-learn", "skl2onnx", "onnx", "onnxruntime", "numpy", "python"}
    assert manifest.data["rows"] == len(problem.X_train)
    assert manifest.data["test_rows"] == len(problem.X_test)
    assert manifest.data["source"] == "made up"
    assert manifest.parity.takes_missing
    assert set(manifest.files) == {"model.onnx", "baseline.json", "sample.parquet", "card.md"}


def test_metrics_equal_scikit_learns_on_the_test_set(tmp_path: Path) -> None:
    problem, pipeline, bundle = exported_people(tmp_path, positive="bad")
    X = problem.X_test.astype({"owner": float})
    predicted, probability = pipeline.predict(X), pipeline.predict_proba(X)
    found = bundle.manifest.metrics
    y = problem.y_test
    assert found["accuracy"].value == pytest.approx(metrics.accuracy_score(y, predicted), abs=1e-12)
    assert found["recall"].value == pytest.approx(metrics.recall_score(y, predicted, pos_label="bad"), abs=1e-12)
    assert found["roc_auc"].value == pytest.approx(metrics.roc_auc_score(y == "bad", probability[:, 0]), abs=1e-12)
    assert found["log_loss"].value == pytest.approx(metrics.log_loss(y, probability), abs=1e-12)
    for metric in found.values():
        assert metric.n > 0
        assert metric.low is None or metric.low <= metric.value <= (metric.high or 0)


def test_metrics_of_a_regression_equal_scikit_learns(tmp_path: Path) -> None:
    problem = values()
    pipeline = fitted_ridge(problem)
    found = problem.export(pipeline, tmp_path, target_unit="m").manifest
    predicted = pipeline.predict(problem.X_test)
    assert found.metrics["rmse"].value == pytest.approx(
        metrics.root_mean_squared_error(problem.y_test, predicted), abs=1e-12
    )
    assert found.metrics["r2"].value == pytest.approx(metrics.r2_score(problem.y_test, predicted), abs=1e-12)
    assert (found.task, found.classes, found.positive, found.target_unit) == ("regression", [], None, "m")


def test_scoring_serves_what_training_exports(tmp_path: Path) -> None:
    problem, pipeline, bundle = exported_people(tmp_path)
    rows = problem.X_test.to_numpy(dtype=np.float64)
    answers = Model(bundle).run(rows)
    expected = pipeline.predict_proba(problem.X_test.astype({"owner": float}))
    assert answers.probabilities is not None
    assert np.abs(answers.probabilities - expected).max() < 1e-12


def test_one_in_a_thousand_training_rows_is_farther_than_the_threshold(tmp_path: Path) -> None:
    problem, _, bundle = exported_people(tmp_path)
    calibration = bundle.manifest.calibration
    assert calibration is not None
    assert (len(calibration.centres), len(calibration.centres[0])) == (8, 4)
    distances, nearest = Envelope(bundle.manifest.features, calibration).distances(
        problem.X_train.to_numpy(dtype=np.float64)
    )
    assert (distances > calibration.threshold).sum() == 0
    assert calibration.threshold == distances.max()
    clusters = bundle.baseline().clusters
    assert clusters is not None
    assert clusters.occupancy == np.bincount(nearest, minlength=8).tolist()
    assert sum(clusters.distance.counts) == len(problem.X_train)


def test_the_baseline_counts_every_training_and_test_row(tmp_path: Path) -> None:
    problem, pipeline, bundle = exported_people(tmp_path)
    baseline = bundle.baseline()
    assert (baseline.rows, baseline.test_rows) == (len(problem.X_train), len(problem.X_test))
    assert set(baseline.features) == {"income", "age in years", "owner"}
    for histogram in baseline.features.values():
        assert sum(histogram.counts) + histogram.missing == baseline.rows
    assert set(baseline.outputs) == {"label", "probability:bad", "probability:good"}
    for histogram in baseline.outputs.values():
        assert sum(histogram.counts) == baseline.test_rows
    predicted = pipeline.predict(problem.X_test.astype({"owner": float}))
    assert baseline.outputs["label"].counts == [(predicted == "bad").sum(), (predicted == "good").sum()]
    for true, by_class in baseline.scores_by_class.items():
        for counts in by_class.values():
            assert len(counts) == 100
            assert sum(counts) == (problem.y_test == true).sum()


def test_the_sample_holds_training_rows_with_what_is_predicted_for_them(tmp_path: Path) -> None:
    problem, pipeline, bundle = exported_people(tmp_path)
    table = pq.read_table(bundle.folder / "sample.parquet").to_pandas()
    assert table.columns.tolist() == ["income", "age in years", "owner", "credit", "prediction"]
    assert len(table) == len(problem.X_train)
    assert table["age in years"].tolist() == problem.X_train["age in years"].tolist()
    assert table["owner"].dtype == bool
    assert table["prediction"].tolist() == pipeline.predict(problem.X_train.astype({"owner": float})).tolist()


def test_what_is_declared_of_values_goes_into_manifest_and_card(tmp_path: Path) -> None:
    _, _, bundle = exported_people(
        tmp_path, policies={"income": {"defaults": [0, 99.5], "sentinels": [-1]}, "age in years": {"redaction": "drop"}}
    )
    income, age, _ = bundle.manifest.features
    assert (income.defaults, income.sentinels, age.redaction) == ([0, 99.5], [-1], "drop")
    card = (bundle.folder / "card.md").read_text(encoding="utf-8")
    assert "Declared to mean missing: income -1." in card
    assert "Filled in upstream when nothing is known, scored and flagged: income 0, 99.5." in card
    assert "Never in the log in clear: age in years." in card
    assert "| age in years | integer |  | redacted |" in card


def test_private_features_leave_no_sample(tmp_path: Path) -> None:
    _, _, declared = exported_people(tmp_path / "a", private=True)
    _, _, redacted = exported_people(tmp_path / "b", policies={"income": {"redaction": "hash"}})
    for bundle in (declared, redacted):
        assert "sample.parquet" not in bundle.manifest.files
        assert not (bundle.folder / "sample.parquet").exists()


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    problem = numbers(3)
    pipeline = fitted_logistic(problem)
    first, again = (problem.export(pipeline, tmp_path / folder) for folder in "ab")
    assert first.sha256 == again.sha256
    later = problem.export(pipeline, tmp_path / "c", clock=lambda: 0.0)
    assert later.manifest.files.keys() == first.manifest.files.keys()
    changed = {name for name, sha in later.manifest.files.items() if sha != first.manifest.files[name]}
    assert changed == {"card.md"}, "only the card repeats the date"


def test_every_file_has_the_manifests_hash(tmp_path: Path) -> None:
    _, _, bundle = exported_people(tmp_path)
    assert {path.name for path in bundle.folder.iterdir()} == {*bundle.manifest.files, "manifest.json", "SHA256SUMS"}
    for name, sha in bundle.manifest.files.items():
        assert hashlib.sha256((bundle.folder / name).read_bytes()).hexdigest() == sha
    assert load_bundle(bundle.folder) == bundle


def test_the_manifest_is_json_for_people_too(tmp_path: Path) -> None:
    _, _, bundle = exported_people(tmp_path)
    text = (bundle.folder / "manifest.json").read_text()
    assert text.startswith('{\n  "schema": 1,')
    assert json.loads(text)["features"][1]["name"] == "age in years"
    assert "NaN" not in text


def test_the_fingerprint_changes_with_every_part_of_the_training_data(tmp_path: Path) -> None:
    problem = numbers()
    pipeline = fitted_logistic(problem)
    X = problem.X_train.copy()
    X[0, 0] = np.nextafter(X[0, 0], np.inf)
    y = problem.y_train.copy()
    y[0] = 1 - y[0]
    weights = np.ones(len(y))
    exports = [
        problem.export(pipeline, tmp_path, version="1"),
        Problem(X, problem.y_train, problem.X_test, problem.y_test).export(pipeline, tmp_path, version="2"),
        Problem(problem.X_train, y, problem.X_test, problem.y_test).export(pipeline, tmp_path, version="3"),
        problem.export(pipeline, tmp_path, version="4", feature_names=["a", "b", "c", "d"]),
        problem.export(pipeline, tmp_path, version="5", sample_weight=weights),
    ]
    assert len({bundle.manifest.data["sha256"] for bundle in exports}) == len(exports)
    assert exports[-1].manifest.data["weighted"] is True


def test_a_constant_column_is_refused_or_if_it_is_meant_named_in_the_card(tmp_path: Path) -> None:
    problem = numbers()
    X = problem.X_train.copy()
    X[:, 3] = 0.1
    changed = Problem(X, problem.y_train, problem.X_test, problem.y_test)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, problem.y_train)
    with pytest.raises(ExportRefused, match=r"column 'x3' holds 0.1 in all 60 training rows.*leave it out"):
        changed.export(pipeline, tmp_path)
    bundle = changed.export(pipeline, tmp_path, allow_constant=True)
    feature = bundle.manifest.features[3]
    assert (feature.minimum, feature.maximum, feature.deviation) == (0.1, 0.1, 0.0)
    assert "The same value in every training row, so the model cannot have learnt from: x3" in (
        bundle.folder / "card.md"
    ).read_text(encoding="utf-8")
    assert bundle.baseline().features["x3"].counts == [0, 60, 0]


def test_few_distinct_rows_make_few_clusters(tmp_path: Path) -> None:
    X = np.array([[0.0], [1.0]] * 20)
    y = X[:, 0].astype(int)
    bundle = Problem(X, y, X, y).export(LogisticRegression().fit(X, y), tmp_path)
    assert bundle.manifest.calibration is not None
    assert len(bundle.manifest.calibration.centres) == 2


def test_a_test_set_of_one_row_leaves_out_what_it_cannot_measure(tmp_path: Path) -> None:
    problem = numbers()
    one = Problem(problem.X_train, problem.y_train, problem.X_test[:1], problem.y_test[:1])
    found = one.export(fitted_logistic(problem), tmp_path).manifest.metrics
    assert "accuracy" in found
    assert "roc_auc" not in found


def test_frames_of_nullable_types_are_read_as_numbers(tmp_path: Path) -> None:
    problem = people()
    X = problem.X_train.astype({"income": "Float64", "age in years": "Int64", "owner": "boolean"})
    X.loc[X.index[:5], "age in years"] = pd.NA
    pipeline = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())
    plain = X.astype(float)
    pipeline.fit(plain, problem.y_train)
    bundle = Problem(X, problem.y_train, problem.X_test, problem.y_test).export(pipeline, tmp_path)
    assert [feature.type for feature in bundle.manifest.features] == ["float", "integer", "boolean"]
    assert bundle.manifest.features[1].missing_in_training == 5


def test_lists_and_one_column_targets_are_taken_as_arrays(tmp_path: Path) -> None:
    problem = numbers()
    plain = Problem(
        problem.X_train.tolist(), problem.y_train[:, None], problem.X_test.tolist(), problem.y_test.tolist()
    )
    bundle = plain.export(fitted_logistic(problem), tmp_path)
    assert [feature.name for feature in bundle.manifest.features] == ["x0", "x1", "x2", "x3"]


def test_the_card_escapes_markup_and_states_the_essentials(tmp_path: Path) -> None:
    _, _, bundle = exported_people(tmp_path, description="<script>alert(1)</script> | [x](y)\n# no heading")
    card = (bundle.folder / "card.md").read_text(encoding="utf-8")
    assert "<script>" not in card
    assert "\n# no heading" not in card
    assert "SimpleImputer → StandardScaler → LogisticRegression" in card
    assert "Imputed by the pipeline itself when missing: income. If another feature is missing" in card
    assert f"Compared with scikit-learn on {bundle.manifest.parity.rows:,} rows" in card
    assert bundle.manifest.data["sha256"] in card


def test_the_card_says_when_the_model_abstains(tmp_path: Path) -> None:
    criteria = Criteria(joint="abstain", minimum_probability=0.6)
    _, _, bundle = exported_people(tmp_path, criteria=criteria, policies={"income": {"outside": "abstain"}})
    card = (bundle.folder / "card.md").read_text(encoding="utf-8")
    assert "It abstains when income is outside its training range." in card
    assert "It abstains when an instance as a whole is farther from the training rows than they are." in card
    assert "It abstains when the winning class has a probability below 0.6." in card


def test_a_fit_that_was_stopped_is_noted(tmp_path: Path) -> None:
    problem = numbers()
    with pytest.warns(Warning, match="converge"):
        pipeline = make_pipeline(LogisticRegression(max_iter=1)).fit(problem.X_train, problem.y_train)
    manifest = problem.export(pipeline, tmp_path).manifest
    assert manifest.convergence == [
        "logisticregression: LogisticRegression stopped after max_iter=1 iterations; it may not have converged"
    ]
    assert msgspec.json.decode(msgspec.json.encode(manifest))["convergence"] == manifest.convergence
