"""A graph is checked when it is loaded, and a run that goes wrong is a ModelError without values."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import onnxruntime
import pytest

from scoring.bundle import Feature, Label, Manifest, Output
from scoring.model import Model, ModelError, RunTimeout
from scoring.watchdog import Watchdog
from tests.scoring.bundles import (
    AGE,
    INCOME,
    breaking,
    classifier,
    decision_function,
    looping,
    manifest,
    regression,
    regressor_manifest,
    write_bundle,
)


def texts(*categories: Label, known: list[Label] | None = None) -> Feature:
    return Feature(name="job", type="string", categories=list(categories), known=known or [])


def load(models: Path, described: Manifest, graph: onnx.ModelProto | None = None) -> Model:
    return Model(write_bundle(models, described, graph))


def test_a_classifier_answers_label_and_probabilities(tmp_path: Path) -> None:
    answers = load(tmp_path, manifest()).run(np.array([[50.0, 1.0, 0.0], [80.0, 1.0, 0.0]]))
    assert answers.label_index is not None
    assert answers.probabilities is not None
    assert answers.label_index.tolist() == [0, 1]
    odds = math.exp(3.0)
    np.testing.assert_allclose(answers.probabilities, [[0.5, 0.5], [1 / (1 + odds), odds / (1 + odds)]], rtol=1e-12)


def test_a_regression_and_a_decision_function(tmp_path: Path) -> None:
    value = load(tmp_path, regressor_manifest(), regression(2)).run(np.array([[1.0, 2.0]])).value
    assert value is not None
    assert value.tolist() == [3.0]
    described = manifest(output=Output(label_index="label_index", score="score"))
    score = load(tmp_path, described, decision_function()).run(np.array([[51.0, 0.0, 0.0]])).score
    assert score is not None
    assert score.tolist() == [1.0]


def test_a_run_that_fails_names_no_value(tmp_path: Path) -> None:
    model = load(tmp_path, regressor_manifest(), breaking(2))
    with pytest.raises(ModelError) as caught:
        model.run(np.array([[1.0, 0.0], [77.0, 0.0]]))
    assert "77" not in str(caught.value)
    assert model.run(np.array([[1.0, 0.0]])).value is not None


@pytest.mark.parametrize(
    ("changes", "graph", "words"),
    [
        ({"input": "rows"}, None, "not one tensor"),
        ({"output": Output(label_index="label", probabilities="probabilities")}, None, "no output named label"),
        ({"output": Output()}, None, "no output named in the manifest"),
        ({"output": Output(probabilities="probabilities")}, None, "must name output.label_index"),
        ({"classes": []}, None, "and its classes"),
        ({"task": "regression"}, None, "must name output.value"),
        ({"features": []}, classifier(1), "no features"),
        ({"features": [AGE, AGE]}, None, "names a feature twice"),
        ({"features": [Feature(name="job", type="string")]}, None, "feature job: categories and known must be texts"),
        ({"features": [texts("a", "a")]}, None, "feature job: categories and known must be texts"),
        ({"features": [texts("a", "b", known=["a"])]}, None, "feature job: categories and known must be texts"),
        ({"features": [texts("a", 1)]}, None, "feature job: categories and known must be texts"),
        ({"classes": ["a", "b", "c"]}, classifier(3, 2), "output probabilities has the shape"),
        ({"features": [AGE, INCOME]}, classifier(3, 2), "the run failed"),
    ],
)
def test_a_graph_that_does_not_fit_its_manifest_is_refused(
    tmp_path: Path, changes: dict[str, Any], graph: onnx.ModelProto | None, words: str
) -> None:
    with pytest.raises(ModelError, match=words):
        load(tmp_path, manifest(**{"calibration": None} | changes), graph)


def test_imputing_with_a_pipeline_that_takes_no_missing_values_is_refused(tmp_path: Path) -> None:
    parity = msgspec.structs.replace(manifest().parity, takes_missing=False)
    described = manifest(features=[msgspec.structs.replace(AGE, missing="impute")], parity=parity, calibration=None)
    with pytest.raises(ModelError, match="feature age: missing is 'impute'"):
        load(tmp_path, described)


def test_bytes_that_are_no_graph_are_refused(tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path, manifest())
    bundle.model_path.write_bytes(b"no graph")
    with pytest.raises(ModelError, match=r"onnxruntime cannot load model\.onnx"):
        Model(bundle)


@pytest.mark.parametrize("version", ["1.26.0", "1.27.1"])
def test_releases_with_wrong_forests_are_refused(tmp_path: Path, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = write_bundle(tmp_path, manifest())
    monkeypatch.setattr(onnxruntime, "__version__", version)
    with pytest.raises(ModelError, match="wrong labels for forests"):
        Model(bundle)


def test_a_run_that_never_ends_is_ended_and_the_session_goes_on(tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path, regressor_manifest(), looping())
    model = Model(bundle, run_timeout_s=0.05, watchdog=Watchdog(tick_s=0.01))
    for _ in range(2):
        with pytest.raises(RunTimeout, match=r"took longer than it may, 0.05 s") as caught:
            model.run(np.array([[61.0, 0.0]]))
        assert "61" not in str(caught.value)
        value = model.run(np.array([[20.0, 0.0]])).value
        assert value is not None
        assert value.tolist() == [20.0]
    with pytest.raises(RunTimeout, match=r"took longer than it may, 0.02 s"):
        model.run(np.array([[61.0, 0.0]]), limit_s=0.02)


def test_a_graph_that_never_ends_on_its_first_run_is_refused(tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path, regressor_manifest(), looping(beyond=-1.0))
    with pytest.raises(ModelError, match=r"its first run, on one row, took longer than 0.05 s"):
        Model(bundle, run_timeout_s=0.05, watchdog=Watchdog(tick_s=0.01))


def test_what_onnxruntime_says_of_a_failed_run_does_not_reach_the_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model = load(tmp_path, regressor_manifest(), breaking(2))
    with pytest.raises(ModelError):
        model.run(np.array([[777.0, 0.0]]))
    assert capfd.readouterr() == ("", "")
