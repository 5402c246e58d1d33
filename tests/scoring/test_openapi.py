"""The document is OpenAPI 3.1 in shape, and what it says of requests and answers is true of real ones."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from scoring.artifacts import ARTIFACTS
from scoring.bundle import Criteria
from scoring.catalog import Catalog
from scoring.openapi import openapi
from tests.scoring.bundles import (
    AGE,
    JOB,
    job_manifest,
    manifest,
    positions,
    regression,
    regressor_manifest,
    write_bundle,
)
from tests.scoring.services import line

OPEN = {"/v2", "/ping", "/health", "/version", "/docs", "/openapi.json"}
METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    write_bundle(tmp_path, manifest(criteria=Criteria(minimum_probability=0.6)))
    write_bundle(tmp_path, regressor_manifest(), regression(2))
    return tmp_path


@pytest.fixture
def document(models: Path) -> dict[str, Any]:
    return openapi(Catalog.load(models), "1.2.3")


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                assert method in METHODS
                yield path, item, operation


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def faults(document: dict[str, Any], schema: str, value: Any) -> list[str]:
    """Where a value is not as the schema says."""
    described = {"$ref": f"#/components/schemas/{schema}", "components": document["components"]}
    return [problem.message for problem in jsonschema.Draft202012Validator(described).iter_errors(value)]


def test_it_is_json_and_names_version_and_application(document: dict[str, Any]) -> None:
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["openapi"] == "3.1.0"
    assert document["info"]["version"] == "1.2.3"


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    found = set(references(document))
    assert found
    for reference in found:
        target: Any = document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]


def test_every_schema_is_a_json_schema_with_an_allowed_name(document: dict[str, Any]) -> None:
    for name, schema in document["components"]["schemas"].items():
        assert re.fullmatch(r"[a-zA-Z0-9._-]+", name)
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("name", ["Result", "Flags", "Receipt", "LabelResult"])
def test_every_field_of_an_answer_is_described(document: dict[str, Any], name: str) -> None:
    fields = document["components"]["schemas"][name]["properties"]
    assert [field for field, schema in fields.items() if not schema.get("description") and "$ref" not in schema] == []


def test_every_operation_has_an_id_of_its_own_its_path_parameters_and_answers(document: dict[str, Any]) -> None:
    ids = []
    for path, item, operation in operations(document):
        ids.append(operation["operationId"])
        named = {each["name"] for each in item.get("parameters", []) if each["in"] == "path" and each["required"]}
        assert named == set(re.findall(r"{(\w+)}", path))
        assert "200" in operation["responses"]
        for answer in operation["responses"].values():
            shared = document["components"]["responses"].get(answer.get("$ref", "").rpartition("/")[2], answer)
            assert shared["description"]
        assert set(operation["tags"]) <= {tag["name"] for tag in document["tags"]}
    assert len(ids) == len(set(ids)) == 26


def test_data_needs_a_key_and_health_does_not(document: dict[str, Any]) -> None:
    schemes = set(document["components"]["securitySchemes"])
    assert schemes == {"key", "code"}
    for path, _, operation in operations(document):
        expected: list[dict[str, list[str]]] = (
            [] if path.startswith("/v2/health") or path in OPEN else [{"key": []}, {"code": []}]
        )
        assert operation["security"] == expected
        assert ("401" in operation["responses"]) is bool(expected)


def test_each_model_shows_its_features_and_an_example_that_is_scored(models: Path, document: dict[str, Any]) -> None:
    shown = document["components"]["schemas"]["instance.credit"]
    assert [each["name"] for each in shown["x-features"]] == ["age", "income", "member"]
    assert shown["x-features"][0] == {
        "name": "age", "type": "float", "minimum": 20.0, "maximum": 80.0, "missing": "abstain", "outside": "flag",
    }  # fmt: skip
    score = document["paths"]["/models/{model}/score"]["post"]
    examples = score["requestBody"]["content"]["application/json"]["examples"]
    assert list(examples) == ["amount", "credit"]
    with line(models) as started:
        for model, example in examples.items():
            (result,) = started.score(example["value"], model=model)["results"]
            assert result["outcome"] == "scored" or result["reasons"] == ["low_confidence"]
            assert result["flags"]["outside"] == {}
        labels = document["paths"]["/models/{model}/labels"]["post"]["requestBody"]["content"]["application/json"]
        for model, example in labels["examples"].items():
            assert started.label(example["value"], model=model)["results"][0]["outcome"] == "recorded"


def test_real_requests_and_answers_are_as_described(models: Path, document: dict[str, Any]) -> None:
    good = {"age": 80.0, "income": 500, "member": True}
    request = {"instances": [good, {**good, "age": "x"}, {}], "ids": ["a", "b", "c"]}
    assert faults(document, "ScoreRequest", request) == []
    with line(models) as started:
        assert faults(document, "ScoreResponse", started.score(request)) == []
        labels = {"labels": [{"id": "a", "label": "bad"}, {"id": "a b", "label": "bad"}]}
        assert faults(document, "LabelResponse", started.label(labels)) == []


def test_requests_and_answers_of_the_other_protocols_are_as_described(models: Path, document: dict[str, Any]) -> None:
    with line(models) as started:
        for path, protocol, request, response in (
            ("/v2/models/{model}/infer", "open_inference", "InferRequest", "InferResponse"),
            ("/models/{model}/invocations", "mlflow", "InvocationRequest", "InvocationResponse"),
        ):
            examples = bodies(document, path)["application/json"]["examples"]
            assert {name.partition(".")[0] for name in examples} == {"amount", "credit"}
            for name, example in examples.items():
                assert faults(document, request, example["value"]) == []
                answer = started.score(example["value"], model=name.partition(".")[0], protocol=protocol)
                assert faults(document, response, answer) == []


def test_an_example_of_a_table_is_scored(models: Path, document: dict[str, Any]) -> None:
    examples = bodies(document, "/models/{model}/invocations")["text/csv"]["x-examples"]
    with line(models) as started:
        for model, text in examples.items():
            answer = started.score(text.encode(), model=model, kind="text/csv", protocol="mlflow")
            assert [result["reasons"] for result in answer["results"]] in ([[]], [["low_confidence"]])


def bodies(document: dict[str, Any], path: str) -> dict[str, Any]:
    """The media types of a route's body."""
    found: dict[str, Any] = document["paths"][path]["post"]["requestBody"]["content"]
    return found


