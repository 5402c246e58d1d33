"""What callers are told when the store fails, and that the writer goes on by itself."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

import pytest

from audit.errors import Ambiguous, Unavailable
from audit.memory_store import MemoryStore
from audit.store import BlobInfo
from audit.verify import verify
from audit.writer import LogWriter, Receipt
from tests.audit.examples import ids, lines
from tests.audit.faulty_store import FaultyStore
from tests.audit.writers import wait_until, writer_on


def test_a_service_starts_with_the_store_down_and_recovers_by_itself(
    closing: Callable[[LogWriter], LogWriter],
) -> None:
    store = FaultyStore(MemoryStore())
    store.outage = True
    writer = closing(writer_on(store))
    writer.start()
    with pytest.raises(Unavailable):
        asyncio.run(writer.commit(lines("a")))
    assert (writer.healthy, writer.last_error is None) == (False, False)
    began_s = time.monotonic()
    with pytest.raises(Unavailable):
        asyncio.run(writer.commit(lines("b")))
    assert time.monotonic() - began_s < 0.5, "while the store is down nobody waits"
    store.outage = False
    wait_until(lambda: writer.healthy, "recovery without a request")
    assert writer.last_error is None
    asyncio.run(writer.commit(lines("c")))
    assert ids(store) == ["c"]


def test_an_outage_shorter_than_the_patience_is_not_seen_by_clients(
    closing: Callable[[LogWriter], LogWriter],
) -> None:
    store = FaultyStore(MemoryStore(), ["ok", "ok", "ok"])
    writer = closing(writer_on(store, give_up_s=10))
    writer.commit_blocking(lines("a"), 10)
    store.fates.extend(["down", "lost", "down", "reply lost"])
    writer.commit_blocking(lines("b"), 10)
    writer.commit_blocking(lines("c"), 10)
    assert ids(store) == ["a", "b", "c"]
    assert verify(store) == []


def test_everything_that_waits_is_told_when_patience_ends(closing: Callable[[LogWriter], LogWriter]) -> None:
    store = FaultyStore(MemoryStore())
    writer = closing(writer_on(store))
    writer.commit_blocking(lines("a"), 10)
    store.outage = True

    async def clients() -> list[object]:
        return await asyncio.gather(*(writer.commit(lines(f"id-{n}")) for n in range(20)), return_exceptions=True)

    answers = asyncio.run(clients())
    assert all(type(answer) is Unavailable for answer in answers)
    assert len({id(answer) for answer in answers}) == 20, "an exception of one's own"
    store.outage = False
    wait_until(lambda: writer.healthy, "recovery")
    assert ids(store) == ["a"]


def test_an_outcome_that_stays_unknown_is_said_and_nothing_is_taken_until_it_is_settled(
    closing: Callable[[LogWriter], LogWriter],
) -> None:
    store = FaultyStore(MemoryStore())
    writer = closing(writer_on(store))
    writer.commit_blocking(lines("a"), 10)
    store.fates.append("reply lost")
    store.fates.extend(repeat("lost", 1000))
    store.reads_fail = 1000
    with pytest.raises(Ambiguous, match="outcome unknown"):
        writer.commit_blocking(lines("b"), 10)
    with pytest.raises(Unavailable) as refused:
        writer.commit_blocking(lines("c"), 10)
    assert type(refused.value) is Unavailable, "this one was never sent"
    store.fates.clear()
    store.reads_fail = 0
    wait_until(lambda: writer.healthy, "settled")
    writer.commit_blocking(lines("d"), 10)
    assert ids(store) == ["a", "b", "d"]
    assert verify(store) == []


def test_rather_certainly_not_recorded_than_unknown(closing: Callable[[LogWriter], LogWriter]) -> None:
    """The same append gets lost again and again, until a `close` gets through: then it is no longer unknown."""

    class LosesRecords(MemoryStore):
        def append(self, name: str, data: bytes, at: int) -> None:
            if b'"id":"b"' in data:
                raise Ambiguous("lost")
            super().append(name, data, at)

    store = LosesRecords()
    writer = closing(writer_on(store))
    writer.commit_blocking(lines("a"), 10)
    with pytest.raises(Unavailable, match="not recorded") as refused:
        writer.commit_blocking(lines("b"), 10)
    assert type(refused.value) is Unavailable
    wait_until(lambda: writer.healthy, "recovery")
    writer.commit_blocking(lines("c"), 10)
    assert ids(store) == ["a", "c"]
    assert verify(store) == []


def test_a_commit_of_which_a_part_is_in_is_not_called_unrecorded(closing: Callable[[LogWriter], LogWriter]) -> None:
    store = FaultyStore(MemoryStore())
    writer = closing(writer_on(store, frame_bytes=500))
    store.fates.extend(repeat("ok", 3))
    store.fates.extend(repeat("down", 500))
    with pytest.raises(Ambiguous, match="a part of this is recorded"):
        writer.commit_blocking(lines(*(f"id-{n}" for n in range(30))), 10)
    store.fates.clear()
    wait_until(lambda: writer.healthy, "recovery")
    writer.commit_blocking(lines("after"), 10)
    found = ids(store)
    assert found[-1] == "after"
    assert found[:-1] == [f"id-{n}" for n in range(len(found) - 1)]
    assert 0 < len(found) - 1 < 30


def test_a_store_that_raises_anything_at_all_does_not_end_the_writer(
    closing: Callable[[LogWriter], LogWriter],
) -> None:
    class Broken(MemoryStore):
        broken = True

        def create(self, name: str) -> None:
            if self.broken:
                raise ZeroDivisionError("a bug")
            super().create(name)

        def list(self, prefix: str = "") -> Iterator[BlobInfo]:
            return super().list(prefix)

    store = Broken()
    writer = closing(writer_on(store))
    with pytest.raises(Unavailable, match="unexpected ZeroDivisionError"):
        writer.commit_blocking(lines("a"), 10)
    store.broken = False
    wait_until(lambda: writer.healthy, "recovery")
    writer.commit_blocking(lines("b"), 10)
    assert ids(store) == ["b"]


def test_behind_a_frame_that_is_stuck_nobody_begins_to_wait(closing: Callable[[LogWriter], LogWriter]) -> None:
    store = FaultyStore(MemoryStore())
    writer = closing(writer_on(store, resolve_s=30))
    writer.commit_blocking(lines("a"), 10)
    store.fates.append("lost")
    store.fates.extend(repeat("lost", 10_000))
    with ThreadPoolExecutor(1) as pool:
        stuck = pool.submit(writer.commit_blocking, lines("b"), 30)
        wait_until(lambda: not writer.healthy, "unhealthy while an outcome is unknown")
        began_s = time.monotonic()
        with pytest.raises(Unavailable):
            writer.commit_blocking(lines("c"), 10)
        assert time.monotonic() - began_s < 0.5
        assert not stuck.done()
        store.fates.clear()
        assert stuck.result(10), "its outcome was settled after all"
    assert writer.healthy
    assert ids(store) == ["a", "b"]


def test_a_writer_that_dies_by_a_bug_keeps_nobody_waiting(
    closing: Callable[[LogWriter], LogWriter], monkeypatch: pytest.MonkeyPatch
) -> None:
    def bug(lines: Sequence[bytes]) -> Receipt:
        raise ZeroDivisionError("a bug")

    writer = closing(writer_on(MemoryStore()))
    writer.commit_blocking(lines("a"), 10)
    monkeypatch.setattr(writer._loop, "_append", bug)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    with pytest.raises(Ambiguous, match="ZeroDivisionError"):
        writer.commit_blocking(lines("b"), 10)
    with pytest.raises(Unavailable, match="ZeroDivisionError"):
        writer.commit_blocking(lines("c"), 10)
    assert not writer.healthy
