"""Clocks that go back, jump ahead, or are behind everybody else's."""

from __future__ import annotations

from audit.ids import new_id
from audit.layout import hour_of
from audit.lookup import find
from audit.memory_store import MemoryStore
from audit.reader import blobs, hours, records
from audit.records import encode_record
from audit.seal import seal_hour
from audit.verify import verify
from tests.audit.examples import HOUR, NOON_S, Clock, appender, ids, lines, score

HOUR_S = 3600.0
LATER_S = NOON_S + 100 * HOUR_S


def test_a_clock_that_goes_back_changes_neither_the_blob_nor_its_order() -> None:
    store, clock = MemoryStore(), Clock()
    writer = appender(store, clock=clock)
    for name, back_s in (("a", 0.0), ("b", 30.0), ("c", 3 * HOUR_S)):
        clock.now_s = NOON_S - back_s
        writer.append([encode_record(score(name, at_s=clock.now_s))])
    assert hours(store) == [HOUR]
    assert ids(store) == ["a", "b", "c"], "the log's order is that of the appends"
    assert [record.id for record, _ in records(store, NOON_S - 60, NOON_S - 1)] == ["b"], "times are the records' own"
    writer.leave()
    assert verify(store, now_s=LATER_S) == []


def test_a_clock_that_jumps_ahead_and_comes_back_leaves_the_writer_in_the_later_hour_until_that_has_come() -> None:
    store, clock = MemoryStore(), Clock()
    writer = appender(store, clock=clock)
    made = [new_id(lambda at=at: int(at * 1e9)) for at in (NOON_S, NOON_S + 60, NOON_S + 5.5 * HOUR_S)]  # type: ignore[misc]
    for name, now_s in zip(made, (NOON_S, NOON_S + 5 * HOUR_S, NOON_S + 5.5 * HOUR_S), strict=True):
        clock.now_s = now_s
        writer.append(lines(name))
        clock.now_s = NOON_S + 60
        writer.append(lines(f"{name}-back"))
    ahead = hour_of(NOON_S + 5 * HOUR_S)
    assert hours(store) == [HOUR, ahead]
    assert len(blobs(store, ahead)) == 1
    assert all(len(find(store, name)) == 1 for name in (*made, *(f"{name}-back" for name in made)))
    writer.leave()
    assert verify(store, now_s=LATER_S) == []


def test_a_writer_whose_clock_is_behind_writes_late_blobs_into_hours_that_are_over() -> None:
    store = MemoryStore()
    punctual = appender(store, writer="punctual")
    punctual.append(lines("a"))
    assert len(seal_hour(store, HOUR)) == 1
    behind = appender(store, writer="behind", clock=Clock(NOON_S))
    behind.append(lines("b"))
    assert [finding.what for finding in verify(store, now_s=LATER_S)] == ["not closed"], "until it is sealed again"
    assert len(seal_hour(store, HOUR)) == 1
    behind.append(lines("c"))
    assert sorted(ids(store)) == ["a", "b", "c"]
    assert len(seal_hour(store, HOUR)) == 1
    assert verify(store, now_s=LATER_S) == []
