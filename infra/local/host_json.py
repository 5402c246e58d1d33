"""`host.json`, the settings of a function app that its host reads: what this host honours of it, and refuses.

Honoured: `extensions.http.routePrefix`, `extensions.http.customHeaders` and `functions` (the functions to run). Other
settings that Azure knows are accepted and left to Azure; anything else is an error, since Azure would not mention it.
https://learn.microsoft.com/azure/azure-functions/functions-host-json
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.local.process import LocalError

_TOP = {
    "aggregator",
    "applicationInsights",
    "concurrency",
    "customHandler",
    "extensionBundle",
    "extensions",
    "functionTimeout",
    "functions",
    "healthMonitor",
    "logging",
    "managedDependency",
    "retry",
    "singleton",
    "telemetryMode",
    "version",
    "watchDirectories",
    "watchFiles",
}
_HTTP = {
    "customHeaders",
    "dynamicThrottlesEnabled",
    "hsts",
    "maxConcurrentRequests",
    "maxOutstandingRequests",
    "routePrefix",
}


@dataclass(frozen=True)
class HostJson:
    """What the local host honours of host.json."""

    route_prefix: str
    headers: tuple[tuple[str, str], ...] = ()
    functions: frozenset[str] | None = None


def read_host_json(folder: Path) -> HostJson:
    """Read `host.json` of the app in `folder`. Raises LocalError that names the file and the setting."""
    path = folder / "host.json"
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise LocalError(f"There is no host.json in {folder}: give the folder of a function app with --app.") from error
    except OSError as error:
        raise LocalError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise LocalError(f"{path} is not JSON: {error}.") from error
    try:
        return _host_json(content)
    except ValueError as error:
        raise LocalError(f"{path}: {error}.") from error


def _host_json(content: object) -> HostJson:
    top = _object(content, "the file")
    _refuse_unknown(top, _TOP, "")
    if top.get("version") != "2.0":
        raise ValueError('version must be "2.0"')
    http = _object(_object(top.get("extensions", {}), "extensions").get("http", {}), "extensions.http")
    _refuse_unknown(http, _HTTP, "extensions.http.")
    return HostJson(
        route_prefix=_prefix(http.get("routePrefix", "api")),
        headers=_headers(http.get("customHeaders", {})),
        functions=_functions(top.get("functions")),
    )


def _object(value: object, name: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be an object")
    return value


def _refuse_unknown(content: Mapping[str, object], known: set[str], where: str) -> None:
    unknown = sorted(set(content) - known)
    if unknown:
        raise ValueError(f"unknown setting {where}{unknown[0]} (known: {', '.join(sorted(known))})")


def _prefix(value: object) -> str:
    if not isinstance(value, str) or "{" in value or "?" in value:
        raise ValueError("extensions.http.routePrefix must be plain text, such as '' or 'api'")
    return value.strip("/")


def _headers(value: object) -> tuple[tuple[str, str], ...]:
    headers = _object(value, "extensions.http.customHeaders")
    for name, text in headers.items():
        if not isinstance(text, str):
            raise ValueError(f"extensions.http.customHeaders.{name} must be text")
    return tuple((name, str(text)) for name, text in headers.items())


def _functions(value: object) -> frozenset[str] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValueError("functions must be a list of names")
    return frozenset(str(name).lower() for name in value)
