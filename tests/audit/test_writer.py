"""Group commit: many callers, one append at a time, each answered when its records are durable."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from audit.errors import QueueFull
from audit.memory_store import MemoryStore
from audit.reader import read_blob
from audit.store import Store
from audit.verify import verify
from audit.writer import LogWriter, Receipt
from tests.audit.examples import ids, lines, only_name
from tests.audit.faulty_store import FaultyStore
from tests.audit.writers import GatedStore, writer_on


def sizes(store: Store) -> list[int]:
    """How many records each frame has."""
    return [frame.count for frame in read_blob(store, only_name(store)).frames if frame.kind == "records"]


def test_a_commit_returns_when_its_records_are_durable() -> None:
    store = MemoryStore()
    writer = writer_on(store)
    (receipt,) = asyncio.run(writer.commit(lines("a", "b")))
    assert ids(store) == ["a", "b"]
    assert receipt.head == read_blob(store, receipt.blob).frames[receipt.sequence].head
    assert (writer.healthy, writer.last_error) == (True, None)
    writer.close()
    assert read_blob(store, receipt.blob).state == "closed"
    assert verify(store) == []


def test_what_arrives_during_an_append_goes_out_together_in_the_next() -> None:
    store = GatedStore()
    writer = writer_on(store)

    async def clients() -> list[list[Receipt]]:
        first = asyncio.create_task(writer.commit(lines("first")))
        await asyncio.to_thread(store.waiting.wait, 10)
        others = [asyncio.create_task(writer.commit(lines(f"id-{n}"))) for n in range(50)]
        await asyncio.sleep(0)
        store.gate.set()
        return await asyncio.gather(first, *others)

    receipts = asyncio.run(clients())
    assert sizes(store) == [1, 50]
    assert len({tuple(receipt) for receipt in receipts[1:]}) == 1
    writer.close()


def test_a_large_commit_takes_several_frames_and_is_answered_when_all_are_in() -> None:
    store = MemoryStore()
    writer = writer_on(store, frame_bytes=1000)
    many = [f"id-{n:03}" for n in range(40)]
    receipts = asyncio.run(writer.commit(lines(*many)))
    assert ids(store) == many
    frames = read_blob(store, only_name(store)).frames[1:]
    assert len(frames) > 3
    assert all(frame.length <= 1000 for frame in frames)
    assert [receipt.head for receipt in receipts] == [frame.head for frame in frames]
    writer.close()


def test_a_line_larger_than_a_frame_goes_alone() -> None:
    store = MemoryStore()
    writer = writer_on(store, frame_bytes=1000)
    asyncio.run(writer.commit([b"1", b"x" * 5000, b"2"]))
    assert [frame.lines for frame in read_blob(store, only_name(store)).frames[1:]] == [[b"1"], [b"x" * 5000], [b"2"]]
    writer.close()


def test_small_commits_are_not_torn_apart_to_fill_a_frame() -> None:
    store = GatedStore()
    writer = writer_on(store, frame_bytes=1000)

    async def clients() -> None:
        first = asyncio.create_task(writer.commit([b"first"]))
        await asyncio.to_thread(store.waiting.wait, 10)
        others = [asyncio.create_task(writer.commit([b"x" * 300] * 2)) for _ in range(4)]
        await asyncio.sleep(0)
        store.gate.set()
        await asyncio.gather(first, *others)

    asyncio.run(clients())
    assert sizes(store) == [1, 2, 2, 2, 2]
    writer.close()


def test_nothing_to_commit_is_answered_without_the_store() -> None:
    store = FaultyStore(MemoryStore())
    writer = writer_on(store)
    assert asyncio.run(writer.commit([])) == []
    assert writer.commit_blocking([], 1) == []
    assert store.calls == []


def test_a_line_with_a_newline_fails_its_own_caller_only() -> None:
    store = MemoryStore()
    writer = writer_on(store)

    async def clients() -> Sequence[object]:
        return await asyncio.gather(
            writer.commit([b"good"]), writer.commit([b"bad\nline"]), writer.commit([b"fine"]), return_exceptions=True
        )

    good, bad, fine = asyncio.run(clients())
    assert isinstance(bad, ValueError)
    assert isinstance(good, list)
    assert isinstance(fine, list)
    writer.close()


def test_a_cancelled_request_breaks_no_other() -> None:
    store = GatedStore()
    writer = writer_on(store)

    async def clients() -> list[Receipt]:
        tasks = [asyncio.create_task(writer.commit(lines("a")))]
        await asyncio.to_thread(store.waiting.wait, 10)
        tasks += [asyncio.create_task(writer.commit(lines(name))) for name in "bcd"]
        await asyncio.sleep(0)
        tasks[0].cancel()
        tasks[2].cancel()
        await asyncio.sleep(0)
        store.gate.set()
        await tasks[1]
        return await tasks[3]

    assert asyncio.run(clients())
    assert ids(store) == ["a", "b", "c", "d"]
    writer.close()


def test_an_event_loop_that_is_gone_breaks_no_other() -> None:
    store = GatedStore()
    writer = writer_on(store)

    async def abandoned() -> None:
        task = asyncio.create_task(writer.commit(lines("abandoned")))
        await asyncio.to_thread(store.waiting.wait, 10)
        task.cancel()

    asyncio.run(abandoned())
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(writer.commit_blocking, lines("other"), 10)
        store.gate.set()
        assert other.result(10)
    assert ids(store) == ["abandoned", "other"]
    writer.close()


def test_many_threads_and_event_loops_share_a_writer() -> None:
    store = MemoryStore()
    writer = writer_on(store)

    async def client(number: int) -> None:
        await asyncio.gather(*(writer.commit(lines(f"loop-{number}-{n}")) for n in range(50)))

    def thread(number: int) -> None:
        if number % 2:
            asyncio.run(client(number))
        else:
            for n in range(50):
                writer.commit_blocking(lines(f"thread-{number}-{n}"), 10)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(thread, range(8)))
    writer.close()
    assert len(ids(store)) == len(set(ids(store))) == 400
    assert verify(store) == []


def test_a_full_queue_says_so_and_takes_more_when_it_has_drained() -> None:
    store = GatedStore()
    writer = writer_on(store, queue_bytes=1000)

    async def clients() -> None:
        first = asyncio.create_task(writer.commit([b"first"]))
        await asyncio.to_thread(store.waiting.wait, 10)
        waiting = asyncio.create_task(writer.commit([b"x" * 900]))
        await asyncio.sleep(0)
        with pytest.raises(QueueFull, match="wait for the log already"):
            await writer.commit([b"y" * 200])
        store.gate.set()
        await asyncio.gather(first, waiting)
        await writer.commit([b"y" * 200])
        with pytest.raises(QueueFull, match="HYPERPLANE_QUEUE_BYTES"):
            await writer.commit([b"z" * 2000])

    asyncio.run(clients())
    assert sum(sizes(store)) == 3
    writer.close()


def test_a_commit_costs_little(closing: Callable[[LogWriter], LogWriter]) -> None:
    store = MemoryStore()
    writer = closing(writer_on(store))
    record: Sequence[bytes] = lines("a")

    async def client() -> None:
        for _ in range(100):
            await writer.commit(record)

    async def clients() -> float:
        began_s = time.perf_counter()
        await asyncio.gather(*(client() for _ in range(64)))
        return 6400 / (time.perf_counter() - began_s)

    assert max(asyncio.run(clients()) for _ in range(3)) > 10_000
