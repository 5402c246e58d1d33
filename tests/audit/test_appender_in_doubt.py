"""Refusals that prove nothing: what the simulator found, each as the few calls that it takes."""

from __future__ import annotations

import pytest

from audit.errors import Ambiguous, Conflict, Exists, Unavailable
from audit.memory_store import MemoryStore
from audit.verify import verify
from tests.audit.examples import HOUR, NOON_S, WRITER, Clock, appender, ids, lines

BLOB = f"log/v1/{HOUR}/{WRITER}-0.jsonl"


class Doubtful(MemoryStore):
    """Refuses as it is told to: 412 after the append was done, 409 where no blob is, and reads that fail."""

    refuse_appends = 0
    refuse_creates = 0
    lose_creates = 0
    fail_reads = 0

    def append(self, name: str, data: bytes, at: int) -> None:
        super().append(name, data, at)
        if self.refuse_appends:
            self.refuse_appends -= 1
            raise Conflict("412 to what somebody between sent twice")

    def create(self, name: str) -> None:
        if self.lose_creates:
            self.lose_creates -= 1
            raise Ambiguous("the request was lost")
        if self.refuse_creates:
            self.refuse_creates -= 1
            raise Exists("409, and there is no such blob")
        super().create(name)

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        if self.fail_reads:
            self.fail_reads -= 1
            raise Unavailable("the connection was reset")
        return super().read(name, start, length)


def test_a_refusal_that_cannot_be_looked_into_is_no_proof_that_nothing_was_recorded() -> None:
    store = Doubtful()
    writer = appender(store)
    writer.append(lines("first"))
    store.refuse_appends = store.fail_reads = 1
    with pytest.raises(Ambiguous):
        writer.append(lines("a"))
    assert writer.pending
    assert writer.resolve() is not None
    assert ids(store) == ["first", "a"]


def test_nor_is_the_blob_left_for_the_next_hour_with_its_outcome_unknown() -> None:
    store, clock = Doubtful(), Clock()
    writer = appender(store, clock=clock)
    writer.append(lines("first"))
    store.refuse_appends = store.fail_reads = 1
    with pytest.raises(Ambiguous):
        writer.append(lines("a"))
    clock.now_s += 3600
    assert writer.resolve() is not None
    writer.append(lines("b"))
    assert ids(store) == ["first", "a", "b"]
    assert verify(store, now_s=NOON_S) == []


@pytest.mark.parametrize("lost_before", [0, 1])
def test_a_blob_that_is_said_to_exist_and_does_not_keeps_its_number(lost_before: int) -> None:
    store = Doubtful()
    store.refuse_creates, store.lose_creates = 1, lost_before
    writer = appender(store)
    for _ in range(1 + lost_before):
        with pytest.raises(Unavailable):
            writer.append(lines("a"))
    assert writer.append(lines("a")).blob == BLOB
    assert verify(store, now_s=NOON_S) == []


def test_a_copy_that_arrives_while_a_refusal_is_looked_into_is_seen() -> None:
    class Overtaken(MemoryStore):
        """The append is on its way, its repetition is refused for no reason, and then the first one arrives."""

        late: tuple[str, bytes, int] | None = None
        refusals = 0

        def append(self, name: str, data: bytes, at: int) -> None:
            if self.refusals == 2:
                self.late = (name, data, at)
            if self.refusals:
                self.refusals -= 1
                raise (Ambiguous if self.refusals else Conflict)("timed out, and then 412")
            super().append(name, data, at)

        def size(self, name: str) -> int:
            if self.late:
                super().append(*self.late)
                self.late = None
            return super().size(name)

    store = Overtaken()
    writer = appender(store)
    writer.append(lines("first"))
    store.refusals = 2
    with pytest.raises(Ambiguous):
        writer.append(lines("a"))
    with pytest.raises(Ambiguous):
        writer.resolve()
    assert writer.resolve() is not None
    assert ids(store) == ["first", "a"]
