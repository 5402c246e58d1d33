"""The line of a request as tools take it: one flat JSON object, and the same as attributes of the log record."""

from __future__ import annotations

import json
import logging
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from audit.errors import Unavailable
from audit.memory_store import MemoryStore
from scoring.content import Content
from scoring.errors import ScoringError
from scoring.request_log import (
    FIELDS,
    LOGGER,
    PREFIX,
    PROBES,
    RequestFacts,
    fields_of,
    level_of,
    log_request,
    message_of,
)
from scoring.service import Service
from tests.scoring.bundles import breaking, manifest, regressor_manifest, write_bundle
from tests.scoring.services import Line, line

FULL = RequestFacts(
    function="score",
    request_id="r-1",
    trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
    bytes_in=812,
    model="credit",
    version="1",
    protocol="native",
    instances=10,
    outcomes={"scored": 1, "abstained": 2, "rejected": 3, "failed": 4, "recorded": 5, "unmatched": 6},
    us={"start": 1, "decode": 2, "judge": 3, "infer": 4, "encode": 5},
    log_wait_ms=8.2,
    cold=True,
    error="BadRequest",
    reason="not_json",
    status=400,
    duration_ms=9.1,
    bytes_out=40,
)


def logged(facts: RequestFacts, caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    caplog.clear()
    with caplog.at_level(logging.INFO, LOGGER):
        log_request(facts)
    return caplog.records


def attributes(record: logging.LogRecord) -> dict[str, Any]:
    """What OpenTelemetry's handler makes of a record: all that a plain one does not have."""
    plain = vars(logging.makeLogRecord({})).keys() | {"message", "asctime", "taskName"}
    return {name: value for name, value in vars(record).items() if name not in plain}


def test_a_message_is_one_flat_json_object_of_all_fields_in_their_order(caplog: pytest.LogCaptureFixture) -> None:
    (record,) = logged(FULL, caplog)
    fields = json.loads(record.getMessage())
    assert tuple(fields) == FIELDS
    assert all(isinstance(value, str | int | float | bool) for value in fields.values())
    assert "\n" not in record.getMessage()
    assert record.name == LOGGER


def test_the_attributes_are_the_messages_fields_and_clash_with_none_of_a_log_records(
    caplog: pytest.LogCaptureFixture,
) -> None:
    (record,) = logged(FULL, caplog)
    assert attributes(record) == {PREFIX + name: value for name, value in json.loads(record.getMessage()).items()}


def test_what_a_request_does_not_have_is_left_out() -> None:
    facts = RequestFacts(function="reports", request_id="r-1", status=200, duration_ms=1.5, bytes_out=7)
    assert fields_of(facts) == {
        "function": "reports",
        "request_id": "r-1",
        "status": 200,
        "duration_ms": 1.5,
        "bytes_in": 0,
        "bytes_out": 7,
    }


@pytest.mark.parametrize(
    ("status", "outcomes", "level"),
    [
        (200, {"scored": 3}, logging.INFO),
        (200, {"abstained": 1, "rejected": 1}, logging.INFO),
        (200, {"scored": 3, "failed": 1}, logging.ERROR),
        (302, {}, logging.INFO),
        (400, {}, logging.INFO),
        (404, {}, logging.INFO),
        (413, {}, logging.INFO),
        (500, {}, logging.ERROR),
        (503, {"scored": 1}, logging.WARNING),
    ],
)
def test_the_level_says_who_must_act(status: int, outcomes: dict[str, int], level: int) -> None:
    assert level_of(RequestFacts(status=status, outcomes=outcomes)) == level


@pytest.mark.parametrize("function", sorted(PROBES))
def test_a_probe_is_logged_when_something_is_wrong_and_never_else(
    function: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert logged(RequestFacts(function=function, status=200), caplog) == []
    (record,) = logged(RequestFacts(function=function, status=503), caplog)
    assert record.levelno == logging.WARNING


def test_whatever_a_word_holds_the_message_stays_one_line_of_json() -> None:
    hostile = 'a"\r\n{"status":200}\u2028\x00\ud83d\ude00'.encode("utf-16", "surrogatepass").decode("utf-16")
    message = message_of({"function": hostile, "status": 404})
    assert json.loads(message) == {"function": hostile, "status": 404}
    assert not set(message) & set("\r\n\x00")


# ------------------------------------------------------------------------------------ what the service makes known


GOOD: dict[str, Any] = {"age": 80.0, "income": 500, "member": True}


class DownStore(MemoryStore):
    """A store that takes nothing."""

    def append(self, name: str, data: bytes, at: int) -> None:
        raise Unavailable("no such host")


@pytest.fixture
def models(tmp_path: Path) -> Path:
    write_bundle(tmp_path, manifest())
    write_bundle(tmp_path, regressor_manifest(name="breaking"), breaking(2))
    return tmp_path


def noted(served: Line, body: Any, model: str = "credit", *, labels: bool = False) -> RequestFacts:
    facts = RequestFacts(request_id="header")
    content = Content(body if isinstance(body, bytes) else json.dumps(body).encode())

    async def ask(service: Service) -> object:
        if labels:
            return await service.label(model, content, "header", facts)
        return await service.score(model, None, content, "header", facts=facts)

    with suppress(ScoringError):
        served.run(ask)
    return facts


def test_an_answers_facts_are_those_of_its_records(models: Path) -> None:
    with line(models) as served:
        facts = noted(served, {"instances": [GOOD, {"age": 1}, {**GOOD, "age": "x"}], "request_id": "body"})
        records = served.records()
        assert (facts.model, facts.version, facts.protocol, facts.request_id) == ("credit", "1", "native", "body")
        assert facts.instances == 3
        assert facts.outcomes == Counter(record.outcome for record in records)
        assert [dict(facts.us)] * 3 == [record.us for record in records]
        assert facts.cold
        assert facts.log_wait_ms is not None
        assert not noted(served, {"instances": [GOOD]}).cold


def test_a_run_that_fails_is_an_error_though_it_is_answered(models: Path) -> None:
    with line(models) as served:
        facts = noted(served, {"instances": [{"age": 80.0, "income": 500}]}, "breaking")
    facts.status = 200
    assert facts.outcomes == {"failed": 1}
    assert level_of(facts) == logging.ERROR


def test_a_body_that_is_no_request_has_a_model_and_the_headers_id_and_no_outcome(models: Path) -> None:
    with line(models) as served:
        facts = noted(served, b"{")
        (record,) = served.records()
    assert (facts.model, facts.request_id, facts.instances, facts.outcomes) == ("credit", "header", None, {})
    assert (record.request, record.us) == ("header", facts.us)


def test_of_a_request_whose_records_were_not_taken_everything_before_that_is_known(models: Path) -> None:
    with line(models, DownStore()) as served:
        facts = noted(served, {"instances": [GOOD, GOOD], "request_id": "body"})
    assert (facts.request_id, facts.instances, facts.outcomes) == ("body", 2, {"scored": 2})
    assert facts.log_wait_ms is not None
    assert facts.log_wait_ms > 0


def test_a_model_that_is_not_served_is_not_named(models: Path) -> None:
    with line(models) as served:
        assert noted(served, {"instances": [GOOD]}, "patient-17").model is None


def test_labels_are_counted_by_what_became_of_them(models: Path) -> None:
    with line(models) as served:
        given = [{"id": "a", "label": "bad"}, {"id": "b", "label": "no class"}]
        facts = noted(served, {"labels": given, "request_id": "body"}, labels=True)
    assert (facts.model, facts.request_id, facts.instances) == ("credit", "body", 2)
    assert facts.outcomes == {"unmatched": 1, "rejected": 1}
