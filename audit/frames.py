"""Frames: the bytes of the log, version 1. Pure: bytes in, bytes out.

A blob of the log is a sequence of frames, each written by one append:

    {"v":1,"kind":"records","blob":"log/v1/…/20261123T140506-3f9c2a71-0.jsonl","offset":812,"sequence":1,"count":2,
     "length":1043,"sha256":"…","previous":"…","append_us":2210}⏎     the header, one line of JSON (shown here in two)
    {"v":1,"kind":"score",…}⏎                                        `count` lines, the body, `length` bytes in all
    {"v":1,"kind":"score",…}⏎

- `offset` is the position of the header's first byte in the blob, `sequence` counts the blob's frames from 0, `blob`
  is the blob's own name: a frame that is moved, reordered or copied elsewhere does not verify.
- `sha256` is the SHA-256 of the body's bytes as stored, newlines included. `previous` is the head of the frame before,
  64 zeros in a blob's first. A frame's head is SHA-256(DOMAIN ‖ header line without its newline), as stored: nothing is
  ever parsed and written again in order to be hashed.
- `append_us` is how long the append of the frame before took, in microseconds: the log measures itself.
- `open` is the first frame and has one line, an `Opening`. `close` is the last and has no lines; whoever appends it
  (the writer, or who seals the hour) ends the blob, since the next append expects another length. A blob whose writer
  died before its `open` holds a lone `close`.

A blob that ends between two frames is whole up to there. Chain and hashes prove that frames belong together, not that
the newest are still there: the signed hourly digest is for that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

VERSION = 1
DOMAIN = b"hyperplane audit frame v1\n"
ZERO_HEAD = "0" * 64
MAX_HEADER_BYTES = 8 * 1024
MAX_BODY_BYTES = 100 * 1024 * 1024 - MAX_HEADER_BYTES  # one block of an append blob holds 100 MiB
MAX_OPENING_BYTES = 64 * 1024

FrameKind = Literal["open", "records", "close"]
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
_Hash = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", min_length=64, max_length=64)]


class BadFrame(ValueError):
    """These bytes are no frame, or not the one that belongs here; the message says why."""


class Torn(BadFrame):
    """The bytes end before the frame does."""


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A frame's first line."""

    v: int
    kind: FrameKind
    blob: str
    offset: _Count
    sequence: _Count
    count: _Count
    length: Annotated[int, msgspec.Meta(ge=0, le=MAX_BODY_BYTES)]
    sha256: _Hash
    previous: _Hash
    append_us: _Count


