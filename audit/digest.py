"""Digests: what an hour of the log was when it was over, signed; version 1. Pure: bytes in, bytes out.

    digest/v1/2026/11/23/14.json

is written once, after the hour was sealed, and never again. It is a JSON Web Signature (RFC 7515) in the flattened JSON
form, without spaces and with the members in this order, so that there is one way to write it, byte for byte:

    {"payload":"<base64url>","protected":"<base64url>","signature":"<base64url>"}

The protected header is `{"alg":"ES256","kid":"<RFC 7638 thumbprint of the public key>"}`, the signature the 64 bytes of
ES256 (RFC 7518, 3.4) over `protected.payload`. The payload is one JSON object, a `Digest`:

    {"v":1,"hour":"2026/11/23/14","previous":"<64 hex>","ts":"2026-11-23T15:05:00.123456Z",
     "blobs":[{"name":"log/v1/2026/11/23/14/…-0.jsonl","length":1855,"sha256":"…","head":"…","frames":3,"records":2,
               "closed":true}],"late":[]}

- `previous` is the SHA-256 of the stored bytes of the digest of the hour before; 64 zeros in the first of all. Every
  hour has one, whether it has blobs or not.
- `blobs` are those of the hour, by name, each as it is stored: its length, the SHA-256 of all its bytes, the head of
  its last frame that verifies (64 zeros: none), and how many frames and records lead to it. `closed` is false for a
  blob that could not be closed because it does not verify; such a blob stands here as it was found.
- `late` are blobs of earlier hours that no digest before this one has: their writers' clocks were behind.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from typing import Annotated, Literal

import msgspec

from audit.frames import ZERO_HEAD
from audit.layout import hour_start_s
from audit.signing import ALGORITHM, Signer

DIGEST = "digest/v1/"
BEGINS = f"{DIGEST}begins.json"  # no digest: see audit/chain_beginning.py
MAX_DIGEST_BYTES = 64 * 1024 * 1024
_NAME = re.compile(r"digest/v1/(\d{4}/\d\d/\d\d/\d\d)\.json", re.ASCII)
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
_Hash = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", min_length=64, max_length=64)]


class BadDigest(ValueError):
    """These bytes are no digest, or not the one that belongs here; the message says why."""


class DigestedBlob(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One blob as it was when its hour was over."""

    name: str
    length: _Count  # bytes
    sha256: _Hash  # of all its bytes
    head: _Hash  # of the last frame that verifies
    frames: _Count
    records: _Count
    closed: bool


class Digest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One hour."""

    v: Literal[1] = 1
    hour: str
    previous: _Hash = ZERO_HEAD
    ts: str  # when it was written, by the clock of who wrote it
    blobs: list[DigestedBlob] = []
    late: list[DigestedBlob] = []


class _Protected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    alg: str
    kid: str


class _Flattened(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    payload: str
    protected: str
    signature: str


_digest_decoder = msgspec.json.Decoder(Digest)
_protected_decoder = msgspec.json.Decoder(_Protected)
_flattened_decoder = msgspec.json.Decoder(_Flattened)


@dataclass(frozen=True)
class SignedDigest:
    """A digest as read; whether its signature is good is for `audit.signing.PublicKeys.check` to say."""

    digest: Digest
    kid: str
    signed: bytes  # what the signature is over
    signature: bytes
    sha256: str  # of the stored bytes: what the next digest names as its `previous`


def digest_name(hour: str) -> str:
    """Where the digest of an hour is.

    >>> digest_name("2026/11/23/14")
    'digest/v1/2026/11/23/14.json'
    """
    return f"{DIGEST}{hour}.json"


def digest_hour(name: str) -> str | None:
    """The hour of a digest's name; `None` for a foreign one."""
    match = _NAME.fullmatch(name)
    return match[1] if match and hour_start_s(match[1]) is not None else None


def encode_digest(digest: Digest, signer: Signer) -> bytes:
    """The bytes to store; raises what the signer raises."""
    payload = _to_text(msgspec.json.encode(digest))
    protected = _to_text(msgspec.json.encode(_Protected(ALGORITHM, signer.kid)))
    signature = _to_text(signer.sign(f"{protected}.{payload}".encode()))
    return msgspec.json.encode(_Flattened(payload, protected, signature))


def decode_digest(data: bytes, hour: str) -> SignedDigest:
    """The digest in its stored bytes; `BadDigest` for anything else, and for that of another hour."""
    if len(data) > MAX_DIGEST_BYTES:
        raise BadDigest(f"{len(data)} bytes are more than a digest has")
    try:
        whole = _flattened_decoder.decode(data)
        header = _from_text(whole.protected)
        protected = _protected_decoder.decode(header)
        payload = _from_text(whole.payload)
        digest = _digest_decoder.decode(payload)
        signature = _from_text(whole.signature)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError) as problem:
        raise BadDigest(f"no digest: {str(problem)[:300]}") from problem
    if protected.alg != ALGORITHM:
        raise BadDigest(f"signed by {protected.alg[:40]!r}; this format has {ALGORITHM} only")
    written = ((whole, data), (protected, header), (digest, payload))
    if any(msgspec.json.encode(value) != stored for value, stored in written):
        raise BadDigest("the digest is written otherwise than this format writes it")
    if digest.hour != hour:
        raise BadDigest(f"it is the digest of hour {digest.hour[:40]!r}")
    signed = f"{whole.protected}.{whole.payload}".encode()
    return SignedDigest(digest, protected.kid, signed, signature, sha256_of(data))


def sha256_of(data: bytes) -> str:
    """The SHA-256 of a digest's stored bytes, in hexadecimal: its head, which the log of the function repeats."""
    return hashlib.sha256(data).hexdigest()


def _to_text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _from_text(text: str) -> bytes:
    """base64url without padding, in the one way to write it; raises `ValueError`."""
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _to_text(data) != text:
        raise ValueError("base64url that is written otherwise than it should be")
    return data
