"""The format of a digest: one way to write it, and nothing else is one."""

from __future__ import annotations

import base64
import json
import string
from collections.abc import Callable

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.digest import (
    MAX_DIGEST_BYTES,
    BadDigest,
    Digest,
    DigestedBlob,
    decode_digest,
    digest_hour,
    digest_name,
    encode_digest,
    sha256_of,
)
from audit.signing import BadSignature, LocalSigner, PublicKeys, UnknownKey

HOUR = "2026/11/23/14"
SIGNER = LocalSigner(ec.generate_private_key(ec.SECP256R1()))
KEYS = PublicKeys.of_pem(SIGNER.public_key_pem)
BLOB = DigestedBlob(
    name=f"log/v1/{HOUR}/20261123T140506-3f9c2a71-0.jsonl",
    length=1855,
    sha256="a" * 64,
    head="b" * 64,
    frames=3,
    records=2,
    closed=True,
)
DIGEST = Digest(hour=HOUR, previous="c" * 64, ts="2026-11-23T15:05:00.123456Z", blobs=[BLOB])

# Written by the first version of this format, and signed by a key that is gone: it must stay readable for good.
GOLDEN_KEY = b"""-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEU9nN2pAmD1LPracBHK9XIUEq8mp9
uijspNMXdqgZ3CfhIAl2sBJgf/52Zamvm8ia5OIoFJ2Gw+R0EwtrnPjq3A==
-----END PUBLIC KEY-----
"""
GOLDEN = (
    b'{"payload":"eyJ2IjoxLCJob3VyIjoiMjAyNi8xMS8yMy8xNCIsInByZXZpb3VzIjoiY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2Nj'
    b"Y2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjYyIsInRzIjoiMjAyNi0xMS0yM1QxNTowNTowMC4xMjM0NTZaIiwiYmxvYnMiOlt7"
    b"Im5hbWUiOiJsb2cvdjEvMjAyNi8xMS8yMy8xNC8yMDI2MTEyM1QxNDA1MDYtM2Y5YzJhNzEtMC5qc29ubCIsImxlbmd0aCI6MTg1NSwic2hh"
    b"MjU2IjoiYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYSIsImhlYWQiOiJi"
    b"YmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiIiwiZnJhbWVzIjozLCJyZWNv"
    b'cmRzIjoyLCJjbG9zZWQiOnRydWV9XSwibGF0ZSI6W119","protected":"eyJhbGciOiJFUzI1NiIsImtpZCI6Il9vZzVJVUpOeVNVRUdfa'
    b'2lzZ0RiM1hocnVUaWVQUy1HSjAtZkVNc25YaVkifQ","signature":"sZK4FBKcZiI9dF9UsQ4iBc5mSvgtMsbAwiQGdddCmQbNoX8gpjMh'
    b'AWmcsJwJVrY_WIkb0Y28GUxsswrd20XWVg"}'
)

counts = st.integers(0, 2**53)
hashes = st.text("0123456789abcdef", min_size=64, max_size=64)
names = st.text(string.ascii_letters + string.digits + "/-.", min_size=1, max_size=90)
digested = st.builds(
    DigestedBlob,
    name=names,
    length=counts,
    sha256=hashes,
    head=hashes,
    frames=counts,
    records=counts,
    closed=st.booleans(),
)
digests = st.builds(
    Digest,
    hour=st.just(HOUR),
    previous=hashes,
    ts=st.text(max_size=40),
    blobs=st.lists(digested, max_size=4),
    late=st.lists(digested, max_size=2),
)


def read_and_checked(data: bytes) -> Digest:
    read = decode_digest(data, HOUR)
    KEYS.check(read.kid, read.signed, read.signature)
    return read.digest


@settings(max_examples=40)
@given(digests)
def test_a_digest_reads_as_it_was_written_and_its_signature_is_good(digest: Digest) -> None:
    data = encode_digest(digest, SIGNER)
    read = decode_digest(data, HOUR)
    assert read.digest == digest
    assert (read.kid, read.sha256) == (SIGNER.kid, sha256_of(data))
    assert read_and_checked(data) == digest


