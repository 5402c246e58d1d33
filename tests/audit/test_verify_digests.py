"""`verify` with digests: parts of a log, late blobs, what the timer writes, hostile digests. See test_tampering too."""

from __future__ import annotations

import msgspec
import pytest

from audit.appender import Receipt
from audit.digest import BEGINS, Digest, digest_name, encode_digest, sha256_of
from audit.digest_log import digest_hours
from audit.digest_writer import write_digests
from audit.layout import hours_after
from audit.memory_store import MemoryStore
from audit.reader import read_blob
from audit.receipts import KeptReceipts
from audit.verify import verify
from tests.audit.digest_tampering import AT_12, AT_13, AT_14, HOURS, NOW_S, digested
from tests.audit.digests import KEYS, SIGNER, digest_all, digest_of
from tests.audit.examples import HOUR, NOON_S, Clock, appender, lines, log_of
from tests.audit.tampering import FIRST, OTHER, SECOND, THIRD, Log, store_of, whole_log

LOG = digested(whole_log())


def found(
    log: Log | MemoryStore, since_s: float | None = None, until_s: float | None = None, now_s: float = NOW_S
) -> set[tuple[str, str]]:
    store = log if isinstance(log, MemoryStore) else store_of(log)
    return {(finding.blob, finding.what) for finding in verify(store, since_s, until_s, keys=KEYS, now_s=now_s)}


def test_what_the_timer_writes_verifies_hour_after_hour() -> None:
    store, clock = MemoryStore(), Clock()
    writer = appender(store, clock=clock)
    for hour in range(5):
        clock.now_s = NOON_S + hour * 3600
        if hour != 2:
            writer.append(lines(f"a-{hour}"))
        clock.now_s += 3900
        write_digests(store, SIGNER, clock.now_s)
        assert verify(store, keys=KEYS, now_s=clock.now_s) == []
    assert len(digest_hours(store)) == 5
    store.delete(digest_name(HOURS[2]))
    assert found(store, now_s=clock.now_s) == {(digest_name(HOURS[2]), "gap")}


def test_a_late_blob_is_found_until_a_later_digest_lists_it() -> None:
    store = store_of(LOG)
    appender(store, writer="behind").append(lines("late"))
    late = f"log/v1/{HOUR}/behind-0.jsonl"
    assert (late, "extra") in found(store)
    write_digests(store, SIGNER, NOW_S + 3600)
    assert found(store, now_s=NOW_S + 3600) == set()


def test_a_part_of_the_log_is_verified_with_the_digest_before_it() -> None:
    at_13, at_14 = NOON_S + 3600, NOON_S + 7200
    assert found(LOG, at_13, at_14) == set()
    assert found(LOG | {THIRD: b"", AT_14: b""}, at_13, at_14) == set()
    assert found(LOG | {SECOND: LOG[SECOND][:-2]}, at_13, at_14) == {(SECOND, "torn"), (SECOND, "altered")}
    assert found(LOG | {AT_12: b""}, at_13, at_14) == {(AT_13, "chain")}
    without = {name: data for name, data in LOG.items() if name != AT_13}
    assert found(without, at_13, at_14) == {(AT_13, "gap")}
    assert found(without, at_14) == set()
    assert found(LOG, at_14, now_s=NOW_S + 7200) == {(AT_14, "stale")}
    assert found(LOG, None, at_14, now_s=NOW_S + 7200) == set()


def test_before_the_end_of_a_part_late_blobs_are_looked_up_behind_it() -> None:
    store = store_of(LOG)
    appender(store, writer="behind").append(lines("late"))
    write_digests(store, SIGNER, NOW_S + 3600)
    assert found(store, NOON_S, NOON_S + 3600, now_s=NOW_S + 3600) == set()
    late = f"log/v1/{HOUR}/behind-0.jsonl"
    assert found(store, NOON_S + 3600, now_s=NOW_S + 3600) == set(), "a late blob of an hour before is not missed"
    store.delete(late)
    assert (late, "missing") in found(store, now_s=NOW_S + 3600)


def test_an_hour_without_digest_is_fine_while_it_is_not_long_over() -> None:
    store = log_of(["a"])
    assert found(store, now_s=NOON_S + 2 * 3600 - 1) == set()
    assert found(store, now_s=NOON_S + 2 * 3600) == {(AT_12, "stale")}


