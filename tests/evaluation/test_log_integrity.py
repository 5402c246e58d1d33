"""A report's look at its own log: each blob in one state, every damage found, and the same said again later."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from audit.digest import digest_name
from audit.digest_writer import write_digests
from audit.layout import hour_of
from audit.memory_store import MemoryStore
from audit.records import timestamp
from audit.signing import PublicKeys
from evaluation.report_format import BlobStates, LogIntegrity
from evaluation.vouching.log_integrity import Looked, drawn, log_integrity
from evaluation.windows import custom_window, day_window
from tests.audit.digests import SIGNER, STRANGER
from tests.audit.examples import copy_with
from tests.evaluation.workshop import HOUR, NOON, Log, UnreadableBlob, score

KEYS = PublicKeys.of_pem(SIGNER.public_key_pem)
DAY = day_window(NOON)
MIDNIGHT = NOON + 12 * HOUR


@pytest.fixture
def three(log: Log) -> list[str]:
    """A closed blob in each of three hours, the first two of them digested."""
    names = [log.append(NOON + n * HOUR, [score(f"i{n}", NOON + n * HOUR)] * (n + 1)) for n in range(3)]
    for name in names:
        log.close(name)
    write_digests(log.store, SIGNER, NOON + 2 * HOUR + 301)
    return names


def look(
    store: MemoryStore | UnreadableBlob, as_of_s: float = NOON + 3 * HOUR, keys: PublicKeys | None = KEYS, **more: int
) -> LogIntegrity:
    return looked(store, as_of_s, keys, **more).integrity


def looked(
    store: MemoryStore | UnreadableBlob, as_of_s: float = NOON + 3 * HOUR, keys: PublicKeys | None = KEYS, **more: int
) -> Looked:
    return log_integrity(store, DAY, timestamp(as_of_s), keys, **more)  # type: ignore[arg-type]


def test_each_blob_is_in_one_state(log: Log, three: list[str]) -> None:
    log.append(NOON + 2 * HOUR, [score("left open")], writer="busy")
    log.append(NOON + 3 * HOUR, [score("now")])
    told = look(log.store, NOON + 3.5 * HOUR)
    assert told.blobs == BlobStates(verified=2, sealed=1, open=2)
    assert (told.digests.hours, told.digests.valid, told.digests.missing, told.digests.before_first) == (15, 2, 1, 12)
    assert told.digests.newest == "2026-11-23T13:00:00Z"
    assert (told.findings_total, told.read_bytes) == (0, told.stored_bytes)
    assert "2 of 5 log files are byte for byte as digests list them. The signatures are good." in (told.sentence)


def test_an_empty_window_is_said(log: Log) -> None:
    told = look(log.store)
    assert (told.blobs, told.sentence) == (BlobStates(), "The log holds no files of this window.")


def test_a_log_without_digests_does_not_alarm(log: Log) -> None:
    log.close(log.append(NOON, [score("a")]))
    assert look(log.store).blobs == BlobStates(sealed=1)
    assert looked(log.store).overdue == 0
    assert "No digest lists the only log file" in look(log.store).sentence


def test_without_a_key_the_signatures_are_not_checked_and_with_another_not_known(log: Log, three: list[str]) -> None:
    without, foreign = look(log.store, keys=None), look(log.store, keys=PublicKeys.of_pem(STRANGER.public_key_pem))
    assert (without.digests.not_checked, foreign.digests.unknown_key) == (2, 2)
    assert "No signature was checked" in without.sentence
    assert "2 digests are signed by a key that is not known here" in foreign.sentence
    assert without.findings_total == foreign.findings_total == 0


def altered(data: bytes) -> bytes:
    return data[:-300] + bytes([data[-300] ^ 1]) + data[-299:]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (altered, "altered"),
        (lambda data: data[:-100], "altered"),
        (lambda data: data + b"more", "after close"),
        (lambda data: None, "missing"),
    ],
    ids=["one bit", "its end cut off", "something appended", "taken away"],
)
def test_what_was_done_to_a_digested_blob_is_found(
    log: Log, three: list[str], change: Callable[[bytes], bytes | None], what: str
) -> None:
    store = copy_with(log.store, {three[1]: change(log.store.read(three[1]))})
    told = look(store)
    assert any(found.blob == three[1] and found.what.startswith(what) for found in told.findings), told.findings
    assert told.blobs.verified == 1
    assert "it is not what it was when it was written" in told.sentence


def test_a_blob_that_was_added_is_found_once_no_digest_can_list_it_any_more(log: Log, three: list[str]) -> None:
    write_digests(log.store, SIGNER, NOON + 60 * HOUR)
    added = log.append(NOON, [score("never")], writer="forger")
    log.close(added)
    at_first = look(log.store, NOON + 48 * HOUR)
    assert (at_first.findings, at_first.blobs.sealed) == ([], 1), "one of the next digests may list it as late"
    (found,) = look(log.store, NOON + 49 * HOUR).findings
    assert (found.blob, found.what[:5]) == (added, "extra")


def test_a_late_blob_is_well_when_a_later_digest_lists_it(log: Log, three: list[str]) -> None:
    late = log.append(NOON, [score("late")], writer="behind")
    log.close(late)
    write_digests(log.store, SIGNER, NOON + 3 * HOUR + 301)
    assert look(log.store).blobs == BlobStates(verified=4)
    window = custom_window(NOON, NOON + HOUR)
    of_the_hour = log_integrity(log.store, window, timestamp(NOON + 3 * HOUR), KEYS).integrity
    assert of_the_hour.blobs == BlobStates(verified=2), "also when the digest is of an hour after the window"


def test_digests_that_were_forged_damaged_or_taken_out_are_found(log: Log, three: list[str]) -> None:
    write_digests(log.store, SIGNER, NOON + 3 * HOUR + 301)
    second = digest_name(hour_of(NOON + HOUR))
    whole = msgspec.json.decode(log.store.read(second), type=dict[str, str])
    forged = msgspec.json.encode(whole | {"signature": "A" * 85 + "A"})
    cases: list[tuple[dict[str, bytes | None], str, str, str]] = [
        ({second: forged}, "bad_signature", second, "bad signature"),
        ({second: b"{}"}, "unreadable", second, "altered"),
        ({second: None}, "missing", second, "gap"),
    ]
    for changes, state, where, what in cases:
        told = look(copy_with(log.store, changes))
        assert getattr(told.digests, state) >= 1, state
        assert any((found.blob, found.what.partition(":")[0]) == (where, what) for found in told.findings), told


def test_older_digests_that_a_rule_removed_are_no_finding(log: Log, three: list[str]) -> None:
    first = digest_name(hour_of(NOON))
    told = look(copy_with(log.store, {first: None, three[0]: None}))
    assert (told.findings, told.digests.before_first, told.digests.valid) == ([], 13, 1)


def test_hours_whose_digest_is_overdue_are_counted(log: Log, three: list[str]) -> None:
    assert looked(log.store, NOON + 3 * HOUR).overdue == 0, "that of the last hour is written in minutes"
    assert looked(log.store, NOON + 4 * HOUR).overdue == 1
    assert looked(log.store, MIDNIGHT).overdue == 9
    assert look(log.store, MIDNIGHT).findings == []


def test_digests_of_later_hours_never_change_what_was_said(log: Log, three: list[str]) -> None:
    before = look(log.store, NOON + 2 * HOUR)
    log.close(log.append(NOON, [score("behind")], writer="behind"))
    log.append(NOON + 2 * HOUR, [score("more")], writer="more")
    changed = look(log.store, NOON + 2 * HOUR)
    assert (changed.blobs.sealed, changed.findings) == (1, []), "the log itself did change: it has one blob more"
    write_digests(log.store, SIGNER, NOON + 9 * HOUR)
    assert look(log.store, NOON + 2 * HOUR) == changed
    assert (before.blobs.verified, before.blobs.open) == (2, 0)


def test_a_large_window_is_read_in_part_and_says_so(log: Log, three: list[str]) -> None:
    write_digests(log.store, SIGNER, NOON + 3 * HOUR + 301)
    some = look(log.store, most_bytes=log.store.size(three[2]))
    assert (some.blobs.verified, some.blobs.listed) == (1, 2)
    assert 0 < some.read_bytes < some.stored_bytes
    none = look(log.store, most_bytes=0)
    assert none.blobs == BlobStates(listed=3)
    cut = look(copy_with(log.store, {three[0]: log.store.read(three[0])[:-100]}), most_bytes=0)
    assert (cut.blobs.damaged, cut.findings[0].what[:24]) == (1, "altered: its length is 1")
    assert look(log.store, NOON + 3 * HOUR, most_bytes=0, keys=None).read_bytes == 0


def test_of_hours_without_a_digest_less_is_read(log: Log, three: list[str]) -> None:
    size_bytes = log.store.size(three[2])
    assert look(log.store, most_bytes=8 * size_bytes).blobs == BlobStates(verified=2, sealed=1)
    assert look(log.store, most_bytes=8 * size_bytes - 1).blobs == BlobStates(verified=2, unread=1)


def test_which_blobs_are_read_does_not_depend_on_the_order_of_the_listing(log: Log, three: list[str]) -> None:
    infos = list(log.store.list("log/"))
    assert drawn(infos, "seed", 2000) == drawn(infos[::-1], "seed", 2000)
    assert len({drawn(infos, str(seed), infos[2].size_bytes) for seed in range(20)}) > 1


def test_a_blob_that_is_gone_when_it_is_read_is_damaged(log: Log, three: list[str]) -> None:
    told = look(UnreadableBlob(log.store, three[1]))
    assert (told.blobs.damaged, told.blobs.verified) == (1, 1)
    assert told.findings[0].what == "missing: it was listed, and gone when it was read"


def test_no_more_findings_are_kept_than_the_format_says(log: Log) -> None:
    for n in range(25):
        name = log.append(NOON, [score("a")], writer=f"w{n}")
        log.store.append(name, b"torn", log.store.size(name))
    told = look(log.store)
    assert (len(told.findings), told.findings_total, told.blobs.damaged) == (20, 25, 25)
