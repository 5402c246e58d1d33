"""Over real HTTP: every answer has its request id, and every request one line in the log that no client can bend."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local.local_host import LocalHost
from scoring.content import Content
from scoring.protocols.protocol import Terms
from scoring.protocols.registry import PROTOCOLS, ProtocolName
from scoring.request_log import FIELDS
from tests.platform import demo_rows

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
SECRETS: dict[str, Any] = {"feature": 7654.321, "id": "patient-4711", "query": "hunter2", "text": "a-secret-text"}
GOOD, _ = demo_rows("wine")[0]
INPUTS = [{"name": name, "shape": [1], "datatype": "FP64", "data": [value]} for name, value in GOOD.items()]
ASKED: dict[ProtocolName, tuple[str, dict[str, Any]]] = {
    "native": ("/models/{model}/score", {"instances": [GOOD]}),
    "open_inference": ("/v2/models/{model}/infer", {"inputs": INPUTS}),
    "mlflow": ("/models/{model}/invocations", {"dataframe_records": [GOOD]}),
}
LINE = re.compile(r"^\S+ \S+ (INFO|WARNING|ERROR) hyperplane\.requests: (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Served:
    """A host whose requests are logged."""

    host: LocalHost
    client: httpx.Client

    def lines(self, request_id: str) -> list[tuple[str, dict[str, Any]]]:
        """(level, fields) of a request's lines; waits for the first, which is written before the answer is sent."""
        deadline = time.monotonic() + 5
        while True:
            found = [(level, json.loads(message)) for level, message in LINE.findall(self.host.log)]
            mine = [(level, fields) for level, fields in found if fields["request_id"] == request_id]
            if mine or time.monotonic() > deadline:
                return mine
            time.sleep(0.01)


@pytest.fixture(scope="module")
def served(demo_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    models = tmp_path_factory.mktemp("served") / "models"
    shutil.copytree(demo_models, models)
    shutil.copytree(models / "wine" / "1", models / "broken" / "1")
    (models / "broken" / "1" / "model.onnx").write_bytes(b"none")
    environment = {
        "HYPERPLANE_STORAGE": "memory://",
        "HYPERPLANE_MODELS": str(models),
        "HYPERPLANE_MAX_BODY_BYTES": "20000",
    }
    with (
        LocalHost(env=environment, log_requests=True) as host,
        httpx.Client(base_url=host.url, headers={"x-functions-key": host.key}, timeout=60) as client,
    ):
        yield Served(host, client)


def is_written(protocol: ProtocolName) -> bool:
    try:
        PROTOCOLS[protocol].decode(Content(b"{"), Terms(None, 1))  # type: ignore[arg-type]
    except NotImplementedError:
        return False
    except Exception:  # noqa: BLE001  whatever it makes of that, it is there
        return True
    return True


WRITTEN = [
    pytest.param(protocol, marks=pytest.mark.skipif(not is_written(protocol), reason="this protocol is still to come"))
    for protocol in ASKED
]
STATUSES = {200: "wine", 400: "wine", 404: "nothing", 413: "wine", 503: "broken"}


def ask(served: Served, protocol: ProtocolName, status: int, **headers: str) -> httpx.Response:
    """A request that ends in a status."""
    path, body = ASKED[protocol]
    content = {400: b"{", 413: b" " * 20_001}.get(status, json.dumps(body).encode())
    answer = served.client.post(path.format(model=STATUSES[status]), content=content, headers=headers)
    assert answer.status_code == status, answer.text
    return answer


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("protocol", WRITTEN)
def test_an_answer_of_any_status_carries_the_id_and_the_trace_it_was_sent(
    served: Served, protocol: ProtocolName, status: int
) -> None:
    sent = f"{protocol}-{status}"
    answer = ask(served, protocol, status, **{"x-request-id": sent, "traceparent": TRACEPARENT})
    assert answer.headers["x-request-id"] == sent
    assert answer.headers["traceparent"] == TRACEPARENT
    ((level, fields),) = served.lines(sent)
    assert (fields["status"], fields["trace_id"], fields["bytes_out"]) == (status, TRACE, len(answer.content))
    assert fields.get("model") == (None if status in {404, 503} else "wine")
    assert level == ("WARNING" if status == 503 else "INFO")


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("protocol", WRITTEN)
def test_an_answer_to_a_request_without_an_id_gets_one(served: Served, protocol: ProtocolName, status: int) -> None:
    answer = ask(served, protocol, status)
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}", answer.headers["x-request-id"])
    assert "traceparent" not in answer.headers
    ((_, fields),) = served.lines(answer.headers["x-request-id"])
    assert "trace_id" not in fields


