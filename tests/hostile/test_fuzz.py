"""A short run of `make fuzz`: every operation of the OpenAPI document, and all of it in the ledger."""

from __future__ import annotations

from pathlib import Path

from tests.fuzz.balance import tally_of
from tests.fuzz.run import Plan, fuzz
from tests.hostile.ledger import Ledger

# The coverage phase, thousands of requests, is for `make fuzz`. These here are the same each time, so that a change
# fails and not a draw.
SHORT = Plan(examples=8, seed=20261124, phases=("examples", "fuzzing"), deterministic=True)


def test_requests_made_from_our_own_document_find_no_failure(ledger: Ledger, tmp_path: Path) -> None:
    outcome = fuzz(ledger.platform.url, ledger.platform.key, SHORT, tmp_path)
    assert outcome.passed, outcome.text
    made = tally_of(outcome.exchanges)
    assert made.total["score"] > 50, outcome.text
    assert made.total["request_error"] >= 5, outcome.text
    ledger.fuzzed.add(made)
