"""Writing digests: every hour once, in order, whatever was recorded in it and whatever the clocks say."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter

import pytest

from audit import digest_writer
from audit.digest import digest_name
from audit.digest_writer import write_digests
from audit.frames import ZERO_HEAD
from audit.layout import HOUR_S
from audit.memory_store import MemoryStore
from audit.reader import read_blob
from audit.records import encode_record
from audit.verify import verify
from tests.audit.digested import (
    SIGNER,
    after,
    chain,
    decoded,
    hour,
    late,
    log_of_hours,
    names,
    record_in,
    stored,
    witnesses,
    write,
)
from tests.audit.examples import NOON_S, appender, score

FOREIGN = b"from the future"


def test_every_hour_from_the_logs_first_on_has_a_digest_whether_it_has_blobs_or_not() -> None:
    store, clock = log_of_hours(0, 3)
    assert write(store, clock, 4) == [hour(number) for number in range(5)]
    found = chain(store)
    assert [len(digest.blobs) for digest in found.values()] == [1, 0, 0, 1, 0]
    assert not any(digest.late for digest in found.values())
    assert write(store, clock, 4) == []
    assert write(store, clock, 5) == [hour(5)]
    assert len(chain(store)) == 6


def test_an_empty_log_has_none() -> None:
    store = MemoryStore()
    assert write_digests(store, SIGNER, after(4)) == []
    store.put("log/v1/2026/11/23/12/foreign.txt", b"", overwrite=False)
    assert write_digests(store, SIGNER, after(4)) == []
    assert [info.name for info in store.list("digest/")] == []


def test_an_hour_is_due_five_minutes_after_its_end() -> None:
    store, clock = log_of_hours(0)
    assert write_digests(store, SIGNER, NOON_S + HOUR_S + 294) == []
    assert len(write_digests(store, SIGNER, NOON_S + HOUR_S + 295)) == 1
    assert write_digests(store, SIGNER, NOON_S + 2 * HOUR_S + 59, settled_s=60) == []
    assert len(write_digests(store, SIGNER, NOON_S + 2 * HOUR_S + 60, settled_s=60)) == 1
    assert clock.now_s == NOON_S


def test_a_digest_says_of_a_blob_what_is_stored() -> None:
    store, clock = log_of_hours()
    open_blob = record_in(store, 0, "a", "b", writer="left-open", close=False)
    closed = record_in(store, 0, "c", writer="closed")
    empty = f"log/v1/{hour(0)}/died-0.jsonl"
    store.create(empty)
    write(store, clock, 0)
    blobs = {blob.name: blob for blob in chain(store)[hour(0)].blobs}
    assert list(blobs) == sorted([open_blob, closed, empty])
    for name, blob in blobs.items():
        data, reading = store.read(name), read_blob(store, name)
        assert reading.state == "closed"
        assert (blob.length, blob.sha256) == (len(data), hashlib.sha256(data).hexdigest())
        assert (blob.head, blob.frames, blob.closed) == (reading.frames[-1].head, len(reading.frames), True)
    assert [blobs[name].records for name in (open_blob, closed, empty)] == [2, 1, 0]
    assert verify(store, now_s=after(9)) == []


def test_a_blob_that_does_not_verify_is_listed_as_it_was_found_and_keeps_no_hour_waiting() -> None:
    store, clock = log_of_hours(1)
    damage = {"torn": (1.0, b'{"v":1'), "altered": (1.0, b"x" * 5_000_000), "swapped": (0.5, b"\x00\n" * 9)}
    held: dict[str, tuple[bytes, int]] = {}
    for writer, (kept, more) in damage.items():
        name = record_in(store, 0, "a", "b", writer=writer, close=False)
        data = store.read(name)
        spoilt = data[: int(kept * len(data))] + more
        store.delete(name)
        store.create(name)
        store.append(name, spoilt, at=0)
        held[name] = spoilt, 2 if kept == 1 else 0
    behind = record_in(store, 0, "c", writer="behind-close")
    store.append(behind, b"more", at=store.size(behind))
    held[behind] = store.read(behind), 1
    assert write(store, clock, 2) == [hour(0), hour(1), hour(2)]
    found = chain(store)[hour(0)]
    assert names(found) == sorted(held)
    for blob in found.blobs:
        spoilt, records = held[blob.name]
        assert store.read(blob.name) == spoilt, "evidence is left as it is"
        assert (blob.length, blob.sha256) == (len(spoilt), hashlib.sha256(spoilt).hexdigest())
        assert (blob.records, blob.closed) == (records, False)
        frames = read_blob(store, blob.name).frames
        assert (blob.frames, blob.head) == (len(frames), frames[-1].head if frames else ZERO_HEAD)


def test_a_blob_of_a_foreign_kind_or_name_is_no_blob_of_the_log() -> None:
    store, clock = log_of_hours(0)
    store.put(f"log/v1/{hour(0)}/put-whole-0.jsonl", b"{}", overwrite=False)
    store.create(f"log/v1/{hour(0)}/no name of ours.jsonl")
    write(store, clock, 0)
    assert len(chain(store)[hour(0)].blobs) == 1


class Counting(MemoryStore):
    """Remembers how much of each blob was read, and the largest single read."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes_read: Counter[str] = Counter()
        self.largest = 0

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        data = super().read(name, start, length)
        self.bytes_read[name] += len(data)
        self.largest = max(self.largest, len(data))
        return data


