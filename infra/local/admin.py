"""The platform's admin endpoints, as far as a laptop needs them.

`GET /admin/host/ping` (no key), `GET /admin/host/status`, `GET /admin/functions` and `POST /admin/functions/{name}`
with `{"input": ...}`, which answers 202 and runs a timer. Beyond the platform, the status lists each timer's state.
"""

import json
import time
from collections.abc import Mapping, Sequence

from infra.local.answers import Answer, plain
from infra.local.timers import Timer
from infra.local.worker import Function


class Admin:
    """Answers for paths below /admin."""

    def __init__(self, functions: Sequence[Function], timers: Mapping[str, Timer]) -> None:
        self._functions = {function.name.lower(): function for function in functions}
        self._timers = timers
        self._started = time.monotonic()

    @staticmethod
    def owns(path: str) -> bool:
        """Whether the path is the platform's own: no function may answer to it."""
        first = path[1:].split("/", 1)[0].lower()
        return first in {"admin", "runtime"}

    @staticmethod
    def needs_key(path: str) -> bool:
        """Whether the path needs the admin key: all but the ping."""
        return _normal(path) != "admin/host/ping"

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        """Answer a request that may do this."""
        match method, _normal(path).split("/"):
            case (("GET" | "POST"), ["admin", "host", "ping"]):
                return Answer(200)
            case "GET", ["admin", "host", "status"]:
                return self._status()
            case "GET", ["admin", "functions"]:
                return _json(200, [self._describe(function) for function in self._functions.values()])
            case "GET", ["admin", "functions", name] if name in self._functions:
                return _json(200, self._describe(self._functions[name]))
            case "POST", ["admin", "functions", name] if name in self._functions:
                return self._run(self._functions[name], body)
        return Answer(404)

    def _status(self) -> Answer:
        uptime_ms = int((time.monotonic() - self._started) * 1000)
        timers = {name: timer.state() for name, timer in self._timers.items()}
        return _json(200, {"id": "local", "state": "Running", "processUptime": uptime_ms, "timers": timers})

    def _run(self, function: Function, body: bytes) -> Answer:
        try:
            content = json.loads(body)
        except ValueError:
            content = None
        if not isinstance(content, dict):
            return plain(400, 'The body must be a JSON object, such as {"input": ""}.')
        timer = self._timers.get(function.name)
        if timer is None:
            return plain(400, f"Function {function.name} has an HTTP trigger: call its route.")
        timer.run_now()
        return Answer(202)

    @staticmethod
    def _describe(function: Function) -> dict[str, object]:
        return {"name": function.name, "language": "python", "config": {"bindings": [dict(function.trigger)]}}


def _normal(path: str) -> str:
    return path.strip("/").lower()


def _json(status: int, content: object) -> Answer:
    return plain(status, json.dumps(content), "application/json")
