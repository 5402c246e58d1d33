"""Files that no part of Hyperplane put into the log's container, at every place where one may lie."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from audit.browse import Filter, newest
from audit.digest import digest_name
from audit.layout import parse_name
from audit.lookup import find
from audit.memory_store import MemoryStore
from audit.reader import blobs, hours
from audit.seal import seal_hour
from audit.verify import verify
from tests.audit.examples import HOUR, NOON_S, WRITER, appender, ids, lines, log_of

LATER_S = NOON_S + 100 * 3600
AMONG_THE_LOG = (
    f"log/v1/{HOUR}/notes.txt",
    f"log/v1/{HOUR}/{WRITER}-0.jsonl.bak",
    f"log/v1/{HOUR}/{WRITER}-00.jsonl",
    f"log/v1/{HOUR}/deeper/{WRITER}-1.jsonl",
    "log/v1/2026/13/45/99/w-0.jsonl",
    "log/v2/2026/11/23/12/w-0.jsonl",
    "log/",
)
ELSEWHERE = ("notes.txt", "logs/v1/x", "Log/v1/x", "LOG", "curated/part.parquet", "\N{HOT BEVERAGE}/\u202eexe.txt", "~")
AMONG_DIGESTS = (digest_name(HOUR) + ".bak", "digest/readme.md", "digest/v2/2026/11/23/12.json")
PUT: list[Callable[[MemoryStore, str], None]] = [
    lambda store, name: store.put(name, b"\x89PNG\r\n", overwrite=False),
    lambda store, name: store.create(name),
]


def nothing_changes(store: MemoryStore) -> bool:
    """Whether readers see the log of one blob with records a and b, and nothing else."""
    seen = [record.id for record, _ in newest(store, Filter(), 10)]
    one_blob = len([blob for hour in hours(store) for blob in blobs(store, hour)]) == 1
    return ids(store) == ["a", "b"] and seen == ["b", "a"] and len(find(store, "a")) == 1 and one_blob


@pytest.mark.parametrize("put", PUT, ids=["block blob", "append blob"])
@pytest.mark.parametrize("name", [*AMONG_THE_LOG, *ELSEWHERE, *AMONG_DIGESTS])
def test_readers_and_sealing_do_not_see_it_and_leave_it_as_it_is(
    name: str, put: Callable[[MemoryStore, str], None]
) -> None:
    store = log_of(["a"], ["b"])
    put(store, name)
    before = store.read(name)
    assert nothing_changes(store)
    assert [sealed for hour in hours(store) for sealed in seal_hour(store, hour)] == []
    assert store.read(name) == before
    assert appender(store, writer="another").append(lines("c")).sequence == 1


@pytest.mark.parametrize("name", AMONG_THE_LOG)
def test_verify_names_it_among_the_log(name: str) -> None:
    store = log_of(["a"], ["b"])
    store.create(name)
    assert parse_name(name) is None
    assert [(finding.blob, finding.what) for finding in verify(store, now_s=LATER_S)] == [(name, "foreign")]


@pytest.mark.parametrize("name", ELSEWHERE)
def test_elsewhere_it_is_nobodys_business(name: str) -> None:
    store = log_of(["a"], ["b"])
    store.create(name)
    assert verify(store, now_s=LATER_S) == []


def test_a_foreign_file_under_a_name_of_the_log_is_named_for_what_it_is() -> None:
    name = f"log/v1/{HOUR}/{WRITER}-1.jsonl"
    store = log_of(["a"], ["b"])
    store.put(name, b"\x89PNG\r\n", overwrite=False)
    assert nothing_changes(store)
    assert {(finding.blob, finding.what) for finding in verify(store, now_s=LATER_S)} >= {(name, "foreign")}
    store = log_of(["a"], ["b"])
    store.create(name)
    store.append(name, b"\x89PNG\r\n", at=0)
    assert ids(store) == ["a", "b"]
    assert [finding.blob for finding in verify(store, now_s=LATER_S)] == [name]
    assert seal_hour(store, HOUR) == []


def test_a_blob_of_zero_bytes_has_nothing_to_read_and_sealing_it_fences_its_writer() -> None:
    """Its writer has created it and not yet sent the `open` frame."""

    class Slow(MemoryStore):
        """Seals the hour between a writer's `create` and its `open`."""

        def create(self, name: str) -> None:
            super().create(name)
            if name.endswith("-0.jsonl"):
                assert ids(self) == []
                assert find(self, "a") == []
                assert verify(self, now_s=NOON_S) == []
                assert [finding.what for finding in verify(self, now_s=LATER_S)] == ["empty"]
                assert seal_hour(self, HOUR) == [name]

    store = Slow()
    writer = appender(store)
    assert writer.append(lines("a")).blob == f"log/v1/{HOUR}/{WRITER}-1.jsonl"
    writer.leave()
    assert ids(store) == ["a"]
    assert verify(store, now_s=LATER_S) == []