@pytest.mark.parametrize("close", [True, False])
def test_every_byte_is_read_once_and_in_small_parts_while_it_is_verified_and_hashed(close: bool) -> None:
    store = Counting()
    writer = appender(store)
    long = encode_record(score("long", x={"a": "x" * 400_000}))
    for _ in range(30):
        name = writer.append([long]).blob
    if close:
        writer.leave()
    store.bytes_read.clear()
    write_digests(store, SIGNER, after(0))
    assert store.largest <= 4 * 1024 * 1024
    assert store.size(name) > 12_000_000
    close_frame = 0 if close else 1000  # what sealing looks at again, and the `close` that it appended
    assert store.size(name) <= store.bytes_read[name] <= store.size(name) + close_frame


def test_a_blob_that_comes_too_late_for_its_hour_is_in_the_next_digest_once() -> None:
    store, clock = log_of_hours(0)
    write(store, clock, 0)
    zombie = record_in(store, 0, "late", writer="zombie", close=False)
    write(store, clock, 1)
    again = record_in(store, 0.5, "later", writer="zombie-2")
    write(store, clock, 2)
    write(store, clock, 5)
    found = chain(store)
    assert [late(digest) for digest in found.values()] == [[], [zombie], [again], [], [], []]
    assert read_blob(store, zombie).state == "closed"
    assert all(blob.closed for digest in found.values() for blob in digest.late)


def test_late_blobs_are_looked_for_two_days_back() -> None:
    store, clock = log_of_hours(0)
    write(store, clock, 60)
    within, beyond = (record_in(store, number, "x", writer=f"late-{number}") for number in (13, 12))
    write(store, clock, 61)
    write(store, clock, 63)
    found = chain(store)
    assert late(found[hour(61)]) == [within]
    assert beyond not in [name for digest in found.values() for name in late(digest)]


def test_a_blob_whose_digest_is_damaged_is_said_again(caplog: pytest.LogCaptureFixture) -> None:
    store, clock = log_of_hours(0, 1)
    write(store, clock, 1)
    store.put(digest_name(hour(0)), b"{}", overwrite=True)
    write(store, clock, 2)
    (blob,) = [info.name for info in store.list(f"log/v1/{hour(0)}/")]
    assert late(decoded(store, hour(2))) == [blob]
    assert f"the digest of {hour(0)} is damaged" in caplog.text


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff" * 9_000_000], ids=["empty", "no digest", "large"])
def test_the_digest_after_a_damaged_one_names_its_stored_bytes(damage: bytes, caplog: pytest.LogCaptureFixture) -> None:
    store, clock = log_of_hours(0, 1)
    write(store, clock, 1)
    store.put(digest_name(hour(1)), damage, overwrite=True)
    assert write(store, clock, 3) == [hour(2), hour(3)]
    assert decoded(store, hour(2)).previous == hashlib.sha256(damage).hexdigest()
    assert [line for line in caplog.messages if hour(1) in line and "damaged" in line]
    assert stored(store, hour(1)) == damage


def test_more_blobs_than_a_digest_may_have_come_late(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest_writer, "MAX_BLOBS", 3)
    store, clock = log_of_hours()
    made = [record_in(store, 0, "a", writer=f"w{number}") for number in range(7)]
    write(store, clock, 3)
    found = list(chain(store).values())
    assert [(len(digest.blobs), len(digest.late)) for digest in found] == [(3, 0), (0, 3), (0, 1), (0, 0)]
    assert sorted(name for digest in found for name in names(digest) + late(digest)) == made


def test_a_writer_without_a_clock_starts_no_chain_of_fifty_years() -> None:
    store, clock = log_of_hours(0)
    lost = record_in(store, -NOON_S / HOUR_S, "a", writer="no-clock")
    assert lost.startswith("log/v1/1970/01/01/00/")
    assert write(store, clock, 0) == [hour(0)]
    assert late(chain(store)[hour(0)]) == [lost]


