"""What pages say of a blob comes from the digest of its hour, or from a later one that has it as late."""

from __future__ import annotations

import msgspec
import pytest

from audit.digest import Digest, digest_name, encode_digest
from audit.integrity import blob_integrity
from audit.layout import LOG, hours_after
from audit.memory_store import MemoryStore
from audit.signing import PublicKeys
from tests.audit.digests import KEYS, SIGNER, STRANGER, digest_all, digest_of, digested
from tests.audit.examples import HOUR, copy_with, log_of, only_name

AT = digest_name(HOUR)


def log_with_digest() -> tuple[MemoryStore, str]:
    store = log_of(["a"])
    name = only_name(store)
    digest_all(store, HOUR, 1)
    return store, name


def test_a_closed_blob_of_a_digested_hour_is_sealed() -> None:
    store, name = log_with_digest()
    said = blob_integrity(store, name, KEYS)
    assert (said.blob, said.state, said.digest, said.signature) == (name, "sealed", AT, "valid")
    assert said.digest_sha256
    assert "Its signature is good" in said.sentence


def test_until_its_hour_has_a_digest_it_is_provisional() -> None:
    store = log_of(["a"])
    said = blob_integrity(store, only_name(store), KEYS)
    assert (said.state, said.digest, said.digest_sha256, said.signature) == ("provisional", None, None, "not checked")
    assert "no digest yet" in said.sentence


@pytest.mark.parametrize(
    ("keys", "signature"), [(None, "not checked"), (PublicKeys.of_pem(STRANGER.public_key_pem), "unknown key")]
)
def test_the_signature_counts_for_keys_that_the_service_brings(keys: PublicKeys | None, signature: str) -> None:
    store, name = log_with_digest()
    assert blob_integrity(store, name, keys).signature == signature


def test_a_wrong_signature_is_said() -> None:
    class Forger:
        kid = SIGNER.kid
        public_key_pem = SIGNER.public_key_pem
        sign = STRANGER.sign

    store, name = log_with_digest()
    store.put(AT, encode_digest(digest_of(store, HOUR), Forger()), overwrite=True)
    said = blob_integrity(store, name, KEYS)
    assert said.signature == "invalid"
    assert "signature is wrong" in said.sentence


@pytest.mark.parametrize("data", [b"", b"{}", b"[" * 10_000, b'{"payload":"","protected":"","signature":""}'])
def test_a_digest_that_is_none_is_said_and_seals_nothing(data: bytes) -> None:
    store, name = log_with_digest()
    store.put(AT, data, overwrite=True)
    said = blob_integrity(store, name, KEYS)
    assert (said.state, said.digest, said.digest_sha256, said.signature) == ("provisional", AT, None, "invalid")
    assert "does not verify" in said.sentence


def test_a_late_blob_is_sealed_by_the_later_digest_that_lists_it() -> None:
    store, _ = log_with_digest()
    late = f"{LOG}{HOUR}/behind-0.jsonl"
    store.create(late)
    assert "as late" in blob_integrity(store, late, KEYS).sentence
    for hour in hours_after(HOUR, 48):
        store.put(digest_name(hour), encode_digest(digest_of(store, hour), SIGNER), overwrite=True)
    assert blob_integrity(store, late, KEYS).state == "provisional"
    last = hours_after(HOUR, 48)[-1]
    entry = msgspec.structs.replace(digested(store, late), closed=True)
    digest = msgspec.structs.replace(digest_of(store, last), late=[entry])
    store.put(digest_name(last), encode_digest(digest, SIGNER), overwrite=True)
    said = blob_integrity(store, late, KEYS)
    assert (said.state, said.digest, said.signature) == ("sealed", digest_name(last), "valid")


def test_a_blob_that_could_not_be_closed_stays_provisional() -> None:
    store = log_of(["a"], close=False)
    name = only_name(store)
    torn = copy_with(store, {name: store.read(name) + b'{"v":1'})
    digest_all(torn, HOUR, 1)
    said = blob_integrity(torn, name, KEYS)
    assert (said.state, said.digest, said.signature) == ("provisional", AT, "valid")
    assert "could not be closed" in said.sentence


def test_names_that_are_none_are_refused_and_the_last_hour_of_the_calendar_is_not_a_crash() -> None:
    store = MemoryStore()
    for name in ("", "x", "digest/v1/2026/11/23/12.json", f"{LOG}{HOUR}/../../x-0.jsonl", "\0" * 10_000):
        with pytest.raises(ValueError, match="no name of a blob"):
            blob_integrity(store, name, KEYS)
    end = "9999/12/31/23"
    store.put(
        digest_name(end), encode_digest(Digest(hour=end, ts="9999-12-31T23:59:59.000000Z"), SIGNER), overwrite=True
    )
    assert blob_integrity(store, f"{LOG}{end}/w-0.jsonl", KEYS).state == "provisional"
