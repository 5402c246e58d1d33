"""A frame read by its position is one that verifies there, or none."""

from __future__ import annotations

import pytest

from audit.errors import NotFound
from audit.memory_store import MemoryStore
from audit.reader import read_blob, read_frame
from tests.audit.examples import appender, copy_with, lines, log_of
from tests.audit.tampering import FIRST as NAME


def test_each_frame_is_the_one_that_reading_the_blob_gives() -> None:
    store = log_of(["a", "b"], ["c"] * 2000, ["d"])
    for frame in read_blob(store, NAME).frames:
        assert read_frame(store, NAME, frame.offset) == frame


def test_frames_of_any_length_are_read() -> None:
    for size_bytes in (100, 65_000, 65_536, 70_000, 5_000_000):
        store = MemoryStore()
        writer = appender(store)
        writer.append([b"x" * size_bytes])
        writer.append(lines("next"))
        whole = read_blob(store, NAME).frames
        assert [read_frame(store, NAME, frame.offset) for frame in whole] == whole


def test_there_is_no_frame_at_any_other_position() -> None:
    store = log_of(["a"], ["b"])
    offsets = {frame.offset for frame in read_blob(store, NAME).frames}
    for offset in range(store.size(NAME) + 20):
        assert (read_frame(store, NAME, offset) is not None) == (offset in offsets)
    assert read_frame(store, NAME, 2**60) is None


def test_a_bit_flipped_in_the_frame_or_in_the_next_header_is_noticed() -> None:
    store = log_of(["a"], ["b"])
    whole = store.read(NAME)
    frame, following = read_blob(store, NAME).frames[1:3]
    header_end = whole.index(b"\n", following.offset) + 1
    for bit in range(frame.offset * 8, header_end * 8):
        altered = bytearray(whole)
        altered[bit // 8] ^= 1 << bit % 8
        found = read_frame(copy_with(store, {NAME: bytes(altered)}), NAME, frame.offset)
        if found is not None:  # what the next header says of its own body and of the time is not this frame's
            assert found == frame
            assert bit // 8 > whole.index(b'"count":', following.offset)
            assert bit // 8 < whole.index(b'"previous":', following.offset) or bit // 8 > whole.index(
                b'"append_us":', following.offset
            )


def test_a_frame_of_another_blob_or_place_is_none() -> None:
    store = log_of(["a"], ["b"], ["b"])
    frames = read_blob(store, NAME).frames
    data = store.read(NAME)
    parts = [data[frame.offset : frame.end] for frame in frames]
    swapped = copy_with(store, {NAME: b"".join([parts[0], parts[2], parts[1], *parts[3:]])})
    assert read_frame(swapped, NAME, frames[1].offset) is None
    other = NAME.replace("-0.", "-1.")
    assert read_frame(copy_with(store, {other: data}), other, 0) is None


def test_what_follows_must_go_on_from_it_but_for_the_last() -> None:
    store = log_of(["a"], ["b"], close=False)
    frames = read_blob(store, NAME).frames
    assert read_frame(store, NAME, frames[-1].offset) == frames[-1], "the last that was written"
    for behind in (b"junk", b"\n", store.read(NAME, frames[1].offset)):
        longer = copy_with(store, {NAME: store.read(NAME) + behind})
        assert read_frame(longer, NAME, frames[-1].offset) is None
    closed = log_of(["a"])
    close = read_blob(closed, NAME).frames[-1]
    assert read_frame(closed, NAME, close.offset) == close
    assert read_frame(copy_with(closed, {NAME: closed.read(NAME) + b"x"}), NAME, close.offset) is None


def test_a_blob_that_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound):
        read_frame(MemoryStore(), NAME, 0)
