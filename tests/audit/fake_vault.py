"""A Key Vault behind the SDK's own transport: a real key, the real challenge, and failures as they are told."""

from __future__ import annotations

import base64
import io
import json
from collections import deque
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import RequestsTransport
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse

VERSION = "0123456789abcdef0123456789abcdef"
OLDER = "f" * 32


class FakeCredential:
    """A token, as a signed-in identity gets it."""

    def get_token(self, *scopes: str, **_more: Any) -> AccessToken:
        assert scopes == ("https://vault.azure.net/.default",)
        return AccessToken("a token", 2**40)


class FakeVault(BaseAdapter):
    """Answers what `requests` would send to `https://{name}.vault.azure.net`.

    `answers` are taken first: an exception to raise, or a status with the service's error code. `jwk` changes what the
    vault says of its current key; `forge` signs something else than it is asked to.
    """

    def __init__(self, name: str, jwk: Mapping[str, Any] | None = None, *, forge: bool = False) -> None:
        super().__init__()
        self.url = f"https://{name}.vault.azure.net"
        self.keys = {version: ec.generate_private_key(ec.SECP256R1()) for version in (OLDER, VERSION)}
        self.answers: deque[Exception | tuple[int, str]] = deque()
        self.asked: list[str] = []
        self._jwk, self._forge = dict(jwk or {}), forge

    @property
    def transport(self) -> RequestsTransport:
        session = requests.Session()
        session.mount("https://", self)
        return RequestsTransport(session=session, session_owner=False)

    def send(self, request: requests.PreparedRequest, *_: Any, **_more: Any) -> requests.Response:
        assert request.url is not None
        url = urlsplit(request.url)
        assert f"{url.scheme}://{url.netloc}" == self.url, f"{request.url} was not to be asked"
        if "Authorization" not in request.headers:
            challenge = 'Bearer authorization="https://login.microsoftonline.com/t", resource="https://vault.azure.net"'
            return _response(request, 401, {}, {"WWW-Authenticate": challenge})
        self.asked.append(f"{request.method} {url.path}")
        if self.answers:
            answer = self.answers.popleft()
            if isinstance(answer, Exception):
                raise answer
            status, code = answer
            return _response(request, status, {"error": {"code": code, "message": f"{code} it is"}}, {})
        return _response(request, 200, self._answer(url.path, request.body), {})

    def close(self) -> None:
        pass

    def _answer(self, path: str, body: Any) -> dict[str, Any]:
        _, _, name, version, *action = path.split("/")
        version = version or VERSION
        key = self.keys[version]
        kid = f"{self.url}/keys/{name}/{version}"
        if not action:
            return {"key": self._public(kid, key), "attributes": {"enabled": True}}
        assert action == ["sign"]
        asked = json.loads(body)
        assert asked["alg"] == "ES256"
        digest = bytes(32) if self._forge else _decoded(asked["value"])
        r, s = decode_dss_signature(key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256()))))
        return {"kid": kid, "value": _encoded(r.to_bytes(32) + s.to_bytes(32))}

    def _public(self, kid: str, key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
        numbers = key.public_key().public_numbers()
        x, y = (_encoded(number.to_bytes(32)) for number in (numbers.x, numbers.y))
        return {"kid": kid, "kty": "EC", "crv": "P-256", "x": x, "y": y, "key_ops": ["sign", "verify"]} | self._jwk


def _response(
    request: requests.PreparedRequest, status: int, body: dict[str, Any], headers: dict[str, str]
) -> requests.Response:
    raw = HTTPResponse(
        io.BytesIO(json.dumps(body).encode()),
        headers={"content-type": "application/json", **headers},
        status=status,
        preload_content=False,
    )
    return HTTPAdapter().build_response(request, raw)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
