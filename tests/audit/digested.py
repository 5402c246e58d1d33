"""Logs with digests, for tests: blobs of any hour, and what every chain must be."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from audit.digest import Digest, digest_name
from audit.digest_log import digest_hours, read_digest, stored_sha256
from audit.digest_writer import write_digests
from audit.frames import ZERO_HEAD
from audit.layout import HOUR_S, hour_of, hour_start_s
from audit.memory_store import MemoryStore
from audit.signing import LocalSigner, PublicKeys, Signer
from audit.store import Store
from tests.audit.examples import NOON_S, Clock, appender, lines

SIGNER = LocalSigner(ec.generate_private_key(ec.SECP256R1()))
KEYS = PublicKeys.of_pem(SIGNER.public_key_pem)


def hour(number: float) -> str:
    """The hour so many hours after noon."""
    return hour_of(NOON_S + number * HOUR_S)


def after(number: float) -> float:
    """Six minutes after the end of that hour: its digest is due."""
    return NOON_S + (number + 1) * HOUR_S + 360


def record_in(store: Store, number: float, *names: str, writer: str, close: bool = True) -> str:
    """One blob with these ids in that hour, by a writer of its own; its name."""
    own = appender(store, writer=writer, clock=Clock(NOON_S + number * HOUR_S))
    receipt = own.append(lines(*names))
    if close:
        own.leave()
    return receipt.blob


def log_of_hours(*numbers: float) -> tuple[MemoryStore, Clock]:
    """A store with one closed blob of one record in each of these hours, and the clock it stamps its blobs with."""
    clock = Clock()
    store = MemoryStore(clock)
    for number in numbers:
        record_in(store, number, f"id-{number}", writer=f"w{int(10 * number)}")
    return store, clock


def chain(store: Store) -> dict[str, Digest]:
    """Every digest by its hour, after all that must be true of them: signed, chained, no hour left out."""
    found: dict[str, Digest] = {}
    previous = ZERO_HEAD
    for number, name in enumerate(digest_hours(store)):
        first_s = hour_start_s(next(iter(found), name))
        assert first_s is not None
        assert name == hour_of(first_s + number * HOUR_S), "an hour is left out"
        signed = read_digest(store, name)
        assert signed is not None
        KEYS.check(signed.kid, signed.signed, signed.signature)
        assert signed.digest.previous == previous
        previous = signed.sha256
        assert previous == stored_sha256(store, name)
        found[name] = signed.digest
    listed = [blob.name for digest in found.values() for blob in (*digest.blobs, *digest.late)]
    assert len(listed) == len(set(listed)), "a blob is in two digests"
    return found


def stored(store: Store, name: str) -> bytes:
    """The bytes of the digest of an hour."""
    return store.read(digest_name(name))


def write(store: Store, clock: Clock, number: float, signer: Signer = SIGNER) -> list[str]:
    """A run six minutes after the end of that hour; the hours it wrote digests of."""
    clock.now_s = after(number)
    return [written.hour for written in write_digests(store, signer, clock.now_s)]


def names(digest: Digest) -> list[str]:
    """Of the hour's own blobs."""
    return [blob.name for blob in digest.blobs]


def decoded(store: Store, name: str) -> Digest:
    """The digest of an hour."""
    signed = read_digest(store, name)
    assert signed is not None
    return signed.digest


def late(digest: Digest) -> list[str]:
    """Of the blobs that came late."""
    return [blob.name for blob in digest.late]


def witnesses(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    """The lines that digests left in the log."""
    return [json.loads(line) for line in caplog.messages if line.startswith('{"event":"digest"')]