def test_every_bit_of_it_counts() -> None:
    data = encode_digest(DIGEST, SIGNER)
    found = {BadDigest: 0, BadSignature: 0, UnknownKey: 0}
    for bit in range(8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises((BadDigest, BadSignature, UnknownKey)) as refusal:
            read_and_checked(bytes(flipped))
        found[refusal.type] += 1
    assert all(found.values()), found


def test_a_digest_is_a_json_web_signature_that_others_can_read() -> None:
    whole = json.loads(encode_digest(DIGEST, SIGNER))
    compact = f"{whole['protected']}.{whole['payload']}.{whole['signature']}"
    token = jwt.PyJWS().decode_complete(compact, SIGNER.public_key_pem.decode(), algorithms=["ES256"])
    assert token["header"] == {"alg": "ES256", "kid": SIGNER.kid}
    assert json.loads(token["payload"]) == msgspec.to_builtins(DIGEST)
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.PyJWS().decode(compact, LocalSigner(ec.generate_private_key(ec.SECP256R1())).public_key_pem, ["ES256"])


def test_the_digests_of_the_first_version_stay_readable() -> None:
    read = decode_digest(GOLDEN, HOUR)
    assert read.digest == DIGEST
    PublicKeys.of_pem(GOLDEN_KEY).check(read.kid, read.signed, read.signature)


def signed(payload: bytes, protected: bytes | None = None) -> bytes:
    """Any payload as a digest, with a good signature: only its form can be refused."""
    header = json.dumps({"alg": "ES256", "kid": SIGNER.kid}, separators=(",", ":")).encode()
    parts = [encoded(payload), encoded(header if protected is None else protected)]
    signature = encoded(SIGNER.sign(f"{parts[1]}.{parts[0]}".encode()))
    return json.dumps(
        {"payload": parts[0], "protected": parts[1], "signature": signature}, separators=(",", ":")
    ).encode()


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


PAYLOAD = msgspec.json.encode(DIGEST)


def test_the_hand_made_digest_is_one_before_it_is_spoilt() -> None:
    assert decode_digest(signed(PAYLOAD), HOUR).digest == DIGEST


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        PAYLOAD + b" ",
        b" " + PAYLOAD,
        PAYLOAD.replace(b'"v":1', b'"v": 1'),
        PAYLOAD.replace(b'"v":1', b'"v":1.0'),
        PAYLOAD.replace(b'"v":1', b'"v":2'),
        PAYLOAD.replace(b'"v":1', b'"v":1,"v":1'),
        PAYLOAD.replace(b'"v":1,', b""),
        PAYLOAD.replace(b'"v":1', b'"v":1,"more":1'),
        PAYLOAD.replace(b'"late":[]', b'"late":null'),
        PAYLOAD.replace(b',"late":[]', b""),
        PAYLOAD.replace(b'"closed":true', b'"closed":1'),
        PAYLOAD.replace(b'"length":1855', b'"length":-1'),
        PAYLOAD.replace(b'"length":1855', b'"length":1e3'),
        PAYLOAD.replace(b'"length":1855', b'"length":9007199254740993'),
        PAYLOAD.replace(b'"length":1855', b'"length":' + b"9" * 5000),
        PAYLOAD.replace(b'"length":1855', b'"length":"1855"'),
        PAYLOAD.replace(b"a" * 64, b"A" * 64),
        PAYLOAD.replace(b"a" * 64, b"a" * 63),
        PAYLOAD.replace(b"a" * 64, b"a" * 64 + b"\\n"),
        PAYLOAD.replace(b"log/v1", b"log\\/v1"),
        PAYLOAD.replace(b"log/v1", b"\\u006cog/v1"),
        PAYLOAD.replace(b"log/v1", b"\\ud800"),
        b"[" * 200_000,
        b'{"blobs":' + b"[" * 200_000,
        PAYLOAD.replace(b'"late":[]', b'"late":' + b"[" * 1000 + b"]" * 1000),
    ],
    ids=lambda payload: str(payload[:40]),
)
def test_a_payload_that_is_written_otherwise_is_refused_whoever_signed_it(payload: bytes) -> None:
    assert payload != PAYLOAD
    with pytest.raises(BadDigest):
        decode_digest(signed(payload), HOUR)


