"""The siege finds what it looks for: every promise, broken in a log in memory."""

from __future__ import annotations

from dataclasses import replace

import pytest

from audit.appender import Receipt
from audit.memory_store import MemoryStore
from audit.records import encode_record
from tests.audit.examples import appender, lines, score
from tests.siege.comparison import compare
from tests.siege.ledger import PROMISES, Sent, Told, fingerprint_of_record, fingerprint_of_result
from tests.siege.misfortunes import KINDS, misfortunes

RESULT = {
    "id": "a", "outcome": "scored", "label": 1, "reasons": [],
    "flags": {"missing": [], "artifacts": {}, "outside": {}, "distance": None},
}  # fmt: skip


def logged(*names: str) -> tuple[MemoryStore, Receipt]:
    store = MemoryStore()
    return store, appender(store).append(lines(*names))


def acknowledged(receipt: Receipt, *names: str) -> Sent:
    return Sent(names, "acknowledged", 0.1, (receipt,), (fingerprint_of_result(RESULT),) * len(names))


def test_what_was_promised_and_kept_is_counted() -> None:
    store, receipt = logged("a", "b", "c")
    sent = [
        acknowledged(receipt, "a", "b"),
        Sent(("c",), "no answer", 0.1),
        Sent(("d",), "outcome unknown", 0.1),
        Sent(("e",), "refused", 0.1),
    ]
    found = compare(store, sent)
    assert found.violations == []
    assert {told: dict(counts) for told, counts in found.logged.items()} == {
        "acknowledged": {1: 2}, "no answer": {1: 1}, "outcome unknown": {0: 1}, "refused": {0: 1},
    }  # fmt: skip


@pytest.mark.parametrize("told", PROMISES)
@pytest.mark.parametrize("times", [0, 1, 2])
def test_a_record_too_few_or_too_many_is_a_violation(told: Told, times: int) -> None:
    store = MemoryStore()
    writer = appender(store)
    receipts = [writer.append(lines("a")) for _ in range(times)]
    promise = PROMISES[told]
    kept = promise.least <= times <= promise.most
    found = compare(store, [Sent(("a",), told, 0.1, tuple(receipts))]).violations
    assert found == ([] if kept else [f"a: {told}, and {times} times in the log"])


def test_a_record_that_no_client_sent_is_a_violation() -> None:
    store, receipt = logged("a", "b")
    assert compare(store, [acknowledged(receipt, "a")]).violations == ["b: in the log, and no client sent it"]


def test_a_receipt_of_another_frame_is_a_violation() -> None:
    store, receipt = logged("a")
    for other in (replace_receipt(receipt, sequence=2), replace_receipt(receipt, head="0" * 64)):
        first, second = compare(store, [acknowledged(other, "a")]).violations
        assert "which its receipt does not name" in first
        assert "which does not hold it" in second
    too_many = Sent(("a",), "acknowledged", 0.1, (receipt, replace_receipt(receipt, sequence=2)))
    assert len(compare(store, [too_many]).violations) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": "abstained"},
        {"label": 2},
        {"reasons": ["low_confidence"]},
        {"flags": {"distance": 0.5}},
        {"flags": {"faults": {"a": ["wrong_type"]}}},
    ],
)
def test_a_record_that_says_otherwise_than_the_answer_is_a_violation(change: dict[str, object]) -> None:
    store, receipt = logged("a")
    sent = replace(acknowledged(receipt, "a"), answers=(fingerprint_of_result(RESULT | change),))
    assert compare(store, [sent]).violations == ["a: its record says otherwise than its answer"]


def test_what_an_abstained_record_keeps_to_itself_is_no_contradiction() -> None:
    record = score("a", outcome="abstained", reasons=["low_confidence"], flags={"distance": 0.5, "cluster": 3})
    result = {"outcome": "abstained", "reasons": ["low_confidence"], "flags": {"missing": [], "distance": 0.5}}
    assert encode_record(record)
    assert fingerprint_of_record(record) == fingerprint_of_result(result)


@pytest.mark.parametrize(("seconds", "least"), [(7, 3), (60, 4), (180, 14)])
def test_every_kind_of_misfortune_comes_in_turn_and_none_at_the_end(seconds: float, least: int) -> None:
    for seed in range(50):
        planned = misfortunes(seconds, seed)
        assert len(planned) >= least
        assert {each.kind for each in planned} == set(KINDS)
        assert all(0 < each.at_s < seconds - 0.9 for each in planned)
        assert planned == sorted(planned, key=lambda each: each.at_s)


def replace_receipt(receipt: Receipt, *, sequence: int | None = None, head: str | None = None) -> Receipt:
    return Receipt(receipt.blob, receipt.sequence if sequence is None else sequence, head or receipt.head)
