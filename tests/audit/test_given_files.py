"""Receipts and witnesses as files that anybody may have spoiled: the right finding, or one clear line; and soon."""

from __future__ import annotations

import io
import json
from collections.abc import Callable

import pytest

from audit.appender import Receipt
from audit.digest import digest_name, sha256_of
from audit.finding import Finding
from audit.given_lines import BadLine
from audit.layout import LOG as LOG_PREFIX
from audit.layout import hours_after
from audit.memory_store import MemoryStore
from audit.reader import read_blob
from audit.receipts import RECEIPTS_TOLD, KeptReceipts, read_receipts
from audit.verify import verify
from audit.witnesses import WITNESSES_TOLD, Witness, check_witnesses, read_witnesses
from tests.audit.digest_tampering import AT_14, HOURS, NOW_S, digested
from tests.audit.tampering import THIRD, store_of, whole_log

LOG = digested(whole_log())
HEAD = read_blob(store_of(LOG), THIRD).frames[1].head
RECEIPT = {"blob": THIRD, "sequence": 1, "head": HEAD}
WITNESS = {"event": "digest", "hour": HOURS[2], "sha256": sha256_of(LOG[AT_14]), "kid": "x", "blobs": 1}
WRONG = "0" * 64
MANY = 5_000


class CountingStore(MemoryStore):
    """Counts what would be a way to the storage and back."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0

    def read(self, name: str, start: int = 0, length: int | None = None) -> bytes:
        self.reads += 1
        return super().read(name, start, length)


def counting() -> CountingStore:
    store = CountingStore()
    for name, data in LOG.items():
        if name.startswith(LOG_PREFIX):
            store.create(name)
            store.append(name, data, at=0)
        else:
            store.put(name, data, overwrite=False)
    return store


def found(receipts: KeptReceipts, store: MemoryStore | None = None) -> list[Finding]:
    return verify(store or store_of(LOG), now_s=NOW_S, receipts=receipts)


def receipts_of(*lines: object) -> list[Finding]:
    return found(read_receipts(io.BytesIO("\n".join(map(json.dumps, lines)).encode())))


def ends_of_line(text: str) -> list[bytes]:
    data = text.encode()
    return [data, data.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + data, b"\n \n" + data + b"\n\n"]


@pytest.mark.parametrize("data", ends_of_line(f"{json.dumps(RECEIPT)}\n{json.dumps(RECEIPT | {'sequence': 99})}"))
def test_line_ends_blank_lines_and_a_byte_order_mark_change_nothing(data: bytes) -> None:
    (finding,) = found(read_receipts(io.BytesIO(data)))
    assert (finding.blob, finding.what) == (THIRD, "receipt")
    assert "names frame 99" in finding.detail


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize(("read", "line"), [(read_receipts, RECEIPT), (read_witnesses, WITNESS)])
def test_utf_16_is_refused_by_name(read: Callable[[io.BytesIO], object], line: object, coding: str) -> None:
    with pytest.raises(BadLine, match="line 1 is not in UTF-8, but in UTF-16 or no text: save it as UTF-8"):
        read(io.BytesIO(json.dumps(line).encode(coding)))


@pytest.mark.parametrize(
    "line",
    [
        json.dumps(RECEIPT)[:-20],
        json.dumps(RECEIPT | {"sequence": "1"}),
        json.dumps(RECEIPT | {"sequence": True}),
        json.dumps(RECEIPT | {"sequence": -1}),
        json.dumps(RECEIPT | {"sequence": 2**53 + 1}),
        json.dumps(RECEIPT | {"sequence": 10**4000}),
        f'{{"blob":"a","sequence":1e999,"head":"{WRONG}"}}',
        json.dumps(RECEIPT | {"blob": None}),
        json.dumps(RECEIPT | {"head": HEAD.upper()}),
        json.dumps(RECEIPT | {"head": f"{HEAD}\n"}),
        json.dumps({"receipt": {"blob": THIRD}}),
        json.dumps({"receipt": "nonsense"}),
        json.dumps({"receipt": [RECEIPT, [RECEIPT]]}),
        json.dumps({"parameters": {"receipt": "[{"}}),
        json.dumps({"parameters": 1}),
        json.dumps(RECEIPT | {"blob": "\ud800"}),
        '{"a":' * 100_000,
        '{"receipt":' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"blob":"\xff","sequence":1}',
        "null",
        "{}",
        "\x1f\x8b\x08 gzip",
    ],
)
def test_a_line_that_is_no_receipt_is_named(line: str) -> None:
    with pytest.raises(BadLine, match=r"^line 2.*expected a receipt"):
        read_receipts(io.BytesIO(json.dumps(RECEIPT).encode() + b"\n" + line.encode("latin-1")))


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf", b'{"receipt":[]}'])
def test_a_file_without_receipts_is_not_taken_for_one_that_verifies(data: bytes) -> None:
    with pytest.raises(BadLine, match="nothing in it"):
        read_receipts(io.BytesIO(data))


def test_zero_bytes_are_no_text() -> None:
    with pytest.raises(BadLine, match="line 1 is not in UTF-8"):
        read_receipts(io.BytesIO(bytes(4096)))


@pytest.mark.parametrize("read", [read_receipts, read_witnesses])
def test_a_line_is_read_up_to_a_limit_and_no_further(
    read: Callable[[io.BytesIO], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{read.__module__}.LONGEST_LINE_BYTES", 1 << 20)
    endless = io.BytesIO(b"{" * (3 << 20))
    with pytest.raises(BadLine, match="line 1 is longer than 1 MiB; "):
        read(endless)
    assert endless.tell() <= (1 << 20) + 1


@pytest.mark.parametrize(
    "blob", ["../../derived/x", "..", "", "a\x1b[31m\n\u202e", "log/v1/" + "x" * 10_000, THIRD + "\x00", AT_14]
)
def test_a_blob_that_can_be_none_of_this_log_is_said_not_to_be_there_without_asking_for_it(blob: str) -> None:
    store = counting()
    assert found(KeptReceipts(), store) == []
    before = store.reads
    (finding,) = found(KeptReceipts([Receipt(blob, 1, HEAD)]), store)
    assert store.reads == 2 * before
    assert (finding.what, finding.detail) == ("receipt", "a client's receipt names frame 1 of it; it is not there")
    assert len(finding.blob) <= 301


def test_the_same_receipt_many_times_is_one_finding() -> None:
    (finding,) = receipts_of(*[RECEIPT | {"head": WRONG}, RECEIPT] * 500, {"receipt": [RECEIPT] * 500})
    assert f"has frame 1 with head {WRONG}" in finding.detail


def test_many_receipts_of_one_blob_are_told_up_to_a_hundred_and_counted() -> None:
    kept = KeptReceipts(Receipt(THIRD, sequence, f"{sequence:064x}") for sequence in range(MANY))
    findings = found(kept)
    assert len(findings) == RECEIPTS_TOLD + 1
    assert any(one.detail.startswith(f"{MANY:,} receipts of this blob are wrong") for one in findings)


def test_many_blobs_that_are_not_there_cost_one_listing_and_are_counted() -> None:
    store = counting()
    found(KeptReceipts(), store)
    before = store.reads
    names = [THIRD.replace("-2.", f"-{number}.") for number in range(3, MANY + 3)]
    findings = found(KeptReceipts([Receipt(name, 1, HEAD) for name in [THIRD, *names]]), store)
    assert store.reads - before == before, "no blob was asked for that a listing does not have"
    assert len(findings) == 1001
    assert Finding(LOG_PREFIX, "receipt", f"receipts name {MANY:,} blobs that are not there; the first 1,000 by name "
                   "are told") in findings  # fmt: skip


def test_receipts_of_another_time_are_found_among_many_that_are_nowhere_and_shown_by_the_bar() -> None:
    names = [THIRD.replace("-2.", f"-{number}.") for number in range(3, 200)]
    kept = KeptReceipts([Receipt(THIRD, 1, WRONG), *(Receipt(name, 1, HEAD) for name in names)])
    told: list[str] = []
    found_ = verify(
        store_of(LOG), None, NOW_S - 200 * 3600, now_s=NOW_S, receipts=kept, progress=lambda *now: told.append(now[2])
    )
    assert told == [THIRD, ""]
    assert sum("the one here has" in one.detail for one in found_) == 1


def quoted_as_csv(line: str) -> str:
    return '"2026-11-23T15:05:00Z","' + line.replace('"', '""') + '",1'


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda line: line,
        lambda line: f"[2026-11-23T15:05:00.123Z] {line}",
        lambda line: f"2026-11-23T15:05:00Z [Information] {{hourly}} {line} (Id=3f9c)\r",
        quoted_as_csv,
        lambda line: json.dumps({"timestamp": "2026-11-23T15:05:00Z", "message": line, "severityLevel": 1}),
        lambda line: json.dumps(["2026-11-23T15:05:00Z", line]) + ",",
    ],
)
@pytest.mark.parametrize("compact", [True, False])
def test_a_witness_is_read_with_what_a_log_writes_around_it(wrapped: Callable[[str], str], compact: bool) -> None:
    line = json.dumps(WITNESS, separators=(",", ":") if compact else None)
    other = wrapped(json.dumps({"event": "verdict", "level": "ok"}))
    read = read_witnesses(io.BytesIO(f"{other}\n{wrapped(line)}\n".encode()))
    assert read == [Witness(HOURS[2], sha256_of(LOG[AT_14]))]


@pytest.mark.parametrize(
    "line",
    [
        json.dumps(WITNESS)[:-30],
        json.dumps(WITNESS | {"hour": 14}),
        json.dumps(WITNESS | {"hour": "2026/11/23/24"}),
        json.dumps(WITNESS | {"hour": "../../x"}),
        json.dumps(WITNESS | {"sha256": 10**400}),
        json.dumps(WITNESS | {"sha256": WRONG[:-1]}),
        "{" * 100_000,
        "{}" * 100_000,
        "plain text",
        "[" * 100_000,
        '{"event":"digest"}',
    ],
)
def test_a_line_that_is_no_witness_is_named(line: str) -> None:
    with pytest.raises(BadLine, match=r"^line 2.*expected the head of a digest"):
        read_witnesses(io.BytesIO(f"{json.dumps(WITNESS)}\n{line}".encode()))


def test_many_wrong_heads_of_an_hour_are_one_reading_and_are_counted() -> None:
    store = counting()
    findings = list(check_witnesses(store, (Witness(HOURS[2], f"{number:064x}") for number in range(MANY))))
    assert store.reads == 2, "the digest, and its end"
    assert len(findings) == WITNESSES_TOLD + 1
    assert findings[-1].detail == f"{MANY:,} heads that witnesses saw are not here; the first 1,000 are told"


def test_witnesses_of_many_hours_without_a_digest_cost_no_reading() -> None:
    store = counting()
    hours = [*HOURS, *hours_after(HOURS[2], 500)]
    findings = list(check_witnesses(store, [Witness(hour, WRONG) for hour in hours]))
    assert store.reads == 2 * len(HOURS)
    assert [one.blob for one in findings] == [digest_name(hour) for hour in hours]
