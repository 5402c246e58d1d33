"""The bytes of a frame, and that nothing else passes for one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.frames import (
    DOMAIN,
    MAX_HEADER_BYTES,
    ZERO_HEAD,
    BadFrame,
    Place,
    Torn,
    check_body,
    check_place,
    decode_header,
    decode_opening,
    encode_frame,
    head_of,
    header_line,
    is_close,
)

LINES = st.lists(st.binary(max_size=40).filter(lambda line: b"\n" not in line), max_size=6)


def parse(data: bytes, blob: str, place: Place) -> list[bytes]:
    line = header_line(data)
    header = decode_header(line)
    check_place(header, blob, place)
    body = data[len(line) + 1 :]
    check_body(header, body)
    return body.split(b"\n")[:-1]


@given(LINES, st.integers(0, 2**40), st.integers(1, 2**40), st.integers(0, 2**40))
def test_what_was_encoded_is_read_back(records: list[bytes], offset: int, sequence: int, append_us: int) -> None:
    data, head = encode_frame("records", "log/ä-0", offset, sequence, records, "a" * 64, append_us)
    assert parse(data, "log/ä-0", Place(offset, sequence, "a" * 64)) == records
    assert head == head_of(header_line(data))


def test_the_bytes_are_those_of_version_1() -> None:
    """Golden: these bytes are in people's logs, so they never change. Hashes worked out by hand."""
    data, head = encode_frame("records", "log/v1/2026/11/23/14/w-0.jsonl", 7, 2, [b'{"a":1}', b"{}"], "b" * 64, 12)
    sha256 = hashlib.sha256(b'{"a":1}\n{}\n').hexdigest()
    header = (
        '{"v":1,"kind":"records","blob":"log/v1/2026/11/23/14/w-0.jsonl","offset":7,"sequence":2,"count":2,'
        f'"length":11,"sha256":"{sha256}","previous":"{"b" * 64}","append_us":12}}'
    ).encode()
    assert data == header + b'\n{"a":1}\n{}\n'
    assert head == hashlib.sha256(b"hyperplane audit frame v1\n" + header).hexdigest()
    assert head == "3e25b5e71f163c00303e00e41bb19c1268f3e4d9fef5102582e9b5c7248ee833"


def test_a_close_frame_has_no_body() -> None:
    data, _ = encode_frame("close", "b", 0, 3, [], ZERO_HEAD)
    assert data.endswith(b"}\n")
    assert json.loads(data)["sha256"] == hashlib.sha256(b"").hexdigest()
    assert DOMAIN.endswith(b"\n")


def test_a_line_with_a_newline_is_refused() -> None:
    with pytest.raises(ValueError, match="newline"):
        encode_frame("records", "b", 0, 1, [b"{}\n{}"], ZERO_HEAD)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_no_frame_and_never_crash(data: bytes) -> None:
    with pytest.raises(BadFrame):
        parse(data, "b", Place())


