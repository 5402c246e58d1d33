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
import re
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import azure.functions as func
import msgspec

from audit.errors import AuditError, NotFound, Unavailable
from audit.lookup import find
from audit.settings import SETTINGS as AUDIT_SETTINGS
from audit.settings import refuse_unknown
from evaluation.report_format import decode_report
from evaluation.report_store import latest, list_reports, read_report_json
from evaluation.settings import SETTINGS as EVALUATION_SETTINGS
from evaluation.settings import from_environ as evaluation_settings
from scoring import __version__
from scoring.content import Content
from scoring.errors import (
    BadRequest,
    BodyTooLarge,
    LogUnavailable,
    NotReady,
    NotStarted,
    ScoringError,
    UnknownModel,
    shown,
)
from scoring.fields import is_id, usable_id
from scoring.metadata import server_metadata
from scoring.settings import SETTINGS as SCORING_SETTINGS
from scoring.startup import Startup

if TYPE_CHECKING:
    from audit.reader import Position
    from audit.records import Record
    from audit.store import Store
    from evaluation.pages.home import HomeModel
    from evaluation.pages.instance import InstanceTrail
    from scoring.catalog import Catalog
    from scoring.protocols.registry import ProtocolName
    from scoring.service import LabelResponse, ScoreResponse

Handler = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]
JSON = "application/json"
HTML = "text/html; charset=utf-8"

# What may be echoed: a header of an answer holds printable ASCII, and the platform makes a 500 of any other.
TRACE = re.compile(r"[\x20-\x7e]{1,512}")

# The header's id, or one of our own, before the body was read: an error's answer and its record carry the same.
REQUEST_ID: ContextVar[str] = ContextVar("request_id")

