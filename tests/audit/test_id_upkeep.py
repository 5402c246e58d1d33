"""The index is made of closed blobs and merged by days: the same bytes, whoever does it and however often killed."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from audit import id_building, id_merging
from audit.errors import NotFound, Unavailable
from audit.id_index import PAGE_BYTES, hash_of
from audit.id_lookup import look_up
from audit.id_merging import merge
from audit.id_segments import Segments, covered
from audit.id_upkeep import keep_index
from audit.memory_store import MemoryStore
from audit.reader import listed_blobs
from audit.records import Record
from tests.audit.examples import NOON_S
from tests.audit.indexed_logs import HOURS_LATER_S, MIDNIGHT_S, Writers, closed_day, contents, keep, record

DURING_S = NOON_S + 6.2 * 3600
MUCH_LATER_S = HOURS_LATER_S + 24 * 3600


class Killed(BaseException):
    pass


class KilledStore:
    """A derived container whose changes fail after some."""

    def __init__(self, store: MemoryStore, changes: int) -> None:
        self.store, self.left = store, changes

    def put(self, *args: Any, **more: Any) -> None:
        self._count()
        self.store.put(*args, **more)

    def delete(self, name: str) -> None:
        self._count()
        self.store.delete(name)

    def _count(self) -> None:
        if self.left == 0:
            raise Killed
        self.left -= 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


@pytest.fixture
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of 40 entries, and a merge that reads two pages at a time."""
    monkeypatch.setattr(id_building, "FILE_ENTRIES", 40)
    monkeypatch.setattr(id_merging, "FILE_ENTRIES", 40)
    monkeypatch.setattr(id_merging, "_HELD_BYTES", PAGE_BYTES * 2)


def segments_of(derived: MemoryStore) -> Segments:
    segments = Segments(derived)
    segments.refresh()
    return segments


def places(derived: MemoryStore, name: str) -> list[tuple[str, int]]:
    """Blobs and offsets of an id, by all segments."""
    found = []
    for segment in segments_of(derived).newest():
        names = list(segment.blobs)
        entries = look_up(derived, segment, [hash_of(name)]).get(hash_of(name), [])
        found += [(names[entry.blob], entry.offset) for entry in entries]
    return found


def test_a_day_that_is_over_is_one_segment_and_while_it_is_not_there_are_few() -> None:
    log, derived = closed_day(), MemoryStore()
    done = keep(log.store, derived, DURING_S)
    assert (done.blobs, done.merged, done.problems) == (12, ["2026/11/23"], [])
    log.add(6, record("late", 6), writer="w9")
    log.close()
    assert keep(log.store, derived, DURING_S).merged == []
    assert len(segments_of(derived).newest()) == 2
    assert keep(log.store, derived, MIDNIGHT_S + 290).merged == []
    assert keep(log.store, derived, MIDNIGHT_S + 300).merged == ["2026/11/23"]
    (segment,) = segments_of(derived).newest()
    assert segment.blobs == {info.name: info.size_bytes for info in log.store.list()}
    assert len(places(derived, "i-3-1-2-0")) == len(places(derived, "late")) == 1
    assert places(derived, "i-3-1-2-9") == []
    assert keep(log.store, derived, MIDNIGHT_S + 300).blobs == 0


@pytest.mark.usefixtures("small_files")
def test_the_bytes_are_the_same_whatever_was_merged_before() -> None:
    log = closed_day()
    at_once = MemoryStore(log.clock)
    keep(log.store, at_once)
    assert len(segments_of(at_once).newest()[0].files) == 4
    by_hours = MemoryStore(log.clock)
    for hour, blobs in reversed(listed_blobs(log.store).items()):
        keep_index(log.store, by_hours, {hour: blobs}, DURING_S)
    keep(log.store, by_hours)
    merged = MemoryStore(log.clock)
    keep(log.store, merged, DURING_S)
    pairs = segments_of(merged).newest()
    merge(merged, pairs[::-1])
    for store in (at_once, by_hours, merged):
        keep(log.store, store, MUCH_LATER_S)
    assert contents(at_once) == contents(by_hours) == contents(merged)
    assert len(contents(at_once)) == 5, "what was merged is gone"


@pytest.mark.usefixtures("small_files")
def test_killed_after_any_change_the_next_runs_end_in_the_same_bytes() -> None:
    log, whole = closed_day(3), MemoryStore()
    changes = KilledStore(whole, 10_000)
    for now_s in (DURING_S, HOURS_LATER_S, MUCH_LATER_S):
        keep(log.store, changes, now_s)
    for count in range(10_000 - changes.left + 1):
        derived = MemoryStore(log.clock)
        killed = KilledStore(derived, count)
        try:
            for now_s in (DURING_S, HOURS_LATER_S, MUCH_LATER_S):
                keep(log.store, killed, now_s)
        except Killed:
            assert all(len(places(derived, f"i-{hour}-1-2-3")) <= 1 for hour in range(3))
        for _ in range(2):
            keep(log.store, derived, MUCH_LATER_S)
        assert contents(derived) == contents(whole), f"killed after {count} changes"


def test_two_at_once_write_the_same_bytes_and_disturb_no_reader() -> None:
    log = closed_day(4)

    class Racing(MemoryStore):
        """Before each change, somebody else does the whole work."""

        busy = False

        def put(self, *args: Any, **more: Any) -> None:
            self.race()
            super().put(*args, **more)

        def delete(self, name: str) -> None:
            self.race()
            super().delete(name)

        def race(self) -> None:
            if not self.busy:
                self.busy = True
                keep(log.store, self)
                self.busy = False

    alone, racing = MemoryStore(log.clock), Racing(log.clock)
    for now_s in (HOURS_LATER_S, MUCH_LATER_S):
        keep(log.store, alone, now_s)
        keep(log.store, racing, now_s)
    assert contents(racing) == contents(alone)


