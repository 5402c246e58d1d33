"""One blob of the log, read once from its first byte to its last: frames, hashes, positions, records, its end.

What is left of it afterwards is small, since a log has thousands of blobs: what the blobs of its writer, the digests
and the receipts are held against (`audit.blob_links`, `audit.digest_check`, `audit.receipts`).
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

import msgspec

from audit.digest import DigestedBlob
from audit.errors import NotFound
from audit.finding import Finding, short
from audit.frames import decode_opening
from audit.layout import HOUR_S, LogName, hour_start_s
from audit.reader import BlobReader, Frame
from audit.receipts import PackedReceipts, ReceiptCheck
from audit.records import decode_record
from audit.store import Store

SEALED_BY_S = 2 * HOUR_S  # after an hour's beginning: the hour itself, and one in which it is sealed
_LINES_TOLD = 20  # of a blob's unreadable ones


@dataclass
class CheckedBlob:
    """What is left of a blob after it was read."""

    name: LogName
    stored: DigestedBlob | None = None  # as a digest would list it; `None` if it was gone when it was read
    opened: bool = False
    previous_blob: str | None = None  # what its `open` frame says
    previous_head: str | None = None
    ends: frozenset[str] = frozenset()  # heads that the writer may know as the blob's last
    filled: bool = False  # whether it holds records
    sound: bool = True
    findings: list[Finding] = field(default_factory=list)


def check_blob(store: Store, name: LogName, now_s: float, receipts: PackedReceipts = b"") -> CheckedBlob:
    """Read the blob and say what is wrong with it alone. Raises `Unavailable`."""
    result = CheckedBlob(name)
    whole = hashlib.sha256()
    reader = BlobReader(store, str(name), hasher=whole)
    try:
        heads, records = _read(reader, result, receipts)
        reader.read_to_end()
    except NotFound:
        result.findings = [Finding(str(name), "missing", "it was listed, and gone when it was read")]
        result.sound = False
        return result
    result.stored = DigestedBlob(
        name=str(name),
        length=reader.size_bytes,
        sha256=whole.hexdigest(),
        head=reader.place.previous,
        frames=reader.place.sequence,
        records=records,
        closed=reader.closed and not reader.finding,
    )
    result.ends = frozenset(heads if reader.closed else heads[-1:])
    trouble = _trouble(reader, name, now_s)
    if trouble:
        result.findings.append(trouble)
        result.sound = trouble.what in ("not closed", "empty")
    return result


def long_over(hour: str, now_s: float) -> bool:
    """Whether the hour must be sealed and digested by now."""
    return now_s >= (hour_start_s(hour) or 0) + SEALED_BY_S


def _read(reader: BlobReader, result: CheckedBlob, receipts: PackedReceipts) -> tuple[list[str], int]:
    """The heads of the last two frames, and how many records there are."""
    heads: list[str] = []
    unreadable: list[str] = []
    records = 0
    held = ReceiptCheck(reader.name, receipts)
    for frame in reader:
        heads = [*heads[-1:], frame.head]
        if frame.kind == "open":
            _opened(result, frame)
        if frame.kind == "records":
            records += frame.count
            result.filled = True
        if len(unreadable) < _LINES_TOLD:
            unreadable += islice(_unreadable(frame), _LINES_TOLD - len(unreadable))
        held.take(frame)
    result.findings += held.findings(reader.place.sequence)
    result.findings += [Finding(reader.name, "unreadable", detail) for detail in unreadable]
    if len(unreadable) == _LINES_TOLD:
        more = f"after {_LINES_TOLD} such lines no more were looked at"
        result.findings.append(Finding(reader.name, "unreadable", more))
    return heads, records


def _opened(result: CheckedBlob, frame: Frame) -> None:
    opening = decode_opening(frame.body)
    result.opened = True
    result.previous_blob = None if opening.previous_blob is None else short(opening.previous_blob)
    result.previous_head = None if opening.previous_head is None else short(opening.previous_head)
    if opening.writer != result.name.writer:
        detail = f"its `open` frame names writer {short(repr(opening.writer))}"
        result.findings.append(Finding(frame.blob, "moved", detail))


def _trouble(reader: BlobReader, name: LogName, now_s: float) -> Finding | None:
    """Why the blob does not end as it should."""
    if reader.finding:
        return Finding(reader.name, reader.finding_kind, reader.finding)
    if reader.closed or not long_over(name.hour, now_s):
        return None
    if reader.place.sequence == 0:
        return Finding(reader.name, "empty", "no frame at all, and its hour is long over; sealing the hour closes it")
    return Finding(
        reader.name,
        "not closed",
        f"its hour is long over and it ends after frame {reader.place.sequence - 1} without `close`: the hour was "
        "never sealed, or the end was cut off",
    )


def _unreadable(frame: Frame) -> Iterator[str]:
    if frame.kind != "records":
        return
    for number, line in enumerate(io.BytesIO(frame.body)):  # not all lines at once: 100 MiB may be as many newlines
        try:
            decode_record(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            yield f"frame {frame.sequence}, line {number} is no record: {short(str(problem))}"
