"""Whatever is done to a log, the findings name the blob and what was done."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from audit.frames import ZERO_HEAD, encode_frame
from audit.memory_store import MemoryStore
from audit.reader import read_blob
from audit.verify import Finding, verify_blobs
from tests.audit.examples import HOUR, NOON_S, WRITER, Clock, appender, copy_with, lines, log_of

FIRST = f"log/v1/{HOUR}/{WRITER}-0.jsonl"
SECOND = f"log/v1/2026/11/23/13/{WRITER}-1.jsonl"
THIRD = f"log/v1/2026/11/23/14/{WRITER}-2.jsonl"
LATER_S = NOON_S + 100 * 3600


@pytest.fixture
def store() -> MemoryStore:
    """A writer's three blobs in three hours, and another writer's one."""
    made, clock = MemoryStore(), Clock()
    writer = appender(made, clock=clock)
    for hour in range(3):
        clock.now_s = NOON_S + hour * 3600
        for name in "abc":
            writer.append(lines(f"{name}-{hour}"))
    writer.leave()
    other = appender(made, writer="other")
    other.append(lines("z"))
    other.leave()
    return made


def found(store: MemoryStore, since_s: float | None = None, now_s: float = LATER_S) -> list[tuple[str, str]]:
    return [(finding.blob, finding.what) for finding in verify_blobs(store, since_s, now_s=now_s)]


def test_a_whole_log_has_no_findings(store: MemoryStore) -> None:
    assert verify_blobs(store, now_s=LATER_S) == []
    assert verify_blobs(MemoryStore(), now_s=LATER_S) == []


def test_progress_counts_the_blobs(store: MemoryStore) -> None:
    told: list[tuple[int, int, str]] = []
    verify_blobs(store, now_s=LATER_S, progress=lambda done, total, name: told.append((done, total, name)))
    assert told[0] == (0, 4, FIRST)
    assert told[-1] == (4, 4, "")


def test_any_altered_byte_of_a_chained_blob_is_found(store: MemoryStore) -> None:
    """Bit by bit is in test_reader; here the last header counts too, since the next blob names its head."""
    whole = store.read(FIRST)
    for at in random.Random(7).sample(range(len(whole)), 150) + list(range(len(whole) - 20, len(whole))):
        altered = bytearray(whole)
        altered[at] ^= 0x01
        findings = verify_blobs(copy_with(store, {FIRST: bytes(altered)}), now_s=LATER_S)
        assert FIRST in {finding.blob for finding in findings}, at


def test_a_record_replaced_and_its_frame_made_anew_breaks_the_chain(store: MemoryStore) -> None:
    frames = read_blob(store, FIRST).frames
    forged = lines("forged")
    place = frames[2]
    frame, _ = encode_frame("records", FIRST, place.offset, place.sequence, forged, place.previous, place.append_us)
    data = store.read(FIRST, 0, place.offset) + frame + store.read(FIRST, place.end)
    assert (FIRST, "altered") in found(copy_with(store, {FIRST: data}))


def test_a_blob_written_anew_from_end_to_end_is_given_away_by_the_next_blob(store: MemoryStore) -> None:
    clock = Clock()
    anew = MemoryStore()
    forger = appender(anew, clock=clock)
    for name in ("a-0", "FORGED", "c-0"):
        forger.append(lines(name))
    forger.leave()
    assert found(copy_with(store, {FIRST: anew.read(FIRST)})) == [(FIRST, "chain")]


def test_a_removed_blob_is_missing(store: MemoryStore) -> None:
    assert found(copy_with(store, {FIRST: None})) == [(FIRST, "missing")]
    assert found(copy_with(store, {SECOND: None})) == [(SECOND, "missing")]
    assert found(copy_with(store, {FIRST: None, SECOND: None})) == [(SECOND, "missing"), (THIRD, "missing")]


def test_a_blob_cut_off_between_frames_is_found_once_its_hour_is_over(store: MemoryStore) -> None:
    frames = read_blob(store, THIRD).frames
    cut = copy_with(store, {THIRD: store.read(THIRD, 0, frames[2].end)})
    assert found(cut) == [(THIRD, "not closed")]
    assert found(cut, now_s=NOON_S + 2.5 * 3600) == []
    cut = copy_with(store, {FIRST: store.read(FIRST, 0, read_blob(store, FIRST).frames[2].end)})
    assert (FIRST, "chain") in found(cut)


def test_a_blob_cut_off_within_a_frame_is_torn(store: MemoryStore) -> None:
    assert found(copy_with(store, {THIRD: store.read(THIRD)[:-3]})) == [(THIRD, "torn")]


def test_bytes_after_close_are_found(store: MemoryStore) -> None:
    assert found(copy_with(store, {THIRD: store.read(THIRD) + b"\n"})) == [(THIRD, "after close")]


def test_a_moved_blob_is_found(store: MemoryStore) -> None:
    data = store.read(THIRD)
    elsewhere = THIRD.replace("/14/", "/15/")
    assert (elsewhere, "altered") in found(copy_with(store, {THIRD: None, elsewhere: data}))


def test_a_copied_blob_is_found(store: MemoryStore) -> None:
    elsewhere = THIRD.replace("/14/", "/15/")
    findings = found(copy_with(store, {elsewhere: store.read(THIRD)}))
    assert (elsewhere, "extra") in findings
    assert (elsewhere, "altered") in findings


def test_swapped_frames_are_found(store: MemoryStore) -> None:
    frames = read_blob(store, THIRD).frames
    data = store.read(THIRD)
    swapped = (
        data[: frames[1].offset]
        + data[frames[2].offset : frames[2].end]
        + data[frames[1].offset : frames[1].end]
        + data[frames[2].end :]
    )
    assert found(copy_with(store, {THIRD: swapped})) == [(THIRD, "altered")]


def test_a_frame_taken_out_or_put_in_is_found(store: MemoryStore) -> None:
    frames = read_blob(store, THIRD).frames
    data = store.read(THIRD)
    out = data[: frames[2].offset] + data[frames[2].end :]
    twice = data[: frames[2].end] + data[frames[2].offset :]
    assert found(copy_with(store, {THIRD: out})) == [(THIRD, "altered")]
    assert found(copy_with(store, {THIRD: twice})) == [(THIRD, "altered")]


def test_foreign_blobs_are_named(store: MemoryStore) -> None:
    store.create(f"log/v1/{HOUR}/notes.txt")
    store.create("log/v2/x")
    store.put("log/v1/2026/11/23/14/w-0.jsonl", b"", overwrite=False)
    assert {pair for pair in found(store) if pair[1] == "foreign"} == {
        (f"log/v1/{HOUR}/notes.txt", "foreign"),
        ("log/v2/x", "foreign"),
        ("log/v1/2026/11/23/14/w-0.jsonl", "foreign"),
    }


def test_a_blob_without_open_and_one_of_another_writer_are_found() -> None:
    store = MemoryStore()
    store.create(FIRST)
    frame, _ = encode_frame("records", FIRST, 0, 0, lines("a"), ZERO_HEAD)
    store.append(FIRST, frame, at=0)
    assert found(store) == [(FIRST, "altered")]
    store = MemoryStore()
    store.create(FIRST)
    frame, _ = encode_frame("open", FIRST, 0, 0, [b'{"writer":"someone else"}'], ZERO_HEAD)
    store.append(FIRST, frame, at=0)
    assert found(store, now_s=NOON_S) == [(FIRST, "moved")]


def test_an_empty_blob_is_found_once_its_hour_is_over() -> None:
    store = MemoryStore()
    store.create(FIRST)
    assert found(store, now_s=NOON_S) == []
    assert found(store) == [(FIRST, "empty")]


def test_a_line_that_is_no_record_is_found() -> None:
    store = MemoryStore()
    writer = appender(store)
    writer.append([b"{}", *lines("a"), b"[" * 100_000])
    assert found(store, now_s=NOON_S) == [(FIRST, "unreadable"), (FIRST, "unreadable")]


def test_a_part_of_the_log_is_verified_with_what_leads_into_it(store: MemoryStore) -> None:
    assert verify_blobs(store, NOON_S + 3600, NOON_S + 7200, now_s=LATER_S) == []
    assert found(copy_with(store, {FIRST: None}), since_s=NOON_S + 3600) == [(FIRST, "missing")]
    assert found(copy_with(store, {FIRST: None}), since_s=NOON_S + 7200) == []


HOSTILE: list[Callable[[bytes], bytes]] = [
    lambda data: b"",
    lambda data: data[::-1],
    lambda data: b"\n" * 100_000,
    lambda data: b"{" * 100_000,
    lambda data: data * 2,
    lambda data: data.replace(b'"v":1', b'"v":9', 1),
    lambda data: data.replace(b'"length":', b'"length":9', 1),
    lambda data: data.replace(b'"count":', b'"count":-', 1),
    lambda data: bytes(9 * 1024 * 1024),
]


@pytest.mark.parametrize("change", HOSTILE)
def test_hostile_bytes_are_findings_and_never_a_crash(store: MemoryStore, change: Callable[[bytes], bytes]) -> None:
    findings = verify_blobs(copy_with(store, {THIRD: change(store.read(THIRD))}), now_s=LATER_S)
    assert [finding.blob for finding in findings] == [THIRD]
    assert all(isinstance(finding, Finding) and finding.detail for finding in findings)


def test_a_log_of_one_open_blob_verifies_while_it_is_written() -> None:
    assert verify_blobs(log_of(["a"], close=False), now_s=NOON_S) == []
