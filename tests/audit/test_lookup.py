from __future__ import annotations

from collections.abc import Sequence

from audit.appender import Appender
from audit.ids import new_id
from audit.known_ids import KnownIds
from audit.lookup import find, search
from audit.memory_store import MemoryStore
from audit.records import Record, encode_record, timestamp
from tests.audit.examples import NOON_S, WRITER, Clock, appender, score


class Log:
    """A log that is written at chosen times."""

    def __init__(self) -> None:
        self.store = ReadingCounted()
        self.clock = Clock()
        self.writer: Appender = appender(self.store, clock=self.clock)

    def add(self, hour: float, *records: Record) -> None:
        self.clock.now_s = NOON_S + hour * 3600
        self.writer.append([encode_record(record) for record in records])


class ReadingCounted(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self.read_names: list[str] = []
        self.read_bytes = 0

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        data = super().read(name, start, length)
        self.read_names.append(name)
        self.read_bytes += len(data)
        return data

    def hours_read(self) -> set[str]:
        return {name.split("/")[5] for name in self.read_names}


def label(name: str, at_s: float, outcome: str = "recorded", model: str = "wine") -> Record:
    return Record(
        v=1, kind="label", id=name, ts=timestamp(at_s), model=model, writer=WRITER, outcome=outcome, y={"label": 1}
    )


def kinds(found: Sequence[tuple[Record, object]]) -> list[tuple[str, str]]:
    return [(record.kind, record.ts[11:13]) for record, _ in found]


def test_all_records_of_an_id_come_oldest_first() -> None:
    log = Log()
    log.add(0, score("other"), score("x"))
    log.add(1, score("x", model="diabetes", at_s=NOON_S + 3600))
    log.add(2, label("x", NOON_S + 7200))
    assert kinds(find(log.store, "x")) == [("score", "12"), ("score", "13"), ("label", "14")]
    assert kinds(find(log.store, "x", model="wine")) == [("score", "12"), ("label", "14")]
    assert kinds(find(log.store, "x", since_s=NOON_S + 3600)) == [("score", "13"), ("label", "14")]
    assert kinds(find(log.store, "x", until_s=NOON_S + 3600)) == [("score", "12")]
    assert find(log.store, "y") == []
    assert find(MemoryStore(), "x") == []


def test_an_id_is_not_found_in_other_fields_nor_as_a_part() -> None:
    log = Log()
    log.add(0, score("patient-17"), score("z", x={"name": "patient-1"}), score("patient"))
    assert find(log.store, "patient-1") == []


def test_ids_with_any_characters_are_found() -> None:
    log = Log()
    names = ['quo"te', "back\\slash", "new\nline", "ünïcode ☃", "\x00\x1b[31m", "</script>", "", "𝕏" * 100]
    log.add(0, *(score(name) for name in names))
    for name in names:
        (found,) = find(log.store, name)
        assert found[0].id == name


def test_a_uuid_of_version_7_is_looked_for_where_it_was_made() -> None:
    log = Log()
    name = new_id(lambda: int((NOON_S + 3 * 3600 + 60) * 1e9))
    for hour in range(8):
        log.add(hour, score(f"filler-{hour}", at_s=NOON_S + hour * 3600))
        if hour == 3:
            log.add(hour, score(name, at_s=NOON_S + 3 * 3600 + 60))
        if hour == 6:
            log.add(hour, label(name, NOON_S + 6 * 3600))
    first = next(search(log.store, name))
    assert first[0].kind == "score"
    assert log.store.hours_read() == {"15"}
    assert kinds(find(log.store, name)) == [("score", "15"), ("label", "18")]
    assert log.store.hours_read() == {"15", "16", "17", "18", "19"}, "nothing before it was made"


def test_a_uuid_whose_clock_was_wrong_is_found_all_the_same() -> None:
    log = Log()
    tomorrow = new_id(lambda: int((NOON_S + 86400) * 1e9))
    far = "ffffffff-ffff-7fff-bfff-ffffffffffff"
    log.add(0, score(tomorrow), score(far))
    log.add(5, score("later"))
    assert len(find(log.store, tomorrow)) == 1
    assert len(find(log.store, far)) == 1


def test_progress_names_the_hours() -> None:
    log = Log()
    log.add(0, score("a"))
    log.add(1, score("b"))
    told: list[tuple[int, int, str]] = []
    list(search(log.store, "a", progress=lambda *now: told.append(now)))
    assert told == [(0, 2, "2026/11/23/13"), (1, 2, "2026/11/23/12")]


def test_a_blob_that_does_not_verify_gives_what_does() -> None:
    log = Log()
    log.add(0, score("a"))
    (info,) = log.store.list()
    log.store.append(info.name, b"junk", at=info.size_bytes)
    assert len(find(log.store, "a")) == 1


class TestKnownIds:
    def test_scored_instances_are_known_by_model(self) -> None:
        log = Log()
        log.add(0, score("a"), score("b", model="diabetes"), label("c", NOON_S))
        known = KnownIds(log.store, clock=log.clock)
        assert known.known("wine", ["a", "b", "c", "d"]) == {"a"}
        assert known.known("diabetes", ["a", "b"]) == {"b"}
        assert known.known("none", ["a"]) == set()
        assert known.known("wine", []) == set()

    def test_what_was_appended_since_is_known_and_only_that_is_read(self) -> None:
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

    def test_old_hours_are_forgotten_but_for_ids_that_say_their_hour(self) -> None:
        log = Log()
        old = new_id(lambda: int(NOON_S * 1e9))
        log.add(0, score("client"), score(old))
        log.add(60, score("now"))
        known = KnownIds(log.store, hours=48, clock=log.clock)
        assert known.known("wine", ["client", "now"]) == {"now"}
        assert known.known("wine", [old]) == {old}
        assert known.known("diabetes", [old]) == set()

    def test_many_old_ids_keep_few_hours_in_memory(self) -> None:
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

    def test_a_blob_that_does_not_verify_is_read_once(self) -> None:
        log = Log()
        log.add(0, score("a"))
        (info,) = log.store.list()
        log.store.append(info.name, b"junk\n", at=info.size_bytes)
        known = KnownIds(log.store, clock=log.clock)
        assert known.known("wine", ["a", "b"]) == {"a"}
        log.store.read_names.clear()
        assert known.known("wine", ["b"]) == set()
        assert log.store.read_names == []
