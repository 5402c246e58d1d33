"""New records as they come: each once, whichever blob they are appended to, and however the reading was disturbed."""

from __future__ import annotations

import pytest

from audit.browse import Filter
from audit.errors import Unavailable
from audit.follow import Follower
from audit.memory_store import MemoryStore
from tests.audit.examples import NOON_S, WRITER, Clock, appender, lines

OTHER = WRITER[:-1] + "1"


def follower(store: MemoryStore, clock: Clock) -> Follower:
    return Follower(store, Filter(), clock)


def new(following: Follower) -> list[str]:
    return [record.id for record, _ in following.new()]


def test_each_record_comes_once_from_whichever_writer() -> None:
    store, clock = MemoryStore(), Clock()
    first, second = appender(store, clock=clock), appender(store, OTHER, clock=clock)
    first.append(lines("a", "b"))
    following = follower(store, clock)
    assert new(following) == ["a", "b"]
    assert new(following) == []
    second.append(lines("c"))
    first.append(lines("d"))
    assert sorted(new(following)) == ["c", "d"]
    first.leave()
    assert new(following) == []


def test_the_next_hour_is_followed_and_old_hours_are_forgotten() -> None:
    store, clock = MemoryStore(), Clock()
    writer, following = appender(store, clock=clock), follower(store, clock)
    for hour in range(4):
        clock.now_s = NOON_S + hour * 3600 + 5
        writer.append(lines(f"h-{hour}"))
        assert new(following) == [f"h-{hour}"]
    assert len(following._places) == 2


def test_only_what_matches_comes() -> None:
    store = MemoryStore()
    appender(store).append(lines("a"))
    assert list(Follower(store, Filter(model="credit"), Clock()).new()) == []


def test_after_an_outage_it_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    store, clock = MemoryStore(), Clock()
    writer, following = appender(store, clock=clock), follower(store, clock)
    writer.append(lines("a"))
    assert new(following) == ["a"]
    writer.append(lines("b"))

    def away(*_: object) -> bytes:
        raise Unavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(store, "read", away)
        with pytest.raises(Unavailable):
            new(following)
    assert new(following) == ["b"]