@given(LINES, st.data())
def test_a_flipped_bit_in_a_body_is_found(records: list[bytes], data: st.DataObject) -> None:
    frame, _ = encode_frame("records", "b", 0, 1, [*records, b"{}"], ZERO_HEAD)
    body_at = len(header_line(frame)) + 1
    bit = data.draw(st.integers(body_at * 8, len(frame) * 8 - 1))
    altered = bytearray(frame)
    altered[bit // 8] ^= 1 << bit % 8
    with pytest.raises(BadFrame, match="altered"):
        parse(bytes(altered), "b", Place(0, 1))


@given(st.integers(0, 400))
def test_a_frame_that_breaks_off_is_torn(length: int) -> None:
    frame, _ = encode_frame("records", "b", 0, 1, [b"{}" * 40], ZERO_HEAD)
    with pytest.raises(Torn):
        parse(frame[: min(length, len(frame) - 1)], "b", Place(0, 1))


@pytest.mark.parametrize(
    ("blob", "place", "why"),
    [
        ("other", Place(5, 1, "c" * 64), "belongs to blob 'b'"),
        ("b", Place(6, 1, "c" * 64), "belongs at offset 5"),
        ("b", Place(5, 2, "c" * 64), "sequence 1, not 2"),
        ("b", Place(5, 1, "d" * 64), "follows head"),
    ],
)
def test_a_frame_out_of_its_place_is_refused(blob: str, place: Place, why: str) -> None:
    frame, _ = encode_frame("records", "b", 5, 1, [b"{}"], "c" * 64)
    with pytest.raises(BadFrame, match=why):
        parse(frame, blob, place)


def test_records_cannot_be_a_first_frame_nor_open_a_later_one() -> None:
    first, _ = encode_frame("records", "b", 0, 0, [b"{}"], ZERO_HEAD)
    with pytest.raises(BadFrame, match="`open` frame is missing"):
        parse(first, "b", Place())
    later, _ = encode_frame("open", "b", 0, 1, [b"{}"], ZERO_HEAD)
    with pytest.raises(BadFrame, match="of kind 'open'"):
        parse(later, "b", Place(0, 1))


@pytest.mark.parametrize(
    "header",
    [
        b"[]",
        b"null",
        b'{"v":2}',
        b"[" * 5000,
        b'{"a":' * 1500,
        b'{"v":1,"zzz":' + b"[" * 7000,
        b'{"v":' + b"[" * 7000,
        b'{"v":1,"kind":"records","blob":"b","offset":-1,"sequence":0,"count":0,"length":0}',
        b"\xff\xfe",
    ],
)
def test_a_malformed_header_is_refused(header: bytes) -> None:
    with pytest.raises(BadFrame):
        decode_header(header)


def test_a_header_of_a_later_version_or_with_more_fields_is_refused() -> None:
    header = json.loads(header_line(encode_frame("close", "b", 0, 0, [], ZERO_HEAD)[0]))
    with pytest.raises(BadFrame, match="version 2"):
        decode_header(json.dumps(header | {"v": 2}).encode())
    with pytest.raises(BadFrame):
        decode_header(json.dumps(header | {"more": 1}).encode())
    with pytest.raises(BadFrame):
        decode_header(json.dumps(header | {"sha256": "A" * 64}).encode())
    with pytest.raises(BadFrame):
        decode_header(json.dumps(header | {"length": 10**12}).encode())


def test_a_header_without_an_end_is_refused_and_not_waited_for() -> None:
    with pytest.raises(BadFrame, match="no end of line") as found:
        header_line(b"x" * MAX_HEADER_BYTES)
    assert not isinstance(found.value, Torn)


def test_a_body_whose_line_count_is_not_the_headers_is_refused() -> None:
    frame, _ = encode_frame("records", "b", 0, 1, [b"{}"], ZERO_HEAD)
    header = json.loads(header_line(frame)) | {"count": 2}
    with pytest.raises(BadFrame, match="header says 2"):
        parse(json.dumps(header, separators=(",", ":")).encode() + b"\n{}\n", "b", Place(0, 1))


@pytest.mark.parametrize(
    "written",
    [
        lambda header: json.dumps(header),  # spaces
        lambda header: json.dumps(dict(reversed(header.items())), separators=(",", ":")),  # another order
        lambda header: json.dumps(header, separators=(",", ":")).replace('"v":1', '"v":2,"v":1'),  # a field twice
        lambda header: json.dumps(header, separators=(",", ":")).replace('"b"', '"\\u0062"'),  # an escape
    ],
)
def test_a_header_that_is_written_in_another_way_is_refused(written: Callable[[dict[str, Any]], str]) -> None:
    frame, _ = encode_frame("records", "b", 0, 1, [b"{}"], ZERO_HEAD)
    header = json.loads(header_line(frame))
    assert parse(json.dumps(header, separators=(",", ":")).encode() + b"\n{}\n", "b", Place(0, 1))
    with pytest.raises(BadFrame, match="written otherwise"):
        parse(written(header).encode() + b"\n{}\n", "b", Place(0, 1))


@given(st.binary(max_size=60))
def test_the_line_of_an_open_frame_is_an_opening_or_refused(body: bytes) -> None:
    with pytest.raises(BadFrame, match="unreadable"):
        decode_opening(body)


def test_only_a_close_at_that_place_fences() -> None:
    place = Place(10, 2, "e" * 64)
    close, _ = encode_frame("close", "b", 10, 2, [], "e" * 64)
    records, _ = encode_frame("records", "b", 10, 2, [b"{}"], "e" * 64)
    assert is_close(close + b"anything", "b", place)
    assert not is_close(close, "c", place)
    assert not is_close(records, "b", place)
    assert not is_close(b"junk", "b", place)
    assert not is_close(b"", "b", place)
