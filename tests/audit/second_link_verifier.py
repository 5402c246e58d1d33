"""A second verifier of the log's blobs and of what lies between them, from audit/README.md and the standard library.

It shares no code with the package, so that a mistake in one of the two shows as a difference between them. Digests are
for `second_verifier.py`.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Set
from datetime import UTC, datetime
from typing import Any

FIELDS = ["v", "kind", "blob", "offset", "sequence", "count", "length", "sha256", "previous", "append_us"]
NAME = re.compile(r"log/v1/(\d{4}/\d\d/\d\d/\d\d)/([A-Za-z0-9-]{1,64})-(0|[1-9][0-9]{0,8})\.jsonl")
KINDS = ("score", "request_error", "label", "note")

type Found = set[tuple[str, str]]


class Trouble(Exception):
    """Why a blob cannot be read on."""


class Blob:
    """What is learnt from one blob: the heads of its last two frames, its opening, the frames that hold records."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name, self.data = name, data
        matched = NAME.fullmatch(name)
        assert matched
        self.hour, self.writer, self.n = matched[1], matched[2], int(matched[3])
        self.heads: list[str] = []
        self.opening: dict[str, Any] | None = None
        self.closed = self.unreadable = False
        self.records = 0
        self.trouble = ""
        try:
            self._read()
        except Trouble as trouble:
            self.trouble = str(trouble)

    def _read(self) -> None:
        at, sequence, previous = 0, 0, "0" * 64
        while at < len(self.data):
            if self.closed:
                raise Trouble("after close")
            end = self.data.find(b"\n", at, at + 8192)
            if end < 0:
                raise Trouble("torn" if len(self.data) - at < 8192 else "altered")
            line = self.data[at:end]
            header = self._header(line)
            right = {"v": 1, "blob": self.name, "offset": at, "sequence": sequence, "previous": previous}
            kinds = ("records", "close") if sequence else ("open", "close")
            if right.items() - header.items() or header["kind"] not in kinds:
                raise Trouble("altered")
            body = self.data[end + 1 : end + 1 + header["length"]]
            if len(body) < header["length"]:
                raise Trouble("torn")
            self._body(header, body)
            previous = hashlib.sha256(b"hyperplane audit frame v1\n" + line).hexdigest()
            self.heads = [*self.heads[-1:], previous]
            at, sequence = end + 1 + header["length"], sequence + 1

    def _header(self, line: bytes) -> dict[str, Any]:
        try:
            header = json.loads(line)
        except (ValueError, RecursionError):
            raise Trouble("altered") from None
        if not isinstance(header, dict) or list(header) != FIELDS:
            raise Trouble("altered")
        numbers = [header[field] for field in ("v", "offset", "sequence", "count", "length", "append_us")]
        as_written = json.dumps(header, separators=(",", ":")).encode() == line
        if not as_written or any(type(number) is not int or not 0 <= number <= 2**53 for number in numbers):
            raise Trouble("altered")
        if header["length"] > 100 * 2**20 - 8192:
            raise Trouble("altered")
        return header

    def _body(self, header: dict[str, Any], body: bytes) -> None:
        lines = body.split(b"\n")
        if hashlib.sha256(body).hexdigest() != header["sha256"] or len(lines) - 1 != header["count"] or lines[-1]:
            raise Trouble("altered")
        self.closed = header["kind"] == "close"
        if self.closed and body:
            raise Trouble("altered")
        if header["kind"] == "open":
            self.opening = _object(body)
            if len(body) > 65536 or not _is_opening(self.opening):
                raise Trouble("altered")
        if header["kind"] == "records":
            self.records += 1
            self.unreadable |= any(not _is_record(line) for line in lines[:-1])


def check(blobs: Mapping[str, bytes], now_s: float, missing: Set[tuple[str, str]] = frozenset()) -> Found:
    """(blob, finding) of every finding in a whole log; `missing` blobs were told by its digests already."""
    found: Found = {(name, "foreign") for name in blobs if not NAME.fullmatch(name)}
    ours = {name: Blob(name, data) for name, data in sorted(blobs.items()) if NAME.fullmatch(name)}
    numbers: dict[str, dict[int, Blob]] = {}
    for name, blob in ours.items():
        over = now_s >= datetime.strptime(blob.hour, "%Y/%m/%d/%H").replace(tzinfo=UTC).timestamp() + 7200
        if blob.trouble:
            found.add((name, blob.trouble))
        elif over and not blob.closed:
            found.add((name, "not closed" if blob.heads else "empty"))
        if blob.unreadable:
            found.add((name, "unreadable"))
        if blob.opening and blob.opening["writer"] != blob.writer:
            found.add((name, "moved"))
        if blob.n in numbers.setdefault(blob.writer, {}):
            found.add((name, "extra"))
        numbers[blob.writer][blob.n] = blob
    for name, blob in ours.items():
        found |= _link(name, blob, ours, numbers[blob.writer])
    for named in numbers.values():
        found |= _gaps(named, {pair for pair in found if pair[1] == "missing"} | missing)
    return found


def _link(name: str, blob: Blob, ours: Mapping[str, Blob], named: Mapping[int, Blob]) -> Found:
    if blob.opening is None:
        return set()
    before, n = blob.opening.get("previous_blob"), -1
    if before is not None:
        matched = NAME.fullmatch(before)
        if not matched or matched[2] != blob.writer or int(matched[3]) >= blob.n:
            return {(name, "chain")}
        if before not in ours:
            return {(before, "missing")}
        n, previous = int(matched[3]), ours[before]
        ends = previous.heads if previous.closed else previous.heads[-1:]
        if previous.trouble == "" and blob.opening["previous_head"] not in ends:
            return {(before, "chain")}
    between = (named[m] for m in range(n + 1, blob.n) if m in named)
    return {(left_out.name, "chain") for left_out in between if left_out.records}


def _gaps(named: Mapping[int, Blob], told: Found) -> Found:
    """Numbers that are left out, unless the blob's absence was told already."""
    writer = next(iter(named.values())).writer
    gone = {int(m[3]) for name, _ in told if (m := NAME.fullmatch(name)) and m[2] == writer and int(m[3]) not in named}
    missing, expected = set(), 0
    for n in sorted(named):
        if set(range(expected, n)) - gone:
            missing.add((named[n].name, "missing"))
        expected = n + 1
    return missing


def _is_opening(line: dict[str, Any] | None) -> bool:
    fields = {"writer", "previous_blob", "previous_head", "about"}
    return line is not None and isinstance(line.get("writer"), str) and not set(line) - fields


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _is_record(line: bytes) -> bool:
    record = _object(line)
    texts = ("id", "ts", "model", "writer")
    return bool(record and record.get("kind") in KINDS and all(isinstance(record.get(text), str) for text in texts))
