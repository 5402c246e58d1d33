"""Keys: who may read them, how one is made once, and what is refused by name."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from audit.keys import open_signer, trusted_keys
from audit.settings import SettingsError, from_environ
from audit.signing import BadSignature, LocalSigner, PublicKeys, SigningError, UnknownKey, public_pem, thumbprint

ROOT = Path(__file__).parents[2]
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256


def new_signer() -> LocalSigner:
    return LocalSigner(ec.generate_private_key(ec.SECP256R1()))


def private_pem(key: object, password: bytes | None = None) -> bytes:
    locked = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    pem: bytes = key.private_bytes(  # type: ignore[attr-defined]
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked
    )
    return pem


def test_a_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "made" / "on" / "the way" / "key.pem"
    first = LocalSigner.of_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert LocalSigner.of_file(path).kid == first.kid
    assert [entry.name for entry in path.parent.iterdir()] == ["key.pem"], "what was written aside is gone"


def test_of_many_threads_that_make_a_key_at_once_all_get_the_same(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    with ThreadPoolExecutor(8) as threads:
        kids = {signer.kid for signer in threads.map(lambda _: LocalSigner.of_file(path), range(24))}
    assert len(kids) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["key.pem"]


def test_two_processes_that_make_a_key_at_once_get_the_same(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from audit.signing import LocalSigner; print('ready', flush=True);"
        "sys.stdin.readline(); print(LocalSigner.of_file(Path(sys.argv[1])).kid)"
    )
    whole = [sys.executable, "-c", code, str(tmp_path / "key.pem")]
    started = [
        subprocess.Popen(whole, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    said = [process.communicate("go\n", timeout=60)[0] for process in started]
    assert said[0] == said[1] == f"{LocalSigner.of_file(tmp_path / 'key.pem').kid}\n"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no private key in PEM form"),
        (b"garbage \x00\xff", "no private key in PEM form"),
        (private_pem(new_signer()._key)[:-60], "no private key in PEM form"),
        (private_pem(new_signer()._key, b"secret"), "without a password"),
        (new_signer().public_key_pem, "no private key in PEM form"),
        (private_pem(ec.generate_private_key(ec.SECP384R1())), "P-256"),
        (private_pem(ec.generate_private_key(ec.SECP256K1())), "P-256"),
        (private_pem(ed25519.Ed25519PrivateKey.generate()), "P-256"),
        (private_pem(rsa.generate_private_key(65537, 2048)), "P-256"),
    ],
    ids=["empty", "garbage", "cut off", "locked", "public", "P-384", "secp256k1", "Ed25519", "RSA"],
)
def test_a_file_that_holds_no_such_key_is_named_and_left_as_it_is(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content)
    with pytest.raises(SigningError, match=says) as found:
        LocalSigner.of_file(path)
    assert str(path) in str(found.value)
    assert path.read_bytes() == content


def test_a_place_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "key.pem", tmp_path):
        with pytest.raises(SigningError, match="cannot be read or made"):
            LocalSigner.of_file(path)


def test_a_signature_is_the_64_bytes_that_others_check() -> None:
    signer, data = new_signer(), "every byte counts é".encode()
    for _ in range(50):  # r and s have leading zeros now and then
        signature = signer.sign(data)
        assert len(signature) == 64
        public = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256).prepare_key(signer.public_key_pem)
        assert jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256).verify(data, public, signature)
        raw = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
        key = serialization.load_pem_public_key(signer.public_key_pem)
        assert isinstance(key, ec.EllipticCurvePublicKey)
        key.verify(raw, data, ec.ECDSA(hashes.SHA256()))
        PublicKeys.of_pem(signer.public_key_pem).check(signer.kid, data, signature)


def test_other_data_another_signature_and_another_key_are_refused() -> None:
    signer, other = new_signer(), new_signer()
    keys, signature = PublicKeys.of_pem(signer.public_key_pem), signer.sign(b"data")
    r, s = signature[:32], signature[32:]
    zero, high = bytes(32), ORDER.to_bytes(32)
    for spoilt in (b"", signature[:-1], signature + b"\x00", s + r, bytes(64), r + zero, zero + s, high + high):
        with pytest.raises(BadSignature):
            keys.check(signer.kid, b"data", spoilt)
    with pytest.raises(BadSignature):
        keys.check(signer.kid, b"Data", signature)
    with pytest.raises(BadSignature):
        keys.check(signer.kid, b"data", other.sign(b"data"))
    with pytest.raises(UnknownKey):
        keys.check(other.kid, b"data", other.sign(b"data"))
    with pytest.raises(UnknownKey):
        keys.check("\x1b[31m" * 10_000, b"data", signature)


def test_a_keys_id_is_its_rfc_7638_thumbprint() -> None:
    key = new_signer()
    jwk = jwt.algorithms.ECAlgorithm.to_jwk(key._key.public_key(), as_dict=True)
    canonical = json.dumps({name: jwk[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"))
    expected = base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).rstrip(b"=").decode()
    assert key.kid == thumbprint(key._key.public_key()) == expected


def test_a_file_may_hold_several_public_keys_and_text_between_them() -> None:
    old, new = new_signer(), new_signer()
    keys = PublicKeys.of_pem(b"# until May\n" + old.public_key_pem + b"\r\nsince May:\n" + new.public_key_pem)
    for signer in (old, new):
        keys.check(signer.kid, b"data", signer.sign(b"data"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no `-----BEGIN PUBLIC KEY-----`"),
        (private_pem(new_signer()._key), r"a private key.*python -m audit public-key"),
        (b"-----BEGIN PUBLIC KEY-----\n!!!\n-----END PUBLIC KEY-----", "number 1 is no public key"),
        (new_signer().public_key_pem[:-30], "number 1 is cut off"),
        (new_signer().public_key_pem + new_signer().public_key_pem[:-30], "number 2 is cut off"),
        (new_signer().public_key_pem[:-30] + new_signer().public_key_pem, "number 1 is cut off"),
        (new_signer().public_key_pem.decode().encode("utf-16"), "no `-----BEGIN PUBLIC KEY-----`"),
        (b"-----BEGIN PUBLIC KEY-----\n" * 9_000, "number 1 is cut off"),
        (new_signer().public_key_pem * 2_000, "more than 256 KiB"),
        (public_pem(ec.generate_private_key(ec.SECP384R1()).public_key()), "P-256"),
        (new_signer().public_key_pem + public_pem(ec.generate_private_key(ec.SECP256K1()).public_key()), "P-256"),
    ],
    ids=[
        "empty",
        "private",
        "garbage",
        "cut off",
        "the second cut off",
        "the first cut off",
        "UTF-16",
        "nothing but beginnings",
        "too many",
        "P-384",
        "the second is another's",
    ],
)
def test_a_file_without_such_keys_is_refused(content: bytes, says: str) -> None:
    with pytest.raises(SigningError, match=says):
        PublicKeys.of_pem(content)


def test_a_key_that_cryptography_does_not_know_is_refused_as_any_other() -> None:
    """It raises `UnsupportedAlgorithm` for these, which is no `ValueError`."""
    for byte in range(26, 128):
        pem = bytearray(new_signer().public_key_pem)
        pem[byte] = ord("A") if pem[byte] != ord("A") else ord("B")
        with contextlib.suppress(SigningError):
            PublicKeys.of_pem(bytes(pem))


def test_of_a_file_no_more_is_read_than_keys_may_have() -> None:
    with pytest.raises(SigningError, match="more than 256 KiB"):
        PublicKeys.of_file(Path("/dev/zero"))


def environ(**more: str) -> dict[str, str]:
    return {"HYPERPLANE_STORAGE": "memory://"} | more


def test_on_a_laptop_a_key_is_made_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = from_environ(environ())
    for only_looks in (trusted_keys, lambda given: open_signer(given, make=False)):
        with pytest.raises(SigningError, match=r"no key at .*signing-key\.pem"):
            only_looks(settings)
    signer = open_signer(settings)
    assert LocalSigner.of_file(tmp_path / ".local" / "signing-key.pem").kid == signer.kid
    trusted_keys(settings).check(signer.kid, b"data", signer.sign(b"data"))


def test_in_azure_nothing_is_signed_without_a_key_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SigningError, match=r"HYPERPLANE_SIGNING_KEY is not set.*vault\.azure\.net"):
        open_signer(from_environ(environ(WEBSITE_SITE_NAME="scores")))
    assert not list(tmp_path.iterdir())


def test_the_keys_that_count_may_be_others_than_the_signers(tmp_path: Path) -> None:
    old, path = new_signer(), tmp_path / "public.pem"
    given = {"HYPERPLANE_SIGNING_KEY": str(tmp_path / "new.pem"), "HYPERPLANE_PUBLIC_KEYS": str(path)}
    settings = from_environ(environ(**given))
    with pytest.raises(SettingsError, match=r"HYPERPLANE_PUBLIC_KEYS.*No such file"):
        trusted_keys(settings)
    path.write_bytes(b"no key")
    with pytest.raises(SettingsError, match=r"HYPERPLANE_PUBLIC_KEYS.*BEGIN PUBLIC KEY"):
        trusted_keys(settings)
    path.write_bytes(old.public_key_pem)
    trusted_keys(settings).check(old.kid, b"data", old.sign(b"data"))
    assert not (tmp_path / "new.pem").exists(), "who only checks makes no key"


@pytest.mark.parametrize(
    "value",
    [
        "http://v.vault.azure.net/keys/secret-key",
        "https://v.vault.azure.net/secrets/secret-key",
        "https://v.vault.azure.net/keys/",
        "https://v.vault.azure.net/keys/secret-key/short",
        "https://v.vault.azure.net/keys/secret-key?x=1",
        "https://user:secret-key@v.vault.azure.net/keys/name",
        "https:///keys/secret-key",
    ],
)
def test_a_url_that_is_no_keys_is_refused_and_never_shown(value: str) -> None:
    with pytest.raises(SettingsError, match=r"HYPERPLANE_SIGNING_KEY: expected .*vault\.azure\.net") as found:
        from_environ(environ(HYPERPLANE_SIGNING_KEY=value))
    assert "secret-key" not in str(found.value)


@pytest.mark.parametrize(
    "value", ["https://v.vault.azure.net/keys/name", f"https://v.vault.azure.net/keys/a/{'0' * 32}"]
)
def test_a_url_of_a_key_is_taken_with_and_without_its_version(value: str) -> None:
    assert from_environ(environ(HYPERPLANE_SIGNING_KEY=f"{value}/")).signing_key == value