def test_a_wrong_request_of_the_other_protocols_is_not_as_described(document: dict[str, Any]) -> None:
    good = {"name": "age", "shape": [2], "datatype": "FP64", "data": [1, 2]}
    wrong_tensors: list[dict[str, Any]] = [
        {"shape": [3]}, {"shape": [1, 2]}, {"shape": []}, {"datatype": "FP128"}, {"data": [1, [2]]}, {"name": 1},
        {"name": "instance_id"}, {"parameters": {"binary_data_size": 16}}, {"parameters": {"shared_memory_offset": 0}},
    ]  # fmt: skip
    assert faults(document, "InferRequest", {"inputs": [good]}) == []
    for wrong in wrong_tensors:
        assert faults(document, "InferRequest", {"inputs": [good | wrong]}) != [], wrong
    asked: list[list[dict[str, Any]]] = [[{"name": "x"}], [{"name": "predict"}, {"name": "predict"}], [{}]]
    for unasked in asked:
        assert faults(document, "InferRequest", {"inputs": [good], "outputs": unasked}) != []
    wrong_tables: list[dict[str, Any]] = [
        {}, {"instances": []}, {"instances": [1], "inputs": [1]}, {"inputs": {"age": [1, 2], "income": [1]}},
        {"inputs": {"age": 1, "income": [1]}}, {"dataframe_split": {"columns": ["age", "age"], "data": [[1, 2]]}},
        {"dataframe_split": {"data": [[1]], "index": [1, 2]}}, {"instances": [1], "ids": ["a", "b"]},
        {"instances": [1], "params": {"a": 1}}, {"inputs": {"age": [1, 2]}, "ids": ["a"]},
    ]  # fmt: skip
    for table in wrong_tables:
        assert faults(document, "InvocationRequest", table) != [], table


def test_a_wrong_request_is_not_as_described(document: dict[str, Any]) -> None:
    wrong_ones: list[dict[str, Any]] = [
        {}, {"instances": []}, {"instances": [{}], "id": ["a"]}, {"instances": [{}], "ids": ["a b"]},
    ]  # fmt: skip
    for wrong in wrong_ones:
        assert faults(document, "ScoreRequest", wrong) != []


def test_without_models_it_is_still_a_document(tmp_path: Path) -> None:
    empty = openapi(Catalog.load(tmp_path))
    assert (
        "examples" not in empty["paths"]["/models/{model}/score"]["post"]["requestBody"]["content"]["application/json"]
    )
    for schema in empty["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_word_of_an_artifact_is_told(document: dict[str, Any]) -> None:
    told = document["components"]["schemas"]["Flags"]["properties"]["artifacts"]
    assert told["additionalProperties"]["items"]["enum"] == list(ARTIFACTS)
    assert all(f"{word}: {meaning}" in told["description"] for word, meaning in ARTIFACTS.items())


def test_defaults_are_told_and_of_a_redacted_feature_no_value_of_training(tmp_path: Path) -> None:
    age = msgspec.structs.replace(AGE, redaction="drop", defaults=[99], unit="years")
    job = msgspec.structs.replace(JOB, redaction="hash", categories=["a secret trade", "cook"])
    write_bundle(tmp_path, job_manifest(job, features=[age, job]), positions())
    document = openapi(Catalog.load(tmp_path, redaction_key=b"k" * 32))
    described = document["components"]["schemas"]["instance.amount"]
    assert described["x-features"] == [
        {"name": "age", "type": "float", "unit": "years", "missing": "abstain", "outside": "flag", "defaults": [99],
         "redaction": "drop"},
        {"name": "job", "type": "string", "missing": "impute", "outside": "flag", "sentinels": ["", "N/A"],
         "redaction": "hash"},
    ]  # fmt: skip
    assert described["properties"]["age"]["description"] == "a number years, redacted in the log"
    assert "a secret trade" not in json.dumps(document)
