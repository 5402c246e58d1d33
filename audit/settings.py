"""Settings are environment variables, parsed once into a frozen object per package; this is the small parser for it.

A package lists its settings as a tuple of `Setting`, from which its settings object, docs/settings.md and the search
for misspelt names are made. A malformed value and an unknown `HYPERPLANE_…` name stop the program at its start with a
message that names the variable and the fix; a value itself is never shown, since it may be a secret.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

PREFIX = "HYPERPLANE_"


class SettingsError(Exception):
    """A setting that cannot be used; the message names the variable and the fix."""


@dataclass(frozen=True)
class Setting:
    """One environment variable. `parse` raises `ValueError` with what it expects; `default` is a parsed value."""

    name: str
    default: Any
    parse: Callable[[str], Any]
    help: str


def read_settings(settings: Iterable[Setting], environ: Mapping[str, str]) -> dict[str, Any]:
    """Parsed values by variable name; a variable that is absent or empty has its default. Raises `SettingsError`."""
    return {setting.name: _value(setting, environ.get(setting.name, "").strip()) for setting in settings}


def refuse_unknown(environ: Mapping[str, str], settings: Iterable[Setting]) -> None:
    """`SettingsError` when `environ` has a `HYPERPLANE_…` name that is none of `settings` (of all packages together).

    >>> refuse_unknown({"HYPERPLANE_STORAG": "x"}, SETTINGS)
    Traceback (most recent call last):
    audit.settings.SettingsError: HYPERPLANE_STORAG: there is no such setting; did you mean HYPERPLANE_STORAGE?
    """
    known = {setting.name for setting in settings}
    for name in sorted(environ):
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, sorted(known), n=1)
            hint = f"did you mean {near[0]}?" if near else "docs/settings.md lists all; remove it"
            raise SettingsError(f"{name}: there is no such setting; {hint}")


def text(value: str) -> str:
    """Any text."""
    return value


def size_bytes(value: str) -> int:
    """A number of bytes, plain or with KiB, MiB or GiB.

    >>> size_bytes("16 MiB")
    16777216
    """
    match = re.fullmatch(r"([0-9]{1,18})\s*(|KiB|MiB|GiB)", value)
    if not match or int(match[1]) == 0:
        raise ValueError("a number of bytes above 0, such as 16777216 or 16MiB")
    return int(match[1]) * {"": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}[match[2]]


def seconds(value: str) -> float:
    """A positive number of seconds.

    >>> seconds("2.5")
    2.5
    """
    if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", value) or float(value) == 0:
        raise ValueError("a number of seconds above 0, such as 5 or 2.5")
    return float(value)


def container_name(value: str) -> str:
    """A container's name by Azure's rule.

    >>> container_name("audit")
    'audit'
    """
    if not re.fullmatch(r"(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", value):
        raise ValueError("3 to 63 lower-case letters, digits and single hyphens")
    return value


def signing_key(value: str) -> str:
    """A file's path, or the URL of a key in a Key Vault.

    >>> signing_key("https://example.vault.azure.net/keys/digests/")
    'https://example.vault.azure.net/keys/digests'
    """
    if "://" in value and not _KEY_URL.fullmatch(value.rstrip("/")):
        raise ValueError("a file's path, or https://{vault}.vault.azure.net/keys/{name}, with /{version} behind or not")
    return value.rstrip("/") if "://" in value else value


STORAGE = "HYPERPLANE_STORAGE"
SIGNING_KEY = "HYPERPLANE_SIGNING_KEY"
LOCAL_SIGNING_KEY = ".local/signing-key.pem"
_IN_AZURE = "WEBSITE_SITE_NAME"  # set by the platform
_KEY_URL = re.compile(r"https://[a-z0-9.-]+/keys/[A-Za-z0-9-]{1,127}(/[0-9a-f]{32})?")
SETTINGS: tuple[Setting, ...] = (
    Setting(STORAGE, None, text, "Connection string of the storage account, or `memory://` for trials and benchmarks"),
    Setting(f"{STORAGE}__blobServiceUri", None, text, "Identity-based instead: the account's blob endpoint"),
    Setting(f"{STORAGE}__accountName", None, text, "Identity-based instead: the account's name"),
    Setting(f"{STORAGE}__clientId", None, text, "Identity-based: client id of a user-assigned managed identity"),
    Setting(f"{STORAGE}__credential", None, text, "Identity-based: `managedidentity`, as Functions writes it"),
    Setting("HYPERPLANE_AUDIT_CONTAINER", "audit", container_name, "Container of the log, the evidence"),
    Setting("HYPERPLANE_DERIVED_CONTAINER", "derived", container_name, "Container of what is made from the log"),
    Setting(
        "HYPERPLANE_QUEUE_BYTES",
        64 * 2**20,
        size_bytes,
        "Records that may wait for the log; beyond it, 503. As many again may that no answer waits for",
    ),
    Setting("HYPERPLANE_APPEND_TIMEOUT_SECONDS", 5.0, seconds, "How long one call to the storage may take"),
    Setting("HYPERPLANE_GIVE_UP_SECONDS", 3.0, seconds, "Storage down: how long a request waits before it gets 503"),
    Setting("HYPERPLANE_RESOLVE_SECONDS", 10.0, seconds, "Reply lost: how long a request waits for the outcome"),
    Setting(SIGNING_KEY, None, signing_key, "What signs the hourly digests: a Key Vault key's URL, or a file's path"),
    Setting("HYPERPLANE_PUBLIC_KEYS", None, text, "PEM file of the public keys that signatures are checked with"),
)


@dataclass(frozen=True)
class AuditSettings:
    """What the log needs to know. Exactly one of the three ways to reach the storage is set."""

    storage: str | None
    blob_service_uri: str | None
    account_name: str | None
    client_id: str | None
    audit_container: str
    derived_container: str
    queue_bytes: int
    append_timeout_s: float
    give_up_s: float
    resolve_s: float
    signing_key: str | None = None  # a URL or a path; none: nothing is signed
    public_keys: str | None = None

    @property
    def in_memory(self) -> bool:
        """Whether the log is kept in this process's memory only."""
        return self.storage == "memory://"


