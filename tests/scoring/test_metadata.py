"""Metadata lists what is taken and answered."""

from __future__ import annotations

import json
from typing import Any

from scoring.bundle import Feature, Manifest, Output
from scoring.metadata import model_metadata, server_metadata
from tests.scoring.bundles import JOB, job_manifest, manifest, numeric_manifest, regressor_manifest


def test_the_server_names_the_extension_it_has() -> None:
    assert server_metadata("0.1")["extensions"] == ["binary_tensor_data"]


def test_each_feature_is_an_input_and_so_are_ids() -> None:
    inputs = metadata(manifest(features=[*manifest().features, JOB]))["inputs"]
    assert inputs == [
        {"name": "age", "datatype": "FP64", "shape": [-1]},
        {"name": "income", "datatype": "FP64", "shape": [-1]},
        {"name": "member", "datatype": "BOOL", "shape": [-1]},
        {"name": "job", "datatype": "BYTES", "shape": [-1]},
        {"name": "instance_id", "datatype": "BYTES", "shape": [-1]},
    ]


def test_a_feature_that_is_named_as_the_ids_is_listed_once() -> None:
    named = Feature(name="instance_id", type="boolean")
    assert [each["datatype"] for each in metadata(manifest(features=[named]))["inputs"]] == ["BOOL"]


def test_outputs_are_those_of_the_models_kind() -> None:
    common = ["outcome", "reasons", "instance_id"]
    assert names(manifest()) == ["predict", "predict_proba", *common]
    assert names(manifest(output=Output(label_index="l", score="s"))) == ["predict", "score", *common]
    assert names(regressor_manifest()) == names(job_manifest()) == ["predict", *common]
    probabilities = metadata(numeric_manifest(2, classes=["a", "b", "c"]))["outputs"][1]
    assert probabilities == {"name": "predict_proba", "datatype": "FP64", "shape": [-1, 3]}


def test_classes_stand_in_the_order_of_their_probabilities_and_what_means_none_is_said() -> None:
    parameters = metadata(manifest())["parameters"]
    assert json.loads(parameters["classes"]) == ["bad", "good"]
    assert "-9223372036854775808" in parameters["no_prediction"]
    assert "classes" not in metadata(regressor_manifest())["parameters"]


def metadata(described: Manifest) -> dict[str, Any]:
    return model_metadata(described, ["1"], "1", [])


def names(described: Manifest) -> list[str]:
    return [output["name"] for output in metadata(described)["outputs"]]
