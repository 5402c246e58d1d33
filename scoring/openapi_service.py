"""The schemas of what is answered about the service, and its models."""

from __future__ import annotations

from typing import Any

from scoring.openapi_lengths import Schema

_TEXT: Schema = {"type": "string"}
_MAYBE_TEXT: Schema = {"type": ["string", "null"]}
_TRUTH: Schema = {"type": "boolean"}
_PROBLEMS: Schema = {"type": "object", "additionalProperties": _TEXT, "description": "What is not ready, and why"}


def service_schemas() -> dict[str, Schema]:
    """Component schemas."""
    return {
        "Ping": _object({"status": {"const": "ok"}}),
        "Version": _object({"version": _TEXT}),
        "Server": _object({"name": _TEXT, "version": _TEXT, "extensions": _list(_TEXT)}),
        "Liveness": _object({"live": _TRUTH}),
        "Readiness": _object({"ready": _TRUTH}, {"problems": _PROBLEMS}),
        "Health": _object({"status": {"enum": ["ok", "not ready"]}}, {"problems": _PROBLEMS}),
        "ModelReadiness": _object({"name": _TEXT, "ready": _TRUTH}),
        "ModelMetadata": _metadata(),
        "Overview": _object({"models": _list(_model())}),
        "ReportList": _object({"model": _TEXT, "reports": _list({"type": "object"})}),
    }


def _metadata() -> Schema:
    shape = _list({"type": "integer"})
    tensor = _object({"name": _TEXT, "datatype": _TEXT, "shape": shape})
    return _object(
        {
            "name": _TEXT,
            "versions": _list(_TEXT),
            "platform": _TEXT,
            "inputs": _list(tensor),
            "outputs": _list(tensor),
            "parameters": {"type": "object"},
        }
    )


def _model() -> Schema:
    return _object(
        {
            "name": _TEXT,
            "champion": _MAYBE_TEXT,
            "versions": _list(_TEXT),
            "task": _MAYBE_TEXT,
            "features": {"type": ["integer", "null"]},
            "description": _TEXT,
            "latest": {"type": ["object", "null"], "description": "Its newest report, in short"},
            "problem": _MAYBE_TEXT | {"description": "Why it does not answer"},
            "convergence": _list(_TEXT),
        }
    )


def _object(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": required | (optional or {})}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}
