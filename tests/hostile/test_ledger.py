"""After all that was done to it, the log holds what was answered, no more and no less, and every byte verifies."""

from __future__ import annotations

from collections import Counter

from audit.reader import records
from audit.verify import verify
from tests.fuzz.balance import Tally, recorded
from tests.hostile.ledger import Ledger, expected_kinds


def test_the_log_holds_exactly_what_was_answered(ledger: Ledger) -> None:
    expected = expected_kinds(ledger)
    found: dict[str, Counter[str]] = {}
    ids: Counter[str] = Counter()
    for record, _ in records(ledger.platform.stores.log):
        if record.request in expected and record.role != "challenger":
            found.setdefault(record.request, Counter())[record.kind] += 1
            ids[record.id] += record.kind == "score"
    assert expected, "run the whole folder: this is about the tests before it"
    for request, counts in expected.items():
        assert found.get(request, Counter()) == +counts, request
    answered = Counter(ledger.ids)
    assert {instance: ids[instance] for instance in answered} == dict(answered)


def test_instances_and_request_errors_are_the_records_and_the_sum_of_outcomes(ledger: Ledger) -> None:
    tally = Tally()
    tally.add(ledger.tally)
    tally.add(ledger.fuzzed)
    found, outcomes = recorded(ledger.platform.stores.log, tally.expected)
    total = tally.total
    assert sum(found.values(), Counter()) == total
    assert sum(outcomes.values()) == total["score"] + total["request_error"]
    assert outcomes["request_error"] == total["request_error"]
    assert set(outcomes) <= {"scored", "abstained", "rejected", "failed", "request_error"}
    known = tally.outcomes - Counter({None: tally.outcomes[None]})
    assert all(outcomes[outcome or ""] >= count for outcome, count in known.items())


def test_every_byte_of_the_log_verifies(ledger: Ledger) -> None:
    assert not verify(ledger.platform.stores.log)