def test_blobs_that_are_open_or_do_not_verify_are_not_covered() -> None:
    log = closed_day(1, 4)
    names = sorted(info.name for info in log.store.list())
    log.store.append(names[0], b"behind the close", at=log.store.size(names[0]))
    altered = bytearray(log.store.read(names[1]))
    altered[500] ^= 1
    log.store.delete(names[1])
    log.store.create(names[1])
    log.store.append(names[1], bytes(altered), at=0)
    log.store.create("log/v1/2026/11/23/12/empty-0.jsonl")
    log.add(0, record("open"), writer="open")
    derived = MemoryStore()
    done = keep(log.store, derived)
    assert (done.blobs, done.not_closed) == (2, 4)
    assert set(covered(segments_of(derived).newest())) == set(names[2:])


def test_a_blob_that_goes_while_it_is_indexed_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    log, derived = closed_day(1, 2), MemoryStore()
    gone = min(info.name for info in log.store.list())

    class Going(MemoryStore):
        def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
            if name == gone and start == 0:
                raise NotFound(name)
            return log.store.read(name, start, length)

    done = keep_index(Going(), derived, listed_blobs(log.store), HOURS_LATER_S)
    assert done.blobs == 1
    assert gone not in covered(segments_of(derived).newest())


@pytest.mark.parametrize("what", ["a page", "the json", "a file gone", "a file cut"])
def test_what_was_damaged_before_the_merge_is_made_anew(what: str, caplog: pytest.LogCaptureFixture) -> None:
    log, derived, sound = closed_day(3), MemoryStore(), MemoryStore()
    keep(log.store, derived, DURING_S)
    keep(log.store, sound, DURING_S)
    one = segments_of(derived).newest()[2]
    name = one.path if what == "the json" else one.file_path(0)
    data = derived.read(name)
    if what == "a file gone":
        derived.delete(name)
    else:
        changed = data[:-1] if what == "a file cut" else bytes([data[0] ^ 1]) + data[1:]
        derived.put(name, changed, overwrite=True)
    with caplog.at_level(logging.WARNING):
        done = keep(log.store, derived)
    assert (done.blobs, done.merged, done.problems) == (1, ["2026/11/23"], [])
    assert "index" in caplog.text
    keep(log.store, sound)
    assert contents(derived) == contents(sound)


def test_a_merged_day_that_was_damaged_is_made_anew_by_rebuilding() -> None:
    log, derived = closed_day(), MemoryStore()
    keep(log.store, derived, MUCH_LATER_S)
    keep(log.store, derived, MUCH_LATER_S + 1e9)
    sound = contents(derived)
    (segment,) = segments_of(derived).newest()
    derived.put(segment.file_path(0), bytes(segment.files[0].size_bytes), overwrite=True)
    derived.put("index/v1/2026/11/23/rubbish", b"", overwrite=True)
    done = keep(log.store, derived, MUCH_LATER_S, rebuild=True)
    assert done.blobs == 12
    keep(log.store, derived, MUCH_LATER_S + 1e9)
    assert contents(derived) == sound


def test_an_index_that_is_damaged_again_and_again_is_a_problem_and_no_endless_loop() -> None:
    log = closed_day(3)

    class Rotting(MemoryStore):
        def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
            data = super().read(name, start, length)
            return bytes(len(data)) if name.endswith(".ids") else data

    (problem,) = keep(log.store, Rotting()).problems
    assert "2026/11/23" in problem


def test_storage_that_is_down_ends_the_run() -> None:
    class Down(MemoryStore):
        def put(self, *args: Any, **more: Any) -> None:
            raise Unavailable("down")

    with pytest.raises(Unavailable):
        keep(closed_day(1).store, Down())


@pytest.mark.usefixtures("small_files")
def test_a_large_blob_takes_files_of_a_bounded_size_and_all_its_ids_are_found() -> None:
    log, derived = Writers(), MemoryStore()
    names = [f"n-{number}" for number in range(120)]
    for start in range(0, 120, 3):
        log.add(0, *(record(name) for name in names[start : start + 3]), record("in every frame"))
    log.close()
    for now_s in (DURING_S, HOURS_LATER_S):
        keep(log.store, derived, now_s)
        (segment,) = segments_of(derived).newest()
        assert len(segment.files) >= 4
        assert max(file.entries for file in segment.files) <= 40
        assert all(len(places(derived, name)) == 1 for name in names)
        assert len(places(derived, "in every frame")) == 40


def test_a_frame_has_one_entry_for_an_id_a_model_and_a_kind() -> None:
    log, derived = Writers(), MemoryStore()
    other: list[Record] = [record("a", model="diabetes"), record("a", kind="label"), record("b")]
    log.add(0, record("a"), record("a"), record("a"), *other)
    log.close()
    keep(log.store, derived)
    (segment,) = segments_of(derived).newest()
    assert [file.entries for file in segment.files] == [4]
    assert len(places(derived, "a")) == 3


def test_progress_tells_blobs_and_then_pages() -> None:
    log, told = closed_day(2), []
    keep(log.store, MemoryStore(), progress=lambda *now: told.append(now))
    assert [now[:2] for now in told[:5]] == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    assert told[-1][2] == "pages merged"
    assert told[-1][0] == told[-1][1]
