"""From settings to stores, with the storage SDK imported only when it is first needed.

The SDK takes half a second to import. `open_stores` returns at once; `preload` imports and connects, to be called in a
thread while the model loads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit.memory_store import MemoryStore
from audit.settings import STORAGE, AuditSettings, SettingsError
from audit.store import BlobInfo, Store

if TYPE_CHECKING:
    from audit.azure_store import Account


@dataclass(frozen=True)
class Stores:
    """The two containers: evidence, and what is made from it."""

    log: Store
    derived: Store


def open_stores(settings: AuditSettings) -> Stores:
    """The stores that the settings name. Nothing is imported, connected or created before the first call."""
    if settings.in_memory:
        return Stores(MemoryStore(), MemoryStore())
    account = _Once(lambda: _account(settings))
    return Stores(
        DeferredStore(lambda: account().container(settings.audit_container)),
        DeferredStore(lambda: account().container(settings.derived_container)),
    )


def preload(stores: Stores) -> None:
    """Import the SDK and build its clients now; nothing is sent. Raises `SettingsError` for a bad connection string."""
    for store in (stores.log, stores.derived):
        if isinstance(store, DeferredStore):
            store.preload()


class DeferredStore:
    """A `Store` that is made by its first call."""

    def __init__(self, make: Callable[[], Store]) -> None:
        self._store = _Once(make)

    def preload(self) -> None:
        """Make it now."""
        self._store()

    def create(self, name: str) -> None:
        self._store().create(name)

    def append(self, name: str, data: bytes, at: int) -> None:
        self._store().append(name, data, at)

    def put(self, name: str, data: bytes, *, overwrite: bool, content_type: str = "application/octet-stream") -> None:
        self._store().put(name, data, overwrite=overwrite, content_type=content_type)

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        return self._store().read(name, start, length)

    def size(self, name: str) -> int:
        return self._store().size(name)

    def list(self, prefix: str = "") -> Iterator[BlobInfo]:
        return self._store().list(prefix)

    def delete(self, name: str) -> None:
        self._store().delete(name)


class _Once[T]:
    """Calls `make` once, however many threads ask; again only if it raised."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: T | None = None

    def __call__(self) -> T:
        if self._made is None:
            with self._lock:
                if self._made is None:
                    self._made = self._make()
        return self._made


def _account(settings: AuditSettings) -> Account:
    from audit.azure_store import Account

    if settings.storage is None:
        uri = settings.blob_service_uri or f"https://{settings.account_name}.blob.core.windows.net"
        return Account.of_identity(uri, settings.client_id, settings.append_timeout_s)
    try:
        return Account.of_connection_string(settings.storage, settings.append_timeout_s)
    except ValueError as problem:
        raise SettingsError(f"{STORAGE}: {problem} Copy the connection string from the storage account.") from None
