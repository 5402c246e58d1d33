"""OpenAPI 3.1, generated from the catalog: the routes, and for each model its features, ranges and an example.

Instance values are described but typed as any JSON value: a wrong type is a `rejected` result with its reason and not
an error of the request, so a generated client must not refuse to send it. What a model expects stands in `x-features`.

What a request must be is described as it is: a generator that follows the schemas is answered with 200, and one that
breaks them with an error (`make fuzz` holds that). The few rules that a JSON Schema cannot express are in the texts,
and under `x-unique-by`, `x-equally-long` and `x-names-a-feature` for programs.
"""

from __future__ import annotations

from typing import Any

from scoring.bundle import Manifest
from scoring.catalog import Catalog
from scoring.errors import NoDefault
from scoring.openapi_audit import audit_paths, audit_schemas
from scoring.openapi_examples import examples_of
from scoring.openapi_inference import BINARY_TEXT
from scoring.openapi_invocation import csv_schema
from scoring.openapi_lengths import Schema
from scoring.openapi_operations import (
    READING,
    SCORING,
    Operation,
    answer,
    body,
    media,
    model_parameter,
    operation,
    shared_parameters,
    shared_responses,
    version_parameter,
)
from scoring.openapi_schemas import ref, schemas
from scoring.protocols.open_inference import BINARY, HEADER

_TAGS = {
    "score": "Predictions in the native protocol, and ground truth",
    "inference": "Predictions in the Open Inference Protocol, version 2",
    "invocation": "Predictions in MLflow's protocol",
    "audit": "Records, spot checks, notes and reports",
    "service": "Health and metadata",
}


def openapi(catalog: Catalog, version: str = "0") -> dict[str, Any]:
    """The document, with the champions that are ready; `version` is the application's."""
    manifests = [served.manifest for served in catalog.champions()]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Hyperplane",
            "version": version,
            "description": "Scores instances with models that are proven equal to the pipelines they came from. "
            "Every instance has a durable record before its answer.",
        },
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": _scoring_paths(manifests, catalog)
        | _inference_paths(manifests, catalog)
        | _invocation_paths(manifests, catalog)
        | audit_paths(catalog)
        | _service_paths()
        | _metadata_paths(catalog),
        "components": {
            "schemas": schemas(manifests) | audit_schemas(),
            "parameters": shared_parameters(),
            "responses": shared_responses(),
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
                "code": {"type": "apiKey", "in": "query", "name": "code"},
            },
        },
    }


def _scoring_paths(manifests: list[Manifest], catalog: Catalog) -> dict[str, Any]:
    scored = answer("An outcome for each instance, in order", ref("ScoreResponse"))
    sent = body(ref("ScoreRequest"), examples_of(manifests, "native"))
    told = answer("What became of each label, in order", ref("LabelResponse"))
    labels = body(ref("LabelRequest"), examples_of(manifests, "labels"))
    return {
        **_both_versions(catalog, "/models/{model}", "score", "Score instances", scored, sent, "score"),
        "/models/{model}/labels": {
            "parameters": [model_parameter(catalog)],
            "post": operation("label", "Send ground truth for earlier instances", told, SCORING, "score")
            | {"requestBody": labels},
        },
    }


def _inference_paths(manifests: list[Manifest], catalog: Catalog) -> dict[str, Any]:
    sent = body(ref("InferRequest"), examples_of(manifests, "open_inference"), BINARY_TEXT)
    sent["content"][BINARY] = media(ref("InferRequest"), {})
    words = "The outputs that were asked for; if one is wanted in binary, its bytes follow the JSON"
    scored = answer(words, ref("InferResponse"))
    scored["content"][BINARY] = {}
    scored["headers"][HEADER] = {
        "description": "Where the JSON ends, if binary outputs follow",
        "schema": {"type": "integer", "minimum": 1},
    }
    return _both_versions(catalog, "/v2/models/{model}", "infer", "Score tensors", scored, sent, "inference")


