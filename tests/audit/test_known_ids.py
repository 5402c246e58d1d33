"""Which ids were scored: from the log as far as nothing else says it, from the index for the rest."""

from __future__ import annotations

import random
from typing import NoReturn

import pytest

from audit import known_ids
from audit.errors import Unavailable
from audit.id_segments import Segments
from audit.ids import new_id
from audit.known_ids import KnownIds
from audit.memory_store import MemoryStore
from tests.audit.examples import NOON_S, score
from tests.audit.indexed_logs import MIDNIGHT_S, Writers, closed_day, keep, record
from tests.audit.test_lookup import Log, label


def test_scored_instances_are_known_by_model() -> None:
    log = Log()
    log.add(0, score("a"), score("b", model="diabetes"), label("c", NOON_S))
    known = KnownIds(log.store, clock=log.clock)
    assert known.known("wine", ["a", "b", "c", "d"]) == {"a"}
    assert known.known("diabetes", ["a", "b"]) == {"b"}
    assert known.known("none", ["a"]) == set()
    assert known.known("wine", []) == set()


def test_what_was_appended_since_is_known_and_only_that_is_read() -> None:
    log = Log()
    log.add(0, *(score(f"id-{n}") for n in range(500)))
    known = KnownIds(log.store, clock=log.clock)
    assert known.known("wine", ["id-499"]) == {"id-499"}
    log.store.read_bytes = 0
    assert known.known("wine", ["id-3"]) == {"id-3"}
    assert known.known("wine", ["unknown"]) == set()
    assert log.store.read_bytes == 0
    log.add(0.1, score("new"))
    log.add(1, score("newer"))
    assert known.known("wine", ["new", "newer", "id-7"]) == {"new", "newer", "id-7"}
    assert 0 < log.store.read_bytes < 5000


def test_old_hours_are_forgotten_but_for_ids_that_say_their_hour() -> None:
    log = Log()
    old = new_id(lambda: int(NOON_S * 1e9))
    log.add(0, score("client"), score(old))
    log.add(60, score("now"))
    known = KnownIds(log.store, hours=48, clock=log.clock)
    assert known.known("wine", ["client", "now"]) == {"now"}
    assert known.known("wine", [old]) == {old}
    assert known.known("diabetes", [old]) == set()


def test_many_old_ids_keep_few_hours_in_memory() -> None:
    log = Log()
    names = []
    for hour in range(40):
        moment_ns = int((NOON_S + hour * 3600) * 1e9)
        names.append(new_id(lambda moment_ns=moment_ns: moment_ns))  # type: ignore[misc]
        log.add(hour, score(names[-1]))
    log.clock.now_s = NOON_S + 1000 * 3600
    known = KnownIds(log.store, clock=log.clock)
    assert known.known("wine", names) == set(names)
    assert known.known("wine", names) == set(names)


def test_a_blob_that_does_not_verify_is_read_once() -> None:
    log = Log()
    log.add(0, score("a"))
    (info,) = log.store.list()
    log.store.append(info.name, b"junk\n", at=info.size_bytes)
    known = KnownIds(log.store, clock=log.clock)
    assert known.known("wine", ["a", "b"]) == {"a"}
    log.store.read_names.clear()
    assert known.known("wine", ["b"]) == set()
    assert log.store.read_names == []


def uuid_of(hour: float) -> str:
    return new_id(lambda: int((NOON_S + hour * 3600) * 1e9))


