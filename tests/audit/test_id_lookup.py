"""Ids are found in a few reads, wherever their hashes lie; damage is noticed and never taken for an answer."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import NotFound
from audit.id_building import SegmentWriter, sort
from audit.id_index import BadIndex, Segment, segment_of
from audit.id_lookup import look_up
from audit.memory_store import MemoryStore

DAY = "2026/11/23"
BLOB = (f"log/v1/{DAY}/14/w-0.jsonl", 2**50)


class Counted(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self.reads: list[int] = []

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        data = super().read(name, start, length)
        self.reads.append(len(data))
        return data


def stored(
    hashes: Sequence[int] | npt.NDArray[np.uint64], store: MemoryStore | None = None
) -> tuple[MemoryStore, Segment]:
    """A segment with an entry for each hash, whose offset is its place in the sequence."""
    store = store or Counted()
    rows = np.zeros((len(hashes), 3), np.uint64)
    rows[:, 0] = hashes
    rows[:, 2] = range(len(hashes))
    writer = SegmentWriter(store, segment_of(DAY, [BLOB]))
    writer.add(sort(rows))
    return store, writer.finish()


def found(store: MemoryStore, segment: Segment, wanted: Sequence[int]) -> dict[int, list[int]]:
    """Hash → offsets."""
    answer = look_up(store, segment, [one.to_bytes(8) for one in wanted])
    return {int.from_bytes(one): [entry.offset for entry in entries] for one, entries in answer.items()}


def expected(hashes: Sequence[int], wanted: Sequence[int]) -> dict[int, list[int]]:
    places: dict[int, list[int]] = {}
    for offset, one in enumerate(hashes):
        places.setdefault(one, []).append(offset)
    return {one: places[one] for one in wanted if one in places}


def test_one_of_a_quarter_million_is_found_in_one_short_read() -> None:
    drawn = np.random.default_rng(5).integers(0, 2**64, 250_000, np.uint64)
    draw, hashes = random.Random(5), drawn.tolist()
    places = {one: [offset] for offset, one in enumerate(hashes)}
    assert len(places) == len(hashes)
    store, segment = stored(drawn)
    assert isinstance(store, Counted)
    for one in [*draw.sample(hashes, 50), min(hashes), max(hashes), *(draw.getrandbits(64) for _ in range(50))]:
        store.reads.clear()
        assert found(store, segment, [one]) == ({one: places[one]} if one in places else {})
        assert len(store.reads) <= 1
        assert sum(store.reads) < 70_000
    store.reads.clear()
    many = draw.sample(hashes, 5_000)
    assert found(store, segment, many) == {one: places[one] for one in many}
    assert sum(store.reads) < 1.1 * segment.files[0].size_bytes, "many ids read no more than the file"
    assert max(store.reads) < 4.5 * 1024 * 1024


CROWDED = {
    "all in one corner": [*range(5000), 2**64 - 1],
    "two crowds far apart": [*range(2000), *range(2**63, 2**63 + 2000)],
    "all the same": [77] * 3000,
    "the same in the middle": [*range(0, 10_000, 7), *[5001] * 2500, *range(2**60, 2**60 + 50)],
    "powers of two": [2**n for n in range(64)] * 9,
    "a single one": [42],
    "the extremes": [0, 2**64 - 1],
}


@pytest.mark.parametrize("crowd", CROWDED)
def test_hashes_that_crowd_together_are_found_too(crowd: str) -> None:
    hashes = CROWDED[crowd]
    store, segment = stored(hashes)
    wanted = sorted({near for one in hashes for near in (one - 1, one, one + 1) if 0 <= near < 2**64})
    assert found(store, segment, wanted) == expected(hashes, wanted)
    for one in wanted[:: max(len(wanted) // 50, 1)]:
        assert found(store, segment, [one]) == expected(hashes, [one])


def test_an_id_in_every_frame_is_read_in_few_reads() -> None:
    store, segment = stored([7] * 100_000 + [9])
    assert isinstance(store, Counted)
    assert len(found(store, segment, [7])[7]) == 100_000
    assert len(store.reads) < 30


@settings(max_examples=60)
@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 20), max_size=600), st.lists(st.integers(0, 30)))
def test_the_answer_is_what_a_dictionary_says(hashes: list[int], others: list[int]) -> None:
    store, segment = stored(hashes)
    wanted = hashes[::3] + others
    assert found(store, segment, wanted) == expected(hashes, wanted)


def test_damage_anywhere_gives_the_same_answer_or_none() -> None:
    draw = random.Random(11)
    hashes = [draw.getrandbits(64) for _ in range(400)]
    store, segment = stored(hashes, MemoryStore())
    path = segment.file_path(0)
    whole = store.read(path)
    places, noticed = expected(hashes, hashes), 0
    for at in range(0, len(whole), 9):
        altered = bytearray(whole)
        altered[at] ^= 1 << draw.randrange(8)
        store.put(path, bytes(altered), overwrite=True)
        for one in [*draw.sample(hashes, 4), draw.getrandbits(64)]:
            try:
                assert found(store, segment, [one]) == ({one: places[one]} if one in places else {}), f"byte {at}"
            except BadIndex:
                noticed += 1
    assert noticed > 500


def test_pages_swapped_or_missing_are_noticed() -> None:
    hashes = list(range(0, 170 * 4 * 1000, 1000))
    store, segment = stored(hashes, MemoryStore())
    path = segment.file_path(0)
    pages = [store.read(path, start, 4096) for start in range(0, 4 * 4096, 4096)]
    wanted = [1000 * 170 + 1000]
    for order in ([1, 0, 2, 3], [0, 2, 1, 3], [0, 0, 2, 3], [0, 3, 2, 1]):
        store.put(path, b"".join(pages[n] for n in order), overwrite=True)
        with pytest.raises(BadIndex):
            found(store, segment, wanted)
    store.put(path, pages[0], overwrite=True)
    with pytest.raises(BadIndex, match="ends at"):
        found(store, segment, [hashes[-1]])
    store.delete(path)
    with pytest.raises(NotFound):
        found(store, segment, wanted)


def test_an_entry_that_leads_outside_its_blobs_is_refused() -> None:
    store = MemoryStore()
    for blob, offset in ((1, 0), (0, BLOB[1])):
        writer = SegmentWriter(store, segment_of(DAY, [BLOB]))
        writer.add(np.array([[5, blob, offset]], np.uint64))
        with pytest.raises(BadIndex, match="outside"):
            found(store, writer.finish(), [5])
