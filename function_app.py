"""Triggers and wiring: decode the request, call scoring, audit or evaluation, map what they raise to HTTP.

Nothing is decided here that is not about HTTP. Scoring routes are coroutines, so that many requests wait on one append;
what reads storage or renders a page runs in a thread. Modules that cost much to import (pandas, the page templates) are
imported where they are used, which keeps a cold start short. A function has its handler's name, in Azure and in the
log, and each request is logged once it is answered (`scoring.request_log`).
"""

from __future__ import annotations

import asyncio
import atexit
import functools
import logging
import os
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import azure.functions as func
import msgspec

from audit.errors import AuditError, NotFound, Refused, Unavailable
from audit.key_ring import KeyRing, trusted
from audit.settings import SETTINGS as AUDIT_SETTINGS
from audit.settings import refuse_unknown
from audit.spot_check import asked as asked_of
from audit.spot_check import spot_check, told
from evaluation.report_store import list_reports, read_report_json
from evaluation.settings import SETTINGS as EVALUATION_SETTINGS
from evaluation.settings import from_environ as evaluation_settings
from evaluation.stored_report import DamagedReport, decode_stored, drawn_stored
from scoring import __version__
from scoring.content import Content, Reply
from scoring.errors import (
    BadRequest,
    BodyTooLarge,
    FromElsewhere,
    LogUnavailable,
    NotReady,
    NotStarted,
    ScoringError,
    UnknownModel,
    shown,
)
from scoring.fields import usable_id
from scoring.metadata import server_metadata as described_server
from scoring.notes import check_site, is_form, read_note
from scoring.request_log import RequestFacts, log_request
from scoring.settings import SETTINGS as SCORING_SETTINGS
from scoring.startup import Startup
from scoring.trace_context import trace_id
from scoring.trail import Trails, asks_for_replay

if TYPE_CHECKING:
    from audit.store import Store
    from evaluation.pages.home import HomeModel
    from scoring.protocols.registry import ProtocolName
    from scoring.replay import Replayer

Handler = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]
JSON = "application/json"
HTML = "text/html; charset=utf-8"

# What is known of the request that this invocation answers. Its id is the header's, or one of our own, until the body
# turns out to have one: an error's answer, its record and its log line carry the same.
FACTS: ContextVar[RequestFacts] = ContextVar("request_facts")

