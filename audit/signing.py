"""Who signs the hourly digests, and who can check them: ES256 (ECDSA over P-256 with SHA-256; RFC 7518, 3.4).

A `Signer` keeps its private key to itself: on a laptop a file of the machine (`LocalSigner`), in Azure a key that never
leaves the Key Vault (`audit.key_vault`). A key's id is its RFC 7638 thumbprint, which anybody can compute from the
public key. Who verifies brings public keys of their own, never those that lie beside the log.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import tempfile
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from audit.errors import AuditError

ALGORITHM = "ES256"
_INTEGER_BYTES = 32
MAX_PEM_BYTES = 256 * 1024  # of a file of public keys: more than a thousand
_BEGIN, _END = b"-----BEGIN PUBLIC KEY-----", b"-----END PUBLIC KEY-----"
_PRIVATE = re.compile(rb"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----")


class SigningError(AuditError):
    """A key that cannot be used, or a signature that could not be made; the message says which and why."""


class BadSignature(Exception):
    """Not signed by the key that it names."""


class UnknownKey(Exception):
    """Signed by a key that the verifier did not bring."""


class Signer(Protocol):
    """Signs with one key."""

    @property
    def kid(self) -> str:
        """The key's id: `thumbprint` of its public half."""

    @property
    def public_key_pem(self) -> bytes:
        """The public half, for those who verify."""

    def sign(self, data: bytes) -> bytes:
        """The 64 bytes of an ES256 signature; raises `SigningError`."""


class LocalSigner:
    """Signs with a private key that lies in a file of this machine."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key
        self.kid = thumbprint(key.public_key())
        self.public_key_pem = public_pem(key.public_key())

    @classmethod
    def of_file(cls, path: Path) -> LocalSigner:
        """The key in a PEM file, made by the first who asks and readable by its owner only. Raises `SigningError`."""
        try:
            if not path.exists():
                _make_key(path)
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except OSError as problem:
            raise SigningError(f"the signing key {path} cannot be read or made: {problem.strerror}") from problem
        except (ValueError, TypeError) as problem:
            raise SigningError(f"{path} holds no private key in PEM form without a password: {problem}") from problem
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise SigningError(f"{path} holds another kind of key; {ALGORITHM} needs one on the curve P-256")
        return cls(key)

    def sign(self, data: bytes) -> bytes:
        r, s = decode_dss_signature(self._key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(_INTEGER_BYTES) + s.to_bytes(_INTEGER_BYTES)


class PublicKeys:
    """The keys that a verifier trusts, by their ids."""

    def __init__(self, keys: list[ec.EllipticCurvePublicKey]) -> None:
        self._keys = {thumbprint(key): key for key in keys}

    @classmethod
    def of_pem(cls, data: bytes) -> PublicKeys:
        """Every `PUBLIC KEY` block of a file, several after a key was replaced. Raises `SigningError`."""
        if len(data) > MAX_PEM_BYTES:
            raise SigningError(f"more than {MAX_PEM_BYTES // 1024} KiB are no file of public keys")
        if _BEGIN not in data and _PRIVATE.search(data):
            raise SigningError("it holds a private key; `python -m audit public-key` prints the public one")
        blocks = data.split(_BEGIN)[1:]
        if not blocks:
            raise SigningError(f"no `{_BEGIN.decode()}` in it")
        return cls([_public_key(number, block) for number, block in enumerate(blocks, 1)])

    @classmethod
    def of_file(cls, path: Path) -> PublicKeys:
        """The same of a file, of which no more is read than one may have. Raises `OSError` too."""
        with path.open("rb") as file:
            return cls.of_pem(file.read(MAX_PEM_BYTES + 1))

    def __or__(self, other: PublicKeys) -> PublicKeys:
        """The keys of both."""
        return PublicKeys([*self._keys.values(), *other._keys.values()])

    def check(self, kid: str, data: bytes, signature: bytes) -> None:
        """Returns if the key signed these bytes; raises `UnknownKey` or `BadSignature`."""
        key = self._keys.get(kid)
        if key is None:
            raise UnknownKey(f"signed by key {kid[:80]!r}, which is none of those given")
        if len(signature) != 2 * _INTEGER_BYTES:
            raise BadSignature(f"a signature of {len(signature)} bytes, not {2 * _INTEGER_BYTES}")
        r, s = (int.from_bytes(part) for part in (signature[:_INTEGER_BYTES], signature[_INTEGER_BYTES:]))
        try:
            key.verify(encode_dss_signature(r, s), data, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            raise BadSignature(f"not signed by the key that it names, {kid}") from None


def _public_key(number: int, block: bytes) -> ec.EllipticCurvePublicKey:
    """The key in what follows a `BEGIN`."""
    body, end, _ = block.partition(_END)
    if not end:
        raise SigningError(f"its key number {number} is cut off: no `{_END.decode()}` follows")
    try:
        key = serialization.load_pem_public_key(_BEGIN + body + end)
    except (ValueError, UnsupportedAlgorithm) as problem:
        raise SigningError(f"its key number {number} is no public key: {problem}") from problem
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise SigningError(f"its key number {number} is of another kind; {ALGORITHM} needs one on the curve P-256")
    return key


def thumbprint(key: ec.EllipticCurvePublicKey) -> str:
    """RFC 7638: base64url of the SHA-256 of the key as a canonical JSON Web Key."""
    numbers = key.public_numbers()
    x, y = (_base64url(number.to_bytes(_INTEGER_BYTES)) for number in (numbers.x, numbers.y))
    jwk = f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'
    return _base64url(hashlib.sha256(jwk.encode()).digest())


def public_pem(key: ec.EllipticCurvePublicKey) -> bytes:
    """A public key as the PEM text that `openssl` and `PublicKeys.of_pem` read."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _make_key(path: Path) -> None:
    """Written aside and linked into place: of two processes that make it at once, one wins, and both read the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # 0600 from the start
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(aside, path)
        except FileExistsError:
            return
    finally:
        Path(aside).unlink()


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
