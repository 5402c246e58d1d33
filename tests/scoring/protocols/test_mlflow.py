"""MLflow's formats all become the same instances, and the answer is what its clients read."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.ids import id_time_s
from scoring.bundle import Manifest
from scoring.content import Content
from scoring.errors import BadRequest
from scoring.protocols.mlflow import Mlflow
from scoring.protocols.protocol import Terms
from tests.platform import Platform, demo_rows
from tests.scoring.bundles import (
    JOB,
    MEMBER,
    job_manifest,
    manifest,
    positions,
    regression,
    regressor_manifest,
    write_bundle,
)
from tests.scoring.services import Line, line
from tests.scoring.test_json_body import JSON

CREDIT = manifest()  # age, income, member
SPLIT = "dataframe_split"
FORMATS = (SPLIT, "dataframe_records", "instances", "inputs")
COLUMNS = ["age", "income", "member"]
ROWS: list[list[Any]] = [[41.0, 500, True], [80.0, None, False]]
RECORDS = [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]
GOOD = {"age": 80.0, "income": 500, "member": True}


def instances(body: Any, described: Manifest = CREDIT, most: int = 1000) -> list[Any]:
    """The instances in a JSON body."""
    return Mlflow().decode(Content(json.dumps(body).encode()), Terms(described, most)).instances


def count(body: Any) -> int | None:
    """How many instances there are in a JSON body, None if it is refused."""
    try:
        return len(instances(body))
    except BadRequest as problem:
        str(problem).encode()
        return None


def invoke(started: Line, body: Any, model: str = "credit", kind: str = "") -> dict[str, Any]:
    """The answer to one request, as the client would parse it."""
    content = Content(body if isinstance(body, bytes) else json.dumps(body).encode(), kind=kind)
    answer: dict[str, Any] = json.loads(started.reply(content, model, protocol="mlflow").body)
    return answer


@pytest.fixture
def credit(tmp_path: Path) -> Iterator[Line]:
    write_bundle(tmp_path, manifest())
    write_bundle(tmp_path, regressor_manifest(), regression(2))
    write_bundle(tmp_path, job_manifest(name="job"), positions())
    with line(tmp_path) as started:
        yield started


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": COLUMNS, "data": ROWS}},
        {"dataframe_split": {"columns": COLUMNS, "data": ROWS, "index": ["a", "b"]}},
        {"dataframe_split": {"columns": None, "data": ROWS, "index": None}},
        {"dataframe_split": {"columns": COLUMNS[::-1], "data": [row[::-1] for row in ROWS]}},
        {"dataframe_records": RECORDS},
        {"instances": RECORDS},
        {"instances": ROWS},
        {"instances": [RECORDS[0], ROWS[1]]},
        {"inputs": ROWS},
        {"inputs": RECORDS},
        {"inputs": {"age": [41.0, 80.0], "income": [500, None], "member": [True, False]}},
        {"inputs": {"age": [[41.0], [80.0]], "income": [[500], [None]], "member": [True, False]}},
        {"inputs": ROWS, "params": {}},
        {"inputs": ROWS, "params": None},
    ],
)
def test_every_format_says_the_same_instances(body: Any) -> None:
    assert instances(body) == RECORDS


def test_columns_of_single_values_are_one_instance() -> None:
    assert instances({"inputs": RECORDS[0]}) == [RECORDS[0]]


def test_a_model_of_one_feature_takes_bare_values() -> None:
    alone = manifest(features=[MEMBER], calibration=None)
    for body in (
        {"inputs": [True, False]},
        {"instances": [[True], False]},
        {"dataframe_split": {"columns": ["member"], "data": [True, [False]]}},
    ):
        assert instances(body, alone) == [{"member": True}, {"member": False}]


def test_what_is_no_row_stays_what_it_is_for_judging() -> None:
    odd = [[1, 2], [1, 2, True, 4], 7, "text", None, []]
    assert instances({"inputs": odd}) == instances({"instances": odd}) == odd
    assert instances({"dataframe_split": {"columns": COLUMNS, "data": odd}}) == odd
    assert instances({"dataframe_records": odd}) == odd


def test_nested_values_of_a_column_stay_nested_unless_each_is_one() -> None:
    assert instances({"inputs": {"age": [[1, 2], [3]]}}) == [{"age": [1, 2]}, {"age": [3]}]


def test_ids_and_the_request_id_mean_what_they_do_natively_and_an_index_is_no_id() -> None:
    frame = {"columns": COLUMNS, "data": ROWS, "index": [0, 1]}
    body = {"dataframe_split": frame, "ids": ["a", "b"], "request_id": "r-1"}
    request = Mlflow().decode(Content(json.dumps(body).encode()), Terms(CREDIT, 10))
    assert (request.ids, request.request_id) == (["a", "b"], "r-1")
    request = Mlflow().decode(Content(json.dumps({"dataframe_split": frame}).encode()), Terms(CREDIT, 10))
    assert (request.ids, request.request_id) == (None, None)


@pytest.mark.parametrize("name", FORMATS)
@given(value=JSON)
def test_any_json_in_any_format_is_a_request_or_a_bad_request(name: str, value: Any) -> None:
    assert count({name: value}) != 0


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("columns", "data", "index"), JSON)))
def test_any_frame_is_a_request_or_a_bad_request(frame: dict[str, Any]) -> None:
    assert count({SPLIT: frame}) in (None, len(frame["data"]) if isinstance(frame.get("data"), list) else None)


@pytest.mark.parametrize(
    ("body", "reason", "words"),
    [
        ([], "wrong_shape", r"the body: expected an object such as \{\"dataframe_split\".*found an array"),
        ({}, "wrong_shape", "exactly one of dataframe_split, dataframe_records, instances, inputs, found none"),
        ({"instances": ROWS, "inputs": ROWS}, "wrong_shape", "exactly one of .*, found instances and inputs"),
        ({"columns": COLUMNS, "data": ROWS}, "wrong_shape", "the fields are dataframe_records, dataframe_split"),
        ({"inputs": ROWS, "params": {"top_k": 3}}, "wrong_shape", "params: no model here takes parameters; leave"),
        ({"inputs": ROWS, "params": [1]}, "wrong_shape", "params: expected an empty object, found"),
        ({SPLIT: ROWS}, "wrong_shape", "dataframe_split: expected an object with columns and data, found an array"),
        ({SPLIT: {"columns": COLUMNS}}, "wrong_shape", "dataframe_split.data: missing"),
        ({SPLIT: {"data": ROWS, "rows": 1}}, "wrong_shape", "field 2 is unknown; the fields are col"),
        ({SPLIT: {"data": {"age": [1]}}}, "wrong_shape", "data: expected an array of rows, found an object"),
        ({SPLIT: {"data": []}}, "no_instances", "dataframe_split.data: empty; send at least one"),
        ({SPLIT: {"data": ROWS, "columns": "age"}}, "wrong_shape", "columns: expected an array of names, found a str"),
        ({SPLIT: {"data": ROWS, "columns": [0, 1, 2]}}, "wrong_shape", r"columns\[0\]: expected a feature's name"),
        ({SPLIT: {"data": ROWS, "columns": ["age", "age"]}}, "wrong_shape", "columns: 0 and 1 are one name"),
        ({SPLIT: {"data": ROWS, "index": [1]}}, "wrong_shape", "index: 1 entries for 2 rows; expected one each"),
        ({SPLIT: {"data": ROWS, "index": 1}}, "wrong_shape", "index: expected an array, found a number"),
        ({"dataframe_records": {}}, "wrong_shape", "dataframe_records: expected an array of objects, found an object"),
        ({"instances": "x"}, "wrong_shape", "instances: expected an array of objects or rows, found a string"),
        ({"inputs": 3}, "wrong_shape", "inputs: expected an object of columns or an array of rows, found"),
        ({"inputs": {}}, "no_instances", "inputs: empty"),
        ({"inputs": {"age": []}}, "no_instances", "inputs: empty"),
        ({"inputs": {"age": [1, 2], "income": [1]}}, "wrong_shape", "values has 2 and column 2 has 1 values; send"),
        ({"inputs": {"age": 1, "income": [1]}}, "wrong_shape", "values has 1 and column 1 has a number"),
        ({"inputs": [[1]] * 6}, "too_many_instances", "inputs: 6 are more than 5; send them in parts"),
        ({"inputs": {"age": [1] * 6}}, "too_many_instances", "inputs: 6 are more than 5"),
        ({"inputs": ROWS, "ids": ["a"]}, "malformed_id", "ids: expected 2, one for each instance, found 1"),
        ({"inputs": ROWS, "request_id": "a b"}, "malformed_id", "request_id: expected 1 to 128"),
    ],
)  # fmt: skip
def test_a_body_that_is_no_request_is_named(body: Any, reason: str, words: str) -> None:
    with pytest.raises(BadRequest, match=words) as caught:
        instances(body, most=5)
    assert caught.value.reason == reason


def test_no_error_of_its_own_quotes_the_body() -> None:
    bodies: list[dict[str, Any]] = [
        {"inputs": ROWS, "params": {"secret": "secret"}},
        {SPLIT: {"data": ROWS, "secret": 1}},
        {SPLIT: {"data": ROWS, "columns": ["secret", "secret"]}},
        {SPLIT: {"data": ROWS, "columns": ["secret", 7]}},
        {SPLIT: {"data": ROWS, "index": "secret"}},
        {"inputs": {"secret": [1, 2], "secrets": [1]}},
        {"inputs": {"secret": ["secret"] * 2, "age": "secret"}},
        {"inputs": {"secret" * 9000: [1] * 900}},
    ]
    for body in bodies:
        with pytest.raises(BadRequest) as caught:
            instances(body)
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize("column", ["x" * 100_000, "\ud800" * 100_000])
def test_long_names_above_many_rows_are_refused_before_they_are_repeated(column: str) -> None:
    for body in ({SPLIT: {"columns": ["age", column], "data": [[1, 2]] * 900}}, {"inputs": {column: [1] * 900}}):
        with pytest.raises(BadRequest, match="1 columns that no feature has are too much text for 900 rows"):
            instances(body)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("text/plain", "Content-Type: 'text/plain' is not taken; send application/json or text/csv"),
        ("application/x-www-form-urlencoded", "send application/json or text/csv"),
        ("application/vnd.apache.parquet", "send application/json or text/csv"),
        ("text/csv; charset=latin-1", "Content-Type: charset 'latin-1' is not taken; send UTF-8"),
        ("application/json; charset=utf-16", "charset 'utf-16' is not taken; send UTF-8"),
        ("text/csv; header=absent", "header=absent; the first line must name the features"),
        ("é" * 500, "Content-Type: '.{,600}…' is not taken"),
    ],
)
def test_other_content_types_are_refused_with_those_taken(kind: str, words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        Mlflow().decode(Content(b"age\n1\n", kind=kind), Terms(CREDIT, 10))


@pytest.mark.parametrize(
    "kind", ["text/csv", "Text/CSV", 'text/csv; header=present; charset="UTF-8"', "text/csv;charset=us-ascii; odd"]
)
def test_csv_is_known_by_its_content_type_in_any_spelling(kind: str) -> None:
    assert Mlflow().decode(Content(b"age\n1\n", kind=kind), Terms(CREDIT, 10)).instances == [{"age": 1.0}]


def test_the_answer_has_predictions_as_mlflow_has_them_and_what_became_of_each_instance(credit: Line) -> None:
    rows = [list(GOOD.values()), [80.0, None, True], ["eighty", 1, True], [1]]
    answer = invoke(credit, {"inputs": rows, "ids": list("abcd"), "request_id": "r-1"})
    assert list(answer) == ["predictions", "model", "version", "request_id", "results", "receipt"]
    assert answer["predictions"] == ["good", None, None, None]
    assert (answer["model"], answer["version"], answer["request_id"]) == ("credit", "1", "r-1")
    assert [(each["id"], each["outcome"], each["reasons"]) for each in answer["results"]] == [
        ("a", "scored", []),
        ("b", "abstained", ["missing_required"]),
        ("c", "rejected", ["wrong_type"]),
        ("d", "rejected", ["wrong_type"]),
    ]
    native = credit.score({"instances": [GOOD], "ids": ["a"]})
    assert answer["results"][0] == native["results"][0]
    assert answer["receipt"][0]["blob"] == native["receipt"][0]["blob"]
    assert [record.x for record in credit.records()][2:4] == [{"age": "eighty", "income": 1, "member": True}, [1]]


def test_a_regression_predicts_values(credit: Line) -> None:
    answer = invoke(credit, {"dataframe_records": [{"age": 41.5, "income": 2}, {}]}, "amount")
    assert answer["predictions"] == [43.5, None]


def test_csv_is_judged_as_json_is(credit: Line) -> None:
    cells = ["80,500,true", "80.0,,true", "inf,1,false", "1e400,1,true", "x,1,true", "80,1.5,true", "80,1", "80,2,yes"]
    body = "\n".join(["age,income,member", *cells]).encode()
    answer = invoke(credit, body, kind="text/csv; charset=utf-8")
    assert answer["predictions"] == ["good"] + [None] * 7
    assert [each["reasons"] for each in answer["results"]] == [
        [], ["missing_required"], ["not_finite"], ["not_finite"], ["wrong_type"], ["wrong_type"], ["wrong_type"],
        ["wrong_type"],
    ]  # fmt: skip
    stored = [record.x for record in credit.records()]
    assert stored[0] == GOOD
    assert [x["age"] for x in stored[2:5]] == ["Infinity", "Infinity", "x"]
    assert stored[6] == ["80", "1"]
    assert all(id_time_s(each["id"]) is not None for each in answer["results"])


def test_integers_beyond_any_double_are_not_finite_and_are_recorded(credit: Line) -> None:
    body = f"age,income\n30,{'9' * 400}\n31,{'9' * 5000}\n32,7\n".encode()
    answer = invoke(credit, body, "amount", kind="text/csv")
    assert [each["reasons"] for each in answer["results"]] == [["not_finite"], ["not_finite"], []]
    assert [record.x["income"] for record in credit.records()] == ["Infinity", "Infinity", 7]


def test_texts_of_csv_are_looked_up_flagged_and_measured_as_those_of_json(credit: Line) -> None:
    texts = ["cook", " cook", "N/A", "", "a\0b", "y" * 2000]
    body = "\n".join(["age,job", *(f'40,"{text}"' for text in texts)]).encode()
    by_csv = invoke(credit, body, "job", kind="text/csv")
    by_json = invoke(credit, {"inputs": [[40.0, text] for text in texts]}, "job")
    assert by_csv["predictions"] == by_json["predictions"]
    for csv_result, json_result in zip(by_csv["results"], by_json["results"], strict=True):
        assert csv_result | {"id": ""} == json_result | {"id": ""}
    assert by_csv["results"][5]["reasons"] == ["too_long"]
    assert JOB.sentinels == ["", "N/A"]
    assert [result["flags"]["missing"] for result in by_csv["results"][2:4]] == [["job"], ["job"]]


def test_unknown_columns_are_judged_as_unknown_keys_are(credit: Line) -> None:
    answer = invoke(credit, b"age,income,member,x\n80,500,true,1\n", kind="text/csv")
    assert answer["results"][0]["reasons"] == ["unknown_feature"]
    answer = invoke(credit, {"inputs": {**{k: [v] for k, v in GOOD.items()}, "x": [1]}})
    assert answer["results"][0]["reasons"] == ["unknown_feature"]


def test_bare_nan_and_infinity_are_one_instances_matter(credit: Line) -> None:
    frame = {"columns": ["age", "income"], "data": [[41.0, math.nan], [math.inf, 1], [41.0, 1]]}
    answer = invoke(credit, {SPLIT: frame}, "amount")
    assert answer["predictions"] == [None, None, 42.0]
    assert [each["reasons"] for each in answer["results"][:2]] == [["missing_required"], ["not_finite"]]


@pytest.mark.parametrize(
    ("body", "kind", "reason"),
    [(b"age;x\n1;2\n", "text/csv", "wrong_shape"), (b"\xff", "text/csv", "not_csv"), (b"{}", "text/xml", "not_json")],
)
def test_a_body_that_is_no_request_is_recorded(credit: Line, body: bytes, kind: str, reason: str) -> None:
    with pytest.raises(BadRequest) as caught:
        invoke(credit, body, kind=kind)
    (record,) = credit.records()
    assert (record.kind, record.reasons) == ("request_error", [reason])
    assert record.x["message"] == str(caught.value)


WINE = [row for row, _ in demo_rows("wine")[:5]]


def test_over_http_csv_and_json_get_the_native_answer(platform: Platform) -> None:
    header = ",".join(WINE[0])
    lines = [",".join(map(repr, row.values())) for row in WINE]
    by_csv = post(platform, "/models/wine/invocations", "\n".join([header, *lines]), "text/csv; charset=utf-8")
    split = {SPLIT: {"columns": list(WINE[0]), "data": [list(row.values()) for row in WINE]}}
    by_json = post(platform, "/models/wine/invocations", json.dumps(split), "application/json")
    native = post(platform, "/models/wine/score", json.dumps({"instances": WINE}), "application/json")
    assert [answer.status_code for answer in (by_csv, by_json, native)] == [200, 200, 200]
    expected = [(each["label"], each["probabilities"]) for each in native.json()["results"]]
    for answer in (by_csv.json(), by_json.json()):
        assert [(each["label"], each["probabilities"]) for each in answer["results"]] == expected
        assert answer["predictions"] == [label for label, _ in expected]


def test_over_http_the_bare_route_is_the_default_model_and_faults_are_400(platform: Platform) -> None:
    row, _ = demo_rows("breast-cancer")[0]
    answer = post(
        platform, "/invocations", json.dumps({"inputs": [list(row.values())]}), "application/json; charset=UTF-8"
    )
    assert (answer.status_code, answer.json()["model"]) == (200, "breast-cancer")
    assert answer.headers["x-request-id"] == answer.json()["request_id"]
    assert answer.headers["content-type"] == "application/json"
    for body, kind in (("a=1", "application/x-www-form-urlencoded"), ("a;b\n", "text/csv"), ("{", ""), ("{}", "")):
        refused = post(platform, "/invocations", body, kind)
        assert (refused.status_code, list(refused.json())) == (400, ["error"])


def test_over_http_the_probes_are_those_that_mlflows_clients_wait_for(platform: Platform) -> None:
    for probe in ("/ping", "/health", "/version"):
        assert httpx.get(platform.url + probe).status_code == 200, probe


def post(platform: Platform, path: str, body: str, kind: str) -> httpx.Response:
    """Send a body under a content type, or under none."""
    return platform.client.post(path, content=body, headers={"content-type": kind} if kind else {})