def from_environ(environ: Mapping[str, str]) -> AuditSettings:
    """The settings in `environ`; raises `SettingsError`."""
    values = read_settings(SETTINGS, environ)
    _check_storage(values)
    return AuditSettings(
        storage=values[STORAGE],
        blob_service_uri=values[f"{STORAGE}__blobServiceUri"],
        account_name=values[f"{STORAGE}__accountName"],
        client_id=values[f"{STORAGE}__clientId"],
        audit_container=values["HYPERPLANE_AUDIT_CONTAINER"],
        derived_container=values["HYPERPLANE_DERIVED_CONTAINER"],
        queue_bytes=values["HYPERPLANE_QUEUE_BYTES"],
        append_timeout_s=values["HYPERPLANE_APPEND_TIMEOUT_SECONDS"],
        give_up_s=values["HYPERPLANE_GIVE_UP_SECONDS"],
        resolve_s=values["HYPERPLANE_RESOLVE_SECONDS"],
        signing_key=values[SIGNING_KEY] or (None if environ.get(_IN_AZURE) else LOCAL_SIGNING_KEY),
        public_keys=values["HYPERPLANE_PUBLIC_KEYS"],
    )


def _value(setting: Setting, given: str) -> Any:
    if not given:
        return setting.default
    try:
        return setting.parse(given)
    except ValueError as problem:
        raise SettingsError(f"{setting.name}: expected {problem}") from None


def _check_storage(values: Mapping[str, Any]) -> None:
    ways = [STORAGE, f"{STORAGE}__blobServiceUri", f"{STORAGE}__accountName"]
    given = [name for name in ways if values[name] is not None]
    if not given:
        raise SettingsError(
            f"{STORAGE} is not set: give the storage account's connection string, or {ways[1]} for an identity-based "
            "connection; beside a running `make run`, `source .local/env` sets it"
        )
    if len(given) > 1:
        raise SettingsError(f"{' and '.join(given)} are both set: keep one of them")
    if values[STORAGE] is not None:
        _check_connection(values[STORAGE])
    uri = values[ways[1]]
    if uri is not None and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", uri):
        raise SettingsError(f"{ways[1]}: expected a URL such as https://account.blob.core.windows.net")
    account = values[ways[2]]
    if account is not None and not re.fullmatch(r"[a-z0-9]{3,24}", account):
        raise SettingsError(f"{ways[2]}: expected 3 to 24 lower-case letters and digits")


def _check_connection(connection: str) -> None:
    if connection == "memory://":
        return
    parts = [part.partition("=") for part in connection.strip(";").split(";")]
    names = {name.strip().lower() for name, _, _ in parts}
    whole = all(equals for _, equals, _ in parts)
    if not whole or not names & {"accountname", "blobendpoint", "usedevelopmentstorage"}:
        raise SettingsError(
            f"{STORAGE}: expected a connection string (DefaultEndpointsProtocol=…;AccountName=…;AccountKey=…) or memory://"
        )