def test_the_bodys_own_id_has_precedence_in_the_header_and_in_the_line(served: Served) -> None:
    body = {"instances": [GOOD], "request_id": "of-the-body"}
    answer = served.client.post("/models/wine/score", json=body, headers={"x-request-id": "of-the-header"})
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == "of-the-body"
    assert len(served.lines("of-the-body")) == 1
    labels = {"labels": [{"id": "a", "label": "class_0"}], "request_id": "labels-own"}
    answer = served.client.post("/models/wine/labels", json=labels, headers={"x-request-id": "of-the-header-2"})
    assert answer.headers["x-request-id"] == "labels-own"
    ((_, fields),) = served.lines("labels-own")
    assert (fields["function"], fields["instances"], fields["unmatched"]) == ("labels", 1, 1)


def test_a_scored_requests_line_says_what_came_of_it_and_where_the_time_went(served: Served) -> None:
    bad = {**GOOD, "alcohol": "strong"}
    answer = served.client.post("/models/wine/score", json={"instances": [GOOD, GOOD, bad]})
    ((_, fields),) = served.lines(answer.headers["x-request-id"])
    assert {name: fields[name] for name in ("function", "model", "version", "protocol", "status")} == {
        "function": "score",
        "model": "wine",
        "version": "1",
        "protocol": "native",
        "status": 200,
    }
    assert (fields["instances"], fields["scored"], fields["rejected"]) == (3, 2, 1)
    assert set(fields) <= set(FIELDS)
    stages_ms = sum(fields[f"{stage}_us"] for stage in ("decode", "judge", "infer", "encode")) / 1000
    assert 0 < stages_ms + fields["log_wait_ms"] < fields["duration_ms"]


def test_a_request_errors_line_has_the_logs_fixed_word(served: Served) -> None:
    for body, reason in (
        (b"{", "not_json"),
        (b'{"instances": []}', "no_instances"),
        (b"[" * 99 + b"]" * 99, "too_deep"),
    ):
        answer = served.client.post("/models/wine/score", content=body)
        ((_, fields),) = served.lines(answer.headers["x-request-id"])
        assert (fields["error"], fields["reason"]) == ("BadRequest", reason)


@pytest.mark.parametrize(
    ("path", "function", "model"),
    [
        ("/v2", "server_metadata", None),
        ("/v2/models/wine", "model_metadata", "wine"),
        ("/v2/models/wine/versions/1", "version_metadata", "wine"),
        ("/models", "models", None),
        ("/models/wine/reports", "reports", "wine"),
        ("/models/wine/reports/latest", "latest_report", "wine"),
        ("/models/wine/reports/day-1", "report", "wine"),
        ("/models/wine/instances/none", "instance", "wine"),
        ("/docs", "docs", None),
        ("/openapi.json", "openapi", None),
        ("/", "home", None),
        ("/version", "version", None),
    ],
)
def test_each_reading_route_has_its_line(served: Served, path: str, function: str, model: str | None) -> None:
    answer = served.client.get(path)
    ((_, fields),) = served.lines(answer.headers["x-request-id"])
    assert (fields["function"], fields.get("model")) == (function, model)
    assert (fields["status"], fields["bytes_out"]) == (answer.status_code, len(answer.content))


def test_probes_that_find_all_well_leave_no_line_and_those_that_do_not_leave_one(served: Served) -> None:
    quiet = [served.client.get(path) for path in ("/v2/health/live", "/ping", "/v2/models/wine/ready")]
    loud = [served.client.get(path) for path in ("/v2/health/ready", "/health", "/v2/models/broken/ready")]
    assert [answer.status_code for answer in quiet + loud] == [200, 200, 200, 503, 503, 503]
    for answer in loud:  # those after them in the log are there once these are
        ((level, _),) = served.lines(answer.headers["x-request-id"])
        assert level == "WARNING"
    assert all(answer.headers["x-request-id"] not in served.host.log for answer in quiet)


