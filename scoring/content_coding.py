"""Compressed request bodies, as RFC 9110 (8.4) names their codings: gzip, deflate, identity, one after the other.

A body never grows beyond the limit: what would be larger when decompressed is refused as soon as that is seen, so a
bomb of a few kilobytes costs no more memory than a body at the limit. `deflate` is zlib's format (RFC 1950); bare
deflate data (RFC 1951), which some clients send under that name, is taken too.
"""

from __future__ import annotations

import zlib

from scoring.content import Content
from scoring.errors import BadRequest, BodyTooLarge, shown

_GZIP = 16 + zlib.MAX_WBITS
_ZLIB = zlib.MAX_WBITS
_BARE = -zlib.MAX_WBITS
_NAMES = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate", "identity": "identity", "": "identity"}
_MOST_CODINGS = 4


def is_coded(content: Content) -> bool:
    """Whether a body may be larger than it looks."""
    return bool(content.coding)


def decoded(content: Content, limit_bytes: int) -> Content:
    """The content without its codings; raises `BadRequest` or `BodyTooLarge`.

    >>> decoded(Content(zlib.compress(b"{}"), coding="deflate"), 10).body
    b'{}'
    """
    if not content.coding:
        return content
    body = content.body
    for coding in reversed(_codings(content.coding)):
        if coding == "gzip":
            body = _gunzipped(body, limit_bytes)
        elif coding == "deflate":
            body = _inflated(body, limit_bytes)
    return Content(body, kind=content.kind, json_bytes=content.json_bytes)


def _codings(header: str) -> list[str]:
    names = [name.strip().lower() for name in header.split(",")]
    unknown = [name for name in names if name not in _NAMES]
    if unknown:
        raise BadRequest(f"Content-Encoding: {shown(unknown[0])} is not taken; send gzip, deflate or none", "not_json")
    if len(names) > _MOST_CODINGS:
        raise BadRequest(f"Content-Encoding: {len(names)} codings; compress the body once", "not_json")
    return [_NAMES[name] for name in names]


def _gunzipped(body: bytes, limit_bytes: int) -> bytes:
    """All members of a gzip file (RFC 1952) one after the other."""
    parts: list[bytes] = []
    size_bytes, rest = 0, body
    while rest or not parts:
        part, rest = _decompressed(rest, _GZIP, "gzip", limit_bytes - size_bytes, limit_bytes)
        parts.append(part)
        size_bytes += len(part)
        rest = rest.lstrip(b"\0")  # padding, as gzip itself skips
    return b"".join(parts)


def _inflated(body: bytes, limit_bytes: int) -> bytes:
    is_zlib = len(body) >= 2 and body[0] & 0x0F == 8 and int.from_bytes(body[:2]) % 31 == 0
    part, rest = _decompressed(body, _ZLIB if is_zlib else _BARE, "deflate", limit_bytes, limit_bytes)
    if rest:
        raise BadRequest(f"the body: {len(rest):,} bytes follow the end of its deflate data", "not_json")
    return part


def _decompressed(body: bytes, window: int, coding: str, most_bytes: int, limit_bytes: int) -> tuple[bytes, bytes]:
    """The first stream in a body, and what follows it."""
    machine = zlib.decompressobj(window)
    try:
        part = machine.decompress(body, most_bytes + 1)
    except zlib.error:
        raise BadRequest(f"the body is not {coding}, as its Content-Encoding says", "not_json") from None
    if len(part) > most_bytes:
        raise BodyTooLarge(limit_bytes + 1, limit_bytes)
    if not machine.eof:
        raise BadRequest(f"the body ends before its {coding} data does; send all of it", "not_json")
    return part, machine.unused_data
