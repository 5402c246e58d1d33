"""One blob of the log, read again for a report, and held against what its digest lists.

A blob that has the length and the SHA-256 of its entry is the blob that was digested, byte by byte: its frames were
verified then and need no second look. Any other is read frame by frame, so that the finding says where. One that no
digest lists has nothing to hold a SHA-256 of the whole against, and none is computed: its frames have their own.
"""

from __future__ import annotations

import hashlib

from audit.blob_check import CheckedBlob
from audit.digest import DigestedBlob
from audit.errors import NotFound
from audit.finding import Finding
from audit.layout import LogName
from audit.reader import BlobReader
from audit.store import Store
from audit.window import RANGE_BYTES

NOT_HASHED = ""


def proof(log: Store, name: LogName, entry: DigestedBlob | None) -> CheckedBlob:
    """What is stored, as a digest would list it, and what is wrong with it by itself. Raises `Unavailable`."""
    try:
        if entry is not None and entry.closed and _length_and_sha256(log, str(name)) == (entry.length, entry.sha256):
            return CheckedBlob(name, stored=entry)
        return _by_frames(log, name, hashed=entry is not None)
    except NotFound:
        gone = Finding(str(name), "missing", "it was listed, and gone when it was read")
        return CheckedBlob(name, sound=False, findings=[gone])


def _length_and_sha256(log: Store, name: str) -> tuple[int, str]:
    whole, at = hashlib.sha256(), 0
    while chunk := log.read(name, at, RANGE_BYTES):
        whole.update(chunk)
        at += len(chunk)
        if len(chunk) < RANGE_BYTES:
            break
    return at, whole.hexdigest()


def _by_frames(log: Store, name: LogName, *, hashed: bool) -> CheckedBlob:
    whole, records = hashlib.sha256(), 0
    reader = BlobReader(log, str(name), hasher=whole if hashed else None)
    for frame in reader:
        records += frame.count if frame.kind == "records" else 0
    reader.read_to_end()
    stored = DigestedBlob(
        name=str(name),
        length=reader.size_bytes,
        sha256=whole.hexdigest() if hashed else NOT_HASHED,
        head=reader.place.previous,
        frames=reader.place.sequence,
        records=records,
        closed=reader.closed and not reader.finding,
    )
    findings = [Finding(str(name), reader.finding_kind, reader.finding)] if reader.finding else []
    return CheckedBlob(name, stored=stored, sound=not findings, findings=findings)
