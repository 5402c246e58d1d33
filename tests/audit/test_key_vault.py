"""The Key Vault's signer, against a vault behind the SDK's own transport. A live vault is not asked here."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import pytest
import requests
from azure.core.exceptions import ClientAuthenticationError

from audit.digest_writer import write_digests
from audit.key_vault import KeyVaultSigner
from audit.signing import PublicKeys, SigningError, thumbprint
from tests.audit.digested import after, hour, log_of_hours
from tests.audit.fake_vault import OLDER, VERSION, FakeCredential, FakeVault

QUICK: dict[str, Any] = {"retry_backoff_factor": 0}


def signer_of(vault: FakeVault, path: str = "keys/digests", **options: Any) -> KeyVaultSigner:
    return KeyVaultSigner(f"{vault.url}/{path}", FakeCredential(), transport=vault.transport, **QUICK | options)


@pytest.mark.parametrize(("path", "version"), [("keys/digests", VERSION), (f"keys/digests/{OLDER}", OLDER)])
def test_a_key_of_a_vault_signs_as_a_local_one_does(path: str, version: str) -> None:
    vault = FakeVault("works")
    signer = signer_of(vault, path)
    for data in (b"", b"data", b"x" * 1_000_000):
        signature = signer.sign(data)
        assert len(signature) == 64
        PublicKeys.of_pem(signer.public_key_pem).check(signer.kid, data, signature)
    assert signer.kid == thumbprint(vault.keys[version].public_key())
    assert vault.asked[0] == ("GET /keys/digests/" if version == VERSION else f"GET /keys/digests/{OLDER}")
    assert vault.asked[1:] == [f"POST /keys/digests/{version}/sign"] * 3, "the version is fixed once"


def test_a_key_that_is_replaced_meanwhile_does_not_change_a_signer() -> None:
    vault = FakeVault("rotates")
    signer = signer_of(vault)
    vault.keys["a" * 32] = vault.keys[OLDER]
    signer.sign(b"data")
    assert vault.asked[-1] == f"POST /keys/digests/{VERSION}/sign"


def test_digests_are_written_with_a_vaults_key() -> None:
    vault = FakeVault("digests")
    store, clock = log_of_hours(0)
    clock.now_s = after(1)
    signer = signer_of(vault)
    written = write_digests(store, signer, after(1))
    assert [(digest.hour, digest.kid) for digest in written] == [(hour(0), signer.kid), (hour(1), signer.kid)]


@pytest.mark.parametrize(
    ("jwk", "says"),
    [
        ({"crv": "P-384"}, "EC on P-384; ES256 needs EC on the curve P-256"),
        ({"crv": "P-256K"}, "EC on P-256K"),
        ({"kty": "RSA", "n": "AQAB", "e": "AQAB", "crv": None}, "of kind RSA"),
        ({"kty": "oct", "crv": None}, "of kind oct"),
        ({"x": hashlib.sha256().hexdigest()[:43]}, "no point on P-256"),
        ({"x": None}, "no point on P-256"),
    ],
    ids=["P-384", "secp256k1", "RSA", "symmetric", "no point", "no x"],
)
def test_only_a_key_on_p_256_is_taken(jwk: dict[str, Any], says: str) -> None:
    with pytest.raises(SigningError, match=says):
        signer_of(FakeVault("kinds", jwk))


def test_a_hardware_key_is_taken_too() -> None:
    signer_of(FakeVault("hardware", {"kty": "EC-HSM"})).sign(b"data")


REFUSALS: list[tuple[Sequence[Exception | tuple[int, str]], str]] = [
    ([(401, "Unauthorized")] * 9, "does not accept this identity"),
    ([(403, "Forbidden")], "Key Vault Crypto User"),
    ([(404, "KeyNotFound")], "no such key or version"),
    ([(429, "Throttled")] * 9, "asked too often; the next run tries again"),
    ([(500, "InternalError")] * 9, "did not answer as it should; the next run tries again"),
    ([(400, "BadParameter")], "BadParameter it is"),
    ([requests.exceptions.ConnectTimeout("slow")] * 9, "the next run tries again"),
    ([requests.exceptions.ReadTimeout("slow")] * 9, "did not answer, the next run tries again"),
    ([requests.exceptions.ConnectionError("no such host")] * 9, "cannot be reached, the next run tries again"),
    ([ClientAuthenticationError("az login has expired")], "az login has expired: the vault does not accept"),
]


@pytest.mark.parametrize(("answers", "says"), REFUSALS, ids=[str(answers[0])[:30] for answers, _ in REFUSALS])
def test_every_refusal_says_what_to_do(answers: Sequence[Exception | tuple[int, str]], says: str) -> None:
    vault = FakeVault("refuses")
    vault.answers.extend(answers)
    with pytest.raises(SigningError, match=says) as found:
        signer_of(vault)
    assert f"{vault.url}/keys/digests" in str(found.value)
    assert "a token" not in str(found.value)
    vault.answers.clear()
    signer = signer_of(vault)
    vault.answers.extend(answers)
    with pytest.raises(SigningError, match=says):
        signer.sign(b"data")


@pytest.mark.parametrize("answer", [(500, "InternalError"), (503, "Busy"), (429, "Throttled")])
def test_a_passing_failure_is_waited_for(answer: tuple[int, str]) -> None:
    vault = FakeVault("stumbles")
    vault.answers.append(answer)
    signer = signer_of(vault)
    vault.answers.append(answer)
    signer.sign(b"data")


def test_a_signature_that_is_not_the_keys_is_never_given_out() -> None:
    signer = signer_of(FakeVault("forges", forge=True))
    with pytest.raises(SigningError, match="not its key's"):
        signer.sign(b"data")


def test_no_token_is_given_to_what_is_no_vault() -> None:
    vault = FakeVault("elsewhere")
    vault.url = "https://vault.example.com"
    with pytest.raises(SigningError, match="no Key Vault answers there"):
        signer_of(vault)
    assert vault.asked == []


@pytest.mark.parametrize("url", ["https://v.vault.azure.net", "http://v.vault.azure.net/keys/a", "keys/a", ""])
def test_what_is_no_url_of_a_key_is_said_so(url: str) -> None:
    with pytest.raises(SigningError, match="the URL of a key is"):
        KeyVaultSigner(url, FakeCredential())
