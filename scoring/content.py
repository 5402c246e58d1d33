"""A request's body and the headers that say how to read it; and a body to answer with. Knows no web framework."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

JSON = "application/json"


class Content(msgspec.Struct, frozen=True):
    """Bytes as they came in. Header values are the client's, as sent; empty where it sent none."""

    body: bytes
    kind: str = ""  # Content-Type
    coding: str = ""  # Content-Encoding
    json_bytes: str = ""  # Inference-Header-Content-Length: where a body's JSON ends and its binary tensors begin


class Reply(msgspec.Struct, frozen=True):
    """Bytes to send."""

    body: bytes
    kind: str = JSON
    headers: Mapping[str, str] = {}
