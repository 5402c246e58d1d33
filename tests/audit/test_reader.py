"""Reading stops at the first byte that does not verify, says why, and never crashes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import NotFound
from audit.frames import ZERO_HEAD, Place, encode_frame
from audit.memory_store import MemoryStore
from audit.reader import BlobReader, Position, blob_records, blobs, hours, read_blob, records
from audit.records import encode_record
from audit.window import RANGE_BYTES
from tests.audit.examples import HOUR, NOON_S, WRITER, Clock, appender, copy_with, ids, lines, log_of, only_name, score

NAME = f"log/v1/{HOUR}/{WRITER}-0.jsonl"


def test_a_closed_blob_is_read_whole() -> None:
    store = log_of(["a", "b"], ["c"])
    reading = read_blob(store, NAME)
    assert (reading.state, reading.finding, reading.size_bytes) == ("closed", None, store.size(NAME))
    assert [(frame.kind, frame.sequence, frame.count) for frame in reading.frames] == [
        ("open", 0, 1), ("records", 1, 2), ("records", 2, 1), ("close", 3, 0)
    ]  # fmt: skip
    assert reading.frames[1].lines == lines("a", "b")
    assert reading.frames[2].previous == reading.frames[1].head
    assert [frame.end for frame in reading.frames[:-1]] == [frame.offset for frame in reading.frames[1:]]


def test_a_blob_that_is_still_written_to_is_open_and_without_finding() -> None:
    reading = read_blob(log_of(["a"], close=False), NAME)
    assert (reading.state, reading.finding) == ("open", None)


def test_an_empty_blob_has_no_frames_and_says_so() -> None:
    store = MemoryStore()
    store.create(NAME)
    reading = read_blob(store, NAME)
    assert (reading.frames, reading.state, reading.size_bytes) == ([], "open", 0)
    assert reading.finding is not None
    assert "empty" in reading.finding
    assert ids(store) == []


def test_a_blob_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound):
        read_blob(MemoryStore(), NAME)
    assert list(blob_records(MemoryStore(), NAME)) == []


def test_bytes_after_close_are_found_and_not_read() -> None:
    store = log_of(["a"])
    reading = read_blob(copy_with(store, {NAME: store.read(NAME) + b"x"}), NAME)
    assert reading.state == "closed"
    assert reading.finding == f"at offset {store.size(NAME)}: bytes after `close`"


def test_a_blob_cut_anywhere_is_read_to_its_last_whole_frame() -> None:
    store = log_of(["a"], ["b"])
    whole = store.read(NAME)
    ends = {0: 0} | {frame.end: number + 1 for number, frame in enumerate(read_blob(store, NAME).frames)}
    for length in range(len(whole)):
        reading = read_blob(copy_with(store, {NAME: whole[:length]}), NAME)
        assert len(reading.frames) == max(count for end, count in ends.items() if end <= length)
        assert (reading.finding is None) == (length in ends and length > 0), length


def test_any_flipped_bit_is_found_but_in_the_last_header() -> None:
    """The head of a blob's last frame is known to nobody inside the blob: its `append_us` needs a witness outside."""
    store = log_of(["a"])
    whole = store.read(NAME)
    last_at = read_blob(store, NAME).frames[-1].offset
    unseen = whole.index(b'"append_us":', last_at)
    for bit in range(len(whole) * 8):
        altered = bytearray(whole)
        altered[bit // 8] ^= 1 << bit % 8
        if bit // 8 < unseen:
            assert read_blob(copy_with(store, {NAME: bytes(altered)}), NAME).finding, f"bit {bit} flipped unseen"


@settings(max_examples=60)
@given(st.binary(max_size=2000), st.integers(0, 3))
def test_arbitrary_bytes_are_a_finding_and_never_a_crash(junk: bytes, kept: int) -> None:
    store = log_of(["a"], ["b"])
    frames = read_blob(store, NAME).frames
    start = frames[kept].end
    if junk and not store.read(NAME, start).startswith(junk):
        reading = read_blob(copy_with(store, {NAME: store.read(NAME, 0, start) + junk}), NAME)
        assert reading.finding
        assert len(reading.frames) == kept + 1


def test_a_foreign_file_is_a_finding() -> None:
    store = MemoryStore()
    store.put(NAME, b"\x89PNG\r\n\x1a\n" + bytes(20_000), overwrite=False)
    reading = read_blob(store, NAME)
    assert reading.frames == []
    assert reading.finding is not None


def test_a_blob_of_many_ranges_takes_the_memory_of_one_frame() -> None:
    class Counting(MemoryStore):
        largest = 0

        def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
            assert length is not None
            self.largest = max(self.largest, length)
            return super().read(name, start, length)

    store = Counting()
    writer = appender(store)
    for number in range(5):
        writer.append([b"%d" % number * 3_000_000])
    reader = BlobReader(store, NAME)
    assert [frame.length for frame in reader] == [frame.length for frame in read_blob(store, NAME).frames]
    assert store.largest == RANGE_BYTES
    assert reader.size_bytes == store.size(NAME) > 3 * RANGE_BYTES


def test_a_blob_whose_length_is_exactly_a_range_is_read_whole() -> None:
    opening, head = encode_frame("open", NAME, 0, 0, [b'{"writer":"w"}'], ZERO_HEAD)
    line = b"y" * (RANGE_BYTES - 2 * len(opening))
    probe, _ = encode_frame("records", NAME, len(opening), 1, [line], head)
    line += b"y" * (RANGE_BYTES - len(opening) - len(probe))
    frame, _ = encode_frame("records", NAME, len(opening), 1, [line], head)
    store = MemoryStore()
    store.create(NAME)
    store.append(NAME, opening + frame, at=0)
    assert store.size(NAME) == RANGE_BYTES
    reading = read_blob(store, NAME)
    assert (len(reading.frames), reading.finding) == (2, None)
    assert reading.frames[1].lines == [line]


def test_a_reader_goes_on_from_where_another_stopped() -> None:
    store = log_of(["a"], close=False)
    first = BlobReader(store, NAME)
    assert len(list(first)) == 2
    store.append(
        NAME,
        encode_frame("records", NAME, first.place.offset, 2, lines("b"), first.place.previous)[0],
        at=first.place.offset,
    )
    second = BlobReader(store, NAME, first.place)
    assert [frame.lines for frame in second] == [lines("b")]
    assert BlobReader(store, NAME, Place(first.place.offset, 2, "f" * 64)).finding is None
    wrong = BlobReader(store, NAME, Place(first.place.offset, 2, "f" * 64))
    assert list(wrong) == []
    assert wrong.finding is not None
    assert "follows head" in wrong.finding


def test_records_come_with_their_positions() -> None:
    store = log_of(["a", "b"], ["c"])
    found = {record.id: position for record, position in records(store)}
    assert found == {"a": Position(NAME, 1, 0), "b": Position(NAME, 1, 1), "c": Position(NAME, 2, 0)}


def test_a_line_that_is_no_record_is_left_out_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    store = MemoryStore()
    writer = appender(store)
    deep = b'{"v":1,"kind":"score","id":"d","ts":"t","model":"m","writer":"w","x":' + b"[" * 100_000
    writer.append([*lines("a"), b"{}", b"\xff", deep, b"", *lines("b")])
    assert ids(store) == ["a", "b"]
    assert "line 1 is no record" in caplog.text


def test_times_choose_by_the_records_own_time() -> None:
    store, clock = MemoryStore(), Clock()
    writer = appender(store, clock=clock)
    for minute in range(0, 240, 30):
        clock.now_s = NOON_S + minute * 60
        late_s = 1.0 if minute % 60 == 0 else 0.0  # made just before the hour, appended after it
        writer.append([encode_record(score(str(minute), at_s=clock.now_s - late_s))])
    assert [record.id for record, _ in records(store, NOON_S + 3600, NOON_S + 7200)] == ["90", "120"]
    assert [record.id for record, _ in records(store, until_s=NOON_S + 3600)] == ["0", "30", "60"]
    assert len(list(records(store, since_s=NOON_S + 3600))) == 5
    assert hours(store) == ["2026/11/23/12", "2026/11/23/13", "2026/11/23/14", "2026/11/23/15"]
    assert hours(store, NOON_S + 3600, NOON_S + 7200) == ["2026/11/23/13"]
    assert hours(store, 0, 2**40) == hours(store)


def test_foreign_blobs_are_no_hours_and_no_blobs() -> None:
    store = log_of(["a"])
    store.create(f"log/v1/{HOUR}/readme.txt")
    store.create("log/v1/2026/13/45/99/w-0.jsonl")
    store.put(f"log/v1/{HOUR}/w-1.jsonl", b"whole", overwrite=False)
    assert hours(store) == [HOUR]
    assert [info.name for info in blobs(store, HOUR)] == [only_name(log_of(["a"]))]
    assert ids(store) == ["a"]
