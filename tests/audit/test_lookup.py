from __future__ import annotations

from collections.abc import Sequence

from audit.appender import Appender
from audit.ids import new_id
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


def test_an_id_that_is_no_unicode_is_not_there() -> None:
    log = Log()
    log.add(0, score("a"))
    assert find(log.store, "a\udc80") == []
    assert find(log.store, "a\udc80", derived=MemoryStore()) == []


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
