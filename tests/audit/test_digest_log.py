"""Finding and reading the digests that are stored."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from audit.digest import MAX_DIGEST_BYTES, BadDigest, digest_name
from audit.digest_log import (
    digest_bytes,
    digest_hours,
    newest_hour_before,
    read_digest,
    stored_sha256,
)
from audit.digest_writer import write_digests
from audit.layout import HOUR_S, hour_of
from audit.memory_store import MemoryStore
from audit.store import BlobInfo
from tests.audit.digested import SIGNER, after, hour, log_of_hours
from tests.audit.examples import NOON_S

DAY_S = 24 * HOUR_S


class Listed(MemoryStore):
    """Remembers which prefixes were listed, and how many names that gave."""

    def __init__(self) -> None:
        super().__init__()
        self.prefixes: list[str] = []
        self.names = 0

    def list(self, prefix: str = "") -> Iterator[BlobInfo]:
        self.prefixes.append(prefix)
        for info in super().list(prefix):
            self.names += 1
            yield info


def store_with(*hours: str) -> Listed:
    store = Listed()
    for name in hours:
        store.put(digest_name(name), b"a digest", overwrite=False)
    return store


def test_a_digest_is_read_by_its_hour() -> None:
    store, _ = log_of_hours(0)
    write_digests(store, SIGNER, after(2))
    read = read_digest(store, hour(1))
    assert read is not None
    assert read.digest.hour == hour(1)
    assert read.sha256 == stored_sha256(store, hour(1))
    assert [read_digest(store, hour(3)), digest_bytes(store, hour(3)), stored_sha256(store, hour(3))] == [None] * 3
    assert newest_hour_before(store, after(2) + DAY_S) == hour(2)


def test_bytes_that_are_no_digest_are_said_so() -> None:
    store = store_with(hour(0))
    with pytest.raises(BadDigest):
        read_digest(store, hour(0))


def test_no_more_is_read_than_a_digest_may_have() -> None:
    class Endless(MemoryStore):
        asked = 0

        def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
            assert length is not None
            self.asked += length
            return b"x" * length

    store = Endless()
    with pytest.raises(BadDigest, match="more than a digest has"):
        read_digest(store, hour(0))
    assert store.asked == MAX_DIGEST_BYTES + 1


def test_the_hours_are_listed_in_order_and_within_bounds() -> None:
    every = [hour(number) for number in (-30, 0, 1, 2, 40)]
    store = store_with(*every)
    for foreign in ("digest/v1/2026/11/23/12.json.bak", "digest/v1/x.json", "digest/v2/2026/11/23/12.json", "digest/"):
        store.put(foreign, b"", overwrite=False)
    assert digest_hours(store) == every
    assert digest_hours(store, NOON_S + HOUR_S, NOON_S + 2 * HOUR_S) == [hour(1)]
    assert digest_hours(store, NOON_S - 1, NOON_S + 2 * HOUR_S + 1) == [hour(0), hour(1), hour(2)]
    assert digest_hours(store, None, NOON_S) == [hour(-30)]
    assert digest_hours(store, -1e9, 1e12) == every
    assert digest_hours(MemoryStore()) == []


def test_the_newest_is_found_without_listing_years_of_names() -> None:
    years = [hour_of(NOON_S - number * HOUR_S) for number in range(2 * 365 * 24)]
    store = store_with(*years)
    assert newest_hour_before(store, NOON_S + DAY_S) == hour(0)
    assert store.names < 40
    assert all(prefix > "digest/v1/2026/11/2" for prefix in store.prefixes)


@pytest.mark.parametrize("gap_days", [0, 1, 2, 3, 4, 29, 31, 62, 400, 4000])
def test_the_newest_is_found_after_any_downtime(gap_days: int) -> None:
    store = store_with(hour_of(NOON_S - 9 * HOUR_S), hour(0))
    assert newest_hour_before(store, NOON_S + (gap_days + 1) * DAY_S) == hour(0)


def test_one_that_is_dated_far_ahead_hides_none() -> None:
    store = store_with(hour(0), "2036/01/01/00", "9999/12/31/23")
    assert newest_hour_before(store, after(0) + DAY_S) == hour(0)
    assert newest_hour_before(store_with("2036/01/01/00"), after(0) + DAY_S) is None
    assert newest_hour_before(MemoryStore(), after(0) + DAY_S) is None


def test_the_newest_before_a_moment_begins_before_it() -> None:
    store = store_with(hour(-1), hour(0), hour(1))
    assert newest_hour_before(store, NOON_S) == hour(-1)
    assert newest_hour_before(store, NOON_S + 1) == hour(0)
    assert newest_hour_before(store, NOON_S - HOUR_S) is None