HOSTILE_IDS = [
    'a","status":200,"b":"',
    "a\\n{}",
    "%0d%0aINFO hyperplane.requests: {}",
    "a" * 129,
    "a" * 4_000,
    "two words",
    "caf\u00e9".encode(),
    b"\xff\xfe\x80",
    "",
]


@pytest.mark.parametrize("value", HOSTILE_IDS, ids=range(len(HOSTILE_IDS)))
def test_an_id_that_is_none_is_replaced_and_a_trace_that_is_none_ignored(served: Served, value: str | bytes) -> None:
    headers = [("x-request-id", value), ("traceparent", value), ("tracestate", value)]
    answer = served.client.post("/models/wine/score", json={"instances": [GOOD]}, headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 200
    assert re.fullmatch(r"[0-9a-f-]{36}", answer.headers["x-request-id"])
    assert not {"traceparent", "tracestate"} & set(answer.headers)
    ((_, fields),) = served.lines(answer.headers["x-request-id"])
    assert "trace_id" not in fields


def test_two_traceparents_are_none(served: Served) -> None:
    headers = [("traceparent", TRACEPARENT), ("traceparent", TRACEPARENT), ("x-request-id", "two-traces")]
    answer = served.client.post("/models/wine/score", json={"instances": [GOOD]}, headers=headers)
    assert "traceparent" not in answer.headers
    ((_, fields),) = served.lines("two-traces")
    assert "trace_id" not in fields


def test_nothing_that_a_client_sent_is_in_the_log_but_ids_of_requests_and_traces(served: Served) -> None:
    odd = {**GOOD, "alcohol": SECRETS["feature"]}
    answers = [
        served.client.post("/models/wine/score", json={"instances": [odd], "ids": [SECRETS["id"]]}),
        served.client.post("/models/wine/score", json={"instances": [{**GOOD, "alcohol": SECRETS["text"]}]}),
        served.client.post("/models/wine/score", json={SECRETS["text"]: 1}),
        served.client.post("/models/wine/score", content=f'{{"{SECRETS["text"]}'),
        served.client.post(f"/models/{SECRETS['id']}/score", json={"instances": [GOOD]}),
        served.client.get(f"/models/wine/instances/{SECRETS['id']}", params={"format": SECRETS["query"]}),
        served.client.get(f"/models/wine/reports/{SECRETS['id']}"),
        served.client.post("/models/wine/labels", json={"labels": [{"id": SECRETS["id"], "label": SECRETS["text"]}]}),
    ]
    for answer in answers:
        assert len(served.lines(answer.headers["x-request-id"])) == 1
    ours = "\n".join(message for _, message in LINE.findall(served.host.log))
    assert not [secret for secret in (*map(str, SECRETS.values()), served.host.key) if secret in ours]


def test_every_line_of_the_log_that_is_ours_is_json_of_known_fields(served: Served) -> None:
    lines = [json.loads(message) for _, message in LINE.findall(served.host.log)]
    assert lines
    assert all(set(fields) <= set(FIELDS) for fields in lines)


def test_a_host_that_was_not_asked_to_log_requests_logs_those_that_need_somebody(demo_models: Path) -> None:
    environment = {
        "HYPERPLANE_STORAGE": "AccountName=a;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:9/a",
        "HYPERPLANE_GIVE_UP_SECONDS": "0.1",
        "HYPERPLANE_MODELS": str(demo_models),
    }
    body = {"instances": [GOOD], "request_id": "of-the-body"}
    with LocalHost(env=environment) as host, httpx.Client(base_url=host.url, timeout=60) as client:
        client.headers["x-functions-key"] = host.key
        well = client.get("/v2")
        answer = client.post("/models/wine/score", json=body, headers={"x-request-id": "of-the-header"})
        assert (answer.status_code, answer.headers["x-request-id"]) == (503, "of-the-body")
        ((level, fields),) = Served(host, client).lines("of-the-body")
        assert (level, fields["error"], fields["scored"]) == ("WARNING", "LogUnavailable", 1)
        assert fields["log_wait_ms"] > 0
        assert well.headers["x-request-id"] not in host.log
