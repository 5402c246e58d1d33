"""A signing key that never leaves an Azure Key Vault: the one module that imports azure.keyvault.

The key is read once, which fixes its version for this signer, and every signature is checked against it before it is
given out: what cannot be checked is never stored. The vault is asked to sign 32 bytes, the SHA-256 of what is signed.

Importing the SDK takes a moment, so `audit.keys` imports this module when a key lies in a vault, and nothing else does.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError, HttpResponseError, ServiceRequestError
from azure.keyvault.keys import JsonWebKey, KeyClient, KeyVaultKey
from azure.keyvault.keys.crypto import CryptographyClient, SignatureAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec

from audit.signing import ALGORITHM, BadSignature, PublicKeys, SigningError, public_pem, thumbprint

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

ROLE = "Key Vault Crypto User"
_LONGEST_TEXT = 300
_KEY_TYPES = {"EC", "EC-HSM"}
_LATER = "the next run tries again"
_REFUSALS = {
    401: "the vault does not accept this identity: sign in, or give HYPERPLANE_STORAGE__clientId the client id of the "
    "managed identity that may use it",
    403: f"this identity may not use the key: give it the role {ROLE} on the vault (a new role takes some minutes), "
    "and see whether the key is enabled and the vault's network rules let this machine in",
    404: "there is no such key or version in the vault: see the URL in HYPERPLANE_SIGNING_KEY, or make the key with "
    "`az keyvault key create --kty EC --curve P-256`",
    429: f"the vault is asked too often; {_LATER}",
}
# It formats every request and reply at INFO, which a Functions host turns on for all loggers.
logging.getLogger("azure.core.pipeline.policies.http_logging_policy").setLevel(logging.WARNING)


def open_key_vault_signer(key_url: str, client_id: str | None) -> KeyVaultSigner:
    """Signs in as a managed identity, or on a laptop as whoever is signed in. Raises `SigningError`."""
    from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

    credential = ManagedIdentityCredential(client_id=client_id) if client_id else DefaultAzureCredential()
    return KeyVaultSigner(key_url, credential)


class KeyVaultSigner:
    """A `Signer` with the key of a vault; without a version in the URL, with the version that is current now."""

    def __init__(self, key_url: str, credential: TokenCredential, **options: Any) -> None:
        """`options` are the SDK's, such as a `transport`. Raises `SigningError`."""
        self._url = key_url
        given: dict[str, Any] = {"connection_timeout": 5, "read_timeout": 10, "retry_total": 2} | options
        vault, name, version = _parts(key_url)
        with _errors(key_url):
            key = KeyClient(vault, credential, **given).get_key(name, version)
            self._client = CryptographyClient(key, credential, **given)
        public = _public_key(key_url, key)
        self.kid = thumbprint(public)
        self.public_key_pem = public_pem(public)
        self._keys = PublicKeys([public])

    def sign(self, data: bytes) -> bytes:
        digest = hashlib.sha256(data).digest()
        with _errors(self._url):  # to ask twice does no harm, which the SDK cannot know of a POST
            signature = self._client.sign(SignatureAlgorithm.es256, digest, retry_on_methods=["POST"]).signature
        try:
            self._keys.check(self.kid, data, signature)
        except BadSignature as problem:
            raise SigningError(f"{self._url}: the vault's signature is not its key's: {problem}") from None
        return signature


def _parts(key_url: str) -> tuple[str, str, str | None]:
    """Vault, key and version."""
    url = urlsplit(key_url)
    folder, _, rest = url.path.strip("/").partition("/")
    name, _, version = rest.partition("/")
    if url.scheme != "https" or folder != "keys" or not name:
        raise SigningError("the URL of a key is https://{vault}.vault.azure.net/keys/{name}[/{version}]")
    return f"https://{url.netloc}", name, version or None


def _public_key(key_url: str, key: KeyVaultKey) -> ec.EllipticCurvePublicKey:
    jwk: JsonWebKey = key.key
    kind, curve = _word(jwk, "kty"), _word(jwk, "crv")
    if kind not in _KEY_TYPES or curve != "P-256":
        found = f"{kind} on {curve}" if kind in _KEY_TYPES else kind
        raise SigningError(f"{key_url} is a key of kind {found[:80]}; {ALGORITHM} needs EC on the curve P-256")
    x, y = (getattr(jwk, part, None) or b"" for part in ("x", "y"))
    try:
        return ec.EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), ec.SECP256R1()).public_key()
    except ValueError as problem:
        raise SigningError(f"{key_url}: the vault's answer is no point on P-256: {problem}") from None


def _word(jwk: JsonWebKey, field: str) -> str:
    """A field's text; where the SDK knows the word it is an enum's."""
    found = getattr(jwk, field, None)
    return str(getattr(found, "value", found))


@contextmanager
def _errors(key_url: str) -> Iterator[None]:
    """Context: the SDK's errors as `SigningError`, with what to do."""
    try:
        yield
    except HttpResponseError as problem:
        advice = _REFUSALS.get(problem.status_code or 401, f"the vault did not answer as it should; {_LATER}")
        raise SigningError(f"{key_url}: {_text(problem)}: {advice}") from problem
    except ServiceRequestError as problem:
        raise SigningError(f"{key_url}: the vault cannot be reached, {_LATER}: {_text(problem)}") from problem
    except AzureError as problem:
        raise SigningError(f"{key_url}: the vault did not answer, {_LATER}: {_text(problem)}") from problem
    except (ValueError, NotImplementedError) as problem:  # what answers there is no vault
        raise SigningError(f"{key_url}: no Key Vault answers there: {_text(problem)}") from problem


def _text(problem: BaseException) -> str:
    """The first line of an error, which is where the SDK says what happened."""
    return str(problem).strip().split("\n", 1)[0][:_LONGEST_TEXT] or type(problem).__name__