STATUS: tuple[tuple[type[Exception], int], ...] = (
    (BadRequest, 400),
    (UnknownModel, 404),
    (NotFound, 404),
    (BodyTooLarge, 413),
    (NotReady, 503),
    (NotStarted, 503),
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
        REQUEST_ID.set(usable_id(req.headers.get("x-request-id")))
        try:
            response = await handler(req)
        except (ScoringError, AuditError) as problem:
            response = error(problem)
        response.headers.setdefault("x-request-id", REQUEST_ID.get())
        trace = req.headers.get("traceparent")
        if trace is not None and TRACE.fullmatch(trace):
            response.headers["traceparent"] = trace
        return response

    return answered


def error(problem: Exception) -> func.HttpResponse:
    """The JSON error of an exception that a client may hear of."""
    status = next((status for kind, status in STATUS if isinstance(problem, kind)), 500)
    if status == 500:
        _log.exception("an error that has no status", exc_info=problem)
        return func.HttpResponse(status_code=500)
    text, headers = str(problem), {}
    if status == 503:
        headers["retry-after"] = str(getattr(problem, "retry_after_s", 1))
    if isinstance(problem, Unavailable):  # its own words name hosts and blobs, which are for the log
        _log.warning("a page was not served: %s", problem)
        text = "the storage cannot be reached; try again in a moment"
    return json_response({"error": text}, status, headers)


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
    """Whether a browser asks, rather than a program; a link may ask for JSON by `?format=json`."""
    return "text/html" in req.headers.get("accept", "") and req.params.get("format") != "json"


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


async def scored(
    req: func.HttpRequest, version: str | None, protocol: ProtocolName = "native", model: str | None = None
) -> func.HttpResponse:
    """Score the body with a version of the model, by default its champion."""
    scoring = await startup.service()
    name = model or req.route_params["model"]
    return recorded(await scoring.score(name, version, content_of(req), REQUEST_ID.get(), protocol))


def content_of(req: func.HttpRequest) -> Content:
    """The body, and the headers that say how to read it."""
    given = req.headers.get
    return Content(
        req.get_body(),
        kind=given("content-type", ""),
        coding=given("content-encoding", ""),
        json_bytes=given("inference-header-content-length", ""),
    )


@app.function_name("infer")
@app.route("v2/models/{model}/infer", methods=["POST"])
@answering
async def infer(req: func.HttpRequest) -> func.HttpResponse:
    return await scored(req, None, "open_inference")


@app.function_name("infer_version")
@app.route("v2/models/{model}/versions/{version}/infer", methods=["POST"])
@answering
async def infer_version(req: func.HttpRequest) -> func.HttpResponse:
    return await scored(req, req.route_params["version"], "open_inference")


@app.function_name("invocations")
@app.route("models/{model}/invocations", methods=["POST"])
@answering
async def invocations(req: func.HttpRequest) -> func.HttpResponse:
    return await scored(req, None, "mlflow")


@app.function_name("default_invocations")
@app.route("invocations", methods=["POST"])
@answering
async def default_invocations(req: func.HttpRequest) -> func.HttpResponse:
    return await scored(req, None, "mlflow", (await startup.service()).catalog.default_model())


@app.function_name("labels")
@app.route("models/{model}/labels", methods=["POST"])
@answering
async def labels(req: func.HttpRequest) -> func.HttpResponse:
    scoring = await startup.service()
    return recorded(await scoring.label(req.route_params["model"], content_of(req), REQUEST_ID.get()))


def recorded(response: ScoreResponse | LabelResponse) -> func.HttpResponse:
    """An answer whose records are durable, under the request id that they carry."""
    headers = {"x-request-id": response.request_id, **response.reply.headers}
    return func.HttpResponse(response.body, headers=headers, mimetype=response.reply.kind)


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
    state = await startup.readiness()
    body = {"ready": state.ready} | ({"problems": state.problems} if state.problems else {})
    return json_response(body, 200 if state.ready else 503)


@app.function_name("model_metadata")
@app.route("v2/models/{model}", methods=["GET"])
@answering
async def model_metadata(req: func.HttpRequest) -> func.HttpResponse:
    return json_response(await (await startup.service()).metadata(req.route_params["model"]))


@app.function_name("version_metadata")
@app.route("v2/models/{model}/versions/{version}", methods=["GET"])
@answering
async def version_metadata(req: func.HttpRequest) -> func.HttpResponse:
    return json_response(
        await (await startup.service()).metadata(req.route_params["model"], req.route_params["version"])
    )


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
    is_ready = await (await startup.service()).model_ready(model, version)
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
    state = await startup.readiness()
    body = {"status": "ok" if state.ready else "not ready"} | ({"problems": state.problems} if state.problems else {})
    return json_response(body, 200 if state.ready else 503)


@app.function_name("version")
@app.route("version", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answering
async def version(req: func.HttpRequest) -> func.HttpResponse:
    return json_response({"version": __version__})


# -------------------------------------------------------------------------------------- reports and the audit trail


@app.function_name("models")
@app.route("models", methods=["GET"])
@answering
async def models(req: func.HttpRequest) -> func.HttpResponse:
    """The overview for callers with a key: models, versions and the latest verdicts."""
    catalog = (await startup.service()).catalog
    overview = await asyncio.to_thread(overview_of, catalog, startup.stores.derived)
    if not wants_page(req):
        return json_response({"models": [asdict(model) for model in overview]})
    from evaluation.pages.home import home_page

    return page(await asyncio.to_thread(home_page, overview, with_key=True, code=code_of(req)))


@app.function_name("reports")
@app.route("models/{model}/reports", methods=["GET"])
@answering
async def reports(req: func.HttpRequest) -> func.HttpResponse:
    model = await known_model(req)
    entries = await asyncio.to_thread(list_reports, startup.stores.derived, model)
    if not wants_page(req):
        return json_response({"model": model, "reports": entries})
    from evaluation.pages.reports import reports_page

    return page(await asyncio.to_thread(reports_page, model, entries, code=code_of(req)))


@app.function_name("latest_report")
@app.route("models/{model}/reports/latest", methods=["GET"])
@answering
async def latest_report(req: func.HttpRequest) -> func.HttpResponse:
    return await report_response(req, "latest")


@app.function_name("report")
@app.route("models/{model}/reports/{id}", methods=["GET"])
@answering
async def report(req: func.HttpRequest) -> func.HttpResponse:
    return await report_response(req, req.route_params["id"])


async def report_response(req: func.HttpRequest, report_id: str) -> func.HttpResponse:
    """One report as stored, or drawn anew for a browser so that its links carry the key."""
    model = await known_model(req)
    found = await asyncio.to_thread(read_report_json, startup.stores.derived, model, report_id)
    if found is None:
        return await no_report(req, model, report_id)
    if not wants_page(req):
        return func.HttpResponse(found, mimetype=JSON)
    from evaluation.pages.report import report_page

    return page(await asyncio.to_thread(lambda: report_page(decode_report(found), served=True, code=code_of(req))))


async def no_report(req: func.HttpRequest, model: str, report_id: str) -> func.HttpResponse:
    """What is not there, and how to make it."""
    hint = f"make one with `python -m evaluation report --model {model}`; /models/{model}/reports lists those there are"
    if not wants_page(req):
        return json_response({"error": f"no report {shown(report_id)} of model {model}; {hint}"}, 404)
    from evaluation.pages.reports import no_report_page

    return page(await asyncio.to_thread(no_report_page, model, code=code_of(req)), 404)


@app.function_name("instance")
@app.route("models/{model}/instances/{id}", methods=["GET"])
@answering
async def instance(req: func.HttpRequest) -> func.HttpResponse:
    """Every record of an instance, oldest first, and where each lies in the log; what does not verify is not shown."""
    model, instance_id = await known_model(req), req.route_params["id"]
    found = await asyncio.to_thread(find, startup.stores.log, instance_id, model) if is_id(instance_id) else []
    if not found:
        return await no_instance(req, model, instance_id)
    if not wants_page(req):
        evidence = [{"record": record, **asdict(position)} for record, position in found]
        return json_response({"model": model, "id": instance_id, "records": evidence})
    from evaluation.pages.instance import instance_page

    trail = await asyncio.to_thread(trail_of, (await startup.service()).catalog, model, instance_id, found)
    return page(await asyncio.to_thread(instance_page, trail, code=code_of(req)))


async def no_instance(req: func.HttpRequest, model: str, instance_id: str) -> func.HttpResponse:
    """An id without records."""
    sentence = f"The log holds no record of {shown(instance_id)} for model {model}."
    if not wants_page(req):
        return json_response({"error": sentence}, 404)
    from evaluation.pages.reports import missing_page

    return page(await asyncio.to_thread(missing_page, "No such instance", sentence, code=code_of(req)), 404)


async def known_model(req: func.HttpRequest) -> str:
    """The model of the route; raises `UnknownModel`."""
    model: str = req.route_params["model"]
    (await startup.service()).catalog.versions(model)
    return model


# ---------------------------------------------------------------------------------------------------- for anyone


@app.function_name("home")
@app.route("{ignored:maxlength(0)?}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answering
async def home(req: func.HttpRequest) -> func.HttpResponse:
    """The home page; with a key, on to the overview behind it (docs/decisions/0002 says why)."""
    if code_of(req):
        headers = {"location": f"/models?{urlencode({'code': code_of(req)})}", "referrer-policy": "no-referrer"}
        return func.HttpResponse(status_code=302, headers=headers)
    from evaluation.pages.home import home_page

    overview = await asyncio.to_thread(overview_of, (await startup.service()).catalog)
    return page(await asyncio.to_thread(home_page, overview, with_key=False))


@app.function_name("docs")
@app.route("docs", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answering
async def docs(req: func.HttpRequest) -> func.HttpResponse:
    from evaluation.pages.docs import docs_page
    from scoring.openapi import openapi

    described = openapi((await startup.service()).catalog, __version__)
    split = urlsplit(req.url)
    base_url = f"{split.scheme}://{split.netloc}"
    return page(await asyncio.to_thread(docs_page, described, code=code_of(req), base_url=base_url))


@app.function_name("openapi")
@app.route("openapi.json", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answering
async def openapi_document(req: func.HttpRequest) -> func.HttpResponse:
    from scoring.openapi import openapi

    return json_response(openapi((await startup.service()).catalog, __version__))


def code_of(req: func.HttpRequest) -> str | None:
    """The key as the caller put it into the address; pages keep it in their links."""
    return next((value for name, value in req.params.items() if name.lower() == "code"), None)


def overview_of(catalog: Catalog, derived: Store | None = None) -> list[HomeModel]:
    """Each model as the home page shows it, with its newest report if `derived` may be read."""
    from evaluation.pages.home import HomeModel

    champions = {served.name: served for served in catalog.champions()}
    found = []
    for name in catalog.models:
        champion = catalog.champion(name)
        served = champions.get(name)
        found.append(
            HomeModel(
                name=name,
                champion=champion,
                versions=tuple(catalog.versions(name)),
                task=served.manifest.task if served else None,
                features=len(served.manifest.features) if served else None,
                description=served.manifest.description if served else "",
                latest=latest(derived, name) if derived else None,
                problem=None if served else catalog.problems.get(f"{name}/{champion}", "its bundle was refused"),
                convergence=tuple(served.manifest.convergence) if served else (),
            )
        )
    return found


def trail_of(catalog: Catalog, model: str, instance_id: str, found: list[tuple[Record, Position]]) -> InstanceTrail:
    """An instance's records as its page shows them."""
    from evaluation.pages.instance import Evidence, InstanceTrail

    served = next((served for served in catalog.champions() if served.name == model), None)
    return InstanceTrail(
        model=model,
        id=instance_id,
        evidence=[
            Evidence(msgspec.to_builtins(record), **asdict(position), verified=True) for record, position in found
        ],
        integrity="Each record was read from a frame whose bytes agree with its hash, its position and its chain.",
        features=[msgspec.to_builtins(feature) for feature in served.manifest.features] if served else [],
        target_unit=served.manifest.target_unit if served else None,
    )


# ----------------------------------------------------------------------------------------------------- each hour


@app.function_name("hourly")
@app.timer_trigger(arg_name="timer", schedule="0 5 * * * *", use_monitor=True)
def hourly(timer: func.TimerRequest) -> None:
    """Seal, compact and profile the hours that are over, and write the day's reports."""
    from evaluation.hourly import run_due

    if timer.past_due:
        _log.info("the hourly run is late; it catches up on what is due")
    stores = startup.stores
    thresholds = evaluation_settings(os.environ).thresholds
    done = run_due(stores.log, stores.derived, startup.scoring_settings.models, time.time(), thresholds=thresholds)
    _log.info("hourly run: %d hours, %d blobs, %d reports", len(done.hours), done.blobs, len(done.reports))
    for problem in done.problems:
        _log.error("hourly run, to be tried again: %s", problem)
