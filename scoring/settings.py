"""What the scoring side reads from the environment; see docs/settings.md for all settings."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from audit.settings import Setting, read_settings, seconds, size_bytes, text

_KEY_BYTES = 32  # as many as the hash has: RFC 2104, 3


def count(value: str) -> int:
    """A whole number above 0.

    >>> count("50000")
    50000
    """
    if not re.fullmatch(r"[0-9]{1,9}", value) or int(value) == 0:
        raise ValueError("a whole number above 0, such as 50000")
    return int(value)


def secret_key(value: str) -> bytes:
    """A key of at least 32 bytes in base64, of either alphabet.

    >>> len(secret_key("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="))
    32
    """
    expected = "at least 32 random bytes in base64, as `openssl rand -base64 32` prints them"
    try:
        key = base64.b64decode(value.replace("-", "+").replace("_", "/"), validate=True)
    except ValueError:
        raise ValueError(expected) from None
    if len(key) < _KEY_BYTES:
        raise ValueError(expected)
    return key


SETTINGS: tuple[Setting, ...] = (
    Setting("HYPERPLANE_MODELS", "models", text, "Folder of the bundles and of serving.toml"),
    Setting("HYPERPLANE_MAX_BODY_BYTES", 16 * 2**20, size_bytes, "Largest request body; beyond it, 413"),
    Setting("HYPERPLANE_MAX_INSTANCES", 50_000, count, "Most instances, or labels, in one request; beyond it, 400"),
    Setting(
        "HYPERPLANE_RUN_TIMEOUT_SECONDS", 30.0, seconds, "How long a model may work on one request, then it is ended"
    ),
    Setting("HYPERPLANE_REDACTION_KEY", None, secret_key, "Secret: base64 of the key of hashes of redacted values"),
)


@dataclass(frozen=True)
class ScoringSettings:
    """What scoring needs to know."""

    models: Path = Path("models")
    max_body_bytes: int = 16 * 2**20
    max_instances: int = 50_000
    run_timeout_s: float = 30.0
    redaction_key: bytes | None = field(default=None, repr=False)


def from_environ(environ: Mapping[str, str]) -> ScoringSettings:
    """The settings in `environ`; raises `audit.settings.SettingsError`."""
    values = read_settings(SETTINGS, environ)
    return ScoringSettings(
        models=Path(values["HYPERPLANE_MODELS"]),
        max_body_bytes=values["HYPERPLANE_MAX_BODY_BYTES"],
        max_instances=values["HYPERPLANE_MAX_INSTANCES"],
        run_timeout_s=values["HYPERPLANE_RUN_TIMEOUT_SECONDS"],
        redaction_key=values["HYPERPLANE_REDACTION_KEY"],
    )
