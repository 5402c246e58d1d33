"""What a request may ask of the log, what it gets, and what that may cost."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import Refused
from audit.memory_store import MemoryStore
from audit.records import Record, encode_record
from audit.spot_check import MOST, RECORD_BYTES, Asked, asked, shortened, spot_check, told
from tests.audit.examples import NOON_S, Clock, appender, log_of, score

DAY_S = 86_400.0


def ask(**given: str) -> Asked:
    return asked("wine", given, NOON_S, lambda: 17)


def log_by_hour(*hours: list[Record]) -> MemoryStore:
    store = MemoryStore()
    for number, found in enumerate(hours):
        writer = appender(store, writer=f"w{number}", clock=Clock(NOON_S + 3600 * number))
        writer.append([encode_record(record) for record in found])
        writer.leave()
    return store


def ids(store: MemoryStore, what: Asked, read_s: float = 60) -> list[str]:
    return [record.id for record, _ in spot_check(store, what, read_s).records]


def test_without_parameters_it_is_the_newest_hundred_of_the_last_day() -> None:
    what = ask()
    assert (what.limit, what.sample, what.wanted.since_s, what.wanted.until_s) == (100, None, NOON_S - DAY_S, None)
    assert ask(since="", outcome="", limit="", sample="", seed="", kind="", format="json", Code="x") == what
    assert ask(until="2h").wanted.since_s == NOON_S - 2 * 3600 - DAY_S


def test_all_of_it_can_be_asked_for() -> None:
    what = ask(
        kind="score", outcome="abstained", reason="low_confidence", since="2d", until="2026-11-23T11:00", sample="9"
    )
    wanted = what.wanted
    assert (wanted.kind, wanted.outcome, wanted.reason, wanted.model) == (
        "score",
        "abstained",
        "low_confidence",
        "wine",
    )
    assert (wanted.since_s, wanted.until_s) == (NOON_S - 2 * DAY_S, NOON_S - 3600)
    assert (what.sample, what.seed) == (9, 17)
    assert ask(seed="0", sample="1").seed == 0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"colour": "red"}, "unknown parameter 'colour'; there are kind, outcome"),
        ({"a b\n": "red"}, "unknown parameter; there are"),
        ({"kind": "scores"}, "kind: expected one of score, request_error, label, note"),
        ({"outcome": "fine"}, "outcome: expected one of scored"),
        ({"reason": "Low Confidence"}, "reason: expected one of wrong_type, not_finite"),
        ({"since": "yesterday"}, "since: expected a UTC date"),
        ({"until": "999999d"}, "until: expected a time after 1970"),
        ({"until": "9999-12-31"}, "until: expected a time after 1970 and before 9987"),
        ({"since": "1h", "until": "2h"}, "since: expected a time before until"),
        ({"limit": "0"}, "limit: expected a whole number from 1 to 1,000"),
        ({"limit": "1001"}, "limit: expected"),
        ({"sample": "1e2"}, "sample: expected"),
        ({"sample": "٣"}, "sample: expected"),
        ({"seed": "-1"}, "seed: expected a whole number from 0"),
        ({"seed": "9" * 5000}, "seed: expected"),
    ],
)
def test_anything_else_is_refused_by_name(given: dict[str, str], words: str) -> None:
    with pytest.raises(Refused) as refused:
        asked("wine", given, NOON_S)
    assert str(refused.value).startswith(words)


@given(
    st.dictionaries(
        st.sampled_from(["kind", "outcome", "reason", "since", "until", "limit", "sample", "seed", "x"]),
        st.text(max_size=12)
        | st.from_regex(r"\A\d{1,4}-\d\d-\d\d(T\d\d(:\d\d)?)?\Z")
        | st.from_regex(r"\A\d{1,7}[mhd]\Z"),
    )
)
def test_whatever_is_sent_is_refused_or_can_be_looked_for(given: dict[str, str]) -> None:
    try:
        what = asked("wine", given, NOON_S)
    except Refused:
        return
    assert len(spot_check(log_of(["a"]), what).records) <= 1
    assert 1 <= what.limit <= MOST


def test_the_newest_are_found_over_hours_and_no_older_hour_is_read_than_it_takes() -> None:
    store = log_by_hour(*[[score(f"{hour}-{n}", at_s=NOON_S + 3600 * hour + n) for n in range(3)] for hour in range(3)])
    what = asked("wine", {"limit": "4", "since": "1d"}, NOON_S + 3 * 3600)
    found = spot_check(store, what)
    assert [record.id for record, _ in found.records] == ["2-2", "2-1", "2-0", "1-2"]
    assert (found.complete, found.survey.looked_at) == (True, 6)


def test_when_time_is_up_it_says_how_much_was_not_read() -> None:
    store = log_by_hour([score("old")], [score("new", at_s=NOON_S + 3600)])
    for sample in ("", "5"):
        found = spot_check(store, asked("wine", {"sample": sample}, NOON_S + 7200), read_s=-1)
        assert (found.records, found.complete, found.survey.hours_left) == ([], False, 2)


def test_of_a_large_record_a_list_holds_all_but_what_makes_it_large() -> None:
    large = score("large", x={"a": "y" * RECORD_BYTES}, flags={"faults": {"z" * 99: ["unknown_feature"]}})
    store = log_by_hour([large, score("small")])
    for sample in ("", "5"):
        answer = told("wine", ask(sample=sample), spot_check(store, ask(sample=sample)))
        by_id = {each["record"].id: each for each in answer["records"]}
        assert (by_id["large"]["whole"], by_id["small"]["whole"]) == (False, True)
        assert (by_id["large"]["record"].x, by_id["large"]["record"].outcome) == (None, "scored")
        encoded = msgspec.json.encode(answer)
        assert len(encoded) < RECORD_BYTES
        assert json.loads(encoded)["records"][0]["record"]["v"] == 1
    assert shortened(large).y == large.y


def test_the_answer_says_what_was_asked_and_seen() -> None:
    answer: dict[str, Any] = told(
        "wine", ask(sample="2", seed="3"), spot_check(log_of(["a", "b", "c"]), ask(sample="2", seed="3"))
    )
    assert (answer["sample"], answer["seed"], answer["matched"], answer["looked_at"]) == (2, 3, 3, 3)
    assert (answer["since"], answer["until"]) == ("2026-11-22T12:00:00.000000Z", None)
    assert "limit" not in answer
    assert {"record", "blob", "sequence", "line", "whole"} == set(answer["records"][0])
