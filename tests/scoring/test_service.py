"""From a body to an answer: exactly one outcome and one durable record for each instance, or no answer."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import math
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.errors import Ambiguous, Unavailable
from audit.ids import id_time_s
from audit.known_ids import KnownIds
from audit.memory_store import MemoryStore
from scoring.bundle import Criteria
from scoring.content import Content
from scoring.errors import BadRequest, BodyTooLarge, LogUnavailable, NotReady, UnknownModel, UnknownVersion
from scoring.service import Service, is_small
from scoring.settings import ScoringSettings
from tests.scoring.bundles import breaking, looping, manifest, regression, regressor_manifest, write_bundle
from tests.scoring.services import Line, line
from tests.scoring.test_json_body import JSON

GOOD: dict[str, Any] = {"age": 80.0, "income": 500, "member": True}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    write_bundle(tmp_path, manifest(criteria=Criteria(minimum_probability=0.6)))
    write_bundle(tmp_path, regressor_manifest(), regression(2))
    write_bundle(tmp_path, regressor_manifest(name="breaking"), breaking(2))
    return tmp_path


@pytest.fixture
def credit(models: Path) -> Iterator[Line]:
    with line(models) as started:
        yield started


class FailingStore(MemoryStore):
    """A store that fails on demand."""

    problem: Exception | None = None

    def append(self, name: str, data: bytes, at: int) -> None:
        if self.problem is not None:
            raise self.problem
        super().append(name, data, at)


def test_a_good_one_a_missing_value_and_text_in_a_number(credit: Line) -> None:
    instances = [GOOD, {"age": 80.0, "member": True}, {**GOOD, "age": "eighty"}]
    answer = credit.score({"instances": instances, "ids": ["a", "b", "c"], "request_id": "r-1"})
    assert (answer["model"], answer["version"], answer["request_id"]) == ("credit", "1", "r-1")
    good, missing, text = answer["results"]
    odds = math.exp(3.0)
    assert (good["id"], good["outcome"], good["label"], good["reasons"]) == ("a", "scored", "good", [])
    assert good["probabilities"]["good"] == pytest.approx(odds / (1 + odds), abs=1e-12)
    assert good["flags"] == {"missing": [], "artifacts": {}, "outside": {}, "distance": pytest.approx(3.0)}
    assert (missing["outcome"], missing["reasons"]) == ("abstained", ["missing_required"])
    assert missing["flags"]["missing"] == ["income"]
    assert (text["outcome"], text["reasons"], text["flags"]["distance"]) == ("rejected", ["wrong_type"], None)
    for refused in (missing, text):
        assert not refused.keys() & {"label", "probabilities", "value", "score"}

    records = credit.records()
    assert [(record.id, record.outcome, record.row, record.rows) for record in records] == [
        ("a", "scored", 0, 3), ("b", "abstained", 1, 3), ("c", "rejected", 2, 3),
    ]  # fmt: skip
    assert [record.x for record in records] == instances
    assert records[0].y == {"label": "good", "probabilities": good["probabilities"]}
    assert [record.y for record in records[1:]] == [None, None]
    assert records[0].run is not None
    assert records[0].run[1:] == (0, 1)
    assert [record.run for record in records[1:]] == [None, None]
    assert records[1].flags["missing"] == ["income"]
    assert {record.request for record in records} == {"r-1"}
    assert {record.bundle for record in records} == {credit.service.catalog.get("credit").bundle.sha256}
    (receipt,) = answer["receipt"]
    assert receipt["blob"] in [info.name for info in credit.store.list()]


def test_made_up_ids_are_new_and_carry_the_time(credit: Line) -> None:
    first, second = credit.score({"instances": [GOOD, GOOD]})["results"]
    assert first["id"] != second["id"]
    assert id_time_s(first["id"]) is not None
    assert [record.id for record in credit.records()] == [first["id"], second["id"]]


def test_an_unsure_answer_is_withheld_from_the_client_and_kept_in_the_record(credit: Line) -> None:
    (result,) = credit.score({"instances": [{**GOOD, "age": 51.0}]})["results"]
    assert (result["outcome"], result["reasons"]) == ("abstained", ["low_confidence"])
    assert not result.keys() & {"label", "probabilities"}
    (record,) = credit.records()
    assert record.y is not None
    assert record.y["label"] == "good"
    assert record.run is not None


def test_a_failed_run_fails_its_instances_and_is_recorded(credit: Line, caplog: pytest.LogCaptureFixture) -> None:
    bad = {"age": 77.0, "income": 1}
    answer = credit.score({"instances": [{"age": 21.0, "income": 1}, bad, {"age": "x", "income": 1}]}, model="breaking")
    assert [(each["outcome"], each["reasons"]) for each in answer["results"]] == [
        ("failed", ["model_error"]), ("failed", ["model_error"]), ("rejected", ["wrong_type"]),
    ]  # fmt: skip
    assert [record.run is None for record in credit.records()] == [False, False, True]
    assert "breaking/1" in caplog.text
    assert "77" not in caplog.text.partition("breaking/1")[2].partition(": ")[2]
    assert credit.score({"instances": [{"age": 21.0, "income": 1}]}, model="breaking")["results"][0]["value"] == 21.0


HANGS = {"age": 77.0, "income": 1}


@pytest.fixture
def slow(models: Path) -> Path:
    write_bundle(models, regressor_manifest(name="slow"), looping())
    (models / "serving.toml").write_text("[models.slow]\nrun_timeout_s = 0.3\n")
    return models


def test_a_run_that_never_ends_fails_its_instances_and_the_service_goes_on(slow: Path) -> None:
    with line(slow) as started:
        answer = started.score({"instances": [HANGS, {"age": "x", "income": 1}]}, model="slow")
        assert [(each["outcome"], each["reasons"]) for each in answer["results"]] == [
            ("failed", ["timeout"]), ("rejected", ["wrong_type"]),
        ]  # fmt: skip
        assert [record.run is None for record in started.records()] == [False, True]
        good = {"age": 21.0, "income": 1}
        assert started.score({"instances": [good]}, model="slow")["results"][0]["value"] == 21.0
        assert started.score({"instances": [GOOD]})["results"][0]["outcome"] == "scored"


def test_a_run_that_never_ends_holds_up_the_event_loop_once_and_briefly(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_bundle(models, regressor_manifest(name="slow"), looping(turns=700_000))
    monkeypatch.setattr("scoring.service._INLINE_LIMIT_S", 0.05)
    with line(models) as started:
        model = started.service.catalog.get("slow").model
        seen, run = [], model.run

        def watched(rows: Any, limit_s: float) -> Any:
            seen.append((threading.current_thread() is threading.main_thread(), limit_s))
            return run(rows, limit_s)

        monkeypatch.setattr(model, "run", watched)
        for _ in range(2):
            assert started.score({"instances": [HANGS]}, model="slow")["results"][0]["value"] == 77.0
        assert seen == [(True, 0.05), (False, 30.0), (False, 30.0)]
        assert len(started.records()) == 2, "an attempt that was ended leaves no record"


def test_many_instances_are_run_in_parts_and_their_records_say_which(credit: Line) -> None:
    instances = [GOOD | {"age": 20.0 + row % 61} for row in range(1100)]
    instances[3] = GOOD | {"age": "x"}
    credit.score({"instances": instances})
    runs = [record.run for record in credit.records() if record.run is not None]
    assert [(place, size) for _, place, size in runs] == [
        (place, size) for size in (512, 512, 75) for place in range(size)
    ]
    assert len({run_id for run_id, _, _ in runs}) == 3


def test_hostile_values_are_stored_as_valid_json_and_fail_no_neighbour(credit: Line) -> None:
    body = (
        b'{"instances": [{"age": NaN, "income": 1, "member": true}, {"age": 1e400, "income": 1, "member": true},'
        b'{"age": "\\ud800", "income": 1, "member": true}, {"age": 80, "income": 1, "member": true}, 7, null]}'
    )
    answer = credit.score(body)
    assert [each["outcome"] for each in answer["results"]] == [
        "abstained", "rejected", "rejected", "scored", "rejected", "rejected",
    ]  # fmt: skip
    assert answer["results"][2]["flags"]["artifacts"] == {"age": ["lone_surrogate"]}
    stored = [record.x for record in credit.records()]
    assert [each["age"] for each in stored[:4]] == ["NaN", "Infinity", "\\ud800", 80]
    assert stored[4] == 7


@pytest.mark.parametrize(
    ("body", "reason"), [(b"{", "not_json"), (b'{"instances": []}', "no_instances"), (b"[" * 9999, "too_deep")]
)
def test_a_body_that_is_no_request_is_recorded_before_it_is_refused(credit: Line, body: bytes, reason: str) -> None:
    with pytest.raises(BadRequest) as caught:
        credit.score(body, request_id="trace-1")
    (record,) = credit.records()
    assert (record.kind, record.model, record.version, record.request) == ("request_error", "credit", "1", "trace-1")
    assert record.reasons == [reason]
    assert record.x == {"size": len(body), "sha256": hashlib.sha256(body).hexdigest(), "message": str(caught.value)}
    assert list(record.us) == ["decode"]


def test_unknown_models_and_bodies_over_the_limit_are_not_recorded(models: Path) -> None:
    with line(models, max_body_bytes=100) as small:
        with pytest.raises(UnknownModel, match="'wine'; there are: amount, breaking, credit"):
            small.score({"instances": [GOOD]}, model="wine")
        with pytest.raises(UnknownVersion, match="there is: 1"):
            small.score({"instances": [GOOD]}, version="2")
        with pytest.raises(BodyTooLarge, match="the body has 101 bytes and the limit is 100"):
            small.score(b" " * 101)
        assert small.records() == []


def test_a_model_may_take_fewer_instances_than_others(models: Path) -> None:
    (models / "serving.toml").write_text("[models.credit]\nmax_instances = 2\n")
    with line(models) as started, pytest.raises(BadRequest, match="3 are more than 2"):
        started.score({"instances": [GOOD] * 3})


@pytest.mark.parametrize(("problem", "ambiguous"), [(Unavailable("down"), False), (Ambiguous("lost"), True)])
def test_without_a_durable_record_there_is_no_answer(models: Path, problem: Exception, ambiguous: bool) -> None:
    store = FailingStore()
    with line(models, store) as started:
        started.score({"instances": [GOOD]})
        store.problem = problem
        with pytest.raises(LogUnavailable) as caught:
            started.score({"instances": [GOOD]})
        assert caught.value.ambiguous is ambiguous
        assert ("outcome unknown" in str(caught.value)) is ambiguous
        assert caught.value.retry_after_s >= 1
        with pytest.raises(LogUnavailable):
            started.score(b"not json")
        assert not started.service.ready().ready
        assert "log" in started.service.ready().problems


def test_records_that_can_never_wait_together_are_too_large_and_not_a_reason_to_try_again(credit: Line) -> None:
    known, limit = KnownIds(credit.store), 2000
    service = Service(credit.service.catalog, credit.writer, ScoringSettings(), known_ids=known, queue_bytes=limit)
    with pytest.raises(
        BodyTooLarge, match="the log takes 2,000 at once, so nothing was recorded; send fewer instances"
    ):
        asyncio.run(service.score("credit", None, Content(json.dumps({"instances": [GOOD] * 50}).encode())))
    assert credit.records() == []
    assert asyncio.run(service.score("credit", None, Content(json.dumps({"instances": [GOOD]}).encode()))).receipts
    service.close()


def test_when_the_log_is_back_scoring_goes_on_by_itself(models: Path) -> None:
    store = FailingStore()
    with line(models, store) as started:
        store.problem = Unavailable("down")
        with pytest.raises(LogUnavailable):
            started.score({"instances": [GOOD], "ids": ["lost"]})
        store.problem = None

        async def until_answered() -> bytes:
            for _ in range(200):
                try:
                    body = json.dumps({"instances": [GOOD], "ids": ["kept"]}).encode()
                    return (await started.service.score("credit", None, Content(body))).body
                except LogUnavailable:
                    await asyncio.sleep(0.05)
            raise AssertionError("the log did not come back within ten seconds")

        asyncio.run(until_answered())
        assert [record.id for record in started.records()] == ["kept"]
        assert started.service.ready().ready


def test_a_header_names_a_request_unless_the_body_does(credit: Line) -> None:
    assert credit.score({"instances": [GOOD]}, request_id="trace-1")["request_id"] == "trace-1"
    assert credit.score({"instances": [GOOD], "request_id": "own"}, request_id="trace-1")["request_id"] == "own"
    made_up = credit.score({"instances": [GOOD]}, request_id="not an id")["request_id"]
    assert id_time_s(made_up) is not None


def test_the_first_scored_request_of_a_process_is_cold(credit: Line) -> None:
    with pytest.raises(BadRequest):
        credit.score(b"{")
    for _ in range(2):
        credit.score({"instances": [GOOD, GOOD]})
    records = [record for record in credit.records() if record.kind == "score"]
    assert [record.cold for record in records] == [True, True, False, False]
    assert records[0].us["start"] > 100_000
    assert list(records[2].us) == ["decode", "judge", "infer", "encode"]


def test_another_version_than_the_champion_is_recorded_as_challenger(models: Path) -> None:
    write_bundle(models, manifest(version="2"))
    with line(models) as started:
        assert started.score({"instances": [GOOD]})["version"] == "2"
        assert started.score({"instances": [GOOD]}, version="1")["version"] == "1"
        assert [(record.version, record.role) for record in started.records()] == [
            ("2", "champion"), ("1", "challenger"),
        ]  # fmt: skip


def test_large_requests_answer_as_many_small_ones_do(credit: Line) -> None:
    instances: list[dict[str, Any]] = [
        {"age": 20.0 + row % 61, "income": row % 1000, "member": row % 2 == 0} for row in range(2000)
    ]
    instances[7]["age"] = "x"
    together = credit.score({"instances": instances})["results"]
    assert len(together) == 2000
    for row in (0, 7, 1999):
        (alone,) = credit.score({"instances": [instances[row]]})["results"]
        for name in ("outcome", "reasons", "label"):
            assert alone.get(name) == together[row].get(name)
        if alone["outcome"] == "scored":
            assert alone["probabilities"] == pytest.approx(together[row]["probabilities"], rel=1e-12)
            assert alone["flags"]["distance"] == together[row]["flags"]["distance"]
    assert len(credit.records()) == 2003


@pytest.mark.parametrize(
    ("instances", "single_run_s", "threads"),
    [(1, 1e-5, 1), (2000, 1e-5, 2), (1, 0.05, 2)],
    ids=["small", "large", "slow"],
)
def test_only_small_requests_of_quick_models_are_worked_on_in_the_event_loop(
    credit: Line, monkeypatch: pytest.MonkeyPatch, instances: int, single_run_s: float, threads: int
) -> None:
    model = credit.service.catalog.get("credit").model
    seen = {threading.current_thread().name}
    run = model.run

    def watched(rows: Any, limit_s: float) -> Any:
        seen.add(threading.current_thread().name)
        return run(rows, limit_s)

    monkeypatch.setattr(model, "run", watched)
    monkeypatch.setattr(model, "single_run_s", single_run_s)
    credit.score({"instances": [GOOD] * instances})
    assert len(seen) == threads


def test_many_at_once_are_recorded_once_each(credit: Line) -> None:
    async def one(client: int) -> list[str]:
        ids = [f"{client}-{row}" for row in range(1 + client % 3 * 150)]
        body = json.dumps({"instances": [GOOD] * len(ids), "ids": ids}).encode()
        answer = json.loads((await credit.service.score("credit", None, Content(body))).body)
        assert [each["id"] for each in answer["results"]] == ids
        return ids

    async def all_at_once() -> list[list[str]]:
        return await asyncio.gather(*(one(client) for client in range(60)))

    answered = [each for ids in asyncio.run(all_at_once()) for each in ids]
    assert sorted(record.id for record in credit.records()) == sorted(answered)


def test_repeated_ids_in_a_request_are_all_recorded_and_only_the_first_is_scored(credit: Line) -> None:
    answer = credit.score({"instances": [GOOD, {**GOOD, "age": 70}], "ids": ["a", "a"]})
    assert [(each["outcome"], each["reasons"]) for each in answer["results"]] == [
        ("scored", []), ("rejected", ["duplicate_id"]),
    ]  # fmt: skip
    assert [(record.id, record.outcome) for record in credit.records()] == [("a", "scored"), ("a", "rejected")]


def test_a_refused_bundle_is_not_ready_and_others_answer(models: Path) -> None:
    (models / "credit" / "1" / "model.onnx").write_bytes(b"changed")
    with line(models) as started:
        with pytest.raises(NotReady):
            started.score({"instances": [GOOD]})
        assert started.score({"instances": [{"age": 1.0, "income": 2}]}, model="amount")["results"][0]["value"] == 3.0
        ready = started.service.ready()
        assert (ready.ready, list(ready.problems)) == (False, ["credit/1"])
        assert started.run(lambda service: service.model_ready("credit")) is False
        assert started.run(lambda service: service.model_ready("amount")) is True


def test_metadata_lists_an_input_for_each_feature(credit: Line) -> None:
    found = credit.run(lambda service: service.metadata("credit"))
    assert [(each["name"], each["datatype"]) for each in found["inputs"]] == [
        ("age", "FP64"), ("income", "FP64"), ("member", "BOOL"), ("instance_id", "BYTES"),
    ]  # fmt: skip
    assert (found["name"], found["versions"], found["outputs"][0]["datatype"]) == ("credit", ["1"], "BYTES")
    assert credit.run(lambda service: service.metadata("amount"))["outputs"][0]["datatype"] == "FP64"


def test_an_empty_folder_is_not_ready_and_says_so(tmp_path: Path) -> None:
    with line(tmp_path) as started:
        assert "models" in started.service.ready().problems


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    st.lists(st.dictionaries(st.sampled_from(["age", "income", "member", "x"]), JSON) | JSON, min_size=1, max_size=4)
)
def test_whatever_the_instances_are_each_has_one_outcome_and_one_record(credit: Line, instances: list[Any]) -> None:
    before = len(credit.records())
    body = json.dumps({"instances": instances}).encode()
    results = credit.score(body)["results"]
    written = credit.records()[before:]
    assert [each["id"] for each in results] == [record.id for record in written]
    assert [each["outcome"] for each in results] == [record.outcome for record in written]


@pytest.mark.parametrize(
    ("content", "small"),
    [
        (Content(json.dumps({"instances": [GOOD]}).encode()), True),
        (Content(json.dumps({"instances": [GOOD] * 10}).encode()), True),
        (Content(json.dumps({"instances": [GOOD] * 200}).encode()), False),
        (Content(json.dumps({"instances": [1] * 10_000}).encode()), False),
        (Content(b"age,income,member\n80.5,500,true\n", kind="text/csv"), True),
        (Content(b"age,income,member\n" + b"80.5,500,true\n" * 200, kind="text/csv"), False),
        (Content(b"age\n" + b"1\n" * 3, kind="text/csv"), True),
        (Content(b"age\n" + b"1\n" * 10_000, kind="text/csv"), False),
        (Content(b"age\r" + b"1\r" * 10_000, kind="text/csv"), False),
        (Content(b"{}" + b"\1" * 3, json_bytes="2"), True),
        (Content(b"{}" + b"\1" * 3_000, json_bytes="2"), False),
        (Content(gzip.compress(b"{}"), coding="gzip"), False),
    ],
)
def test_what_takes_long_is_not_worked_on_where_it_arrives(
    credit: Line, content: Content, small: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = credit.service.catalog.get("credit")
    monkeypatch.setattr(served.model, "single_run_s", 30e-6)  # it was measured, which on a busy machine may be anything
    assert is_small(served, content) == small


def test_a_bomb_is_no_cold_start(models: Path) -> None:
    with line(models, max_body_bytes=1000) as started:
        with pytest.raises(BodyTooLarge):
            started.reply(Content(gzip.compress(b" " * 2000), coding="gzip"))
        started.score({"instances": [GOOD]})
        started.score({"instances": [GOOD]})
        assert [record.cold for record in started.records()] == [True, False]
