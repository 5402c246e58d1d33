"""Small commits beside large ones: who is answered first, and who is told what when the store fails between frames."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from audit.errors import Ambiguous, Unavailable
from audit.memory_store import MemoryStore
from audit.reader import read_blob
from audit.verify import verify
from audit.writer import LogWriter, Receipt
from tests.audit.examples import ids, lines, only_name
from tests.audit.writers import GatedStore, wait_until, writer_on

MANY = [f"large-{number:03}" for number in range(60)]


def test_a_single_row_is_answered_between_the_frames_of_a_large_commit() -> None:
    store = GatedStore()
    writer = writer_on(store, frame_bytes=1000)
    order: list[str] = []

    async def client(name: str, *record_ids: str) -> list[Receipt]:
        receipts = await writer.commit(lines(*record_ids))
        order.append(name)
        return receipts

    async def clients() -> list[list[Receipt]]:
        large = asyncio.create_task(client("large", *MANY))
        await asyncio.to_thread(store.waiting.wait, 10)
        singles = [asyncio.create_task(client(name, name)) for name in ("a", "b")]
        await asyncio.sleep(0)
        store.gate.set()
        return await asyncio.gather(large, *singles)

    large, *singles = asyncio.run(clients())
    writer.close()
    assert order == ["a", "b", "large"]
    assert [[receipt.sequence for receipt in receipts] for receipts in singles] == [[2], [2]]
    sequences = [receipt.sequence for receipt in large]
    assert sequences == [1, *range(3, 3 + len(large) - 1)], "its own frames, in order"
    heads = {frame.sequence: frame.head for frame in read_blob(store, only_name(store)).frames}
    assert all(heads[receipt.sequence] == receipt.head for receipt in large)
    assert [name for name in ids(store) if name in set(MANY)] == MANY
    assert verify(store) == []


def test_a_failure_between_two_frames_of_a_large_commit_does_not_leave_it_waiting(
    closing: Callable[[LogWriter], LogWriter],
) -> None:
    class RefusesOne(GatedStore):
        down = False

        def append(self, name: str, data: bytes, at: int) -> None:
            if b'"id":"small"' in data or self.down:
                self.down = True
                raise Unavailable("down")
            super().append(name, data, at)

    store = RefusesOne()
    writer = closing(writer_on(store, frame_bytes=1000))

    async def clients() -> list[object]:
        large = asyncio.create_task(writer.commit(lines(*MANY)))
        await asyncio.to_thread(store.waiting.wait, 10)
        others = [asyncio.create_task(writer.commit(lines(*names))) for names in (["small"], MANY)]
        await asyncio.sleep(0)
        store.gate.set()
        return await asyncio.gather(large, *others, return_exceptions=True)

    large, small, behind = asyncio.run(clients())
    assert type(large) is Ambiguous
    assert "a part of this is recorded" in str(large)
    assert [type(small), type(behind)] == [Unavailable, Unavailable]
    store.down = False
    wait_until(lambda: writer.healthy, "recovery")
    writer.commit_blocking(lines("after"), 10)
    found = ids(store)
    assert found == [*MANY[: len(found) - 1], "after"]
    assert 1 < len(found) < len(MANY), "no frame of a commit that was given up"
    assert verify(store) == []


def test_many_lines_are_checked_like_few(closing: Callable[[LogWriter], LogWriter]) -> None:
    store = MemoryStore()
    writer = closing(writer_on(store))
    many = [b"%d" % number for number in range(5000)]
    with pytest.raises(ValueError, match="newline"):
        asyncio.run(writer.commit([*many, b"bad\nline"]))
    asyncio.run(writer.commit(many))
    assert [line for frame in read_blob(store, only_name(store)).frames[1:] for line in frame.lines] == many
