"""The newest records that match are those that reading all of them gives."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from audit.browse import Filter, newest
from audit.reader import records
from tests.audit.indexed_logs import Writers, record

TEXTS = st.sampled_from(["wine", "failed", "scored", "label", 'a"b\\', "ünï☃", "\x00\n", ""])
RECORDS = st.lists(st.tuples(TEXTS, TEXTS, st.sampled_from(["score", "label", "note"]), st.lists(TEXTS, max_size=2)))


@settings(max_examples=80)
@given(
    given=RECORDS,
    model=st.none() | TEXTS,
    outcome=st.none() | TEXTS,
    reason=st.none() | TEXTS,
    kind=st.sampled_from([None, "label", "note"]),
    limit=st.integers(0, 20),
)
def test_the_newest_that_match_are_found(
    given: list[tuple[str, str, str, list[str]]],
    model: str | None,
    outcome: str | None,
    reason: str | None,
    kind: str | None,
    limit: int,
) -> None:
    log = Writers()
    for number, (its_model, its_outcome, its_kind, reasons) in enumerate(given):
        hour = number / 4
        log.add(hour, record("x", hour, model=its_model, outcome=its_outcome, kind=its_kind, reasons=reasons))
    wanted = Filter(model=model, outcome=outcome, reason=reason, kind=kind)
    matching = [pair for pair in records(log.store) if wanted.matches(pair[0])]
    assert list(newest(log.store, wanted, limit)) == sorted(matching, key=lambda pair: pair[0].ts, reverse=True)[:limit]


def test_what_is_no_unicode_matches_nothing() -> None:
    log = Writers()
    log.add(0, record("x"))
    assert list(newest(log.store, Filter(model="wine\udc80"), 5)) == []
