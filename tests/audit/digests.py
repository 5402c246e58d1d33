"""Digests to test with, made here and not by the timer's code: a test may then make any that the timer would not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from cryptography.hazmat.primitives.asymmetric import ec

from audit.digest import BEGINS, Digest, DigestedBlob, digest_name, encode_digest, sha256_of
from audit.frames import ZERO_HEAD
from audit.layout import LOG, hour_start_s, hours_after
from audit.reader import read_blob
from audit.records import timestamp
from audit.signing import LocalSigner, PublicKeys, Signer
from audit.store import Store

SIGNER = LocalSigner(ec.derive_private_key(2026, ec.SECP256R1()))
STRANGER = LocalSigner(ec.derive_private_key(666, ec.SECP256R1()))
KEYS = PublicKeys.of_pem(SIGNER.public_key_pem)


def digest_all(
    store: Store, first: str, hours: int, signer: Signer = SIGNER, late: Mapping[str, Iterable[str]] | None = None
) -> list[str]:
    """A digest for each of so many hours, chained; `late` names blobs by the hour that lists them. Their names."""
    names, previous = [], ZERO_HEAD
    store.put(BEGINS, b'{"v":1,"hour":"%b"}' % first.encode(), overwrite=True)
    for hour in [first, *hours_after(first, hours - 1)]:
        data = encode_digest(digest_of(store, hour, previous, late=(late or {}).get(hour, ())), signer)
        names.append(digest_name(hour))
        previous = sha256_of(data)
        store.put(names[-1], data, overwrite=True)
    return names


def digest_of(store: Store, hour: str, previous: str = ZERO_HEAD, *, late: Iterable[str] = ()) -> Digest:
    """The digest of an hour as the log lies there, but for blobs that another hour has as late."""
    return Digest(
        hour=hour,
        previous=previous,
        ts=timestamp((hour_start_s(hour) or 0) + 3900),
        blobs=[digested(store, info.name) for info in store.list(f"{LOG}{hour}/")],
        late=[digested(store, name) for name in late],
    )


def digested(store: Store, name: str) -> DigestedBlob:
    """A blob as a digest lists it."""
    data, reading = store.read(name), read_blob(store, name)
    return DigestedBlob(
        name=name,
        length=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        head=reading.frames[-1].head if reading.frames else ZERO_HEAD,
        frames=len(reading.frames),
        records=sum(frame.count for frame in reading.frames if frame.kind == "records"),
        closed=reading.state == "closed",
    )
