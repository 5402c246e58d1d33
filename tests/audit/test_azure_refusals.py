"""What the storage answers, and what the log makes of it: nothing done, not known, or another fact about the blob."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from audit.azure_store import Account, AzureStore
from audit.errors import Ambiguous, AuditError, Conflict, Exists, Fenced, NotFound, Unavailable

KEY = "c2VjcmV0"


class Refusing(ThreadingHTTPServer):
    """Answers every request with one status and one storage error code; counts them."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.code, self.requests = 500, "", 0
        self.accounts: list[Account] = []

    def store(self) -> AzureStore:
        url = f"http://127.0.0.1:{self.server_address[1]}/account"
        connection = f"DefaultEndpointsProtocol=http;AccountName=account;AccountKey={KEY};BlobEndpoint={url};"
        self.accounts.append(Account.of_connection_string(connection, 5.0))
        return self.accounts[-1].container("audit")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Refusing

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.server.requests += 1
        self.send_response(self.server.status)
        if self.server.code:
            self.send_header("x-ms-error-code", self.server.code)
        self.send_header("content-length", "0")
        self.end_headers()

    do_GET = do_PUT = do_HEAD = do_DELETE = _answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def storage() -> Iterator[Refusing]:
    with Refusing() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        for account in server.accounts:
            account.close()
        server.shutdown()


CALLS: dict[str, Callable[[AzureStore], object]] = {
    "append": lambda store: store.append("blob", b"x", at=0),
    "create": lambda store: store.create("blob"),
    "read": lambda store: store.read("blob"),
    "list": lambda store: list(store.list()),
    "size": lambda store: store.size("blob"),
    "put": lambda store: store.put("blob", b"x", overwrite=False),
    "put over": lambda store: store.put("blob", b"x", overwrite=True),
}


def outcome(call: str, store: AzureStore) -> AuditError:
    with pytest.raises(AuditError) as raised:
        CALLS[call](store)
    return raised.value


@pytest.mark.parametrize(
    ("call", "status", "code", "kind"),
    [
        ("append", 400, "InvalidHeaderValue", Unavailable),
        ("append", 401, "InvalidAuthenticationInfo", Unavailable),
        ("append", 403, "AuthorizationPermissionMismatch", Unavailable),
        ("append", 404, "BlobNotFound", NotFound),
        ("append", 404, "ContainerNotFound", NotFound),
        ("append", 408, "", Ambiguous),
        ("append", 409, "", Ambiguous),
        ("append", 409, "BlobModifiedWhileReading", Ambiguous),
        ("append", 409, "BlockCountExceedsLimit", Fenced),
        ("append", 409, "BlobImmutableDueToPolicy", Conflict),
        ("append", 409, "InvalidBlobType", Conflict),
        ("append", 412, "AppendPositionConditionNotMet", Conflict),
        ("append", 413, "RequestBodyTooLarge", Unavailable),
        ("append", 429, "", Unavailable),
        ("append", 500, "InternalError", Ambiguous),
        ("append", 500, "OperationTimedOut", Ambiguous),
        ("append", 502, "", Ambiguous),
        ("append", 503, "ServerBusy", Unavailable),
        ("append", 503, "", Ambiguous),
        ("append", 504, "", Ambiguous),
        ("append", 307, "", Ambiguous),
        ("create", 409, "BlobAlreadyExists", Exists),
        ("create", 412, "", Exists),
        ("create", 409, "ContainerBeingDeleted", Unavailable),
        ("create", 500, "InternalError", Ambiguous),
        ("put", 409, "BlobAlreadyExists", Exists),
        ("put", 412, "", Exists),
        ("put", 500, "InternalError", Ambiguous),
        ("put", 503, "ServerBusy", Unavailable),
        ("put over", 409, "", Ambiguous),
        ("put over", 412, "ConditionNotMet", Conflict),
        ("read", 403, "AuthorizationFailure", Unavailable),
        ("read", 404, "BlobNotFound", NotFound),
        ("read", 404, "ContainerNotFound", NotFound),
        ("read", 409, "BlobModifiedWhileReading", Unavailable),
        ("read", 412, "ConditionNotMet", Unavailable),
        ("size", 409, "BlobModifiedWhileReading", Unavailable),
        ("size", 412, "", Unavailable),
        ("list", 403, "AuthorizationFailure", Unavailable),
        ("list", 409, "", Unavailable),
    ],
)
def test_every_answer_has_its_meaning(
    storage: Refusing, call: str, status: int, code: str, kind: type[AuditError]
) -> None:
    storage.status, storage.code = status, code
    problem = outcome(call, storage.store())
    assert type(problem) is kind
    assert str(status) in str(problem)
    assert code in str(problem)
    assert KEY not in str(problem)


@pytest.mark.parametrize("call", ["read", "size", "list"])
def test_a_blob_that_is_appended_to_while_it_is_read_is_read_again(storage: Refusing, call: str) -> None:
    storage.status, storage.code = 409, "BlobModifiedWhileReading"
    assert type(outcome(call, storage.store())) is Unavailable
    assert storage.requests == 5


@pytest.mark.parametrize(("status", "reads"), [(429, 1), (500, 3), (503, 3)])
def test_what_changes_something_is_sent_once_and_reads_are_tried_again(
    storage: Refusing, status: int, reads: int
) -> None:
    storage.status = status
    store = storage.store()
    for call in ("append", "create"):
        storage.requests = 0
        outcome(call, store)
        assert storage.requests == 1, call
    storage.requests = 0
    outcome("size", store)
    assert storage.requests == reads


@pytest.mark.parametrize("call", ["append", "create", "read", "list"])
@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("AuthorizationPermissionMismatch", "Storage Blob Data Contributor"),
        ("AuthenticationFailed", "key"),
        ("AuthorizationFailure", "network"),
    ],
)
def test_a_refusal_of_who_we_are_says_what_to_do(storage: Refusing, call: str, code: str, says: str) -> None:
    storage.status, storage.code = 403, code
    assert says in str(outcome(call, storage.store()))
