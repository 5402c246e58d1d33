"""What every store promises, asked of each: in memory, on Azurite, and made on first use by `open_stores`."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from audit.azure_store import Account
from audit.connect import open_stores, preload
from audit.errors import AuditError, Conflict, Exists, NotFound
from audit.memory_store import MemoryStore
from audit.settings import from_environ
from audit.store import Store
from infra.local.azurite import Azurite


@pytest.fixture(params=["memory", "azurite", "opened"])
def store(request: pytest.FixtureRequest) -> Store:
    if request.param == "memory":
        return MemoryStore()
    azurite: Azurite = request.getfixturevalue("azurite")
    container = f"contract-{uuid.uuid4().hex}"
    if request.param == "azurite":
        return Account.of_connection_string(azurite.connection_string, 10.0).container(container)
    return open_stores(
        from_environ({"HYPERPLANE_STORAGE": azurite.connection_string, "HYPERPLANE_AUDIT_CONTAINER": container})
    ).log


def test_an_append_blob_grows_by_what_is_appended(store: Store) -> None:
    store.create("a/b.jsonl")
    assert store.size("a/b.jsonl") == 0
    assert store.read("a/b.jsonl") == b""
    store.append("a/b.jsonl", b"one\n", at=0)
    store.append("a/b.jsonl", b"two\n", at=4)
    assert store.read("a/b.jsonl") == b"one\ntwo\n"
    assert store.size("a/b.jsonl") == 8


def test_an_append_elsewhere_than_at_the_end_changes_nothing(store: Store) -> None:
    store.create("a")
    store.append("a", b"one", at=0)
    for at in (0, 2, 4, 100):
        with pytest.raises(Conflict):
            store.append("a", b"two", at=at)
    assert store.read("a") == b"one"


def test_a_name_is_created_once(store: Store) -> None:
    store.create("a")
    store.append("a", b"one", at=0)
    with pytest.raises(Exists):
        store.create("a")
    store.put("b", b"x", overwrite=False)
    with pytest.raises(Exists):
        store.create("b")
    assert store.read("a") == b"one"
    assert store.read("b") == b"x"


def test_what_is_not_there_is_not_found(store: Store) -> None:
    calls: list[Callable[[], object]] = [
        lambda: store.read("none"),
        lambda: store.read("none", 0, 0),
        lambda: store.size("none"),
        lambda: store.append("none", b"x", at=0),
    ]
    for create_container in (False, True):
        if create_container:
            store.create("some")
        for call in calls:
            with pytest.raises(NotFound):
                call()
    store.delete("none")


def test_an_empty_container_lists_nothing(store: Store) -> None:
    assert list(store.list()) == []
    assert list(store.list("log/")) == []


@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [(0, None, b"0123456789"), (3, None, b"3456789"), (3, 4, b"3456"), (8, 9, b"89"), (10, None, b""), (99, 5, b""),
     (2, 0, b"")],
)  # fmt: skip
def test_ranges(store: Store, start: int, length: int | None, expected: bytes) -> None:
    store.create("a")
    store.append("a", b"0123456789", at=0)
    assert store.read("a", start, length) == expected


def test_a_blob_of_many_ranges_is_read_whole(store: Store) -> None:
    data = os.urandom(9 * 1024 * 1024 + 17)
    store.put("big", data, overwrite=False)
    assert store.read("big") == data
    assert store.read("big", 5, 8 * 1024 * 1024) == data[5 : 5 + 8 * 1024 * 1024]
    assert store.read("big", 4 * 1024 * 1024) == data[4 * 1024 * 1024 :]


def test_a_large_append_is_one_append(store: Store) -> None:
    data = os.urandom(5 * 1024 * 1024)
    store.create("a")
    store.append("a", data, at=0)
    store.append("a", b"end", at=len(data))
    assert store.read("a") == data + b"end"


def test_put_overwrites_only_when_told_to(store: Store) -> None:
    store.put("report.json", b"{}", overwrite=False, content_type="application/json")
    with pytest.raises(Exists):
        store.put("report.json", b"[]", overwrite=False)
    assert store.read("report.json") == b"{}"
    store.put("report.json", b"[1]", overwrite=True)
    assert store.read("report.json") == b"[1]"


def test_a_block_blob_cannot_be_appended_to(store: Store) -> None:
    store.put("a", b"whole", overwrite=False)
    with pytest.raises(Conflict):
        store.append("a", b"more", at=5)
    assert store.read("a") == b"whole"


def test_listing_is_by_name_and_tells_size_and_kind(store: Store) -> None:
    for name in ("log/b", "log/a", "other/c", "log/ä b"):
        store.create(name)
    store.append("log/a", b"123", at=0)
    store.put("log/aa", b"12345", overwrite=True)
    listed = list(store.list("log/"))
    assert [(info.name, info.size_bytes, info.append) for info in listed] == [
        ("log/a", 3, True), ("log/aa", 5, False), ("log/b", 0, True), ("log/ä b", 0, True)
    ]  # fmt: skip
    assert all(info.modified_s > 1_600_000_000 for info in listed)
    assert [info.name for info in store.list()] == ["log/a", "log/aa", "log/b", "log/ä b", "other/c"]


def test_deleting_is_final_and_may_be_repeated(store: Store) -> None:
    store.put("a", b"1", overwrite=False)
    store.delete("a")
    store.delete("a")
    with pytest.raises(NotFound):
        store.read("a")


def test_of_many_appends_to_one_position_exactly_one_wins(store: Store) -> None:
    store.create("a")

    def attempt(number: int) -> bool:
        try:
            store.append("a", b"%d" % number, at=0)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        wins = list(pool.map(attempt, range(8)))
    assert wins.count(True) == 1
    assert store.read("a") == b"%d" % wins.index(True)


def test_many_threads_may_make_the_container(store: Store) -> None:
    def make(number: int) -> AuditError | None:
        try:
            store.create(f"blob-{number}")
        except AuditError as problem:
            return problem
        return None

    with ThreadPoolExecutor(8) as pool:
        problems = [problem for problem in pool.map(make, range(8)) if problem]
    assert not problems
    assert len(list(store.list())) == 8


def test_preloading_sends_nothing_and_makes_no_container(azurite: Azurite) -> None:
    container = f"preload-{uuid.uuid4().hex}"
    stores = open_stores(
        from_environ({"HYPERPLANE_STORAGE": azurite.connection_string, "HYPERPLANE_AUDIT_CONTAINER": container})
    )
    preload(stores)
    assert list(stores.log.list()) == []
    with pytest.raises(NotFound, match="ContainerNotFound"):
        stores.log.size("any")
