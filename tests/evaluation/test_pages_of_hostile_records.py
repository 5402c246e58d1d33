"""Pages of records as only a hostile writer would make them: drawn, soon, and of a size that a browser can show."""

from __future__ import annotations

import time
from typing import Any

import pytest

from audit.browse import Filter
from audit.reader import Position
from audit.records import Record, decode_record, encode_record
from audit.spot_check import Asked, SpotCheck
from audit.survey import Survey
from evaluation.pages.instance import FEATURES, instance_page
from evaluation.pages.spot_check import spot_check_page
from evaluation.pages.trail import Evidence, InstanceTrail, Replayed
from tests.audit.examples import score

BLOB = "log/v1/2026/11/23/12/20261123T120000-00000000-0.jsonl"
ENDLESS = 10**400  # JSON's numbers know no end
MANY = 100_000
DEEP = "[" * 3_000 + "]" * 3_000

RECORDS: dict[str, dict[str, Any]] = {
    "endless run time": {"us": {"infer": ENDLESS, "judge": 26}},
    "endless value": {"y": {"value": ENDLESS}},
    "endless label": {"y": {"label": ENDLESS, "probabilities": {"a": -ENDLESS}}},
    "endless distance": {"flags": {"distance": -ENDLESS, "cluster": ENDLESS}},
    "endless length": {"x": {"a": {"prefix": "6", "length": ENDLESS, "sha256": ""}}, "reasons": ["too_long"]},
    "many values": {"x": {str(number): number for number in range(MANY)}},
    "many redacted": {"redacted": [str(number) for number in range(MANY)]},
    "many reasons": {"reasons": ["low_confidence"] * MANY},
    "many run times": {"us": {str(number): number for number in range(MANY)}},
    "many probabilities": {"y": {"label": 1, "probabilities": {str(number): 0.5 for number in range(MANY)}}},
    "many flags": {"flags": {"missing": [str(number) for number in range(MANY)]}},
}


def drawn(record: Record) -> tuple[str, str]:
    """An instance's page with the record, and a page of spot checks."""
    as_json = {name: getattr(record, name) for name in record.__struct_fields__}
    trail = InstanceTrail("wine", "a", [Evidence(as_json, BLOB, 1, 0, verified=True)])
    found = SpotCheck([(record, Position(BLOB, 1, 0))], Survey(looked_at=1, matched=1))
    return instance_page(trail), spot_check_page("wine", {}, Asked(Filter(model="wine", since_s=0.0)), found)


@pytest.mark.parametrize("name", RECORDS)
def test_a_page_is_drawn_and_is_no_larger_than_a_browser_can_show(name: str) -> None:
    record = decode_record(encode_record(score("a", **RECORDS[name])))
    began_s = time.process_time()
    pages = drawn(record)
    assert (
        time.process_time() - began_s < 2.0
    )  # two minutes for many redacted names, when each was looked for in a list
    assert max(map(len, pages)) < 300_000


def test_a_record_that_is_nested_as_deep_as_one_can_be_read_is_drawn() -> None:
    line = encode_record(score("a")).replace(b'"x":{"a":1.5}', f'"x":{{"a":{DEEP}}}'.encode())
    assert "What came in" in drawn(decode_record(line))[0]


def test_what_is_left_out_is_counted() -> None:
    page, looked = drawn(score("a", **RECORDS["many values"], reasons=["low_confidence"] * 25))
    assert f"{MANY - FEATURES:,} more values are in the JSON" in page
    assert page.count("<code>low_confidence</code>") == looked.count("<code>low_confidence</code>") == 20
    assert "and 5 more" in page
    assert "and 5 more" in looked


def test_the_sentence_of_a_replay_is_shown_whole() -> None:
    sentence = "Row 0 of the request is judged otherwise now: " + "missing is [], " * 30 + "and this is its end."
    evidence = Evidence({"kind": "score"}, BLOB, 1, 0, replay=Replayed("cannot", sentence))
    assert "and this is its end." in instance_page(InstanceTrail("wine", "a", [evidence], replayed=True))


@pytest.mark.parametrize("name", ["-a", "--help", "-"])
def test_an_id_that_looks_like_an_option_is_none_in_the_commands_to_copy(name: str) -> None:
    page = instance_page(InstanceTrail("wine", name, [Evidence({"kind": "note"}, BLOB, 1, 0)]))
    assert f"python -m audit show --model wine -- {name}</code>" in page