def test_a_block_blob_in_the_place_of_a_blob_of_the_log_is_found() -> None:
    store = store_of(LOG)
    store.put(THIRD, LOG[THIRD], overwrite=True)
    assert found(store) == {(THIRD, "foreign")}


def test_the_newest_blob_removed_before_its_digest_is_shown_by_a_receipt_only() -> None:
    log = {name: data for name, data in whole_log().items() if name != THIRD}
    store = store_of(digested(log))
    assert found(store) == set()
    frame = read_blob(store_of(LOG), THIRD).frames[1]
    (finding,) = verify(store, keys=KEYS, now_s=NOW_S, receipts=KeptReceipts([Receipt(THIRD, 1, frame.head)]))
    assert (finding.blob, finding.what) == (THIRD, "receipt")


def test_digests_of_impossible_hours_are_no_crash() -> None:
    store = store_of(LOG)
    for name in ("digest/v1/0001/01/01/00.json", "digest/v1/9999/12/31/23.json", "digest/v1/2026/02/30/00.json"):
        store.put(name, b"{}", overwrite=False)
    assert found(store) == {
        ("digest/v1/0001/01/01/00.json", "altered"),
        ("digest/v1/0001/01/01/01.json", "gap"),
        (BEGINS, "chain"),
        ("digest/v1/9999/12/31/23.json", "dated"),
        ("digest/v1/2026/02/30/00.json", "foreign"),
    }
    assert found({"digest/v1/9999/12/31/23.json": b""}) == {("digest/v1/9999/12/31/23.json", "dated")}


def test_a_digest_that_lists_very_much_is_a_hundred_findings_and_not_more() -> None:
    store = store_of(LOG)
    digest = digest_of(store, HOURS[2], sha256_of(LOG[AT_13]))
    (entry,) = digest.blobs
    invented = [
        msgspec.structs.replace(entry, name=f"log/v1/{HOURS[2]}/invented-{number}.jsonl") for number in range(5000)
    ]
    store.put(AT_14, encode_digest(msgspec.structs.replace(digest, blobs=[entry, *invented]), SIGNER), overwrite=True)
    findings = verify(store, keys=KEYS, now_s=NOW_S)
    assert 100 < len(findings) < 110
    assert any("no more were looked at" in finding.detail for finding in findings)


def test_without_keys_signatures_do_not_count() -> None:
    stranger = {name: data for name, data in LOG.items() if not name.startswith("digest/")}
    store = store_of(stranger)
    digest_all(store, HOUR, 3)
    assert verify(store, now_s=NOW_S) == []


def test_blobs_before_the_first_digest_must_be_its_late_ones() -> None:
    blobs = {name: data for name, data in LOG.items() if not name.startswith("digest/")}
    store = store_of(blobs)
    digest_all(store, HOURS[1], 2)
    assert found(store) == {(FIRST, "extra"), (OTHER, "extra")}
    digest_all(store, HOURS[1], 2, late={HOURS[1]: [FIRST, OTHER]})
    assert found(store) == set()


def test_progress_counts_blobs_and_digests() -> None:
    told: list[tuple[int, int, str]] = []
    verify(store_of(LOG), keys=KEYS, now_s=NOW_S, progress=lambda *step: told.append(step))
    assert [done for done, _, _ in told] == list(range(8))
    assert {total for _, total, _ in told} == {7}
    assert [name for _, _, name in told] == [AT_12, FIRST, OTHER, AT_13, SECOND, AT_14, THIRD, ""]


@pytest.mark.parametrize("field", ["length", "sha256", "head", "frames", "records", "closed"])
def test_a_difference_is_told_by_its_name(field: str) -> None:
    digest = digest_of(store_of(LOG), HOURS[2], sha256_of(LOG[AT_13]))
    (entry,) = digest.blobs
    other = {"sha256": "0" * 64, "head": "0" * 64, "closed": False}.get(field, 7777)
    changed: Digest = msgspec.structs.replace(digest, blobs=[msgspec.structs.replace(entry, **{field: other})])
    store = store_of(LOG | {AT_14: encode_digest(changed, SIGNER)})
    (finding,) = verify(store, keys=KEYS, now_s=NOW_S)
    word = {"sha256": "SHA-256", "head": "last head", "length": "length"}.get(field, field)
    assert word in finding.detail
    assert f"not {str(other).lower()}, by {AT_14}" in finding.detail


def test_an_hour_after_the_last_of_the_calendar_is_none() -> None:
    assert hours_after("9999/12/31/22", 48) == ["9999/12/31/23"]
