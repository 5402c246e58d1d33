"""A container of Azure Blob Storage, or of Azurite: the one module that imports azure.storage.blob.

Importing the SDK takes half a second, so `audit.connect` imports this module on first use, in a thread.

What the SDK does by itself is turned off where it would break a promise: a retried append is stored twice when the
first reply was lost, and the SDK reports success; so calls that change something are sent once, and the caller, who
knows how to settle a lost reply, decides. Reads are tried again. Connections are kept alive and shared by all threads.

A container that is missing is created by the first call that needs it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ServiceRequestError,
    ServiceRequestTimeoutError,
)
from azure.storage.blob import BlobServiceClient, BlobType, ContentSettings, LinearRetry
from urllib3.exceptions import NewConnectionError

from audit.errors import Ambiguous, AuditError, Conflict, Exists, Fenced, NotFound, Unavailable
from audit.store import BlobInfo

# The SDK's own default is too new for Azurite, which refuses it. Appends of up to 100 MiB need 2022-11-02 or later.
API_VERSION = "2025-05-05"
RANGE_BYTES = 4 * 1024 * 1024  # one GET over some 20,000 blocks breaks off in Azurite
_CONNECT_S = 2.0
_DISTURBED_S = (0.02, 0.05, 0.1, 0.2)  # pauses before a read is tried again that an append disturbed
_REFUSALS = {
    "AuthorizationPermissionMismatch": "this identity may not do that: give it the role Storage Blob Data Contributor "
    "on the storage account (Storage Blob Data Reader is enough to read; a new role takes some minutes)",
    "AuthenticationFailed": "the account key is wrong or was changed, or this machine's clock is",
    "AuthorizationFailure": "the account's network rules refuse this machine, or its key is wrong",
    "KeyBasedAuthenticationNotPermitted": "the account takes no keys: give HYPERPLANE_STORAGE__accountName",
    "AccountIsDisabled": "the storage account is disabled",
    "ContainerBeingDeleted": "the container is being deleted, which takes half a minute",
}
# It formats every request and reply at INFO, which a Functions host turns on for all loggers.
logging.getLogger("azure.core.pipeline.policies.http_logging_policy").setLevel(logging.WARNING)


class Account:
    """A storage account. Making one sends nothing; all its containers share their connections."""

    def __init__(self, service: BlobServiceClient) -> None:
        self._service = service

    @classmethod
    def of_connection_string(cls, connection_string: str, timeout_s: float) -> Account:
        """`ValueError` for a malformed one."""
        return cls(BlobServiceClient.from_connection_string(connection_string, **_options(timeout_s)))

    @classmethod
    def of_identity(cls, blob_service_uri: str, client_id: str | None, timeout_s: float) -> Account:
        """Signs in as a managed identity, or on a laptop as whoever is signed in."""
        from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

        credential = ManagedIdentityCredential(client_id=client_id) if client_id else DefaultAzureCredential()
        return cls(BlobServiceClient(blob_service_uri, credential=credential, **_options(timeout_s)))

    def container(self, name: str) -> AzureStore:
        """One container as a store."""
        return AzureStore(self._service, name)

    def close(self) -> None:
        """End the connections; the account and its containers are of no use after that."""
        self._service.close()


class AzureStore:
    """A `Store` in one container; safe to use from many threads."""

    def __init__(self, service: BlobServiceClient, container: str) -> None:
        self._container = service.get_container_client(container)

    def create(self, name: str) -> None:
        with _errors(name, changes=True, create_once=True):
            self._in_container(
                lambda: self._container.get_blob_client(name).create_append_blob(
                    match_condition=MatchConditions.IfMissing, retry_total=0
                )
            )

    def append(self, name: str, data: bytes, at: int) -> None:
        with _errors(name, changes=True):
            self._container.get_blob_client(name).append_block(
                data, length=len(data), appendpos_condition=at, retry_total=0
            )

    def put(self, name: str, data: bytes, *, overwrite: bool, content_type: str = "application/octet-stream") -> None:
        settings = ContentSettings(content_type=content_type)
        once: dict[str, Any] = {} if overwrite else {"retry_total": 0}
        with _errors(name, changes=True, create_once=not overwrite):
            self._in_container(
                lambda: self._container.get_blob_client(name).upload_blob(
                    data, BlobType.BLOCKBLOB, overwrite=overwrite, content_settings=settings, **once
                )
            )

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        parts = []
        while length is None or length > 0:
            wanted = RANGE_BYTES if length is None else min(length, RANGE_BYTES)
            part = self._read_range(name, start, wanted)
            parts.append(part)
            start += len(part)
            length = None if length is None else length - len(part)
            if len(part) < wanted:
                break
        if not parts:
            self.size(name)  # nothing was asked for, but `NotFound` is an answer too
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def size(self, name: str) -> int:
        with _errors(name, changes=False):
            return _undisturbed(lambda: self._container.get_blob_client(name).get_blob_properties().size)

    def list(self, prefix: str = "") -> Iterator[BlobInfo]:
        pages = self._container.list_blobs(name_starts_with=prefix or None).by_page()
        while True:
            try:
                with _errors(prefix or "the container", changes=False):
                    page = list(_undisturbed(lambda: next(pages)))
            except (StopIteration, NotFound):  # a container that nobody wrote to yet
                return
            for blob in page:
                append = blob.blob_type == BlobType.APPENDBLOB
                yield BlobInfo(blob.name, blob.size, append, blob.last_modified.timestamp())

    def delete(self, name: str) -> None:
        with _errors(name, changes=True):
            try:
                self._container.get_blob_client(name).delete_blob()
            except HttpResponseError as problem:
                if problem.status_code != 404:
                    raise

    def _read_range(self, name: str, start: int, length: int) -> bytes:
        with _errors(name, changes=False):
            try:
                return _undisturbed(
                    lambda: self._container.get_blob_client(name).download_blob(start, length).readall()
                )
            except HttpResponseError as problem:
                if problem.status_code == 416:  # it begins at or past the blob's end
                    return b""
                raise

    def _in_container(self, call: Any) -> None:
        """Make the call; if there is no container yet, make that and then the call."""
        try:
            call()
        except HttpResponseError as problem:
            if problem.status_code != 404:
                raise
            self._create_container()
            call()

    def _create_container(self) -> None:
        try:
            self._container.create_container(retry_total=0)
        except ResourceExistsError as problem:
            if _code(problem) == "ContainerBeingDeleted":
                raise


def _options(timeout_s: float) -> dict[str, Any]:
    return {
        "api_version": API_VERSION,
        "connection_timeout": min(timeout_s, _CONNECT_S),
        "read_timeout": timeout_s,
        "retry_policy": LinearRetry(backoff=1, retry_total=2, random_jitter_range=0),
        "max_single_get_size": RANGE_BYTES,
    }


def _undisturbed[T](read: Callable[[], T]) -> T:
    """Read; again and again if an append to the same blob came in between, which the service may refuse with a 409.

    https://github.com/Azure/azure-sdk-for-net/issues/34258
    """
    for pause_s in _DISTURBED_S:
        try:
            return read()
        except HttpResponseError as problem:
            if _code(problem) != "BlobModifiedWhileReading":
                raise
        time.sleep(pause_s)
    return read()


@contextmanager
def _errors(name: str, *, changes: bool, create_once: bool = False) -> Iterator[None]:
    """Context: the SDK's errors as the log's. `changes`: the call may have taken effect though its reply was lost."""
    try:
        yield
    except HttpResponseError as problem:
        raise _from_status(name, problem, changes, create_once) from problem
    except ServiceRequestError as problem:
        if changes and not _never_connected(problem):
            raise Ambiguous(f"{name}: {_text(problem)}") from problem
        raise Unavailable(f"{name}: the storage cannot be reached: {_text(problem)}") from problem
    except AzureError as problem:
        kind = Ambiguous if changes else Unavailable
        raise kind(f"{name}: the storage did not answer: {_text(problem)}") from problem


def _from_status(name: str, problem: HttpResponseError, changes: bool, create_once: bool) -> AuditError:
    status, code = problem.status_code, _code(problem)
    text = f"{name}: {status or ''} {code or _text(problem)}".replace("  ", " ")
    if status == 404:
        return NotFound(text)
    if code == "BlobAlreadyExists" or (create_once and status == 412):
        return Exists(text)
    if status == 412 and changes:
        return Conflict(text)
    if code == "BlockCountExceedsLimit":
        return Fenced(f"{text}: no more blocks fit this blob")
    if code in {"InvalidBlobType", "BlobImmutableDueToPolicy"}:
        return Conflict(text)
    # 500 and its like may come after the change was made; "server busy" and refusals (401, 403, 429 …) do not. A 409 to
    # an append may: https://github.com/Azure/azure-sdk-for-cpp/issues/3631
    refused = status is not None and 400 <= status < 500 and status != 408 and (status != 409 or create_once)
    if changes and not refused and code != "ServerBusy" and not _before_sending(problem):
        return Ambiguous(text)
    return Unavailable(f"{text}: {_REFUSALS.get(code, 'the storage refuses it')}")


def _code(problem: HttpResponseError) -> str:
    code = getattr(problem, "error_code", None)
    return str(getattr(code, "value", code) or "")


def _before_sending(problem: HttpResponseError) -> bool:
    """No reply because no request: the credential or the account key was refused on this side."""
    return problem.response is None and problem.status_code is None and "Authentication" in _lineage(problem)


def _lineage(problem: BaseException) -> str:
    return " ".join(kind.__name__ for kind in type(problem).__mro__)


def _never_connected(problem: ServiceRequestError) -> bool:
    """Whether not even a connection was made, so that nothing can have been sent."""
    if isinstance(problem, ServiceRequestTimeoutError):
        return True
    cause: object = problem.inner_exception
    for _ in range(5):
        if isinstance(cause, NewConnectionError):
            return True
        cause = getattr(cause, "reason", None) or next(iter(getattr(cause, "args", ())), None)
    return False


def _text(problem: BaseException) -> str:
    """The first line of an error, which is where the SDK says what happened."""
    return str(problem).strip().split("\n", 1)[0][:300] or type(problem).__name__