STATUS: tuple[tuple[type[Exception], int], ...] = (
    (BadRequest, 400),
    (Refused, 400),
    (FromElsewhere, 403),
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
keys = KeyRing(functools.partial(trusted, startup.audit_settings))
trails = Trails(startup.stores, keys, startup.scoring_settings)
READING = asyncio.Semaphore(1)  # of what reads hours of the log: memory and time of one at a time, whoever asks
LOOKING = asyncio.Semaphore(2)  # of what looks for one id, so that pages and labels find a thread that is free
app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
_log = logging.getLogger("hyperplane")


def answering(handler: Handler) -> Handler:
    """Gives every answer its request id and its line in the log, and every error its status: what scoring and audit
    raise, as JSON."""

    @functools.wraps(handler)
    async def answered(req: func.HttpRequest) -> func.HttpResponse:
        began_s = time.perf_counter()
        traceparent = req.headers.get("traceparent")
        facts = RequestFacts(
            function=handler.__name__,
            request_id=usable_id(req.headers.get("x-request-id")),
            trace_id=trace_id(traceparent),
            bytes_in=len(req.get_body()),
        )
        FACTS.set(facts)
        try:
            response = await respond(handler, req, facts)
            response.headers["x-request-id"] = facts.request_id
            if traceparent is not None and facts.trace_id is not None:
                response.headers["traceparent"] = traceparent
        finally:  # after a defect too, which the platform answers with a 500
            facts.duration_ms = round((time.perf_counter() - began_s) * 1000, 3)
            log_request(facts)
        return response

    return answered


async def respond(handler: Handler, req: func.HttpRequest, facts: RequestFacts) -> func.HttpResponse:
    """The handler's answer, or that of what it raised."""
    try:
        response = await handler(req)
    except (ScoringError, AuditError) as problem:
        facts.error = type(problem).__name__
        facts.reason = problem.reason if isinstance(problem, BadRequest) else None
        response = error(problem)
    except Exception as defect:
        facts.error = type(defect).__name__
        raise
    facts.status, facts.bytes_out = response.status_code, len(response.get_body())
    return response


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
    accepted = [each.replace(" ", "") for each in req.headers.get("accept", "").lower().split(",")]
    takes_html = any(each.partition(";")[0] == "text/html" and not each.endswith(";q=0") for each in accepted)
    return takes_html and parameter(req, "format") != "json"


def parameter(req: func.HttpRequest, wanted: str) -> str | None:
    """A parameter of the address; the platform takes names in any case."""
    return next((value for name, value in req.params.items() if name.lower() == wanted), None)


# ------------------------------------------------------------------------------------------------------- scoring


@app.route("models/{model}/score", methods=["POST"])
@answering
async def score(req: func.HttpRequest) -> func.HttpResponse:
    return await scored(req, None)


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
    facts = FACTS.get()
    return replied((await scoring.score(name, version, content_of(req), facts.request_id, protocol, facts)).reply)


def content_of(req: func.HttpRequest) -> Content:
    """The body, and the headers that say how to read it."""
    given = req.headers.get
    return Content(
        req.get_body(),
        kind=given("content-type", ""),
        coding=given("content-encoding", ""),
        json_bytes=given("inference-header-content-length", ""),
    )


@app.route("v2/models/{model}/infer", methods=["POST"])
@answering
async def infer(req: func.HttpRequest) -> func.HttpResponse:
    return await scored(req, None, "open_inference")


@app.route("v2/models/{model}/versions/{version}/infer", methods=["POST"])
@answering
async def infer_version(req: func.HttpRequest) -> func.HttpResponse:
    return await scored(req, req.route_params["version"], "open_inference")


@app.route("models/{model}/invocations", methods=["POST"])
@answering
async def invocations(req: func.HttpRequest) -> func.HttpResponse:
    return await scored(req, None, "mlflow")


@app.route("invocations", methods=["POST"])
@answering
async def default_invocations(req: func.HttpRequest) -> func.HttpResponse:
    return await scored(req, None, "mlflow", (await startup.service()).catalog.default_model())


@app.route("models/{model}/labels", methods=["POST"])
@answering
async def labels(req: func.HttpRequest) -> func.HttpResponse:
    scoring = await startup.service()
    facts = FACTS.get()
    return replied((await scoring.label(req.route_params["model"], content_of(req), facts.request_id, facts)).reply)


def replied(reply: Reply) -> func.HttpResponse:
    """An answer whose records are durable."""
    return func.HttpResponse(reply.body, headers=dict(reply.headers), mimetype=reply.kind)


# ----------------------------------------------------------------------------------------- health and metadata


@app.route("v2", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answering
async def server_metadata(req: func.HttpRequest) -> func.HttpResponse:
    return json_response(described_server(__version__))


@app.route("v2/health/live", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answering
async def live(req: func.HttpRequest) -> func.HttpResponse:
    return json_response({"live": True})


@app.route("v2/health/ready", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answering
async def ready(req: func.HttpRequest) -> func.HttpResponse:
    return await state_of_all("ready", True, False)


@app.route("v2/models/{model}", methods=["GET"])
@answering
async def model_metadata(req: func.HttpRequest) -> func.HttpResponse:
    return await described(req, None)


@app.route("v2/models/{model}/versions/{version}", methods=["GET"])
@answering
async def version_metadata(req: func.HttpRequest) -> func.HttpResponse:
    return await described(req, req.route_params["version"])


async def described(req: func.HttpRequest, version: str | None) -> func.HttpResponse:
    """The metadata of one version of a model."""
    return json_response(await (await startup.service()).metadata(await known_model(req), version))


@app.route("v2/models/{model}/ready", methods=["GET"])
@answering
async def model_ready(req: func.HttpRequest) -> func.HttpResponse:
    return await readiness(req, None)


@app.route("v2/models/{model}/versions/{version}/ready", methods=["GET"])
@answering
async def version_ready(req: func.HttpRequest) -> func.HttpResponse:
    return await readiness(req, req.route_params["version"])


async def readiness(req: func.HttpRequest, version: str | None) -> func.HttpResponse:
    """Whether one version of a model answers."""
    model = await known_model(req)
    is_ready = await (await startup.service()).model_ready(model, version)
    return json_response({"name": model, "ready": is_ready}, 200 if is_ready else 503)


@app.route("ping", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answering
async def ping(req: func.HttpRequest) -> func.HttpResponse:
    return json_response({"status": "ok"})


@app.route("health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answering
async def health(req: func.HttpRequest) -> func.HttpResponse:
    return await state_of_all("status", "ok", "not ready")


async def state_of_all(field: str, well: object, ill: object) -> func.HttpResponse:
    """Whether all is ready, in the words of the route, and what is not."""
    state = await startup.readiness()
    body = {field: well if state.ready else ill} | ({"problems": state.problems} if state.problems else {})
    return json_response(body, 200 if state.ready else 503)


@app.route("version", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answering
async def version(req: func.HttpRequest) -> func.HttpResponse:
    return json_response({"version": __version__})


# -------------------------------------------------------------------------------------- reports and the audit trail


@app.route("models", methods=["GET"])
@answering
async def models(req: func.HttpRequest) -> func.HttpResponse:
    """The overview for callers with a key: models, versions and the latest verdicts."""
    overview = await overview_of(startup.stores.derived)
    if not wants_page(req):
        return json_response({"models": [asdict(model) for model in overview]})
    from evaluation.pages.home import home_page

    return page(await asyncio.to_thread(home_page, overview, with_key=True, code=code_of(req)))


@app.route("models/{model}/reports", methods=["GET"])
@answering
async def reports(req: func.HttpRequest) -> func.HttpResponse:
    model = await known_model(req)
    entries = await asyncio.to_thread(list_reports, startup.stores.derived, model)
    if not wants_page(req):
        return json_response({"model": model, "reports": entries})
    from evaluation.pages.reports import reports_page

    return page(await asyncio.to_thread(reports_page, model, entries, code=code_of(req)))


@app.route("models/{model}/reports/latest", methods=["GET"])
@answering
async def latest_report(req: func.HttpRequest) -> func.HttpResponse:
    return await report_response(req, "latest")


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
    try:
        if not wants_page(req):
            await asyncio.to_thread(decode_stored, found, model, report_id)
            return func.HttpResponse(found, mimetype=JSON)
        from evaluation.pages.report import report_page

        draw = functools.partial(report_page, served=True, code=code_of(req))
        return page(await asyncio.to_thread(drawn_stored, found, model, report_id, draw))
    except DamagedReport as problem:
        return await damaged_report(req, problem)


async def damaged_report(req: func.HttpRequest, problem: DamagedReport) -> func.HttpResponse:
    """Stored bytes that are no such report: what is wrong with them, and how to build it again."""
    FACTS.get().error = type(problem).__name__
    if not wants_page(req):
        return json_response({"error": str(problem)}, 404)
    from evaluation.pages.reports import damaged_report_page

    return page(await asyncio.to_thread(damaged_report_page, problem, code=code_of(req)), 404)


async def no_report(req: func.HttpRequest, model: str, report_id: str) -> func.HttpResponse:
    """What is not there, and how to make it."""
    hint = f"make one with `python -m evaluation report --model {model}`; /models/{model}/reports lists those there are"
    if not wants_page(req):
        return json_response({"error": f"no report {shown(report_id)} of model {model}; {hint}"}, 404)
    from evaluation.pages.reports import no_report_page

    return page(await asyncio.to_thread(no_report_page, model, code=code_of(req)), 404)


@app.route("models/{model}/instances", methods=["GET"])
@answering
async def instances(req: func.HttpRequest) -> func.HttpResponse:
    """Spot checks: the newest records that match, or a random sample of them."""
    model, given = await known_model(req), dict(req.params)
    try:
        asked = asked_of(model, given, time.time())
    except Refused as problem:
        return await refused_look(req, model, problem)
    async with READING:
        found = await asyncio.to_thread(spot_check, startup.stores.log, asked)
    if not wants_page(req):
        return await asyncio.to_thread(lambda: json_response(told(model, asked, found)))
    from evaluation.pages.spot_check import spot_check_page
    from scoring.reasons import REASONS

    return page(
        await asyncio.to_thread(spot_check_page, model, given, asked, found, reasons=REASONS, code=code_of(req))
    )


async def refused_look(req: func.HttpRequest, model: str, problem: Refused) -> func.HttpResponse:
    """A malformed parameter: for a browser, the form as it was sent."""
    if not wants_page(req):
        raise problem
    from evaluation.pages.spot_check import refused_look_page
    from scoring.reasons import REASONS

    FACTS.get().error = type(problem).__name__
    return page(refused_look_page(model, req.params, str(problem), reasons=REASONS, code=code_of(req)), 400)


@app.route("models/{model}/instances/{id}", methods=["GET"])
@answering
async def instance(req: func.HttpRequest) -> func.HttpResponse:
    """Every record of an instance, oldest first, and what vouches for each; what does not verify is not shown."""
    model, instance_id = await known_model(req), req.route_params["id"]
    replay = asks_for_replay(req.params)
    async with READING if replay else LOOKING:
        trail = await asyncio.to_thread(trails.read, model, instance_id, replay=replay)
    if trail is None:
        return await no_instance(req, model, instance_id)
    if not wants_page(req):
        return await asyncio.to_thread(lambda: json_response(trail.told()))
    from evaluation.pages.instance import instance_page
    from evaluation.pages.trail import trail_of
    from scoring.model_state import champion_manifest

    manifest = champion_manifest((await startup.service()).catalog, model)
    return page(await asyncio.to_thread(lambda: instance_page(trail_of(trail, manifest), code=code_of(req))))


@app.route("models/{model}/instances/{id}/notes", methods=["POST"])
@answering
async def note(req: func.HttpRequest) -> func.HttpResponse:
    """An auditor's note; who sent a form gets the instance's page, which shows it, or a page that says why not."""
    try:
        return await noted(req, await known_model(req), req.route_params["id"])
    except (ScoringError, AuditError) as problem:
        if not (is_form(content_of(req)) and wants_page(req)):
            raise
        FACTS.get().error = type(problem).__name__
        return await refused_note(req, error(problem))


async def noted(req: func.HttpRequest, model: str, instance_id: str) -> func.HttpResponse:
    """Record the note."""
    check_site(req.headers.get("sec-fetch-site"))
    sent = await asyncio.to_thread(read_note, content_of(req))
    async with LOOKING:
        is_there = await asyncio.to_thread(trails.has, model, instance_id)
    if not is_there:
        return await no_instance(req, model, instance_id)
    facts = FACTS.get()
    reply = await (await startup.service()).note(model, instance_id, sent, facts.request_id, facts)
    if not sent.is_form:
        return replied(reply)
    from evaluation.pages.links import link, path

    shown_at = f"{link(path('models', model, 'instances', instance_id), code_of(req))}#newest"
    return func.HttpResponse(status_code=303, headers={"location": shown_at, "referrer-policy": "no-referrer"})


async def refused_note(req: func.HttpRequest, refusal: func.HttpResponse) -> func.HttpResponse:
    """The JSON error of a note as a page."""
    from evaluation.pages.reports import missing_page

    why = msgspec.json.decode(refusal.get_body())["error"] if refusal.get_body() else "An error of our own"
    html = await asyncio.to_thread(
        missing_page, "Nothing was recorded", f"{why}. Go back to mend it.", code=code_of(req)
    )
    return page(html, refusal.status_code)


async def no_instance(req: func.HttpRequest, model: str, instance_id: str) -> func.HttpResponse:
    """An id without records."""
    sentence = f"The log holds no record of {shown(instance_id)} for model {model}."
    if not wants_page(req):
        return json_response({"error": sentence}, 404)
    from evaluation.pages.reports import missing_page

    return page(await asyncio.to_thread(missing_page, "No such instance", sentence, code=code_of(req)), 404)


async def known_model(req: func.HttpRequest) -> str:
    """The model of the route, noted for the log; raises `UnknownModel`."""
    model: str = req.route_params["model"]
    (await startup.service()).catalog.versions(model)
    FACTS.get().model = model
    return model


# ---------------------------------------------------------------------------------------------------- for anyone


@app.route("{ignored:maxlength(0)?}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answering
async def home(req: func.HttpRequest) -> func.HttpResponse:
    """The home page; with a key, on to the overview behind it (docs/decisions/0002 says why)."""
    if code_of(req):
        headers = {"location": f"/models?{urlencode({'code': code_of(req)})}", "referrer-policy": "no-referrer"}
        return func.HttpResponse(status_code=302, headers=headers)
    from evaluation.pages.home import home_page

    return page(await asyncio.to_thread(home_page, await overview_of(None), with_key=False))


async def overview_of(derived: Store | None) -> list[HomeModel]:
    """Each model as the home page shows it, with its newest report if `derived` may be read."""
    from evaluation.pages.home import home_models
    from scoring.model_state import model_states

    return await asyncio.to_thread(home_models, model_states((await startup.service()).catalog), derived)


@app.route("docs", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answering
async def docs(req: func.HttpRequest) -> func.HttpResponse:
    from evaluation.pages.docs import docs_page
    from scoring.openapi import openapi

    described = openapi((await startup.service()).catalog, __version__)
    split = urlsplit(req.url)
    base_url = f"{split.scheme}://{split.netloc}"
    return page(await asyncio.to_thread(docs_page, described, code=code_of(req), base_url=base_url))


@app.route("openapi.json", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@answering
async def openapi(req: func.HttpRequest) -> func.HttpResponse:
    from scoring.openapi import openapi as described_api

    return json_response(described_api((await startup.service()).catalog, __version__))


def code_of(req: func.HttpRequest) -> str | None:
    """The key as the caller put it into the address; pages keep it in their links."""
    return parameter(req, "code")


# ----------------------------------------------------------------------------------------------------- each hour


@app.timer_trigger(arg_name="timer", schedule="0 5 * * * *", use_monitor=True)
def hourly(timer: func.TimerRequest) -> None:
    """Seal the hours that are over, write their digests, compact and profile them, and write the day's reports."""
    from audit.hourly import write_due_digests
    from evaluation.hourly import run_due
    from evaluation.vouching.means import Means

    if timer.past_due:
        _log.info("the hourly run is late; it catches up on what is due")
    stores = startup.stores
    thresholds = evaluation_settings(os.environ).thresholds
    write_due_digests(stores.log, startup.audit_settings, time.time())
    models, means = startup.scoring_settings.models, Means(keys.keys, replayer)
    done = run_due(stores.log, stores.derived, models, time.time(), thresholds=thresholds, means=means)
    _log.info("hourly run: %d hours, %d blobs, %d reports", len(done.hours), done.blobs, len(done.reports))
    for problem in done.problems:
        _log.error("hourly run, to be tried again: %s", problem)


def replayer() -> Replayer:
    """Replays the sample of a report, of which evaluation knows nothing."""
    from scoring.replay import Replayer

    settings = startup.scoring_settings
    return Replayer(startup.stores.log, settings.models, run_timeout_s=settings.run_timeout_s)
