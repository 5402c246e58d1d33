"""What the hourly digests say of one blob of the log: for pages and the routes of an instance.

Cheap, since it reads the digest of the blob's hour and not the blob: it says what was signed, and `audit.verify` alone
says whether the bytes are still those. Imports `cryptography` by way of `audit.digest`: import it when it is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Literal

import msgspec

from audit.digest import DIGEST, BadDigest, DigestedBlob, SignedDigest, digest_hour, digest_name
from audit.digest_log import read_digest
from audit.late_blobs import LATE_HOURS
from audit.layout import hours_after, parse_name
from audit.signing import BadSignature, PublicKeys, UnknownKey
from audit.store import Store

Signature = Literal["valid", "invalid", "unknown key", "not checked"]


class Integrity(msgspec.Struct, frozen=True, kw_only=True):
    """How far the digests vouch for a blob. `sealed`: one of them lists it closed; `provisional`: none does yet."""

    blob: str
    state: Literal["sealed", "provisional"]
    digest: str | None = None  # the name of the digest that lists the blob, or of its hour's if that cannot be read
    digest_sha256: str | None = None
    signature: Signature = "not checked"
    sentence: str  # for people


def blob_integrity(store: Store, blob: str, keys: PublicKeys | None) -> Integrity:
    """What the digest of the blob's hour says of it, or a later one that lists it as `late`.

    Without keys the signature is "not checked". Raises `Unavailable`, and `ValueError` for what is no blob's name.
    """
    name = parse_name(blob)
    if name is None:
        raise ValueError(f"{blob[:200]!r} is no name of a blob of the log")
    at = digest_name(name.hour)
    try:
        signed = read_digest(store, name.hour)
    except BadDigest as problem:
        sentence = f"The digest of this record's hour does not verify: {problem}."
        return Integrity(blob=blob, state="provisional", digest=at, signature="invalid", sentence=sentence)
    if signed is None:
        return Integrity(blob=blob, state="provisional", sentence="The hour of this record has no digest yet.")
    for lister, listed in _with_later(store, signed):
        for entry in listed:
            if entry.name == blob:
                return _of(entry, lister, keys)
    sentence = "The digest of this record's hour does not list its blob; one of the next may still, as late."
    return Integrity(blob=blob, state="provisional", sentence=sentence)


def _check_signature(signed: SignedDigest, keys: PublicKeys | None) -> Signature:
    """Whether one of the keys signed it."""
    if keys is None:
        return "not checked"
    try:
        keys.check(signed.kid, signed.signed, signed.signature)
    except UnknownKey:
        return "unknown key"
    except BadSignature:
        return "invalid"
    return "valid"


def _with_later(store: Store, signed: SignedDigest) -> Iterator[tuple[SignedDigest, list[DigestedBlob]]]:
    """The digest with its blobs, then each later one with its late ones; those that cannot be read are for `verify`."""
    yield signed, signed.digest.blobs
    later_hours = hours_after(signed.digest.hour, LATE_HOURS)
    for day in dict.fromkeys(hour.rpartition("/")[0] for hour in later_hours):
        for info in store.list(f"{DIGEST}{day}/"):
            hour = digest_hour(info.name)
            if hour is None or hour not in later_hours:
                continue
            with suppress(BadDigest):
                later = read_digest(store, hour)
                if later:
                    yield later, later.digest.late


def _of(entry: DigestedBlob, signed: SignedDigest, keys: PublicKeys | None) -> Integrity:
    signature = _check_signature(signed, keys)
    at = digest_name(signed.digest.hour)
    return Integrity(
        blob=entry.name,
        state="sealed" if entry.closed else "provisional",
        digest=at,
        digest_sha256=signed.sha256,
        signature=signature,
        sentence=f"{_sealed(entry, at)} {_SIGNED[signature]}",
    )


def _sealed(entry: DigestedBlob, at: str) -> str:
    if entry.closed:
        return f"The digest {at} lists this record's blob closed, with {entry.length} bytes."
    return f"The digest {at} lists this record's blob as one that could not be closed, since it did not verify."


_SIGNED: dict[Signature, str] = {
    "valid": "Its signature is good.",
    "invalid": "But its signature is wrong: it was not signed by the key that it names.",
    "unknown key": "But it is signed by a key that this service does not know.",
    "not checked": "Its signature was not checked: there was no public key to check it with.",
}
