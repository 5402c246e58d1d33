"""OpenAPI 3.1, generated from the catalog: the routes, and for each model its features, ranges and an example.

Instance values are described but typed as any JSON value: a wrong type is a `rejected` result with its reason and not
an error of the request, so a generated client must not refuse to send it. What a model expects stands in `x-features`.
"""

from __future__ import annotations

from typing import Any

from scoring.bundle import Manifest
from scoring.catalog import Catalog
from scoring.example import shown_instance
from scoring.openapi_schemas import ref, schemas

Operation = dict[str, Any]

_KEYS: list[dict[str, list[str]]] = [{"key": []}, {"code": []}]
_ERRORS = {
    400: "The body is no request; the text names the field",
    401: "The key is missing or wrong",
    404: "There is no such model, version, instance or report",
    413: "The body is over the limit",
    503: "The log does not take records, or the model is not ready; see Retry-After",
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
        "tags": [
            {"name": "score", "description": "Predictions and ground truth"},
            {"name": "audit", "description": "Records and reports"},
            {"name": "service", "description": "Health and metadata"},
        ],
        "paths": _scoring_paths(manifests, catalog) | _audit_paths(catalog) | _service_paths(catalog),
        "components": {
            "schemas": schemas(manifests),
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
                "code": {"type": "apiKey", "in": "query", "name": "code"},
            },
        },
    }


def _scoring_paths(manifests: list[Manifest], catalog: Catalog) -> dict[str, Any]:
    model, version = _model(catalog), _parameter("version", "A version of the model")
    body = _body("ScoreRequest", {manifest.name: _example_request(manifest) for manifest in manifests})
    labels = _body("LabelRequest", {manifest.name: _example_labels(manifest) for manifest in manifests})
    answer, errors = _json("An outcome for each instance, in order", ref("ScoreResponse")), (400, 401, 404, 413, 503)
    score = _operation("score", "Score instances with a model's champion", answer, errors) | {"requestBody": body}
    exact = _operation("scoreVersion", "Score instances with one version", answer, errors) | {"requestBody": body}
    told = _json("What became of each label, in order", ref("LabelResponse"))
    label = _operation("label", "Send ground truth for earlier instances", told, errors) | {"requestBody": labels}
    return {
        "/models/{model}/score": {"parameters": [model], "post": score},
        "/models/{model}/versions/{version}/score": {"parameters": [model, version], "post": exact},
        "/models/{model}/labels": {"parameters": [model], "post": label},
    }


def _audit_paths(catalog: Catalog) -> dict[str, Any]:
    model = _model(catalog)
    trail = _page("The instance's records", {"type": "object"})
    overview = _page("Models, versions and latest verdicts", {"type": "object"})
    listed = _page("Reports, newest first", {"type": "object"})
    report = _page("The report", {"type": "object"})

    def reading(name: str, summary: str, answer: Operation) -> Operation:
        return _operation(name, summary, answer, (401, 404, 503), tag="audit")

    instance, report_id = _parameter("id", "The instance's id"), _parameter("id", "The report's id")
    models = _operation("models", "All models with their latest verdicts", overview, (401, 503), tag="audit")
    return {
        "/models": {"get": models},
        "/models/{model}/instances/{id}": {
            "parameters": [model, instance],
            "get": reading("instance", "One instance's audit trail", trail),
        },
        "/models/{model}/reports": {"parameters": [model], "get": reading("reports", "A model's reports", listed)},
        "/models/{model}/reports/latest": {
            "parameters": [model],
            "get": reading("latestReport", "A model's newest report", report),
        },
        "/models/{model}/reports/{id}": {
            "parameters": [model, report_id],
            "get": reading("report", "One report", report),
        },
    }


def _service_paths(catalog: Catalog) -> dict[str, Any]:
    model, version = _model(catalog), _parameter("version", "A version of the model")
    paths: dict[str, Any] = {
        "/ping": {"get": _open("ping", "Whether the process answers, as MLflow asks")},
        "/health": {"get": _open("health", "The same as /v2/health/ready, as MLflow asks", not_ready=True)},
        "/version": {"get": _open("version", "The application's version")},
        "/v2": {"get": _open("server", "The service's name and version")},
        "/v2/health/live": {"get": _open("live", "Whether the process answers")},
        "/v2/health/ready": {
            "get": _open("ready", "Whether models and log are ready, and what is not", not_ready=True)
        },
    }
    for path, suffix, parameters in (
        ("/v2/models/{model}", "", [model]),
        ("/v2/models/{model}/versions/{version}", "Version", [model, version]),
    ):
        facts = _json("Inputs and outputs", {"type": "object"})
        ready = _json("Whether it answers", {"type": "object"})
        inputs = _operation(f"metadata{suffix}", "A model's inputs and outputs", facts, (401, 404, 503), "service")
        is_ready = _operation(f"modelReady{suffix}", "Whether a model answers", ready, (401, 404, 503), "service")
        paths[path] = {"parameters": parameters, "get": inputs}
        paths[f"{path}/ready"] = {"parameters": parameters, "get": is_ready}
    return paths


def _operation(name: str, summary: str, answer: Operation, errors: tuple[int, ...], tag: str = "score") -> Operation:
    refusals = {str(status): _json(_ERRORS[status], ref("Error")) for status in errors}
    if "401" in refusals:
        refusals["401"] = {"description": _ERRORS[401]}  # the platform's own, with an empty body
    return {
        "operationId": name,
        "summary": summary,
        "tags": [tag],
        "security": _KEYS,
        "responses": {"200": answer, **refusals},
    }


def _open(name: str, summary: str, *, not_ready: bool = False) -> Operation:
    """An operation that needs no key."""
    responses = {"200": _json(summary, {"type": "object"})}
    if not_ready:
        responses["503"] = _json("Not ready; the body says why", {"type": "object"})
    return {"operationId": name, "summary": summary, "tags": ["service"], "security": [], "responses": responses}


def _model(catalog: Catalog) -> Operation:
    names = catalog.models
    return _parameter("model", "The model's name", {"enum": names} if names else {})


def _parameter(name: str, description: str, more: dict[str, Any] | None = None) -> Operation:
    schema = {"type": "string", **(more or {})}
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


def _json(description: str, schema: dict[str, Any]) -> Operation:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _page(description: str, schema: dict[str, Any]) -> Operation:
    """JSON for a program, HTML for a browser."""
    answer = _json(f"{description}: JSON, or HTML if the client prefers it", schema)
    answer["content"]["text/html"] = {"schema": {"type": "string"}}
    return answer


def _body(name: str, examples: dict[str, Any]) -> Operation:
    content: dict[str, Any] = {"schema": ref(name)}
    if examples:
        content["examples"] = {model: {"value": value} for model, value in examples.items()}
    return {"required": True, "content": {"application/json": content}}


def _example_request(manifest: Manifest) -> dict[str, Any]:
    return {"instances": [shown_instance(manifest)], "ids": ["a-17"]}


def _example_labels(manifest: Manifest) -> dict[str, Any]:
    truth = {"value": _value(manifest)} if manifest.task == "regression" else {"label": manifest.classes[0]}
    return {"labels": [{"id": "a-17", **truth}]}


def _value(manifest: Manifest) -> float:
    """A value that a regression's truth may have."""
    criteria = manifest.criteria
    return criteria.output_minimum if criteria.output_minimum is not None else 1.0
