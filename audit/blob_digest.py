"""One blob as a digest has it: closed, and read once to its last byte."""

from __future__ import annotations

import hashlib
import logging

from audit.digest import DigestedBlob
from audit.errors import NotFound
from audit.reader import BlobReader
from audit.seal import seal_blob
from audit.store import Store

_log = logging.getLogger(__name__)


def digest_blob(store: Store, name: str) -> DigestedBlob | None:
    """Close the blob if its writer left it open, and say what it is; `None` if it is not there any more.

    Its bytes are hashed as they are verified. One that does not verify to its end cannot be closed: what is said then
    is how far it verifies, and the length and SHA-256 of everything that is stored. Raises `Unavailable`.
    """
    try:
        return _Reading(store, name).finish()
    except NotFound:
        _log.error("%s was listed and is gone: a blob of the log that is over is never removed by us", name)
        return None


class _Reading:
    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self._whole = hashlib.sha256()
        self._reader = BlobReader(store, name, hasher=self._whole)
        self._records = 0

    def finish(self) -> DigestedBlob:
        self._read()
        if not self._reader.closed and not self._reader.finding:
            seal_blob(self._store, self._reader.name, self._reader.place)
            self._reader = BlobReader(self._store, self._reader.name, self._reader.place, self._whole)
            self._read()  # the `close`, and what its writer appended before it
        self._reader.read_to_end()
        return DigestedBlob(
            name=self._reader.name,
            length=self._reader.size_bytes,
            sha256=self._whole.hexdigest(),
            head=self._reader.place.previous,
            frames=self._reader.place.sequence,
            records=self._records,
            closed=self._reader.closed and not self._reader.finding,
        )

    def _read(self) -> None:
        for frame in self._reader:
            self._records += frame.count if frame.kind == "records" else 0