class ReadFrom(MemoryStore):
    """Counts what is read of the log."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__()
        self._blobs = store._blobs
        self.read_bytes = 0

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        data = super().read(name, start, length)
        self.read_bytes += len(data)
        return data


def test_an_id_of_any_age_is_known_by_the_index_and_nothing_of_the_log_is_read() -> None:
    log, derived = closed_day(), MemoryStore()
    old = uuid_of(2)
    log.add(2, record(old), record("other", model="diabetes"), record("label", kind="label"), writer="v")
    log.add(3, record("more"), writer="v")
    log.close()
    keep(log.store, derived)
    counted = ReadFrom(log.store)
    log.clock.now_s = NOON_S + 2000 * 3600
    known = KnownIds(counted, clock=log.clock, derived=derived)
    asked = ["i-0-0-0-0", "i-5-1-2-3", "nobody", "other", "label", old, uuid_of(3), uuid_of(900)]
    assert known.known("wine", asked) == {"i-0-0-0-0", "i-5-1-2-3", old}
    assert known.known("diabetes", asked) == {"other"}
    assert counted.read_bytes == 0


def test_what_the_index_knows_is_known_in_one_read_once_its_segments_are_known() -> None:
    log, derived = closed_day(), MemoryStore()
    keep(log.store, derived)
    known = KnownIds(log.store, clock=log.clock, derived=derived)
    assert known.known("wine", ["nobody"]) == set()
    calls: list[str] = []

    def no_list(prefix: str = "") -> NoReturn:
        calls.append(prefix)
        raise Unavailable("it need not be listed")

    log.store.list = derived.list = no_list  # type: ignore[method-assign]
    assert known.known("wine", ["i-0-0-0-0", "i-5-1-2-3"]) == {"i-0-0-0-0", "i-5-1-2-3"}
    assert calls == []


def test_what_is_not_indexed_yet_is_read_and_let_go_once_it_is() -> None:
    log, derived = closed_day(2), MemoryStore()
    keep(log.store, derived, NOON_S + 2.1 * 3600)
    log.add(2, record("fresh"), writer="open")
    counted = ReadFrom(log.store)
    known = KnownIds(counted, clock=log.clock, derived=derived)
    assert known.known("wine", ["fresh", "i-1-1-0-0", "nobody"]) == {"fresh", "i-1-1-0-0"}
    assert counted.read_bytes == log.store.size("log/v1/2026/11/23/14/open-0.jsonl")
    assert len(known._recent) == 1
    log.add(3, record("fresher"), writer="open")
    log.close()
    keep(log.store, derived, MIDNIGHT_S + 400)
    assert known.known("wine", ["fresh", "fresher", "nobody"]) == {"fresh", "fresher"}
    assert known._recent == {}


def test_a_damaged_index_makes_no_recent_id_unknown() -> None:
    log, derived = closed_day(2), MemoryStore()
    keep(log.store, derived)
    segments = Segments(derived)
    segments.refresh()
    (segment,) = segments.newest()
    known = KnownIds(log.store, clock=log.clock, derived=derived)
    assert known.known("wine", ["i-0-0-0-0"]) == {"i-0-0-0-0"}
    derived.put(segment.file_path(0), bytes(segment.files[0].size_bytes), overwrite=True)
    assert known.known("wine", ["i-1-1-0-0", "i-0-0-0-0", "nobody"]) == {"i-1-1-0-0", "i-0-0-0-0"}
    derived.delete(segment.path)
    keep(log.store, derived)
    assert known.known("wine", ["i-1-1-2-3", "nobody"]) == {"i-1-1-2-3"}


@pytest.mark.parametrize("damage", [b"", b"{}", b"[" * 100_000], ids=["empty", "no segment", "deep"])
@pytest.mark.parametrize("part", ["json", "ids"])
def test_nor_an_old_one_as_the_log_of_its_day_is_read_instead(part: str, damage: bytes) -> None:
    log, derived = closed_day(2), MemoryStore()
    keep(log.store, derived)
    log.clock.now_s = NOON_S + 2000 * 3600
    for info in derived.list():
        if info.name.endswith(part):
            derived.put(info.name, damage, overwrite=True)
    counted = ReadFrom(log.store)
    known = KnownIds(counted, clock=log.clock, derived=derived)
    for _ in range(2):
        assert known.known("wine", ["i-1-1-0-0", "i-0-0-0-0", "nobody"]) == {"i-1-1-0-0", "i-0-0-0-0"}
    assert counted.read_bytes == sum(info.size_bytes for info in log.store.list()), "once, and kept"
    keep(log.store, derived, rebuild=True)
    assert known.known("wine", ["i-1-1-2-3", "nobody"]) == {"i-1-1-2-3"}
    assert known._recent == {}


def test_of_many_damaged_days_the_newest_are_read_and_the_others_named(caplog: pytest.LogCaptureFixture) -> None:
    log, derived = Writers(), MemoryStore()
    for day in range(5):
        log.add(24 * day, record(f"day-{day}"), writer=f"w{day}")
    log.close()
    for day in range(23, 28):
        derived.put(f"index/v1/2026/11/{day}/{'a' * 32}.json", b"junk", overwrite=False)
    derived.put(f"index/v1/2026/13/45/{'a' * 32}.json", b"junk", overwrite=False)
    log.clock.now_s = NOON_S + 2000 * 3600
    known = KnownIds(log.store, clock=log.clock, derived=derived)
    for _ in range(2):
        assert known.known("wine", [f"day-{day}" for day in range(5)]) == {"day-3", "day-4"}
    said = [line for line in caplog.messages if "unmatched" in line]
    assert len(said) == 1
    assert "2026/11/23, 2026/11/24, 2026/11/25" in said[0]
    assert "index --rebuild" in said[0]


def test_an_old_uuid_is_known_by_its_hour_where_the_index_does_not_reach() -> None:
    log = Writers()
    old = uuid_of(0)
    log.add(0, record(old))
    log.clock.now_s = NOON_S + 2000 * 3600
    known = KnownIds(log.store, clock=log.clock, derived=MemoryStore())
    assert known.known("wine", [old, uuid_of(0), "nobody"]) == {old}


def test_a_set_of_hashes_is_a_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_ids, "_FRESH", 4)
    draw = random.Random(3)
    hashes, plain = known_ids._Hashes(), set()
    for _ in range(500):
        number = draw.choice((draw.getrandbits(64), draw.randrange(40), 2**64 - 1))
        hashes.add(number)
        plain.add(number)
        asked = draw.choice((draw.randrange(40), number, draw.getrandbits(64)))
        assert (asked in hashes) == (asked in plain)
    assert len(hashes._packed) < 8
