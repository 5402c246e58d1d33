"""The local Functions host as an ASGI application: which function gets a request, and what the client gets back.

In the platform's order: no route, 404; no key, 401 with an empty body; a body over the limit, 413; an unhandled
exception, 500 with an empty body and its traceback in the log. Everything is decided on one event loop; functions that
are not `async` run in the worker library's threads.
"""

import hmac
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from infra.local.admin import Admin
from infra.local.answers import FAILED, Answer, answer_of, plain
from infra.local.host_json import HostJson
from infra.local.requests import (
    GoneError,
    Receive,
    Scope,
    Send,
    TooLargeError,
    headers_of,
    http_parts,
    oversized_part,
    query_of,
    read_body,
)
from infra.local.routes import Route, Router, decode, parse
from infra.local.worker import Function, invoke_http

logger = logging.getLogger("host")

HOME_PAGE = (
    "<!doctype html><title>Function app</title><p>This function app is up and running. "
    "No function answers to <code>/</code>; the platform shows a page of its own here."
)


@dataclass(frozen=True)
class Rules:
    """What the host enforces and shows; without a key, authorization is off."""

    key: str | None
    body_bytes: int
    home_page: bool = True
    log_requests: bool = False


class FunctionsHost:
    """The ASGI application for a set of functions."""

    def __init__(self, functions: Sequence[Function], host_json: HostJson, rules: Rules, admin: Admin) -> None:
        self._functions = {function.name: function for function in functions if function.kind == "httpTrigger"}
        self._levels = {name: _auth_level(function) for name, function in self._functions.items()}
        self._extra = host_json.headers
        self._rules = rules
        self._admin = admin
        self.router = Router([route_of(function, host_json.route_prefix) for function in self._functions.values()])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = time.perf_counter()
        try:
            answer = await self._answer(scope, receive)
        except GoneError:
            return
        length = (b"content-length", str(len(answer.body)).encode())
        headers = answer.headers if answer.status in {204, 304} else (*answer.headers, length)
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})
        if self._rules.log_requests:
            milliseconds = (time.perf_counter() - started) * 1000
            path = scope["raw_path"].decode("latin-1")  # without the query, which may hold the key
            logger.info("%s %s %d %.1f ms", scope["method"], path, answer.status, milliseconds)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        oversized = oversized_part(scope)
        if oversized is not None:
            return Answer(oversized)
        path = decode(scope["raw_path"])
        if path is None:
            return Answer(400)
        headers, query = headers_of(scope), query_of(scope)
        if Admin.owns(path):
            return await self._admin_answer(scope["method"], path, headers, query, receive)
        found = self.router.find(scope["method"], path)
        if found is None:
            return self._unmatched(path)
        route, parameters = found
        if not self._allowed(self._levels[route.function], headers, query):
            return Answer(401)
        try:
            body = await read_body(receive, headers, self._rules.body_bytes)
        except TooLargeError:
            return Answer(413)
        parts = http_parts(scope, headers, query, parameters, body)
        result = await invoke_http(self._functions[route.function], parts, headers)
        if result.error is not None:
            logger.error("Function %s failed: %s", route.function, result.error.partition("(")[0])
            return FAILED
        return answer_of(route.function, result.value, self._extra)

    async def _admin_answer(
        self, method: str, path: str, headers: Mapping[str, str], query: Mapping[str, str], receive: Receive
    ) -> Answer:
        if Admin.needs_key(path) and not self._allowed("admin", headers, query):
            return Answer(401)
        try:
            body = await read_body(receive, headers, self._rules.body_bytes)
        except TooLargeError:
            return Answer(413)
        return self._admin.answer(method, path, body)

    def _allowed(self, level: str, headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
        if level == "anonymous" or self._rules.key is None:
            return True
        given = headers.get("x-functions-key") or next(
            (value for name, value in query.items() if name.lower() == "code"), ""
        )
        return hmac.compare_digest(given.encode(), self._rules.key.encode())

    def _unmatched(self, path: str) -> Answer:
        if path != "/":
            return Answer(404)
        return plain(200, HOME_PAGE, "text/html; charset=utf-8") if self._rules.home_page else Answer(204)


def route_of(function: Function, prefix: str) -> Route:
    """The route of an HTTP function."""
    return parse(function.name, function.trigger.get("route"), function.trigger.get("methods") or [], prefix)


def _auth_level(function: Function) -> str:
    return str(function.trigger.get("authLevel") or "function").lower()
