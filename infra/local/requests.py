"""Requests on their way in: an ASGI scope as the parts that the platform hands to a function, within bounded memory."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from infra.local.worker import bytes_datum, string_datum

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

URL_BYTES = 8 * 1024  # Kestrel's limits on the request line and on all headers
HEADER_BYTES = 32 * 1024


class TooLargeError(Exception):
    """The body is over the limit; what came of it is dropped."""


class GoneError(Exception):
    """The client left before it had sent its request."""


def headers_of(scope: Scope) -> dict[str, str]:
    """Headers by lower-case name; a repeated one is joined with commas, as the platform does."""
    return _joined((name.decode("latin-1"), value.decode("utf-8", "replace")) for name, value in scope["headers"])


def query_of(scope: Scope) -> dict[str, str]:
    """Query parameters; names differing in case are one, and empty values are dropped, as the platform does."""
    query: bytes = scope["query_string"]
    if not query:
        return {}
    names: dict[str, str] = {}
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True, encoding="utf-8")
    values = _joined((names.setdefault(name.lower(), name), value) for name, value in pairs)
    return {name: value for name, value in values.items() if value}


def oversized_part(scope: Scope) -> int | None:
    """The status for a request line (414) or headers (431) over the limits, else None."""
    if len(scope["raw_path"]) + len(scope["query_string"]) > URL_BYTES:
        return 414
    if sum(len(name) + len(value) for name, value in scope["headers"]) > HEADER_BYTES:
        return 431
    return None


async def read_body(receive: Receive, headers: Mapping[str, str], limit_bytes: int) -> bytes:
    """The whole body. Raises TooLargeError before it holds more than the limit, and GoneError."""
    length = headers.get("content-length", "")
    if length.isdigit() and int(length) > limit_bytes:
        raise TooLargeError
    chunks: list[bytes] = []
    size_bytes = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise GoneError
        chunk = message.get("body", b"")
        size_bytes += len(chunk)
        if size_bytes > limit_bytes:
            raise TooLargeError
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def http_parts(
    scope: Scope, headers: Mapping[str, str], query: Mapping[str, str], parameters: Mapping[str, str], body: bytes
) -> dict[str, Any]:
    """The request as the parts of the worker library's 'http' Datum."""
    path = scope["raw_path"].decode("latin-1")
    if scope["query_string"]:
        path += "?" + scope["query_string"].decode("latin-1")
    return {
        "method": string_datum(scope["method"]),
        "url": string_datum(f"{scope['scheme']}://{headers.get('host', '')}{path}"),
        "headers": {name: string_datum(value) for name, value in headers.items()},
        "query": {name: string_datum(value) for name, value in query.items()},
        "params": {name: string_datum(value) for name, value in parameters.items()},
        "body": bytes_datum(body),
    }


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    values: dict[str, str] = {}
    for name, value in pairs:
        values[name] = f"{values[name]},{value}" if name in values else value
    return values
