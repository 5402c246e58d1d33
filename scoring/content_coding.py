"""Compressed request bodies, as RFC 9110 (8.4) names their codings: gzip, deflate, identity, one after the other.

A body never grows beyond the limit: what would be larger when decompressed is refused as soon as that is seen, so a
bomb of a few kilobytes costs no more memory than a body at the limit. Nor does its time: a body is read once from
front to back, in pieces, and may hold no more gzip members than any writer makes of a body at the limit. `deflate` is
zlib's format (RFC 1950); bare deflate data (RFC 1951), which some clients send under that name, is taken too.
"""

from __future__ import annotations

import re
import zlib

from scoring.content import Content
from scoring.errors import BadRequest, InflatedTooLarge, shown

_GZIP = 16 + zlib.MAX_WBITS
_ZLIB = zlib.MAX_WBITS
_BARE = -zlib.MAX_WBITS
_NAMES = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate", "identity": "identity", "": "identity"}
_MOST_CODINGS = 4
_MOST_MEMBERS = 1_000  # bgzip makes one of every 64 KiB
_PIECE_BYTES = 64 * 1024  # zlib copies what follows a stream, so it is never handed a whole body
_PADDING = re.compile(rb"\0*")


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
    """All members of a gzip file (RFC 1952) one after the other; NULs after one are padding, as gzip has it."""
    parts: list[bytes] = []
    size_bytes = place = 0
    while place < len(body) or not parts:
        if parts and body[place] != 0x1F:
            raise _followed("gzip", len(body) - place)
        if len(parts) == _MOST_MEMBERS:
            raise BadRequest(f"the body: more than {_MOST_MEMBERS:,} gzip members; compress it as one", "not_json")
        part, place = _stream(body, place, _GZIP, "gzip", limit_bytes - size_bytes, limit_bytes)
        parts.append(part)
        size_bytes += len(part)
        place = _after_padding(body, place)
    return b"".join(parts)


def _after_padding(body: bytes, place: int) -> int:
    padding = _PADDING.match(body, place)
    return padding.end() if padding else place


def _inflated(body: bytes, limit_bytes: int) -> bytes:
    is_zlib = len(body) >= 2 and body[0] & 0x0F == 8 and int.from_bytes(body[:2]) % 31 == 0
    whole, end = _stream(body, 0, _ZLIB if is_zlib else _BARE, "deflate", limit_bytes, limit_bytes)
    if end < len(body):
        raise _followed("deflate", len(body) - end)
    return whole


def _stream(body: bytes, place: int, window: int, coding: str, most_bytes: int, limit_bytes: int) -> tuple[bytes, int]:
    """What one stream holds, at most `most_bytes`, and the place where it ends."""
    machine, parts, view = zlib.decompressobj(window), list[bytes](), memoryview(body)
    room_bytes = most_bytes + 1  # never 0, which zlib takes for no limit
    while not machine.eof and place < len(body):
        piece = view[place : place + _PIECE_BYTES]
        try:
            parts.append(machine.decompress(piece, room_bytes))
        except zlib.error:
            raise BadRequest(f"the body is not {coding}, as its Content-Encoding says", "not_json") from None
        room_bytes -= len(parts[-1])
        if room_bytes == 0:
            raise InflatedTooLarge(limit_bytes)
        place += len(piece) - len(machine.unused_data)
    if not machine.eof:
        raise BadRequest(f"the body ends before its {coding} data does; send all of it", "not_json")
    return b"".join(parts), place


def _followed(coding: str, size_bytes: int) -> BadRequest:
    return BadRequest(f"the body: {size_bytes:,} bytes follow the end of its {coding} data; send none", "not_json")
