"""What docs/retention.md says of a log whose oldest hours were deleted: what verify names, and what goes on as ever."""

from __future__ import annotations

from audit.browse import Filter, newest
from audit.layout import hour_of, parse_name
from audit.lookup import find
from audit.memory_store import MemoryStore
from audit.verify import verify
from tests.audit.examples import NOON_S, WRITER, Clock, appender, ids, lines

HOUR_S = 3600
LATER_S = NOON_S + 48 * HOUR_S
BORN_LATER = WRITER[:-1] + "1"


def log_without(*removed: int) -> MemoryStore:
    """Five hours of a writer that lives through all of them, and of one that was born in the fourth; hours removed."""
    store, clock = MemoryStore(), Clock()
    through, later = appender(store, clock=clock), appender(store, BORN_LATER, clock=clock)
    for hour in range(5):
        clock.now_s = NOON_S + hour * HOUR_S
        through.append(lines(f"through-{hour}"))
        if hour >= 3:
            later.append(lines(f"later-{hour}"))
    through.leave()
    later.leave()
    for info in list(store.list()):
        name = parse_name(info.name)
        if name and name.hour in {hour_of(NOON_S + hour * HOUR_S) for hour in removed}:
            store.delete(info.name)
    return store


def findings(store: MemoryStore, since_hour: int | None = None) -> list[tuple[str, str]]:
    since_s = None if since_hour is None else NOON_S + since_hour * HOUR_S
    found = verify(store, since_s, now_s=LATER_S)
    return [(each.what, each.blob) for each in found if each.blob.startswith("log/")]  # nothing is said of digests here


def blob(hour: int) -> str:
    return f"log/v1/{hour_of(NOON_S + hour * HOUR_S)}/{WRITER}-{hour}.jsonl"


def test_whole_it_verifies() -> None:
    assert findings(log_without()) == []


def test_without_since_what_was_removed_is_named_missing() -> None:
    found = findings(log_without(0, 1))
    assert {what for what, _ in found} == {"missing"}
    assert ("missing", blob(1)) in found


def test_since_the_oldest_hour_only_the_link_into_what_was_removed_is_named() -> None:
    assert findings(log_without(0, 1), since_hour=2) == [("missing", blob(1))]


def test_since_an_hour_later_the_rest_verifies() -> None:
    assert findings(log_without(0, 1), since_hour=3) == []


def test_an_hour_from_the_middle_is_not_hidden_by_that() -> None:
    found = findings(log_without(0, 1, 3), since_hour=3)
    assert ("missing", blob(3)) in found


def test_what_is_left_is_read_as_ever() -> None:
    store = log_without(0, 1)
    assert sorted(ids(store)) == ["later-3", "later-4", "through-2", "through-3", "through-4"]
    assert len(list(newest(store, Filter(), 10))) == 5
    assert find(store, "through-0") == []
    assert len(find(store, "through-2")) == 1
