"""With an index the same records are found as without, in the same order; and far less is read."""

from __future__ import annotations

import logging
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import id_building, id_merging
from audit.errors import Unavailable
from audit.id_upkeep import keep_index
from audit.ids import new_id
from audit.lookup import find, search
from audit.memory_store import MemoryStore
from audit.reader import listed_blobs
from tests.audit.examples import NOON_S
from tests.audit.indexed_logs import HOURS_LATER_S, MIDNIGHT_S, Writers, closed_day, contents, keep, record

IDS = ["a", "b", "ab", 'quo"te\n', "ünïcode ☃", ""] + [
    new_id(lambda hour=hour: int((NOON_S + hour * 3600 + 60) * 1e9))  # type: ignore[misc]
    for hour in (0, 5, 11, 12, 40)
]
KINDS = ["score", "score", "label", "note", "request_error"]
FRAMES = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.5, 1.0, 5.0, 11.0, 13.0, 14.0, 40.0]),
        st.sampled_from(["v", "w"]),
        st.lists(st.tuples(st.sampled_from(IDS), st.sampled_from(KINDS), st.sampled_from(["wine", "m"])), max_size=5),
    ),
    max_size=12,
)


def log_of_frames(frames: list[tuple[float, str, list[tuple[str, str, str]]]], closed: bool) -> Writers:
    log = Writers()
    for hour, writer, records in sorted(frames, key=lambda one: one[0]):
        made = [record(name, hour, kind=kind, model=model) for name, kind, model in records]
        log.add(hour, *made, record(f"other-{hour}", hour), writer=writer)
    if closed:
        log.close()
    return log


def damage(derived: MemoryStore, how: str, draw: random.Random) -> None:
    """Do something to one or two of the index's files."""
    for name in draw.sample(sorted(contents(derived)), min(2, len(contents(derived)))):
        data = bytearray(derived.read(name))
        if how == "gone":
            derived.delete(name)
        elif how == "cut":
            derived.put(name, bytes(data[: draw.randrange(len(data))]), overwrite=True)
        elif how == "flipped":
            data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
            derived.put(name, bytes(data), overwrite=True)
        elif how == "another's":
            derived.put(name, derived.read(draw.choice(sorted(contents(derived)))), overwrite=True)


@settings(max_examples=60)
@given(
    frames=FRAMES,
    closed=st.booleans(),
    steps=st.lists(st.sampled_from([NOON_S + 3 * 3600, MIDNIGHT_S + 400, HOURS_LATER_S]), max_size=3),
    skipped=st.sets(st.integers(0, 11), max_size=3),
    how=st.sampled_from(["sound", "sound", "gone", "cut", "flipped", "another's"]),
    seed=st.integers(0, 2**32),
    since=st.sampled_from([None, None, 0.0, 5.0, 12.0]),
    until=st.sampled_from([None, None, 1.0, 12.0, 41.0]),
)
def test_the_same_is_found_whatever_there_is_of_the_index(
    frames: list[tuple[float, str, list[tuple[str, str, str]]]],
    closed: bool,
    steps: list[float],
    skipped: set[int],
    how: str,
    seed: int,
    since: float | None,
    until: float | None,
) -> None:
    log, derived = log_of_frames(frames, closed), MemoryStore()
    listed = listed_blobs(log.store)
    some = {hour: blobs for number, (hour, blobs) in enumerate(listed.items()) if number not in skipped}
    for now_s in sorted(steps):
        keep_index(log.store, derived, some, now_s)
    damage(derived, how, random.Random(seed))
    since_s = None if since is None else NOON_S + since * 3600
    until_s = None if until is None else NOON_S + until * 3600
    draw = random.Random(seed)
    for name in draw.sample([*IDS, "nobody"], 4):
        bounds = (log.store, name, draw.choice((None, "wine")), since_s, until_s)
        assert list(search(*bounds, derived)) == list(search(*bounds)), name
        assert find(*bounds, derived) == find(*bounds)


