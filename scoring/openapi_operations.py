"""What the operations of the OpenAPI document have in common: keys, parameters, headers, and what else may come."""

from __future__ import annotations

from typing import Any

from scoring.catalog import Catalog, Served
from scoring.openapi_lengths import Schema
from scoring.openapi_schemas import ref

Operation = dict[str, Any]

KEYS: list[dict[str, list[str]]] = [{"key": []}, {"code": []}]
ERRORS = {
    400: "The body is no request; the text names the field",
    401: "The key is missing or wrong; the body is empty",
    404: "There is no such model, version, instance or report",
    413: "The body, or what it is when decompressed, is over the limit; nothing was recorded",
    503: "The log does not take records, or the model is not ready; wait as Retry-After says, then send it again",
}
READING = (401, 404, 503)
KEYED = (400, 401, 404, 503)
SCORING = (400, 401, 404, 413, 503)
CODINGS = (
    "May be compressed: `Content-Encoding: gzip` or `deflate`, also one in the other. The limit holds for the body as "
    "it is sent and for what it is when decompressed."
)
_JSON = "application/json"
_HTML = "text/html"
_TRACE: dict[str, Any] = {
    "traceparent": {
        "description": "The request's, if it sent one that a header can hold",
        "schema": {"type": "string"},
    }
}
_REQUEST_ID = {
    "description": "The request's id: the body's, the header's, or one that was made; its records have the same",
    "schema": {"type": "string"},
}
_RETRY_AFTER: dict[str, Any] = {
    "Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer", "minimum": 1}},
}


def operation(
    name: str, summary: str, answer: Operation, errors: tuple[int, ...], tag: str, *, keys: bool = True, more: str = ""
) -> Operation:
    """An operation with its 200 and what else may come."""
    found: Operation = {
        "operationId": name,
        "summary": summary,
        "tags": [tag],
        "security": KEYS if keys else [],
        "parameters": [ref("RequestId", "parameters"), ref("TraceParent", "parameters")],
        "responses": {"200": answer, **{str(status): ref(f"Error{status}", "responses") for status in errors}},
    }
    return found | ({"description": more} if more else {})


def shared_parameters() -> dict[str, Operation]:
    """Headers that every operation takes."""
    return {
        "RequestId": {
            "name": "x-request-id",
            "in": "header",
            "description": "Names the request in answers, records and logs. One that is no id is passed over.",
            "schema": {"type": "string", "examples": ["order-4711"]},
        },
        "TraceParent": {
            "name": "traceparent",
            "in": "header",
            "description": "The caller's place in a trace (W3C Trace Context); it is given back",
            "schema": {"type": "string", "examples": ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"]},
        },
    }


def shared_responses() -> dict[str, Operation]:
    """The errors. The platform itself answers 401, without a body and without our headers."""
    found = {f"Error{status}": answer(text, ref("Error")) for status, text in ERRORS.items() if status != 401}
    found["Error503"]["headers"] = found["Error503"]["headers"] | _RETRY_AFTER
    return found | {"Error401": {"description": ERRORS[401]}}


def answer(description: str, schema: Schema, *, page: bool = False, status_ok: bool = True) -> Operation:
    """An answer in JSON; with `page`, HTML for a client that prefers it."""
    content: dict[str, Any] = {_JSON: {"schema": schema}}
    if page:
        description += ": JSON, or HTML for a client that prefers it"
        content[_HTML] = {"schema": {"type": "string"}}
    headers = {"x-request-id": _REQUEST_ID | {"required": status_ok}, **_TRACE}
    return {"description": description, "headers": headers, "content": content}


def missing_page(description: str) -> Operation:
    """A 404 as JSON, or as HTML for a client that prefers it."""
    return answer(description, ref("Error"), page=True)


def body(schema: Schema, examples: dict[str, Any], description: str = "") -> Operation:
    """A required body in JSON, with an example by its name."""
    words = f"{description} {CODINGS}".strip()
    return {"required": True, "description": words, "content": {_JSON: media(schema, examples)}}


def media(schema: Schema, examples: dict[str, Any]) -> Operation:
    """One media type's schema, and examples if there are any."""
    content: Operation = {"schema": schema}
    return content | ({"examples": {name: {"value": value} for name, value in examples.items()}} if examples else {})


def model_parameter(catalog: Catalog) -> Operation:
    """The model in a path; with models, one of them."""
    ready, names = [served.name for served in _shown_first(catalog)], catalog.models
    return path_parameter(
        "model", "The model's name", {"enum": names} if names else {}, next(iter(ready or names), None)
    )


def _shown_first(catalog: Catalog) -> list[Served]:
    """The champions, those with the fewest features first: an example is to be read."""
    return sorted(catalog.champions(), key=lambda served: len(served.manifest.features))


def version_parameter(catalog: Catalog) -> Operation:
    """The version in a path."""
    versions = [served.version for served in _shown_first(catalog)]
    return path_parameter("version", "A version of the model", {}, next(iter(versions), None))


def path_parameter(name: str, description: str, more: Schema | None = None, example: str | None = None) -> Operation:
    """A part of a path, not empty."""
    schema = {"type": "string", "minLength": 1, **(more or {})}
    found: Operation = {"name": name, "in": "path", "required": True, "description": description, "schema": schema}
    return found | ({"example": example} if example is not None else {})


def query_parameter(name: str, description: str, schema: Schema) -> Operation:
    """A part of a query, which may be left out."""
    return {"name": name, "in": "query", "description": description, "schema": schema}


def format_parameter() -> Operation:
    """What a link says that wants JSON in a browser."""
    return {
        "name": "format",
        "in": "query",
        "description": "`json`: JSON for a browser too",
        "schema": {"type": "string", "examples": ["json"]},
    }
