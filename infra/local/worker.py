"""Loading and invoking functions through Microsoft's own worker library, `azure-functions-runtime`.

The library indexes `function_app.py`, decodes triggers and calls the functions in Azure. Its protobuf-free entry
(`native_invocation`) takes and gives `Datum` values, so the same code runs here without the platform's gRPC host. The
few protobuf classes that indexing wants are stood in for by plain namespaces.
"""

import json
import os
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime.handle_event as _index
from azure_functions_runtime.bindings.datumdef import Datum
from azure_functions_runtime.bindings.meta import load_binding_registry
from azure_functions_runtime.native_invocation import invocation_request_native
from azure_functions_runtime.utils.threadpool import start_threadpool_executor, stop_threadpool_executor

from infra.local.app_settings import resolve
from infra.local.process import LocalError

TRIGGERS = ("httpTrigger", "timerTrigger")


class _BindingInfo(SimpleNamespace):
    undefined = 0
    out = 1
    inout = 2


@dataclass(frozen=True)
class Function:
    """One indexed function: its trigger as the platform sees it, settings resolved."""

    name: str
    identity: str
    kind: str
    parameter: str
    trigger: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Result:
    """What an invocation came to: a returned Datum (None: nothing), or an error text."""

    value: Any
    error: str | None


def load_functions(folder: Path, environment: Mapping[str, str] = os.environ) -> list[Function]:
    """Import `function_app.py` in `folder` and index it, as the platform's worker does.

    Raises LocalError when there is none, and lets its own exceptions through: their traceback is what helps.
    """
    if not (folder / "function_app.py").is_file():
        raise LocalError(f"There is no function_app.py in {folder}: give the folder of a function app with --app.")
    sys.path.insert(0, str(folder))
    os.chdir(folder)
    _index.protos = SimpleNamespace(
        BindingInfo=_BindingInfo, RpcFunctionMetadata=SimpleNamespace, RpcRetryOptions=SimpleNamespace
    )
    load_binding_registry()
    start_threadpool_executor()
    _index.load_function_metadata(str(folder), "local host")
    return [_function(metadata, environment) for metadata in _index._metadata_result or []]


async def invoke_http(function: Function, request: Mapping[str, Any], headers: Mapping[str, str]) -> Result:
    """Invoke an HTTP function; `request` maps the parts of Datum type 'http' to Datums."""
    return await _invoke(
        function, Datum(request, "http"), headers.get("traceparent", ""), headers.get("tracestate", "")
    )


async def invoke_timer(function: Function, payload: Mapping[str, object]) -> Result:
    """Invoke a timer function with the platform's timer payload (IsPastDue, Schedule, ScheduleStatus)."""
    return await _invoke(function, Datum(json.dumps(payload), "json"))


def string_datum(value: str) -> Datum:
    """A string as the library passes it."""
    return Datum(value, "string")


def bytes_datum(value: bytes) -> Datum:
    """Bytes as the library passes them."""
    return Datum(value, "bytes")


def stop_threads() -> None:
    """Wait for functions that run in threads, then end the threads."""
    stop_threadpool_executor()


async def _invoke(function: Function, trigger: Datum, parent: str = "", state: str = "") -> Result:
    ok, value, _, error, _ = await invocation_request_native(
        str(uuid.uuid4()), function.identity, [(function.parameter, trigger)], {}, parent, state
    )
    return Result(value, None if ok else error or "failed")


def _function(metadata: SimpleNamespace, environment: Mapping[str, str]) -> Function:
    bindings = [json.loads(text) for text in metadata.raw_bindings]
    triggers = [binding for binding in bindings if binding["type"].lower().endswith("trigger")]
    kinds = {kind.lower(): kind for kind in TRIGGERS}
    if len(triggers) != 1 or triggers[0]["type"].lower() not in kinds:
        found = ", ".join(str(trigger["type"]) for trigger in triggers) or "no trigger"
        raise LocalError(f"Function {metadata.name} has {found}: this host runs HTTP and timer triggers.")
    if len(bindings) > 1 and any(binding["type"].lower() not in {"http", *kinds} for binding in bindings):
        raise LocalError(f"Function {metadata.name} has an input or output binding: this host runs triggers only.")
    trigger = {
        key: resolve(value, environment, f"the {key} of {metadata.name}") if isinstance(value, str) else value
        for key, value in triggers[0].items()
    }
    return Function(metadata.name, metadata.function_id, kinds[trigger["type"].lower()], trigger["name"], trigger)
