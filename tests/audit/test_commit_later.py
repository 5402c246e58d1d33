"""Records that nobody waits for: written soon, never in anybody's way, and counted when they are given up."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from itertools import repeat

import pytest

from audit.errors import Ambiguous, QueueFull, Unavailable
from audit.memory_store import MemoryStore
from audit.reader import read_blob
from audit.verify import verify
from audit.writer import LogWriter
from tests.audit.examples import ids, lines, only_name
from tests.audit.faulty_store import FaultyStore
from tests.audit.writers import GatedStore, wait_until, writer_on

Closing = Callable[[LogWriter], LogWriter]


def test_they_ride_along_with_the_next_commit(closing: Closing) -> None:
    store = MemoryStore()
    writer = closing(writer_on(store, later_s=1000))
    writer.commit_later(lines("later-1", "later-2"))
    (receipt,) = writer.commit_blocking(lines("a"), 10)
    assert ids(store) == ["a", "later-1", "later-2"]
    assert read_blob(store, only_name(store)).frames[receipt.sequence].count == 3


def test_they_go_out_by_themselves_when_no_commit_comes(closing: Closing) -> None:
    store = MemoryStore()
    writer = closing(writer_on(store, later_s=0.02))
    writer.commit_later(lines("later-1"))
    wait_until(lambda: ids(store) == ["later-1"], "written without a commit")
    writer.commit_later(lines("later-2"))
    wait_until(lambda: ids(store) == ["later-1", "later-2"], "written by a writer that slept")


def test_they_are_written_on_closing() -> None:
    store = MemoryStore()
    writer = writer_on(store, later_s=1000)
    writer.commit_later(lines(*(f"later-{number}" for number in range(500))))
    writer.commit_later([])
    writer.close()
    assert len(ids(store)) == 500
    assert read_blob(store, only_name(store)).state == "closed"
    with pytest.raises(Unavailable, match="shutting down"):
        writer.commit_later(lines("too late"))


def test_handing_them_over_waits_for_nothing() -> None:
    store = GatedStore()
    writer = writer_on(store, later_s=0.0, queue_bytes=100_000)
    writer.commit_later(lines("under way"))
    assert store.waiting.wait(10)
    began_s = time.monotonic()
    taken = 0
    while takes(writer, f"later-{taken}"):
        taken += 1
    assert taken > 100
    assert time.monotonic() - began_s < 1
    with pytest.raises(ValueError, match="newline"):
        writer.commit_later([b"bad\nline"])
    store.gate.set()
    writer.close()
    assert len(ids(store)) == taken + 1


def takes(writer: LogWriter, name: str) -> bool:
    try:
        writer.commit_later(lines(name))
    except QueueFull:
        return False
    return True


def test_when_they_cannot_be_written_one_line_counts_them(closing: Closing, caplog: pytest.LogCaptureFixture) -> None:
    store = FaultyStore(MemoryStore())
    writer = closing(writer_on(store, later_s=0.0))
    writer.commit_blocking(lines("a"), 10)
    store.fates.extend(repeat("down", 10_000))
    writer.commit_later(lines("lost-1", "lost-2"))
    wait_until(lambda: not writer.healthy, "the outage is noticed")
    with pytest.raises(Unavailable, match="cannot be written"):
        writer.commit_later(lines("refused"))
    store.fates.clear()
    wait_until(lambda: writer.healthy, "recovery")
    writer.commit_later(lines("later"))
    wait_until(lambda: ids(store) == ["a", "later"], "they are taken again")
    assert [text for text in caplog.messages if "given up" in text] == [
        "2 records that no answer waited for are given up: connection refused"
    ]


def test_those_that_wait_during_an_outage_are_written_after_it(closing: Closing) -> None:
    store = FaultyStore(MemoryStore())
    writer = closing(writer_on(store, later_s=1000))
    writer.commit_blocking(lines("a"), 10)
    writer.commit_later(lines("later"))
    store.outage = True
    with pytest.raises(Unavailable):
        writer.commit_blocking(lines(*(f"too large to ride with {number}" for number in range(100))), 10)
    store.outage = False
    wait_until(lambda: writer.healthy, "recovery")
    writer.commit_blocking(lines("b"), 10)
    assert ids(store) == ["a", "b", "later"]


def test_a_frame_whose_outcome_is_unknown_is_settled_whole(closing: Closing) -> None:
    store = FaultyStore(MemoryStore())
    writer = closing(writer_on(store, later_s=1000, give_up_s=10, resolve_s=10))
    writer.commit_blocking(lines("a"), 10)
    writer.commit_later(lines("later-1"))
    store.fates.append("reply lost")
    writer.commit_blocking(lines("b"), 10)
    writer.commit_later(lines("later-2"))
    store.fates.extend(["lost", "down", "lost"])
    writer.commit_blocking(lines("c"), 10)
    assert ids(store) == ["a", "b", "later-1", "c", "later-2"]
    assert verify(store) == []


def test_they_are_counted_too_when_an_outcome_stays_unknown(closing: Closing, caplog: pytest.LogCaptureFixture) -> None:
    store = FaultyStore(MemoryStore())
    writer = closing(writer_on(store, later_s=1000))
    writer.commit_blocking(lines("a"), 10)
    writer.commit_later(lines("later"))
    store.fates.extend(repeat("lost", 1000))
    store.reads_fail = 1000
    with pytest.raises(Ambiguous):
        writer.commit_blocking(lines("b"), 10)
    store.fates.clear()
    store.reads_fail = 0
    wait_until(lambda: writer.healthy, "settled")
    assert ids(store) in (["a"], ["a", "b", "later"])
    assert sum("1 records that no answer waited for" in text for text in caplog.messages) == 1


def test_closing_while_the_store_is_down_counts_those_that_wait(caplog: pytest.LogCaptureFixture) -> None:
    store = FaultyStore(MemoryStore())
    writer = writer_on(store, later_s=1000)
    writer.commit_blocking(lines("a"), 10)
    writer.commit_later(lines(*(f"later-{number}" for number in range(7))))
    store.outage = True
    with caplog.at_level(logging.ERROR):
        writer.close()
    assert any("7 records" in text for text in caplog.messages)
    assert ids_after_outage(store) == ["a"]


def ids_after_outage(store: FaultyStore) -> list[str]:
    store.outage = False
    return ids(store)