@pytest.fixture
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(id_building, "FILE_ENTRIES", 40)
    monkeypatch.setattr(id_merging, "FILE_ENTRIES", 40)


@pytest.mark.usefixtures("small_files")
def test_any_id_of_a_day_in_many_files_is_found() -> None:
    log, derived = closed_day(12, 2, 4, 5), MemoryStore()
    keep(log.store, derived)
    assert len(contents(derived)) > 12
    for hour in range(12):
        name = f"i-{hour}-1-2-3"
        assert find(log.store, name, derived=derived) == find(log.store, name) != []
    assert find(log.store, "i-0-1-2-9", derived=derived) == []


class Counted(MemoryStore):
    """Counts what is read."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__()
        self._blobs = store._blobs
        self.calls, self.read_bytes = 0, 0

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        data = super().read(name, start, length)
        self.calls, self.read_bytes = self.calls + 1, self.read_bytes + len(data)
        return data


def test_one_frame_of_the_log_is_read_and_not_the_log() -> None:
    log, derived = Writers(), MemoryStore()
    for number in range(400):
        log.add(number / 100, *(record(f"i-{number}-{row}", x="x" * 1000) for row in range(10)))
    log.close()
    keep(log.store, derived)
    counted = Counted(log.store)
    assert len(find(counted, "i-200-5", derived=derived)) == 1
    assert counted.calls == 1
    assert counted.read_bytes <= 65_536
    assert find(counted, "nobody", derived=derived) == []
    assert counted.calls == 1
    assert len(find(counted, "i-200-5", "other model", derived=derived)) == 0
    assert counted.calls == 1, "the model is in the index too"


def test_an_id_that_is_everywhere_is_read_as_without_an_index() -> None:
    log, derived = Writers(), MemoryStore()
    for _ in range(500):
        log.add(0, record("everywhere"))
    log.close()
    keep(log.store, derived)
    counted = Counted(log.store)
    assert len(find(counted, "everywhere", derived=derived)) == 500
    assert counted.calls < 10


def test_a_blob_that_was_altered_since_is_read_as_far_as_it_verifies(caplog: pytest.LogCaptureFixture) -> None:
    log, derived = closed_day(1, 1), MemoryStore()
    keep(log.store, derived)
    (info,) = log.store.list()
    data = log.store.read(info.name).replace(b"i-0-0-1-0", b"i-0-0-1-X")
    log.store.delete(info.name)
    log.store.create(info.name)
    log.store.append(info.name, data, at=0)
    with caplog.at_level(logging.WARNING):
        assert find(log.store, "i-0-0-1-1", derived=derived) == find(log.store, "i-0-0-1-1") == []
    assert "no frame verifies" in caplog.text
    assert len(find(log.store, "i-0-0-0-1", derived=derived)) == 1


def test_an_index_that_cannot_be_reached_is_done_without(caplog: pytest.LogCaptureFixture) -> None:
    class Down(MemoryStore):
        def list(self, prefix: str = "") -> Any:
            raise Unavailable("down")

    log = closed_day(1)
    assert len(find(log.store, "i-0-0-0-0", derived=Down())) == 1
    assert "the log is read instead" in caplog.text


def test_an_index_that_is_merged_while_it_is_read_is_looked_up_again() -> None:
    log = closed_day(3)

    class Merging(MemoryStore):
        """All that the first look at it saw is merged and gone when it is read."""

        merged = False

        def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
            if name.endswith(".ids") and not self.merged:
                self.merged = True
                keep(log.store, self)
                keep(log.store, self, HOURS_LATER_S * 2)
            return super().read(name, start, length)

    derived = Merging(log.clock)
    for hour, blobs in listed_blobs(log.store).items():
        keep_index(log.store, derived, {hour: blobs}, NOON_S)
    assert len(list(derived.list())) == 12
    counted = Counted(log.store)
    assert len(find(counted, "i-2-1-0-0", derived=derived)) == 1
    assert len(list(derived.list())) == 2, "it was merged"
    assert counted.calls == 1
