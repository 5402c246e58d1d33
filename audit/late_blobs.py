"""Blobs that no digest has though their hours have one: their writers' clocks were behind, or woke up too late.

Looked for in the 48 hours before a digest's own, among everything that is stored there. Digests that were written
before their hour was over, by the storage's clock, are looked behind too: somebody's clock was ahead, and what was
recorded in those hours is in none of them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from audit.digest import BadDigest, digest_name
from audit.digest_log import digest_hours, read_digest
from audit.layout import HOUR_S, hour_of, hour_start_s, parse_name
from audit.reader import in_hours, log_prefixes
from audit.store import BlobInfo, Store

LATE_HOURS = 48  # how long after its hour a blob may still come into a digest, among its `late`
_log = logging.getLogger(__name__)


class LateBlobs:
    """Remembers which blobs the digests of the last hours have, for a run that writes many."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._has: dict[str, frozenset[str]] = {}

    def of(self, hour: str) -> Iterator[BlobInfo]:
        """Blobs of the hours before this one that none of their digests has, by name."""
        start_s = hour_start_s(hour) or 0.0
        since_s = self._since_s(start_s)
        self._read(since_s, start_s)
        known = frozenset[str]().union(*self._has.values())
        for prefix in log_prefixes(since_s, start_s):
            for info in self._store.list(prefix):
                name = parse_name(info.name)
                if name and info.append and info.name not in known and in_hours(name.hour, since_s, start_s):
                    yield info

    def _since_s(self, start_s: float) -> float:
        since_s = start_s - LATE_HOURS * HOUR_S
        while self._was_early(hour_of(since_s)):
            since_s -= HOUR_S
        return since_s

    def _was_early(self, hour: str) -> bool:
        """Whether the hour's digest was written before the hour was over."""
        end_s = (hour_start_s(hour) or 0.0) + HOUR_S
        name = digest_name(hour)
        return any(info.modified_s < end_s for info in self._store.list(name) if info.name == name)

    def _read(self, since_s: float, until_s: float) -> None:
        hours = digest_hours(self._store, since_s, until_s)
        self._has = {hour: self._has[hour] if hour in self._has else self._names(hour) for hour in hours}

    def _names(self, hour: str) -> frozenset[str]:
        try:
            signed = read_digest(self._store, hour)
        except BadDigest as problem:
            _log.error("the digest of %s is damaged, `python -m audit verify` says more: %s", hour, problem)
            return frozenset()
        digest = signed.digest if signed else None
        return frozenset(blob.name for blob in (*digest.blobs, *digest.late)) if digest else frozenset()
