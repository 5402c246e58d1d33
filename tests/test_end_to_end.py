"""The whole line over real HTTP, the worker runtime and Azurite: scored, recorded, reported."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from sklearn import metrics as truth

from audit.ids import id_time_s
from audit.reader import records
from audit.records import Record
from tests.platform import DEMO_MODELS, Platform, demo_rows

ROOT = Path(__file__).parent.parent


def score(platform: Platform, model: str, instances: list[Any], **more: Any) -> httpx.Response:
    return platform.client.post(f"/models/{model}/score", json={"instances": instances, **more})


def logged(platform: Platform, model: str) -> list[Record]:
    return [record for record, _ in records(platform.stores.log) if record.model == model]


def test_three_rows_end_in_three_outcomes_and_the_command_shows_their_records(platform: Platform) -> None:
    good, _ = demo_rows("breast-cancer")[0]
    missing = {name: value for name, value in good.items() if name != "mean radius"}
    text = good | {"mean radius": "seventeen"}
    answer = score(platform, "breast-cancer", [good, missing, text], ids=["good-1", "missing-1", "text-1"])
    assert answer.status_code == 200, answer.text
    results = answer.json()["results"]
    assert [result["outcome"] for result in results] == ["scored", "abstained", "rejected"]
    assert [result["reasons"] for result in results] == [[], ["missing_required"], ["wrong_type"]]
    assert results[0]["label"] in {"malignant", "benign"}
    assert math.isclose(sum(results[0]["probabilities"].values()), 1.0)
    assert answer.json()["receipt"], "an answer carries the receipt of its records"
    for name, outcome in (("good-1", "scored"), ("missing-1", "abstained"), ("text-1", "rejected")):
        shown = platform.command("audit", "show", name, "--json")
        (line,) = shown.stdout.splitlines()
        record = json.loads(line)["record"]
        assert (record["id"], record["outcome"]) == (name, outcome)


@pytest.mark.parametrize("model", DEMO_MODELS)
def test_a_score_is_what_scikit_learn_says_row_by_row_and_in_a_batch(platform: Platform, model: str) -> None:
    rows = [row for row, _ in demo_rows(model)[:25]]
    batch = score(platform, model, rows).json()["results"]
    for row, in_batch in zip(rows, batch, strict=True):
        (alone,) = score(platform, model, [row]).json()["results"]
        for field in ("probabilities", "value"):
            if field in alone:
                assert alone[field] == pytest.approx(in_batch[field], rel=1e-9, abs=1e-12)
        assert alone["outcome"] == in_batch["outcome"]


class TestReport:
    """200 instances and more of each demo model, some abstained, some never labelled, some labels corrected."""

    @pytest.mark.parametrize("model", DEMO_MODELS)
    def test_every_figure_equals_scikit_learn_and_coverage_a_hand_count(self, platform: Platform, model: str) -> None:
        traffic(platform, model)
        done = platform.command("evaluation", "report", "--model", model, "--window", "day", check=False)
        assert done.returncode in {0, 1}, done.stderr
        report = platform.client.get(f"/models/{model}/reports/latest", headers={"accept": "application/json"}).json()
        assert report["provisional"] is True
        log = logged(platform, model)
        check_coverage(report["coverage"], log)
        check_performance(report["performance"], log, model)


def traffic(platform: Platform, model: str) -> None:
    """Score every row of the demo data at least once, with awkward ones between, and label most of them."""
    draw = random.Random(model)
    rows = demo_rows(model)
    while len(rows) < 260:
        rows = rows + rows
    labels = []
    for start in range(0, len(rows), 37):
        part = rows[start : start + 37]
        instances = [row if draw.random() > 0.1 else spoiled(row, draw) for row, _ in part]
        ids = [f"{model}.{start + offset}" for offset in range(len(part))]
        assert score(platform, model, instances, ids=ids).status_code == 200
        labels += [(name, label) for name, (_, label) in zip(ids, part, strict=True) if draw.random() > 0.2]
    assert platform.client.post(f"/models/{model}/score", content=b'{"instances": [').status_code == 400
    wrong = [(name, rows[-1][1]) for name, _ in labels[:15]]  # corrected by what follows
    for batch in (wrong, labels):
        send_labels(platform, model, batch)


def spoiled(row: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    """The same row with one value missing, of a wrong type, or far out of range."""
    name = draw.choice(list(row))
    return draw.choice([{key: row[key] for key in row if key != name}, row | {name: "?"}, row | {name: 1e9}])


def send_labels(platform: Platform, model: str, labels: list[tuple[str, Any]]) -> None:
    field = "value" if model == "diabetes" else "label"
    body = {"labels": [{"id": name, field: label} for name, label in labels]}
    answer = platform.client.post(f"/models/{model}/labels", json=body)
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["results"]) == len(labels)


def check_coverage(coverage: dict[str, Any], log: list[Record]) -> None:
    instances = [record for record in log if record.kind == "score"]
    errors = [record for record in log if record.kind == "request_error"]
    scored = sum(record.outcome == "scored" for record in instances)
    assert len(instances) >= 200
    assert {record.outcome for record in instances} >= {"scored", "abstained", "rejected"}
    assert coverage["counts"]["calls"] == len(instances) + len(errors)
    assert coverage["counts"]["scored"] == scored
    assert coverage["counts"]["request_errors"] == len(errors) > 0
    assert coverage["counts"]["coverage"] == scored / (len(instances) + len(errors))
    assert coverage["reconciliation"]["agrees"] is True


def pairs(log: list[Record]) -> tuple[list[Record], list[Any]]:
    """The newest scored record of each id beside the newest label of the same id, by hand from the log."""
    newest: dict[str, Record] = {}
    label: dict[str, Any] = {}
    for record in log:  # in the order of the log
        if record.kind == "score":
            newest[record.id] = record
        elif record.kind == "label" and record.outcome != "rejected":
            assert record.y is not None
            label[record.id] = record.y.get("label", record.y.get("value"))
    found = [(record, label[name]) for name, record in newest.items() if record.outcome == "scored" and name in label]
    return [record for record, _ in found], [value for _, value in found]


def check_performance(performance: dict[str, Any], log: list[Record], model: str) -> None:
    scored, labels = pairs(log)
    assert len(labels) >= 100
    assert performance["labels"]["labelled"] == len(labels)
    assert performance["labels"]["corrected"] > 0
    figures = {figure["name"]: figure["value"] for figure in performance["figures"]}
    expected = regression(scored, labels) if model == "diabetes" else classification(scored, labels, model)
    assert set(expected) <= set(figures), f"missing figures: {set(expected) - set(figures)}"
    for name, value in expected.items():
        assert figures[name] == pytest.approx(value, rel=1e-12, abs=1e-12), name


def regression(scored: list[Record], labels: list[float]) -> dict[str, float]:
    predicted = [record.y["value"] for record in scored if record.y]
    return {
        "rmse": truth.root_mean_squared_error(labels, predicted),
        "mae": truth.mean_absolute_error(labels, predicted),
        "mape": truth.mean_absolute_percentage_error(labels, predicted),
        "r2": truth.r2_score(labels, predicted),
        "bias": float(np.mean(np.subtract(predicted, labels))),
    }


def classification(scored: list[Record], labels: list[str], model: str) -> dict[str, float]:
    answers = [record.y for record in scored if record.y]
    predicted = [answer["label"] for answer in answers]
    names = sorted(answers[0]["probabilities"])
    table = np.array([[answer["probabilities"][name] for name in names] for answer in answers])
    both: dict[str, float] = {
        "accuracy": truth.accuracy_score(labels, predicted),
        "balanced_accuracy": truth.balanced_accuracy_score(labels, predicted),
        "mcc": truth.matthews_corrcoef(labels, predicted),
        "log_loss": truth.log_loss(labels, table, labels=names),
    }
    return both | (binary(labels, predicted, table, names) if model == "breast-cancer" else {})


def binary(labels: list[str], predicted: list[str], table: Any, names: list[str]) -> dict[str, float]:
    is_positive = [label == "malignant" for label in labels]
    probability = table[:, names.index("malignant")]
    (true_negative, false_positive), _ = truth.confusion_matrix(labels, predicted, labels=["benign", "malignant"])
    return {
        "precision": truth.precision_score(labels, predicted, pos_label="malignant"),
        "recall": truth.recall_score(labels, predicted, pos_label="malignant"),
        "fpr": false_positive / (false_positive + true_negative),
        "f1": truth.f1_score(labels, predicted, pos_label="malignant"),
        "roc_auc": truth.roc_auc_score(is_positive, probability),
        "pr_auc": truth.average_precision_score(is_positive, probability),
        "brier": truth.brier_score_loss(is_positive, probability),
    }


class TestBadInput:
    """Each a clear error and the right status, a record where a call of the model was made, and the service goes on."""

    @pytest.fixture(autouse=True)
    def _goes_on(self, platform: Platform) -> Any:
        yield
        good, _ = demo_rows("wine")[0]
        assert score(platform, "wine", [good]).status_code == 200

    @pytest.mark.parametrize(
        "body",
        [b"", b"{", b"[]", b"null", b'"text"', b'{"instances": 3}', b'{"instances": []}', b"\xff\xfe", b"[" * 100_000],
    )
    def test_a_body_that_is_no_request_is_a_400_with_its_reason_and_a_record(
        self, platform: Platform, body: bytes
    ) -> None:
        before = sum(record.kind == "request_error" for record in logged(platform, "wine"))
        answer = platform.client.post("/models/wine/score", content=body)
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/json"
        assert len(answer.json()["error"]) > 10
        assert sum(record.kind == "request_error" for record in logged(platform, "wine")) == before + 1

    @pytest.mark.parametrize(
        ("value", "outcome", "reason"),
        [
            ("NaN", "scored", None),
            ("Infinity", "rejected", "not_finite"),
            ("1e400", "rejected", "not_finite"),
            ('"12.5"', "rejected", "wrong_type"),
            ("true", "rejected", "wrong_type"),
            ("[1]", "rejected", "wrong_type"),
            ('"\\ud800"', "rejected", "wrong_type"),
        ],
    )
    def test_a_bad_value_is_judged_and_its_neighbour_scored(
        self, platform: Platform, value: str, outcome: str, reason: str | None
    ) -> None:
        good, _ = demo_rows("wine")[0]
        bad = json.dumps(good | {"alcohol": "@"}).replace('"@"', value)
        body = f'{{"instances": [{bad}, {json.dumps(good)}]}}'
        answer = platform.client.post("/models/wine/score", content=body.encode())
        assert answer.status_code == 200, answer.text
        first, second = answer.json()["results"]
        assert first["outcome"] == outcome
        assert reason is None or reason in first["reasons"]
        assert second["outcome"] == "scored"

    def test_an_unknown_model_is_a_404_that_names_those_there_are(self, platform: Platform) -> None:
        answer = score(platform, "nobody", [{}])
        assert answer.status_code == 404
        assert "breast-cancer" in answer.json()["error"]

    def test_a_body_over_the_limit_is_a_413_and_no_call(self, platform: Platform) -> None:
        before = len(logged(platform, "wine"))
        answer = platform.client.post("/models/wine/score", content=b" " * (17 * 2**20))
        assert answer.status_code == 413
        assert "limit" in answer.json()["error"]
        assert len(logged(platform, "wine")) == before

    @pytest.mark.parametrize(
        "path", ["/models/wine/score", "/models/wine/labels", "/models/wine/reports", "/models", "/v2/models/wine"]
    )
    def test_a_wrong_key_is_a_401_and_nothing_more(self, platform: Platform, path: str) -> None:
        method = "POST" if path.endswith(("score", "labels")) else "GET"
        for headers in ({}, {"x-functions-key": "wrong"}):
            answer = httpx.request(method, platform.url + path, headers=headers)
            assert (answer.status_code, answer.content) == (401, b"")


def test_the_log_verifies_after_all_of_this(platform: Platform) -> None:
    good, _ = demo_rows("wine")[0]
    assert score(platform, "wine", [good]).status_code == 200
    done = platform.command("audit", "verify")
    assert done.returncode == 0, done.stdout


def test_the_commands_teach_and_say_what_is_missing(platform: Platform) -> None:
    for package in ("audit", "evaluation", "training"):
        done = subprocess.run([sys.executable, "-m", package, "--help"], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0
        assert "usage" in done.stdout
    done = platform.command("audit", "show", "no-such-id", check=False)
    assert done.returncode != 0
    assert "no-such-id" in done.stderr + done.stdout


def test_outcomes_by_hand(platform: Platform) -> None:
    """The log holds one outcome for each instance: nothing twice, nothing without.

    Told apart by the requests' ids, if they are of our making: a client may use its own again, as a page's example does
    each time that a test runs it on this platform.
    """
    by_request: dict[str, list[Record]] = defaultdict(list)
    for record in logged(platform, "breast-cancer"):
        if record.kind == "score":
            assert record.outcome in {"scored", "abstained", "rejected", "failed"}
            assert record.request is not None
            if id_time_s(record.request) is not None:
                by_request[record.request].append(record)
    assert by_request
    for batch in by_request.values():
        assert sorted(record.row or 0 for record in batch) == list(range(len(batch)))
        assert {record.rows for record in batch} == {len(batch)}


def test_an_error_and_its_record_carry_the_same_request_id(platform: Platform) -> None:
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    answer = platform.client.post("/models/wine/score", content=b"{", headers={"traceparent": trace})
    assert answer.status_code == 400
    assert answer.headers["traceparent"] == trace
    newest = [record for record in logged(platform, "wine") if record.kind == "request_error"][-1]
    assert newest.request == answer.headers["x-request-id"]
    named = platform.client.post("/models/wine/score", content=b"{", headers={"x-request-id": "mine-1"})
    assert named.headers["x-request-id"] == "mine-1"
