"""The digests as they are stored: which hours have one, and reading them.

Nothing here judges a signature or a chain; that is for `verify`. Names are listed month by month and day by day, so
that years of digests cost nothing, and a digest is read up to the size that one may have and no further.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime

from audit.digest import DIGEST, MAX_DIGEST_BYTES, SignedDigest, decode_digest, digest_hour, digest_name
from audit.errors import NotFound
from audit.layout import HOUR_S
from audit.reader import in_hours, log_prefixes
from audit.store import Store
from audit.window import RANGE_BYTES

_DAY_S = 24 * HOUR_S
_DAYS_FIRST = 3  # of the newest days, one listing each; then a month at a time


def read_digest(store: Store, hour: str) -> SignedDigest | None:
    """The digest of an hour; `None` if it has none. Raises `BadDigest` for bytes that are none, and `Unavailable`."""
    data = digest_bytes(store, hour)
    return None if data is None else decode_digest(data, hour)


def newest_hour_before(store: Store, until_s: float) -> str | None:
    """The newest hour with a digest of those that begin before `until_s`. The newest days are looked at first."""
    for prefix in _days_back(until_s):
        if hour := _newest(store, prefix, until_s):
            return hour
    oldest = oldest_digest_hour(store)
    if oldest is None or not in_hours(oldest, None, until_s):
        return None
    for prefix in _months_back(until_s, down_to=oldest[:7]):
        if hour := _newest(store, prefix, until_s):
            return hour
    return None


def oldest_digest_hour(store: Store) -> str | None:
    """The first hour of all with a digest."""
    return next(_hours(store, DIGEST), None)


def digest_hours(store: Store, since_s: float | None = None, until_s: float | None = None) -> list[str]:
    """The UTC hours that have a digest and overlap [since, until), sorted; whether it can be read is not asked."""
    return [
        hour
        for prefix in log_prefixes(since_s, until_s, DIGEST)
        for hour in _hours(store, prefix)
        if in_hours(hour, since_s, until_s)
    ]


def digest_bytes(store: Store, hour: str) -> bytes | None:
    """A digest's stored bytes, not more than one too many to be a digest; `None` if there is none."""
    try:
        return store.read(digest_name(hour), 0, MAX_DIGEST_BYTES + 1)
    except NotFound:
        return None


def stored_sha256(store: Store, hour: str) -> str | None:
    """The SHA-256 of whatever is stored as the digest of an hour, of any size; `None` if nothing is."""
    whole, at = hashlib.sha256(), 0
    try:
        while chunk := store.read(digest_name(hour), at, RANGE_BYTES):
            whole.update(chunk)
            at += len(chunk)
    except NotFound:
        return None
    return whole.hexdigest()


def _hours(store: Store, prefix: str) -> Iterator[str]:
    return (hour for info in store.list(prefix) if (hour := digest_hour(info.name)) is not None)


def _newest(store: Store, prefix: str, until_s: float) -> str | None:
    newest = None
    for hour in _hours(store, prefix):
        newest = hour if in_hours(hour, None, until_s) else newest
    return newest


def _days_back(until_s: float) -> Iterator[str]:
    for back in range(_DAYS_FIRST):
        yield f"{DIGEST}{datetime.fromtimestamp(max(0.0, until_s - back * _DAY_S), UTC):%Y/%m/%d}/"


def _months_back(until_s: float, down_to: str) -> Iterator[str]:
    """Listing prefixes of the month of `until_s` and of those before it, down to `down_to` (`2026/11`)."""
    at = datetime.fromtimestamp(until_s, UTC)
    year, month = at.year, at.month
    while f"{year:04}/{month:02}" >= down_to:
        yield f"{DIGEST}{year:04}/{month:02}/"
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
