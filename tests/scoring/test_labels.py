"""Every label ends as recorded, unmatched or rejected, and each is a record."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from audit.errors import Unavailable
from audit.known_ids import KnownIds
from scoring.content import Content
from scoring.errors import BadRequest, LogUnavailable, NotReady, UnknownModel
from scoring.labels import REASONS, LabelJudge
from scoring.service import Service
from tests.scoring.bundles import manifest, regression, regressor_manifest, write_bundle
from tests.scoring.services import Line, line
from tests.scoring.test_json_body import JSON

GOOD: dict[str, Any] = {"age": 80.0, "income": 500, "member": True}
CLASSES = LabelJudge(manifest())
NUMBERS = LabelJudge(manifest(classes=[0, 1]))
BOOLEANS = LabelJudge(manifest(classes=[False, True]))
VALUES = LabelJudge(regressor_manifest())


@pytest.fixture
def credit(tmp_path: Path) -> Iterator[Line]:
    write_bundle(tmp_path, manifest())
    write_bundle(tmp_path, regressor_manifest(), regression(2))
    with line(tmp_path) as started:
        yield started


@pytest.mark.parametrize(
    ("judging", "given", "y"),
    [
        (CLASSES, {"label": "bad"}, {"label": "bad"}),
        (NUMBERS, {"label": 1}, {"label": 1}),
        (NUMBERS, {"label": 1.0}, {"label": 1}),
        (NUMBERS, {"label": "1"}, {"label": 1}),
        (NUMBERS, {"label": 0}, {"label": 0}),
        (BOOLEANS, {"label": False}, {"label": False}),
        (BOOLEANS, {"label": "true"}, {"label": True}),
        (VALUES, {"value": 0}, {"value": 0.0}),
        (VALUES, {"value": -1.5}, {"value": -1.5}),
        (VALUES, {"value": 1, "ts": None}, {"value": 1.0}),
    ],
)
def test_a_label_is_recorded_as_the_class_itself(judging: LabelJudge, given: dict[str, Any], y: dict[str, Any]) -> None:
    judged = judging.judge({"id": "a", **given})
    assert (judged.id, judged.reasons, judged.y) == ("a", [], y)
    assert judged.y is not None
    assert [type(value) for value in judged.y.values()] == [type(value) for value in y.values()]


@pytest.mark.parametrize(
    ("judging", "given", "reasons"),
    [
        (CLASSES, {"id": "a", "label": "worse"}, ["unknown_class"]),
        (CLASSES, {"id": "a", "label": 1}, ["wrong_type"]),
        (CLASSES, {"id": "a", "label": ["bad"]}, ["wrong_type"]),
        (CLASSES, {"id": "a"}, ["missing_label"]),
        (CLASSES, {"id": "a", "label": None}, ["missing_label"]),
        (CLASSES, {"id": "a", "value": 1}, ["missing_label", "unknown_field"]),
        (CLASSES, {"id": "a b", "label": "bad"}, ["malformed_id"]),
        (CLASSES, {"id": 5, "label": "bad"}, ["malformed_id"]),
        (CLASSES, {"label": "worse"}, ["malformed_id", "unknown_class"]),
        (CLASSES, {"id": "a", "label": "\ud800"}, ["unknown_class"]),
        (CLASSES, {"id": "a", "label": "x" * 5000}, ["unknown_class"]),
        (NUMBERS, {"id": "a", "label": 2}, ["unknown_class"]),
        (NUMBERS, {"id": "a", "label": True}, ["wrong_type"]),
        (NUMBERS, {"id": "a", "label": float("nan")}, ["unknown_class"]),
        (BOOLEANS, {"id": "a", "label": 1}, ["wrong_type"]),
        (VALUES, {"id": "a", "value": "1"}, ["wrong_type"]),
        (VALUES, {"id": "a", "value": True}, ["wrong_type"]),
        (VALUES, {"id": "a", "value": float("inf")}, ["not_finite"]),
        (VALUES, {"id": "a", "value": float("nan")}, ["not_finite"]),
        (VALUES, {"id": "a", "value": 10**400}, ["not_finite"]),
        (VALUES, {"id": "a", "label": 1}, ["missing_label", "unknown_field"]),
        (VALUES, "a", ["wrong_type"]),
        (VALUES, None, ["wrong_type"]),
    ],
)
def test_a_label_that_cannot_count_says_why(judging: LabelJudge, given: Any, reasons: list[str]) -> None:
    assert judging.judge(given).reasons == reasons


@pytest.mark.parametrize(
    ("ts", "utc"),
    [
        ("2026-11-23T14:05:06Z", "2026-11-23T14:05:06.000000Z"),
        ("2026-11-23t14:05:06.5z", "2026-11-23T14:05:06.500000Z"),
        ("2026-11-23T14:05:06.123456789+02:00", "2026-11-23T12:05:06.123456Z"),
        ("2026-11-23 14:05:06-00:30", "2026-11-23T14:35:06.000000Z"),
        ("2026-11-23T14:05:06", None),
        ("2026-11-23", None),
        ("20261123T140506Z", None),
        ("2026-02-30T00:00:00Z", None),
        ("2026-11-23T24:00:01Z", None),
        ("0001-01-01T00:00:00+05:00", None),
        ("0999-01-01T00:00:00Z", "0999-01-01T00:00:00.000000Z"),
        ("٢٠٢٦-11-23T14:05:06Z", None),
        (1_700_000_000, None),
        ("now", None),
    ],
)
def test_the_time_of_the_truth_is_rfc_3339(ts: Any, utc: str | None) -> None:
    judged = CLASSES.judge({"id": "a", "label": "bad", "ts": ts})
    assert judged.reasons == ([] if utc else ["malformed_ts"])
    assert judged.y == {"label": "bad", "ts": utc or ts}


@given(JSON)
def test_judging_a_label_never_raises(given: Any) -> None:
    for judging in (CLASSES, VALUES):
        for label in (given, {"id": "a", "label": given}, {"id": given, "value": given, "ts": given}):
            judged = judging.judge(label)
            assert judged.reasons == sorted(judged.reasons, key=REASONS.index)
            json.dumps(judged.y, allow_nan=False).encode()


def test_known_unknown_and_bad_labels_are_told_and_recorded(credit: Line) -> None:
    credit.score({"instances": [GOOD], "ids": ["a"]})
    labels = [
        {"id": "a", "label": "bad", "ts": "2026-11-23T14:05:06Z"},
        {"id": "later", "label": "good"},
        {"id": "a", "label": "worse"},
        {"id": "no id", "label": "bad"},
        7,
    ]
    answer = credit.label({"labels": labels, "request_id": "r-2"})
    assert (answer["model"], answer["request_id"], len(answer["receipt"])) == ("credit", "r-2", 1)
    assert [(each["id"], each["outcome"], each["reasons"]) for each in answer["results"]] == [
        ("a", "recorded", []),
        ("later", "unmatched", []),
        ("a", "rejected", ["unknown_class"]),
        (None, "rejected", ["malformed_id"]),
        (None, "rejected", ["wrong_type"]),
    ]
    records = [record for record in credit.records() if record.kind == "label"]
    assert [(record.outcome, record.row, record.rows) for record in records] == [
        ("recorded", 0, 5), ("unmatched", 1, 5), ("rejected", 2, 5), ("rejected", 3, 5), ("rejected", 4, 5),
    ]  # fmt: skip
    assert records[0].y == {"label": "bad", "ts": "2026-11-23T14:05:06.000000Z"}
    assert records[2].y == {"label": "worse"}
    assert len({record.id for record in records}) == 4
    assert {record.version for record in records} == {None}


def test_an_instance_of_another_model_is_not_known(credit: Line) -> None:
    credit.score({"instances": [GOOD], "ids": ["a"]})
    (result,) = credit.label({"labels": [{"id": "a", "value": 1}]}, model="amount")["results"]
    assert result["outcome"] == "unmatched"


def test_a_corrected_label_is_another_record(credit: Line) -> None:
    credit.score({"instances": [GOOD], "ids": ["a"]})
    for label in ("bad", "good"):
        credit.label({"labels": [{"id": "a", "label": label}]})
    assert [record.y for record in credit.records()[1:]] == [{"label": "bad"}, {"label": "good"}]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "not JSON"),
        (b'{"instances": []}', "unknown field .instances.; the fields are labels, request_id"),
        (b'{"labels": []}', "labels: empty"),
        (b'{"labels": {}}', "labels: expected an array"),
    ],
)
def test_a_body_that_is_no_request_is_refused_and_is_no_call_of_the_model(
    credit: Line, body: bytes, words: str
) -> None:
    with pytest.raises(BadRequest, match=words):
        credit.label(body)
    assert credit.records() == []


def test_labels_for_no_model_or_one_that_is_not_ready(tmp_path: Path) -> None:
    write_bundle(tmp_path, manifest()).model_path.write_bytes(b"")
    with line(tmp_path) as started:
        with pytest.raises(UnknownModel):
            started.label({"labels": [{"id": "a", "label": "bad"}]}, model="wine")
        with pytest.raises(NotReady):
            started.label({"labels": [{"id": "a", "label": "bad"}]})


def test_a_score_of_many_rows_does_not_wait_for_labels_that_read_the_log(
    credit: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up = threading.Event()

    def slow(*_: Any) -> set[str]:
        assert looked_up.wait(20)
        return set()

    monkeypatch.setattr(KnownIds, "known", slow)
    many = json.dumps({"instances": [{"age": 50, "income": 500, "member": True}] * 2000}).encode()
    one = json.dumps({"labels": [{"id": "a", "label": "bad"}]}).encode()

    async def both(service: Service) -> tuple[int, list[str]]:
        waiting = [asyncio.create_task(service.label("credit", Content(one))) for _ in range(8)]
        scored = await asyncio.wait_for(service.score("credit", None, Content(many)), 10)
        looked_up.set()
        return scored.outcomes["scored"], [answer.results[0].outcome for answer in await asyncio.gather(*waiting)]

    assert credit.run(both) == (2000, ["unmatched"] * 8)


def test_labels_may_be_as_many_as_the_setting_says_whatever_a_model_takes_at_once(tmp_path: Path) -> None:
    write_bundle(tmp_path, manifest())
    (tmp_path / "serving.toml").write_text("[models.credit]\nmax_instances = 1\n", encoding="utf-8")
    with line(tmp_path, max_instances=2) as credit:
        assert len(credit.label({"labels": [{"id": "a", "label": "bad"}, {"id": "b", "label": "bad"}]})["results"]) == 2
        with pytest.raises(BadRequest, match="3 are more than 2"):
            credit.label({"labels": [1, 2, 3]})


def test_when_the_log_cannot_be_read_there_is_no_answer(credit: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: Any) -> Any:
        raise Unavailable("down")

    monkeypatch.setattr(credit.store, "list", down)
    with pytest.raises(LogUnavailable):
        credit.label({"labels": [{"id": "a", "label": "bad"}]})
