"""A function app with each kind of trigger, for the tests of the local host."""

import asyncio
import atexit
import json
import logging
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import azure.functions as func
from azure.functions.timer import TimerRequest

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
logging.getLogger("sample").info("function app loaded in process %d", os.getpid())


def note(line: str) -> None:
    """Append a line to the file that the test watches."""
    if "SAMPLE_NOTES" in os.environ:
        with Path(os.environ["SAMPLE_NOTES"]).open("a", encoding="utf-8") as notes:
            notes.write(line + "\n")


atexit.register(note, f"closed {os.getpid()}")


def seen(req: func.HttpRequest) -> dict[str, object]:
    """What a function sees of its request."""
    return {
        "method": req.method,
        "url": req.url,
        "headers": dict(req.headers),
        "params": dict(req.params),
        "route_params": dict(req.route_params),
        "body": req.get_body().decode("latin-1"),
        "thread": threading.current_thread().name,
        "process": os.getpid(),
        "folder": str(Path.cwd()),
    }


def answer(req: func.HttpRequest) -> func.HttpResponse:
    """The request as JSON."""
    return func.HttpResponse(json.dumps(seen(req)), mimetype="application/json")


@app.route(route="sync/{name?}", methods=["GET", "POST"])
def in_a_thread(req: func.HttpRequest) -> func.HttpResponse:
    """A function that is not async."""
    return answer(req)


@app.route(route="echo/{name:maxlength(20)}/{number:int?}", auth_level=func.AuthLevel.ANONYMOUS)
async def echo(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """An async function that answers to every method, with the context's invocation id."""
    response = answer(req)
    response.headers["x-invocation"] = context.invocation_id
    return response


@app.route(route="body", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def body(req: func.HttpRequest) -> func.HttpResponse:
    """The body as it came."""
    return func.HttpResponse(req.get_body(), mimetype="application/octet-stream")


@app.route(route="files/{*path}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def files(req: func.HttpRequest) -> func.HttpResponse:
    """The rest of the path."""
    return answer(req)


@app.route(route="{ignored:maxlength(0)?}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def root(req: func.HttpRequest) -> str:
    """The root of the site."""
    return "the root"


@app.route(methods=["GET"])
async def unrouted(req: func.HttpRequest) -> func.HttpResponse:
    """Reached by its name."""
    return answer(req)


@app.route(methods=["GET"], auth_level=func.AuthLevel.ADMIN)
async def guarded(req: func.HttpRequest) -> func.HttpResponse:
    """Needs the admin key."""
    return answer(req)


@app.route(route="fails/{how}", auth_level=func.AuthLevel.ANONYMOUS)
async def fails(req: func.HttpRequest) -> func.HttpResponse:
    """Goes wrong as told."""
    how = req.route_params["how"]
    if how == "header":
        return func.HttpResponse("x", headers={"x-bad": "a\r\nx-injected: b"})
    if how == "nothing":
        return None  # type: ignore[return-value]
    if how == "status":
        return func.HttpResponse("x", status_code=99)
    raise RuntimeError("told to fail")


@app.route(route="answers/{status:int}", auth_level=func.AuthLevel.ANONYMOUS)
async def answers(req: func.HttpRequest) -> func.HttpResponse:
    """A status of choice, with header lines and a cookie."""
    headers = {"x-served-by": "function", "Set-Cookie": "a=b; Path=/"}
    return func.HttpResponse("text", status_code=int(req.route_params["status"]), headers=headers)


@app.route(route="slow/{seconds:double}", auth_level=func.AuthLevel.ANONYMOUS)
async def slow(req: func.HttpRequest) -> func.HttpResponse:
    """Takes its time, and notes when it begins."""
    note("slow began")
    await asyncio.sleep(float(req.route_params["seconds"]))
    return func.HttpResponse("done")


@app.timer_trigger(arg_name="timer", schedule="%SAMPLE_SCHEDULE%", run_on_startup=False)
def tick(timer: func.TimerRequest) -> None:
    """Notes each run, whether two overlap, and takes its time if told to."""
    for line in told(timer):
        note(line)


def told(timer: func.TimerRequest) -> Iterator[str]:
    """The lines of one run."""
    yield f"tick began {os.getpid()} past_due={timer.past_due}"
    time.sleep(float(os.environ.get("SAMPLE_TICK_S", "0")))
    if os.environ.get("SAMPLE_TICK") == "raise":
        raise RuntimeError("told to fail")
    yield "tick ended"


@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *", run_on_startup=True, use_monitor=False)
async def yearly(timer: func.TimerRequest) -> None:
    """An async timer that runs when the host starts."""
    assert isinstance(timer, TimerRequest)
    note(f"yearly {os.getpid()} {timer.past_due} {timer.schedule_status}")
