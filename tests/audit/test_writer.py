"""Group commit: many callers, one append at a time, and what callers are told when the store fails."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

import pytest

from audit.errors import Ambiguous, QueueFull, Unavailable
from audit.memory_store import MemoryStore
from audit.reader import read_blob
from audit.store import BlobInfo, Store
from audit.verify import verify
from audit.writer import LogWriter, Receipt, new_writer_id
from tests.audit.examples import ids, lines, only_name
from tests.audit.faulty_store import FaultyStore


class GatedStore(MemoryStore):
    """Appends of records wait until the gate is opened, so that a test decides what queues up meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.waiting = threading.Event()

    def append(self, name: str, data: bytes, at: int) -> None:
        if at:
            self.waiting.set()
            assert self.gate.wait(20), "the test never opened the gate"
        super().append(name, data, at)


def writer_on(store: Store, **options: float) -> LogWriter:
    """A writer that loses patience quickly."""
    patience = {"give_up_s": 0.05, "resolve_s": 0.2, "first_pause_s": 0.005} | options
    return LogWriter(store, writer_id=new_writer_id(), opening={"code": "test"}, **patience)  # type: ignore[arg-type]


@pytest.fixture
def closing() -> Iterator[Callable[[LogWriter], LogWriter]]:
    """Closes the writers given to it, whatever the test's end."""
    writers: list[LogWriter] = []

    def keep(writer: LogWriter) -> LogWriter:
        writers.append(writer)
        return writer

    yield keep
    for writer in writers:
        writer.close()


def wait_until(condition: Callable[[], bool], what: str, timeout_s: float = 10) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, f"never happened: {what}"
        time.sleep(0.002)


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
    monkeypatch.setattr(writer, "_append", bug)
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    with pytest.raises(Ambiguous, match="ZeroDivisionError"):
        writer.commit_blocking(lines("b"), 10)
    with pytest.raises(Unavailable, match="ZeroDivisionError"):
        writer.commit_blocking(lines("c"), 10)
    assert not writer.healthy


def test_closing_commits_what_waits_and_refuses_what_comes_after() -> None:
    store = GatedStore()
    writer = writer_on(store)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(writer.commit_blocking, lines("a"), 10)
        assert store.waiting.wait(10)
        second = pool.submit(writer.commit_blocking, lines("b"), 10)
        closed = pool.submit(writer.close)
        store.gate.set()
        closed.result(10)
        assert first.result(10)
        waited = second.exception(10)
    assert waited is None or isinstance(waited, Unavailable)
    writer.close()
    assert not writer.healthy
    with pytest.raises(Unavailable, match="shutting down"):
        writer.commit_blocking(lines("c"), 10)
    assert ids(store) == (["a", "b"] if waited is None else ["a"])
    assert read_blob(store, only_name(store)).state == "closed"


def test_closing_while_the_store_is_down_ends_in_time() -> None:
    store = FaultyStore(MemoryStore())
    writer = writer_on(store, give_up_s=30, resolve_s=30)
    writer.commit_blocking(lines("a"), 10)
    store.outage = True
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(writer.commit_blocking, lines("b"), 20)
        wait_until(lambda: writer.last_error is not None, "the outage is noticed")
        began_s = time.monotonic()
        writer.close(timeout_s=5)
        assert time.monotonic() - began_s < 4
        assert isinstance(waiting.exception(10), Unavailable)


def test_a_writer_that_was_never_used_leaves_nothing_behind() -> None:
    store = MemoryStore()
    writer = writer_on(store)
    writer.close()
    assert list(store.list()) == []


def test_starting_early_opens_the_blob(closing: Callable[[LogWriter], LogWriter]) -> None:
    store = MemoryStore()
    closing(writer_on(store)).start()
    wait_until(lambda: len(list(store.list())) == 1 and len(read_blob(store, only_name(store)).frames) == 1, "open")


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