@pytest.mark.parametrize(
    "protected",
    [
        b'{"alg":"none","kid":"k"}',
        b'{"alg":"HS256","kid":"k"}',
        b'{"alg":"ES256"}',
        b'{"alg":"ES256","kid":1}',
        b'{"alg":"ES256","kid":"k","jwk":{}}',
        b'{"alg":"ES256","kid":"k","crit":["b64"],"b64":false}',
        b"",
        b"{" * 100_000,
    ],
    ids=lambda protected: str(protected[:40]),
)
def test_no_other_algorithm_and_no_other_header_is_read(protected: bytes) -> None:
    with pytest.raises(BadDigest):
        decode_digest(signed(PAYLOAD, protected), HOUR)


def spelled(change: Callable[[dict[str, str]], object]) -> bytes:
    whole: dict[str, str] = json.loads(signed(PAYLOAD))
    change(whole)
    return json.dumps(whole, separators=(",", ":")).encode()


GOOD = signed(PAYLOAD)
WHOLE: dict[str, str] = json.loads(GOOD)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        GOOD[:-1],
        GOOD + b"\n",
        GOOD.replace(b",", b", ", 1),
        GOOD.replace(b'{"payload"', b'{"x":1,"payload"'),
        GOOD.replace(b'{"payload"', b'{"payload":"","payload"'),
        json.dumps(dict(sorted(WHOLE.items(), reverse=True)), separators=(",", ":")).encode(),
        spelled(lambda whole: whole.update(payload=f"{whole['payload']}=")),
        spelled(lambda whole: whole.update(payload=f" {whole['payload']}")),
        spelled(lambda whole: whole.update(payload=f"{whole['payload']}\n")),
        spelled(lambda whole: whole.update(payload=f"{whole['payload']}AAAAA")),
        spelled(lambda whole: whole.update(payload="é")),
        spelled(lambda whole: whole.update(signature="*")),
        spelled(lambda whole: whole.update(signature="+/+/")),
        spelled(lambda whole: whole.pop("signature")),
        b'{"payload":' + b"[" * 200_000,
        b"\x00" * 1000,
    ],
    ids=lambda data: str(data[:40]),
)
def test_bytes_that_are_written_otherwise_are_refused(data: bytes) -> None:
    with pytest.raises(BadDigest):
        decode_digest(data, HOUR)


def test_base64_whose_last_bits_are_not_zero_is_refused() -> None:
    """Decoders that ignore them would read one signature in four texts."""
    text = WHOLE["signature"]  # 64 bytes: 86 characters, the last of which has four bits to spare
    alphabet = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    other = text[:-1] + alphabet[alphabet.index(text[-1]) + 1]
    assert base64.urlsafe_b64decode(other + "==") == base64.urlsafe_b64decode(text + "==")
    with pytest.raises(BadDigest):
        decode_digest(spelled(lambda whole: whole.update(signature=other)), HOUR)


def test_a_digest_that_is_too_large_is_not_looked_into() -> None:
    with pytest.raises(BadDigest, match="more than a digest has"):
        decode_digest(bytes(MAX_DIGEST_BYTES + 1), HOUR)


def test_the_digest_of_another_hour_is_refused() -> None:
    with pytest.raises(BadDigest, match="2026/11/23/14"):
        decode_digest(GOOD, "2026/11/23/15")


@pytest.mark.parametrize(
    "name",
    [
        "digest/v1/2026/11/23/14.jsonx",
        "digest/v1/2026/11/31/14.json",
        "digest/v1/2026/11/23/24.json",
        "digest/v2/2026/11/23/14.json",
        "digest/v1/२०२६/11/23/14.json",
        "digest/v1/2026/11/23/14.json\n",
        "x/digest/v1/2026/11/23/14.json",
    ],
)
def test_a_foreign_name_has_no_hour(name: str) -> None:
    assert digest_hour(digest_name(HOUR)) == HOUR
    assert digest_hour(name) is None
