"""Where an instance's records are: the bytes of the index, version 1. Pure: bytes in, bytes out.

The index is derived. It can be thrown away and made anew from the log at any time, and it proves nothing: what it leads
to is read from the log, verified and compared. A *segment* covers some closed blobs of a day and never changes:

    index/v1/2026/11/23/{segment}.json           what it covers, and what is in its files
    index/v1/2026/11/23/{segment}/000000.ids     its entries, sorted, at most 2^20 to a file

`{segment}` is the first 32 hex digits of the SHA-256 of the covered blobs' names and lengths, as JSON. Whoever makes a
segment of these blobs makes the same names and the same bytes, so that two may do it at once. The `.json` is written
last; it is one line, and a line with the SHA-256 of the first:

    {"v":1,"blobs":[["log/v1/2026/11/23/14/20261123T140506-3f9c2a71-0.jsonl",40213]],
     "files":[{"entries":61,"first":"03c1…","last":"fe07…"}]}⏎      first and last hash of each file

An entry is 24 bytes, big-endian, so that bytes sort as entries do. One stands for all records of an id, a model and a
kind in one frame:

    hash    8   BLAKE2b of the id's UTF-8, 8 bytes long
    tag     4   BLAKE2b of the model's name, 4 bytes long, its last two bits replaced by the kind
    blob    4   the blob's number among the segment's, from 0
    offset  8   position of the frame's header in the blob

Entries lie in pages of 170, each followed by a check: BLAKE2b of 16 bytes, keyed with the segment's name and salted
with the numbers of file and page. So a page is 4,096 bytes, and a page that was damaged, moved, or left over from
another segment is noticed by whoever reads that page alone.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec

from audit.records import Kind

VERSION = 1
INDEX = "index/v1/"
HASH_BYTES = 8
ENTRY_BYTES = 24
PAGE_ENTRIES = 170
CHECK_BYTES = 16
PAGE_BYTES = PAGE_ENTRIES * ENTRY_BYTES + CHECK_BYTES
FILE_ENTRIES = 1 << 20
MAX_SEGMENT_BYTES = 32 * 1024 * 1024  # of its `.json`: some 400,000 blobs in a day

_KINDS: dict[Kind, int] = {"score": 0, "label": 1, "note": 2, "request_error": 3}
_KIND_BITS = 3
_SEGMENT = re.compile(r"index/v1/(\d{4}/\d\d/\d\d)/([0-9a-f]{32})\.json", re.ASCII)
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
_Hash = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$", min_length=16, max_length=16)]


class BadIndex(ValueError):
    """These bytes are no part of the index, or not the one that belongs here; the message says why."""


class IndexFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of entries."""

    entries: Annotated[int, msgspec.Meta(ge=1, le=FILE_ENTRIES)]
    first: _Hash  # hash of its first entry
    last: _Hash

    def __post_init__(self) -> None:
        """Decoding calls this: a file that ends before it begins would seem to hold nothing."""
        if self.first > self.last:
            raise ValueError("a file's last hash is before its first")

    @property
    def pages(self) -> int:
        """How many pages it has; the last may be a short one."""
        return -(-self.entries // PAGE_ENTRIES)

    @property
    def size_bytes(self) -> int:
        """How long it must be."""
        return self.entries * ENTRY_BYTES + self.pages * CHECK_BYTES


class _Contents(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    v: int
    blobs: list[tuple[str, _Count]]
    files: list[IndexFile]


@dataclass(frozen=True)
class Segment:
    """What a segment covers and holds."""

    day: str  # 2026/11/23
    name: str
    blobs: dict[str, int]  # name → length, by name
    files: tuple[IndexFile, ...] = ()

    @property
    def path(self) -> str:
        """Where its `.json` is stored."""
        return f"{INDEX}{self.day}/{self.name}.json"

    def file_path(self, number: int) -> str:
        """Where one of its files is stored."""
        return f"{INDEX}{self.day}/{self.name}/{number:06}.ids"


@dataclass(frozen=True)
class Entry:
    """A frame that has records of an id."""

    tag: bytes
    blob: int
    offset: int


_contents_decoder = msgspec.json.Decoder(_Contents)
_salt = struct.Struct(">QQ")
_place = struct.Struct(">IQ")


def hash_of(instance_id: str) -> bytes:
    """The first field of an entry.

    >>> hash_of("patient-17").hex()
    '0538d2b78700b373'
    """
    return hashlib.blake2b(instance_id.encode("utf-8", "surrogatepass"), digest_size=HASH_BYTES).digest()


def tag_of(model: str, kind: Kind) -> bytes:
    """The second field of an entry."""
    digest = hashlib.blake2b(model.encode("utf-8", "surrogatepass"), digest_size=4).digest()
    return (int.from_bytes(digest) & ~_KIND_BITS | _KINDS[kind]).to_bytes(4)


def tags_of(model: str) -> frozenset[bytes]:
    """The tags of every kind of a model's records."""
    return frozenset(tag_of(model, kind) for kind in _KINDS)


def segment_of(day: str, blobs: Iterable[tuple[str, int]], files: Sequence[IndexFile] = ()) -> Segment:
    """The segment that covers these blobs; a blob that is named twice has its larger length."""
    lengths = dict(sorted(blobs))
    covered = msgspec.json.encode(list(lengths.items()))
    return Segment(day, hashlib.sha256(covered).hexdigest()[:32], lengths, tuple(files))


def parse_path(path: str) -> tuple[str, str] | None:
    """The day and the name in the path of a segment's `.json`; `None` for anything else."""
    match = _SEGMENT.fullmatch(path)
    return (match[1], match[2]) if match else None


def encode_segment(segment: Segment) -> bytes:
    """The bytes of its `.json`."""
    line = msgspec.json.encode(_Contents(VERSION, list(segment.blobs.items()), list(segment.files)))
    return b"%s\n%s\n" % (line, hashlib.sha256(line).hexdigest().encode())


def decode_segment(path: str, data: bytes) -> Segment:
    """The segment in its `.json`; `BadIndex` for anything else."""
    parsed = parse_path(path)
    line, _, check = data.partition(b"\n")
    if parsed is None or check != hashlib.sha256(line).hexdigest().encode() + b"\n":
        raise BadIndex(f"{path}: damaged: the SHA-256 in its second line is not that of its first")
    try:
        contents = _contents_decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise BadIndex(f"{path}: {problem}") from problem
    if contents.v != VERSION:
        raise BadIndex(f"{path}: version {contents.v} of the index is not {VERSION}")
    segment = segment_of(parsed[0], contents.blobs, contents.files)
    if segment.name != parsed[1] or list(segment.blobs.items()) != contents.blobs:
        raise BadIndex(f"{path}: it belongs to other blobs than it names")
    return segment


def encode_file(segment: str, number: int, entries: bytes) -> bytes:
    """A file of sorted entries, page by page."""
    step = PAGE_ENTRIES * ENTRY_BYTES
    parts: list[memoryview | bytes] = []
    view = memoryview(entries)  # slices of it are no copies
    for page, start in enumerate(range(0, len(entries), step)):
        body = view[start : start + step]
        parts += [body, _check(segment, number, page, body)]
    return b"".join(parts)


def decode_page(segment: str, number: int, page: int, data: bytes) -> bytes:
    """The entries of a page; `BadIndex` if they are not those that were written there."""
    body = data[:-CHECK_BYTES]
    if len(body) % ENTRY_BYTES or not body or _check(segment, number, page, body) != data[-CHECK_BYTES:]:
        raise BadIndex(f"{segment}/{number:06}.ids: page {page} is damaged, or another's")
    return body


def decode_entry(entry: bytes) -> Entry:
    """What follows the hash."""
    blob, offset = _place.unpack_from(entry, HASH_BYTES + 4)
    return Entry(entry[HASH_BYTES : HASH_BYTES + 4], blob, offset)


def _check(segment: str, number: int, page: int, body: bytes | memoryview) -> bytes:
    salt = _salt.pack(number, page)
    return hashlib.blake2b(body, digest_size=CHECK_BYTES, key=segment.encode(), salt=salt).digest()
