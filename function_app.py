"""Triggers and wiring: decode the request, call scoring, audit or evaluation, map what they raise to HTTP.

Nothing is decided here that is not about HTTP. Scoring routes are coroutines, so that many requests wait on one append;
what reads storage or renders a page runs in a thread. Modules that cost much to import (pandas, the page templates) are
imported where they are used, which keeps a cold start short.
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import logging
import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import azure.functions as func
import msgspec

from audit.errors import AuditError, NotFound, Unavailable
from scoring import __version__
from scoring.decode import usable_id
from scoring.errors import BadRequest, BodyTooLarge, LogUnavailable, NotReady, ScoringError, UnknownModel
from scoring.metadata import server_metadata
from scoring.settings import SETTINGS as SCORING_SETTINGS
from scoring.startup import Startup

if TYPE_CHECKING:
    from scoring.service import Service

Handler = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]
JSON = "application/json"
HTML = "text/html; charset=utf-8"

STATUS: tuple[tuple[type[Exception], int], ...] = (
    (BadRequest, 400),
    (UnknownModel, 404),
    (NotFound, 404),
    (BodyTooLarge, 413),
    (NotReady, 503),
    (LogUnavailable, 503),
    (Unavailable, 503),
)

refuse_unknown(os.environ, (*AUDIT_SETTINGS, *SCORING_SETTINGS, *EVALUATION_SETTINGS))
startup = Startup(os.environ)
atexit.register(startup.close)
app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
_log = logging.getLogger("hyperplane")


def answering(handler: Handler) -> Handler:
    """Gives every answer its request id, and every error its status: what scoring and audit raise, as JSON."""

    @functools.wraps(handler)
    async def answered(req: func.HttpRequest) -> func.HttpResponse:
        given = req.headers.get("x-request-id")
        try:
            response = await handler(req)
        except (ScoringError, AuditError) as problem:
            response = error(problem)
        response.headers.setdefault("x-request-id", usable_id(given))
        if (trace := req.headers.get("traceparent")) is not None:
            response.headers["traceparent"] = trace
        return response

    return answered


def error(problem: Exception) -> func.HttpResponse:
    """The JSON error of an exception that a client may hear of."""
    status = next((status for kind, status in STATUS if isinstance(problem, kind)), 500)
    if status == 500:
        _log.exception("an error that has no status", exc_info=problem)
        return func.HttpResponse(status_code=500)
    headers = {}
    if status == 503:
        headers["retry-after"] = str(getattr(problem, "retry_after_s", 1))
    return json_response({"error": str(problem)}, status, headers)


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> func.HttpResponse:
    """A value as JSON."""
    return func.HttpResponse(msgspec.json.encode(value), status_code=status, headers=headers, mimetype=JSON)


def page(html: str, status: int = 200) -> func.HttpResponse:
    """A page. Its links carry the key, so no other site may learn its address; it needs no script, so none may run."""
    headers = {
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'",
    }
    response = func.HttpResponse(html.encode(), status_code=status, headers=headers, mimetype="text/html")
    response.headers["content-type"] = HTML
    return response


def wants_page(req: func.HttpRequest) -> bool:
    """Whether a browser asks, rather than a program."""
    return "text/html" in req.headers.get("accept", "")


async def service() -> Service:
    """The service, as soon as it is there."""
    return await asyncio.wrap_future(startup.service)


# ------------------------------------------------------------------------------------------------------- scoring


@app.function_name("score")
@app.route("models/{model}/score", methods=["POST"])
@answering
async def score(req: func.HttpRequest) -> func.HttpResponse:
    return await scored(req, None)


@app.function_name("score_version")
@app.route("models/{model}/versions/{version}/score", methods=["POST"])
@answering
async def score_version(req: func.HttpRequest) -> func.HttpResponse:
    return await scored(req, req.route_params["version"])


async def scored(req: func.HttpRequest, version: str | None) -> func.HttpResponse:
    """Score the body with a version of the model, by default its champion."""
    asked = req.headers.get("x-request-id")
    response = await (await service()).score(req.route_params["model"], version, req.get_body(), asked)
    headers = {"x-request-id": response.request_id}
    return func.HttpResponse(response.body, headers=headers, mimetype=JSON)


@app.function_name("labels")
@app.route("models/{model}/labels", methods=["POST"])
@answering
async def labels(req: func.HttpRequest) -> func.HttpResponse:
    asked = req.headers.get("x-request-id")
    response = await (await service()).label(req.route_params["model"], req.get_body(), asked)
    headers = {"x-request-id": response.request_id}
    return func.HttpResponse(response.body, headers=headers, mimetype=JSON)


# ----------------------------------------------------------------------------------------- health and metadata


@app.function_name("server_metadata")
@app.route("v2", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answering
async def get_server_metadata(req: func.HttpRequest) -> func.HttpResponse:
    return json_response(server_metadata(__version__))


@app.function_name("live")
@app.route("v2/health/live", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answering
async def live(req: func.HttpRequest) -> func.HttpResponse:
    return json_response({"live": True})


@app.function_name("ready")
@app.route("v2/health/ready", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answering
async def ready(req: func.HttpRequest) -> func.HttpResponse:
    state = (await service()).ready()
    body = {"ready": state.ready} | ({"problems": state.problems} if state.problems else {})
    return json_response(body, 200 if state.ready else 503)


@app.function_name("model_metadata")
@app.route("v2/models/{model}", methods=["GET"])
@answering
async def model_metadata(req: func.HttpRequest) -> func.HttpResponse:
    return json_response(await (await service()).metadata(req.route_params["model"]))


@app.function_name("version_metadata")
@app.route("v2/models/{model}/versions/{version}", methods=["GET"])
@answering
async def version_metadata(req: func.HttpRequest) -> func.HttpResponse:
    return json_response(await (await service()).metadata(req.route_params["model"], req.route_params["version"]))


@app.function_name("model_ready")
@app.route("v2/models/{model}/ready", methods=["GET"])
@answering
async def model_ready(req: func.HttpRequest) -> func.HttpResponse:
    return await readiness(req.route_params["model"], None)


@app.function_name("version_ready")
@app.route("v2/models/{model}/versions/{version}/ready", methods=["GET"])
@answering
async def version_ready(req: func.HttpRequest) -> func.HttpResponse:
    return await readiness(req.route_params["model"], req.route_params["version"])


async def readiness(model: str, version: str | None) -> func.HttpResponse:
    """Whether one version of a model answers."""
    is_ready = await (await service()).model_ready(model, version)
    return json_response({"name": model, "ready": is_ready}, 200 if is_ready else 503)


@app.function_name("ping")
@app.route("ping", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answering
async def ping(req: func.HttpRequest) -> func.HttpResponse:
    return json_response({"status": "ok"})


@app.function_name("health")
@app.route("health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answering
async def health(req: func.HttpRequest) -> func.HttpResponse:
    state = (await service()).ready()
    body = {"status": "ok" if state.ready else "not ready"} | ({"problems": state.problems} if state.problems else {})
    return json_response(body, 200 if state.ready else 503)


@app.function_name("version")
@app.route("version", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answering
async def version(req: func.HttpRequest) -> func.HttpResponse:
    return json_response({"version": __version__})


# ------------------------------------------------------------------------------------------------ for people


def code_of(req: func.HttpRequest) -> str | None:
    """The key as the caller put it into the address; pages keep it in their links."""
    code: str | None = req.params.get("code")
    return code


@app.function_name("openapi")
@app.route("openapi.json", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answering
async def openapi_document(req: func.HttpRequest) -> func.HttpResponse:
    from scoring.openapi import openapi

    return json_response(openapi((await service()).catalog, __version__))