def test_a_log_of_nothing_but_such_blobs_has_a_digest_of_the_last_hour() -> None:
    store, clock = log_of_hours()
    lost = record_in(store, -NOON_S / HOUR_S, "a", writer="no-clock")
    assert write(store, clock, 2) == [hour(2)]
    assert late(chain(store)[hour(2)]) == [lost]


def test_after_a_month_without_a_run_every_hour_has_its_digest() -> None:
    store, clock = log_of_hours(0, 1.5)
    write(store, clock, 2)
    told: list[tuple[int, int, str]] = []
    clock.now_s = after(722)
    assert len(write_digests(store, SIGNER, clock.now_s, progress=lambda *now: told.append(now))) == 720
    assert len(chain(store)) == 723
    assert told[0] == (0, 720, hour(3))
    assert told[-1] == (720, 720, "")


# ------------------------------------------------------------------------------------------------------- clocks


def test_a_clock_that_is_set_back_writes_nothing_new(caplog: pytest.LogCaptureFixture) -> None:
    store, clock = log_of_hours(0, 1, 2)
    write(store, clock, 2)
    before = {info.name: store.read(info.name) for info in store.list()}
    for number in (1.0, 0.2, -1, -30, -5000):
        assert write(store, clock, number) == []
    assert before == {info.name: store.read(info.name) for info in store.list()}
    assert f"the log's first digest is of {hour(0)}" in caplog.text


def test_a_clock_that_was_ahead_is_named_at_each_run_and_its_hours_are_made_up_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store, clock = log_of_hours(0)
    clock.now_s = after(0)
    assert len(write_digests(store, SIGNER, after(70))) == 71, "the storage's clock knows better than ours"
    meanwhile = [record_in(store, number, "a", writer=f"w-{number}") for number in (1, 20, 40, 70)]
    for number in (1, 30, 69):
        caplog.clear()
        assert write(store, clock, number) == []
        assert "digests of hours that are not over" in caplog.text
    caplog.clear()
    assert write(store, clock, 73) == [hour(71), hour(72), hour(73)]
    assert "not over" not in caplog.text
    found = chain(store)
    assert late(found[hour(71)]) == meanwhile
    assert late(found[hour(72)]) == late(found[hour(73)]) == []


def test_a_run_links_through_a_foreign_digest_that_is_dated_ahead() -> None:
    store, clock = log_of_hours(0, 1)
    write(store, clock, 0)
    store.put(digest_name(hour(2)), FOREIGN, overwrite=False)
    assert write(store, clock, 1) == [hour(1)], "it is not in the way of the hours before it"
    assert write(store, clock, 3) == [hour(3)]
    assert decoded(store, hour(3)).previous == hashlib.sha256(FOREIGN).hexdigest()


def test_a_digest_of_another_decade_does_not_keep_the_chain_from_beginning(caplog: pytest.LogCaptureFixture) -> None:
    store, clock = log_of_hours(0)
    store.put(digest_name("2036/01/01/00"), FOREIGN, overwrite=False)
    assert write(store, clock, 1) == [hour(0), hour(1)]
    assert decoded(store, hour(0)).previous == ZERO_HEAD
    assert "the log's first digest is of 2036/01/01/00" in caplog.text


def test_an_hour_that_was_skipped_before_a_foreign_digest_comes_late() -> None:
    """Nothing is written behind the newest digest: the gap stays, for `verify` to tell. What lies in it is covered."""
    store, clock = log_of_hours(0, 1)
    write(store, clock, 0)
    store.put(digest_name(hour(2)), FOREIGN, overwrite=False)
    assert write(store, clock, 3) == [hour(3)]
    (blob,) = [info.name for info in store.list(f"log/v1/{hour(1)}/")]
    assert late(decoded(store, hour(3))) == [blob]


def test_each_digest_leaves_a_line_for_those_who_keep_its_hash(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "hyperplane.audit")
    store, clock = log_of_hours(0)
    record_in(store, 0, "a", "b", writer="more")
    write(store, clock, 1)
    write(store, clock, 1)
    sha256s = [hashlib.sha256(stored(store, hour(number))).hexdigest() for number in (0, 1)]
    assert witnesses(caplog) == [
        {"event": "digest", "hour": hour(0), "sha256": sha256s[0], "kid": SIGNER.kid, "blobs": 2, "records": 3},
        {"event": "digest", "hour": hour(1), "sha256": sha256s[1], "kid": SIGNER.kid, "blobs": 0, "records": 0},
    ]
