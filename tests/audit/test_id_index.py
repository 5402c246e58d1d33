"""The bytes of the index are those that its module shows, and nothing else passes for them."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.id_index import (
    MAX_SEGMENT_BYTES,
    BadIndex,
    IndexFile,
    decode_entry,
    decode_page,
    decode_segment,
    encode_file,
    encode_segment,
    hash_of,
    parse_path,
    segment_of,
    tag_of,
    tags_of,
)
from audit.id_segments import Segments
from audit.memory_store import MemoryStore
from audit.store import BlobInfo

DAY = "2026/11/23"
BLOBS = [(f"log/v1/{DAY}/14/w-{n}.jsonl", 100 + n) for n in range(2)]
FILE = IndexFile(341, "00" * 8, "ff" * 8)
SEGMENT = segment_of(DAY, BLOBS, [FILE])


def entry(number: int) -> bytes:
    return struct.pack(">QIIQ", number, 1, 2, 3)


def test_a_segment_is_two_lines_as_the_page_shows() -> None:
    line, check, rest = encode_segment(SEGMENT).split(b"\n")
    assert json.loads(line) == {
        "v": 1,
        "blobs": [list(pair) for pair in BLOBS],
        "files": [{"entries": 341, "first": "00" * 8, "last": "ff" * 8}],
    }
    assert (check, rest) == (hashlib.sha256(line).hexdigest().encode(), b"")
    compact = json.dumps([list(pair) for pair in BLOBS], separators=(",", ":")).encode()
    assert SEGMENT.name == hashlib.sha256(compact).hexdigest()[:32]
    assert SEGMENT.path == f"index/v1/{DAY}/{SEGMENT.name}.json"
    assert SEGMENT.file_path(7) == f"index/v1/{DAY}/{SEGMENT.name}/000007.ids"
    assert decode_segment(SEGMENT.path, encode_segment(SEGMENT)) == SEGMENT


def test_a_file_is_pages_of_170_entries_with_a_check_each() -> None:
    entries = b"".join(map(entry, range(341)))
    data = encode_file(SEGMENT.name, 3, entries)
    assert len(data) == FILE.size_bytes == 2 * 4096 + 24 + 16
    assert FILE.pages == 3
    for page in range(3):
        stored = data[page * 4096 : (page + 1) * 4096]
        salt = struct.pack(">QQ", 3, page)
        expected = hashlib.blake2b(stored[:-16], digest_size=16, key=SEGMENT.name.encode(), salt=salt).digest()
        assert stored[-16:] == expected
        assert decode_page(SEGMENT.name, 3, page, stored) == entries[page * 4080 : (page + 1) * 4080]


def test_an_entry_is_hash_tag_blob_and_offset() -> None:
    assert hash_of("ü") == hashlib.blake2b("ü".encode(), digest_size=8).digest()
    whole = hashlib.blake2b(b"wine", digest_size=4).digest()
    tags = [tag_of("wine", kind) for kind in ("score", "label", "note", "request_error")]
    assert [tag[:3] for tag in tags] == [whole[:3]] * 4
    assert [tag[3] & 3 for tag in tags] == [0, 1, 2, 3]
    assert {tag[3] & ~3 for tag in tags} == {whole[3] & ~3}
    assert tags_of("wine") == set(tags)
    found = decode_entry(hash_of("ü") + tags[1] + struct.pack(">IQ", 5, 2**40))
    assert (found.tag, found.blob, found.offset) == (tags[1], 5, 2**40)


@given(st.integers(0, 4096 * 8 - 1))
def test_a_page_with_a_bit_flipped_is_refused(bit: int) -> None:
    page = bytearray(encode_file(SEGMENT.name, 0, b"".join(map(entry, range(170)))))
    page[bit // 8] ^= 1 << bit % 8
    with pytest.raises(BadIndex, match="page 0 is damaged"):
        decode_page(SEGMENT.name, 0, 0, bytes(page))


def test_a_page_of_another_place_is_refused() -> None:
    page = encode_file(SEGMENT.name, 0, entry(1))
    for segment, number, place in (("0" * 32, 0, 0), (SEGMENT.name, 1, 0), (SEGMENT.name, 0, 1)):
        with pytest.raises(BadIndex):
            decode_page(segment, number, place, page)
    for short in (b"", page[-16:], page[1:], page[:-1]):
        with pytest.raises(BadIndex):
            decode_page(SEGMENT.name, 0, 0, short)


@pytest.mark.parametrize(
    "files",
    [
        [{"entries": 2, "first": "f" * 16, "last": "0" * 16}],
        [{"entries": 0, "first": "0" * 16, "last": "0" * 16}],
        [{"entries": 2**20 + 1, "first": "0" * 16, "last": "f" * 16}],
        [{"entries": 10**400, "first": "0" * 16, "last": "f" * 16}],
        [{"entries": 1, "first": "0" * 15 + "\n", "last": "f" * 16}],
        [None],
        {},
    ],
)
def test_a_segment_of_another_shape_is_refused_though_its_check_holds(files: object) -> None:
    contents = {"v": 1, "blobs": [list(pair) for pair in SEGMENT.blobs.items()], "files": files}
    line = json.dumps(contents, separators=(",", ":")).encode()
    with pytest.raises(BadIndex):
        decode_segment(SEGMENT.path, b"%s\n%s\n" % (line, hashlib.sha256(line).hexdigest().encode()))


def test_a_segment_larger_than_any_is_not_read() -> None:
    class Endless(MemoryStore):
        size_bytes = 10**15

        def list(self, prefix: str = "") -> Iterator[BlobInfo]:
            yield BlobInfo(SEGMENT.path, self.size_bytes, False, 0.0)

        def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
            assert length is not None
            assert length <= MAX_SEGMENT_BYTES + 1
            return b"x" * min(length, 100)

    store = Endless()
    for store.size_bytes in (10**15, 100):
        segments = Segments(store)
        segments.refresh()
        assert segments.newest() == []
        assert segments.damaged_days() == [SEGMENT.day]


def test_a_path_has_digits_that_are_ascii() -> None:
    assert parse_path(SEGMENT.path) == (SEGMENT.day, SEGMENT.name)
    assert parse_path(SEGMENT.path.replace("2026", "\u0662\u0660\u0662\u0666")) is None


def test_a_segment_with_a_bit_flipped_is_refused() -> None:
    whole = encode_segment(SEGMENT)
    for bit in range(len(whole) * 8):
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BadIndex):
            decode_segment(SEGMENT.path, bytes(data))


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"[]", "Expected `object`"),
        (b"\xff", "invalid"),
        (b'{"v":2,"blobs":[],"files":[]}', "version 2 of the index is not 1"),
        (b'{"v":1,"blobs":[],"files":[]}', "other blobs"),
        (b'{"v":1,"blobs":[],"files":[],"more":1}', "unknown field"),
        (b'{"v":1,"blobs":[["b",-1]],"files":[]}', ">= 0"),
        (b'{"v":1,"blobs":[],"files":[{"entries":0,"first":"","last":""}]}', ">= 1"),
    ],
)
def test_what_is_written_otherwise_is_refused_with_the_reason(line: bytes, why: str) -> None:
    data = b"%s\n%s\n" % (line, hashlib.sha256(line).hexdigest().encode())
    with pytest.raises(BadIndex, match=why):
        decode_segment(SEGMENT.path, data)


def test_a_blob_named_twice_is_refused_for_its_numbers_would_be_others() -> None:
    line = json.dumps({"v": 1, "blobs": [*BLOBS, BLOBS[1]], "files": []}).encode()
    with pytest.raises(BadIndex):
        decode_segment(segment_of(DAY, BLOBS).path, b"%s\n%s\n" % (line, hashlib.sha256(line).hexdigest().encode()))


def test_of_a_blob_given_twice_the_larger_length_counts() -> None:
    assert segment_of(DAY, [("b", 9), ("a", 1), ("b", 10)]).blobs == {"a": 1, "b": 10}


@pytest.mark.parametrize("path", ["index/v1/2026/11/23/x.json", SEGMENT.file_path(0), "", SEGMENT.path + "\n"])
def test_only_the_path_of_a_segment_is_one(path: str) -> None:
    assert parse_path(path) is None
    assert parse_path(SEGMENT.path) == (DAY, SEGMENT.name)
