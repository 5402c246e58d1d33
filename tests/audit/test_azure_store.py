"""What the network does to calls, and what the store then says: nothing done, or not known."""

from __future__ import annotations

import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator

import pytest

from audit.azure_store import Account, AzureStore
from audit.errors import Ambiguous, Exists, Unavailable
from infra.local.azurite import Azurite
from tests.audit.bad_line import BadLine


@pytest.fixture
def line(azurite: Azurite) -> Iterator[BadLine]:
    with BadLine(azurite.port) as running:
        yield running


def through(azurite: Azurite, port: int, timeout_s: float = 5.0) -> AzureStore:
    connection = azurite.connection_string.replace(f":{azurite.port}/", f":{port}/")
    return Account.of_connection_string(connection, timeout_s).container(f"line-{uuid.uuid4().hex}")


def test_connections_are_kept_and_used_again(azurite: Azurite, line: BadLine) -> None:
    store = through(azurite, line.port)
    store.create("a")
    for number in range(20):
        store.append("a", b"x", at=number)
    assert store.read("a") == b"x" * 20
    assert line.connections == 1


def test_an_append_whose_reply_is_lost_is_ambiguous_and_is_stored_once(azurite: Azurite, line: BadLine) -> None:
    store = through(azurite, line.port)
    store.create("a")
    line.mode = "drop reply"
    with pytest.raises(Ambiguous):
        store.append("a", b"once", at=0)
    assert line.dropped == 1, "the SDK did not send it again by itself"
    line.mode = "pass"
    assert store.read("a") == b"once"


def test_an_append_that_is_cut_off_is_ambiguous(azurite: Azurite, line: BadLine) -> None:
    store = through(azurite, line.port)
    store.create("a")
    line.mode = "drop request"
    with pytest.raises(Ambiguous):
        store.append("a", b"never", at=0)
    assert line.dropped == 1
    line.mode = "pass"
    assert store.read("a") == b""


def test_a_create_whose_reply_is_lost_is_ambiguous_not_exists(azurite: Azurite, line: BadLine) -> None:
    store = through(azurite, line.port)
    store.create("first")
    line.mode = "drop reply"
    with pytest.raises(Ambiguous):
        store.create("a")
    line.mode = "pass"
    with pytest.raises(Exists):
        store.create("a")


def test_a_storage_that_hangs_is_noticed_within_the_timeout(azurite: Azurite, line: BadLine) -> None:
    store = through(azurite, line.port, timeout_s=0.5)
    store.create("a")
    line.mode = "hang"
    began_s = time.monotonic()
    with pytest.raises(Ambiguous):
        store.append("a", b"x", at=0)
    assert time.monotonic() - began_s < 3


def test_a_storage_that_is_down_did_nothing_and_is_noticed_at_once(azurite: Azurite) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port: int = closed.getsockname()[1]
    store = through(azurite, port)
    began_s = time.monotonic()
    calls: list[Callable[[], None]] = [lambda: store.create("a"), lambda: store.append("a", b"x", at=0)]
    for call in calls:
        with pytest.raises(Unavailable, match="cannot be reached") as refused:
            call()
        assert not isinstance(refused.value, Ambiguous)
    assert time.monotonic() - began_s < 2


def test_a_wrong_key_is_unavailable_and_says_why(azurite: Azurite) -> None:
    start = azurite.connection_string.index("AccountKey=")
    rest = azurite.connection_string[start:].split(";", 1)[1]
    wrong = f"{azurite.connection_string[:start]}AccountKey=c2VjcmV0;{rest}"
    store = Account.of_connection_string(wrong, 5.0).container("wrong-key")
    with pytest.raises(Unavailable, match=r"AuthorizationFailure|AuthenticationFailed") as refused:
        store.append("a", b"x", at=0)
    assert not isinstance(refused.value, Ambiguous)


def test_reading_tries_again_by_itself(azurite: Azurite, line: BadLine) -> None:
    store = through(azurite, line.port)
    store.put("a", b"data", overwrite=False)
    line.mode = "drop reply"
    restore_after = line.dropped + 1

    def restore() -> None:
        deadline_s = time.monotonic() + 5
        while line.dropped < restore_after and time.monotonic() < deadline_s:
            time.sleep(0.01)
        line.mode = "pass"

    watcher = threading.Thread(target=restore)
    watcher.start()
    assert store.read("a") == b"data"
    watcher.join()
    assert line.dropped >= 1