class Opening(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The line of an `open` frame: the blob that its writer filled before, and what the writer runs on."""

    writer: str
    previous_blob: str | None = None  # the last blob that this writer wrote to, and the last head that it knows of
    previous_head: str | None = None
    about: dict[str, str] = {}  # code version, CPU model, ONNX Runtime version


@dataclass(frozen=True)
class Place:
    """Where the next frame of a blob belongs: its position, its number, and the head that it must name."""

    offset: int = 0
    sequence: int = 0
    previous: str = ZERO_HEAD


_header_encoder = msgspec.json.Encoder()
_header_decoder = msgspec.json.Decoder(Header)
_opening_decoder = msgspec.json.Decoder(Opening)


def encode_frame(
    kind: FrameKind,
    blob: str,
    offset: int,
    sequence: int,
    lines: Sequence[bytes],
    previous: str,
    append_us: int = 0,
) -> tuple[bytes, str]:
    """A frame's bytes and its head (hex). Raises `ValueError` for a line with a newline and for too many bytes.

    >>> data, head = encode_frame("records", "b", 0, 0, [b"{}"], ZERO_HEAD)
    >>> data.splitlines()[1], decode_header(data[: data.index(10)]).length
    (b'{}', 3)
    """
    body = b"\n".join(lines) + b"\n" if lines else b""
    if body.count(b"\n") != len(lines):
        raise ValueError("a record holds a newline; records are one line each")
    if len(body) > MAX_BODY_BYTES:
        raise ValueError(f"{len(body)} bytes do not fit a frame, which holds {MAX_BODY_BYTES}; split them")
    header = _header_encoder.encode(
        Header(
            v=VERSION,
            kind=kind,
            blob=blob,
            offset=offset,
            sequence=sequence,
            count=len(lines),
            length=len(body),
            sha256=hashlib.sha256(body).hexdigest(),
            previous=previous,
            append_us=append_us,
        )
    )
    return b"".join((header, b"\n", body)), head_of(header)


def head_of(header: bytes) -> str:
    """The head of a frame, from its header line without the newline."""
    return hashlib.sha256(DOMAIN + header).hexdigest()


def header_line(data: bytes | bytearray, start: int = 0) -> bytes:
    """The header line at `start`, without its newline; `Torn` when the data ends within it, else `BadFrame`."""
    end = data.find(b"\n", start, start + MAX_HEADER_BYTES)
    if end >= 0:
        return bytes(data[start:end])
    if len(data) - start < MAX_HEADER_BYTES:
        raise Torn(f"the header breaks off after {len(data) - start} bytes")
    raise BadFrame(f"no header: no end of line within {MAX_HEADER_BYTES} bytes")


def decode_header(line: bytes) -> Header:
    """The header in its line; `BadFrame` for anything else.

    There is one way to write a header, byte for byte, so that no two programs can read two things in the same bytes.
    """
    try:
        header = _header_decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise BadFrame(f"no header: {problem}") from problem
    if header.v != VERSION:
        raise BadFrame(f"format version {header.v} is not {VERSION}; it takes a newer program to read it")
    if _header_encoder.encode(header) != line:
        raise BadFrame(
            "the header is written otherwise than this format writes it: fields, their order, spaces, escapes"
        )
    return header


def check_place(header: Header, blob: str, place: Place) -> None:
    """`BadFrame` unless the header belongs to this blob at this place."""
    first = place.sequence == 0
    if header.blob != blob:
        raise BadFrame(f"the frame belongs to blob {header.blob!r}")
    if header.offset != place.offset:
        raise BadFrame(f"the frame belongs at offset {header.offset}")
    if header.sequence != place.sequence:
        raise BadFrame(f"the frame has sequence {header.sequence}, not {place.sequence}")
    if header.previous != place.previous:
        raise BadFrame(f"the frame follows head {header.previous}, but the frame before it has {place.previous}")
    if header.kind not in (("open", "close") if first else ("records", "close")):
        where = "the first frame" if first else "a later frame"
        raise BadFrame(f"{where} is of kind {header.kind!r}" + (": its `open` frame is missing" if first else ""))


def check_body(header: Header, body: bytes) -> None:
    """`BadFrame` unless these are the body's bytes; `Torn` if they are too few."""
    if len(body) < header.length:
        raise Torn(f"the frame breaks off: {len(body)} of its {header.length} bytes are there")
    if hashlib.sha256(body).hexdigest() != header.sha256:
        raise BadFrame("the SHA-256 of the records is not the header's: they were altered")
    if body.count(b"\n") != header.count or (body and not body.endswith(b"\n")):
        raise BadFrame(f"{body.count(b'\n')} lines, where the header says {header.count}")
    if header.kind == "close" and body:
        raise BadFrame("a `close` frame has no records")
    if header.kind == "open":
        decode_opening(body)


def decode_opening(body: bytes) -> Opening:
    """The line of an `open` frame; `BadFrame` for anything else."""
    if len(body) > MAX_OPENING_BYTES:
        raise BadFrame(f"the line of the `open` frame has {len(body)} bytes, more than {MAX_OPENING_BYTES}")
    try:
        return _opening_decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise BadFrame(f"the line of the `open` frame is unreadable: {problem}") from problem


def is_close(data: bytes, blob: str, place: Place) -> bool:
    """Whether these bytes begin with a `close` frame for this place: what a writer finds when it was fenced."""
    try:
        header = decode_header(header_line(data))
        check_place(header, blob, place)
    except BadFrame:
        return False
    return header.kind == "close"
