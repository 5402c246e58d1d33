from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from audit.errors import Unavailable
from audit.memory_store import MemoryStore
from audit.reader import read_blob
from audit.seal import seal_hour
from audit.verify import verify_blobs
from tests.audit.examples import HOUR, NOON_S, WRITER, appender, copy_with, ids, lines, log_of, only_name
from tests.audit.faulty_store import FaultyStore


def test_open_blobs_get_their_close_and_a_second_run_changes_nothing() -> None:
    store = log_of(["a"], close=False)
    appender(store, writer="other").append(lines("b"))
    assert len(seal_hour(store, HOUR)) == 2
    before = {info.name: store.read(info.name) for info in store.list()}
    assert seal_hour(store, HOUR) == []
    assert before == {info.name: store.read(info.name) for info in store.list()}
    assert all(read_blob(store, name).state == "closed" for name in before)
    assert verify_blobs(store, now_s=NOON_S + 99 * 3600) == []


def test_other_hours_are_left_alone() -> None:
    store = log_of(["a"], close=False)
    assert seal_hour(store, "2026/11/23/13") == []
    assert read_blob(store, only_name(store)).state == "open"


def test_an_empty_blob_is_closed_too_so_that_its_writer_cannot_come_back() -> None:
    store = MemoryStore()
    name = f"log/v1/{HOUR}/{WRITER}-0.jsonl"
    store.create(name)
    assert seal_hour(store, HOUR) == [name]
    assert [frame.kind for frame in read_blob(store, name).frames] == ["close"]
    assert verify_blobs(store, now_s=NOON_S + 99 * 3600) == []


def test_a_blob_that_does_not_verify_is_left_as_evidence() -> None:
    store = log_of(["a"], close=False)
    name = only_name(store)
    torn = copy_with(store, {name: store.read(name) + b'{"v":1'})
    before = torn.read(name)
    assert seal_hour(torn, HOUR) == []
    assert torn.read(name) == before


def test_a_writer_that_appends_meanwhile_is_waited_for() -> None:
    class Busy(MemoryStore):
        """Every close comes too late by one append, three times."""

        busy = 3

        def append(self, name: str, data: bytes, at: int) -> None:
            if b'"kind":"close"' in data and self.busy:
                self.busy -= 1
                writer.append(lines(f"late-{self.busy}"))
            super().append(name, data, at)

    store = Busy()
    writer = appender(store)
    writer.append(lines("a"))
    assert len(seal_hour(store, HOUR)) == 1
    assert ids(store) == ["a", "late-2", "late-1", "late-0"]
    assert verify_blobs(store, now_s=NOON_S) == []


def test_a_lost_reply_is_looked_into() -> None:
    store = log_of(["a"], close=False)
    for fate in ("reply lost", "lost"):
        assert len(seal_hour(FaultyStore(store, [fate]), HOUR)) <= 1
    assert read_blob(store, only_name(store)).state == "closed"
    assert verify_blobs(store, now_s=NOON_S + 99 * 3600) == []


def test_an_outage_is_said_and_the_next_run_goes_on() -> None:
    store = log_of(["a"], close=False)
    with pytest.raises(Unavailable):
        seal_hour(FaultyStore(store, ["down"]), HOUR)
    assert len(seal_hour(store, HOUR)) == 1


def test_of_many_that_seal_at_once_each_blob_is_closed_once() -> None:
    store = MemoryStore()
    for number in range(10):
        appender(store, writer=f"w{number}").append(lines(str(number)))
    with ThreadPoolExecutor(4) as pool:
        closed = [name for names in pool.map(lambda _: seal_hour(store, HOUR), range(4)) for name in names]
    assert len(closed) == len(set(closed)) == 10
    assert verify_blobs(store, now_s=NOON_S + 99 * 3600) == []