def _invocation_paths(manifests: list[Manifest], catalog: Catalog) -> dict[str, Any]:
    scored = answer("Predictions, and an outcome for each instance", ref("InvocationResponse"))
    model = model_parameter(catalog)
    try:
        default = catalog.default_model()
    except NoDefault:
        default = None
    own = [manifest for manifest in manifests if manifest.name == default]
    named = operation("invocations", "Score a table with a model's champion", scored, SCORING, "invocation")
    unnamed = operation("defaultInvocations", "Score a table with the default model", scored, SCORING, "invocation")
    return {
        "/models/{model}/invocations": {
            "parameters": [model],
            "post": named | {"requestBody": _invocation_body(manifests)},
        },
        "/invocations": {"post": unnamed | {"requestBody": _invocation_body(own)}},
    }


def _invocation_body(manifests: list[Manifest]) -> Operation:
    sent = body(ref("InvocationRequest"), examples_of(manifests, "mlflow"))
    sent["content"]["text/csv"] = media(csv_schema(), {}) | {"x-examples": examples_of(manifests, "csv")}
    return sent


def _both_versions(
    catalog: Catalog, path: str, verb: str, summary: str, scored: Operation, sent: Operation, tag: str
) -> dict[str, Any]:
    """A route for the champion, and one for a version."""
    model, version = model_parameter(catalog), version_parameter(catalog)
    champion = operation(verb, f"{summary} with a model's champion", scored, SCORING, tag)
    exact = operation(f"{verb}Version", f"{summary} with one version", scored, SCORING, tag)
    return {
        f"{path}/{verb}": {"parameters": [model], "post": champion | {"requestBody": sent}},
        f"{path}/versions/{{version}}/{verb}": {
            "parameters": [model, version],
            "post": exact | {"requestBody": sent},
        },
    }


def _read(parameters: list[Operation], found: Operation) -> dict[str, Any]:
    return {"parameters": parameters, "get": found}


def _service_paths() -> dict[str, Any]:
    ready = {"503": answer("Not ready; the body says why", ref("Readiness"), status_ok=False)}
    healthy = {"503": answer("Not ready; the body says why", ref("Health"), status_ok=False)}
    html = {"description": "The page", "content": {"text/html": {"schema": {"type": "string"}}}}
    described = {"description": "OpenAPI 3.1", "content": {"application/json": {"schema": {"type": "object"}}}}
    return {
        "/ping": _open("ping", "Whether the process answers, as MLflow asks", ref("Ping")),
        "/health": _open("health", "The same as /v2/health/ready, as MLflow asks", ref("Health"), healthy),
        "/version": _open("version", "The application's version", ref("Version")),
        "/v2": _open("server", "The service's name, version and extensions", ref("Server")),
        "/v2/health/live": _open("live", "Whether the process answers", ref("Liveness")),
        "/v2/health/ready": _open("ready", "Whether models and log are ready; if not, why", ref("Readiness"), ready),
        "/docs": {"get": operation("docs", "This document as a page", html, (503,), "service", keys=False)},
        "/openapi.json": {"get": operation("openapi", "This document", described, (503,), "service", keys=False)},
    }


def _open(name: str, summary: str, schema: Schema, more: dict[str, Operation] | None = None) -> dict[str, Any]:
    """A route that needs no key."""
    found = operation(name, summary, answer(summary, schema), (), "service", keys=False)
    return {"get": found | {"responses": {**found["responses"], **(more or {})}}}


def _metadata_paths(catalog: Catalog) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    model, version = model_parameter(catalog), version_parameter(catalog)
    facts, ready = answer("Inputs and outputs", ref("ModelMetadata")), answer("It answers", ref("ModelReadiness"))
    for path, suffix, whose, parameters in (
        ("/v2/models/{model}", "", "model", [model]),
        ("/v2/models/{model}/versions/{version}", "Version", "version", [model, version]),
    ):
        inputs = operation(f"metadata{suffix}", f"A {whose}'s inputs and outputs", facts, READING, "service")
        is_ready = operation(f"modelReady{suffix}", f"Whether a {whose} answers", ready, (401, 404), "service")
        not_ready = {"anyOf": [ref("ModelReadiness"), ref("Error")]}
        is_ready["responses"]["503"] = answer("It does not answer, or nothing does", not_ready, status_ok=False)
        paths[path] = _read(parameters, inputs)
        paths[f"{path}/ready"] = _read(parameters, is_ready)
    return paths
