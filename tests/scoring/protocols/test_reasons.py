"""Every reason of every outcome, over every protocol: the same outcome, the same reasons, the same record."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from audit.records import Record
from scoring import outcome, verdict
from scoring.bundle import Calibration, Criteria, Feature
from scoring.content import Content
from scoring.errors import BadRequest, BadRequestReason
from scoring.service import ScoreResponse
from tests.scoring.bundles import (
    AGE,
    INCOME,
    breaking,
    job_manifest,
    looping,
    manifest,
    positions,
    regression,
    regressor_manifest,
    write_bundle,
)
from tests.scoring.protocols.dialects import DIALECTS, Dialect, Heard
from tests.scoring.services import Line, line

CREDIT: dict[str, Any] = {"age": 80.0, "income": 500.0, "member": True}
AMOUNT: dict[str, Any] = {"age": 50.0, "income": 500.0}
WORK: dict[str, Any] = {"age": 50.0, "job": "cook"}


@dataclass(frozen=True)
class Case:
    """An instance, or several with one id, and how the last of them ends."""

    outcome: str
    reasons: list[str]
    model: str
    instances: list[dict[str, Any]]
    flags: dict[str, Any] = field(default_factory=dict)
    ids: list[str] | None = None


CASES = [
    Case("scored", [], "credit", [CREDIT]),
    Case("scored", [], "work", [WORK]),
    Case("scored", [], "work", [WORK | {"job": ""}], {"missing": ["job"]}),
    Case("scored", [], "work", [WORK | {"job": "pilot"}], {"outside": {"job": "unseen"}}),
    Case("scored", [], "work", [WORK | {"job": "a\tb"}], {"outside": {"job": "unseen"}}),
    Case("scored", [], "credit", [CREDIT | {"age": 500.0}], {"outside": {"age": "above"}}),
    Case("abstained", ["missing_required"], "credit", [CREDIT | {"income": None}], {"missing": ["income"]}),
    Case("abstained", ["outside_calibration"], "strict", [CREDIT | {"age": 500.0}], {"outside": {"age": "above"}}),
    Case("abstained", ["outside_calibration"], "joint", [CREDIT | {"age": 81.0, "income": 900.0}]),
    Case("abstained", ["low_confidence"], "credit", [CREDIT | {"age": 51.0}]),
    Case("abstained", ["output_out_of_range"], "amount", [AMOUNT | {"income": 900.0}]),
    Case("abstained", ["not_converged"], "unconverged", [CREDIT]),
    Case("rejected", ["wrong_type"], "credit", [CREDIT | {"age": "eighty"}]),
    Case("rejected", ["wrong_type"], "credit", [CREDIT | {"income": 1.5}]),
    Case("rejected", ["wrong_type"], "credit", [CREDIT | {"member": "maybe"}]),
    Case("rejected", ["not_finite"], "credit", [CREDIT | {"age": math.inf}]),
    Case("rejected", ["unknown_feature"], "credit", [CREDIT | {"height": 1.8}]),
    Case("rejected", ["missing_feature"], "amount", [AMOUNT | {"age": None}], {"missing": ["age"]}),
    Case("rejected", ["too_long"], "work", [WORK | {"job": "x" * 2000}]),
    Case("rejected", ["duplicate_id"], "credit", [CREDIT, CREDIT | {"age": 70.0}], ids=["a", "a"]),
    Case("failed", ["model_error"], "breaking", [AMOUNT | {"age": 70.0}]),
    Case("failed", ["non_finite_output"], "unbounded", [AMOUNT]),
    Case("failed", ["timeout"], "hanging", [AMOUNT | {"age": 70.0}]),
    Case("rejected", ["wrong_type", "unknown_feature"], "credit", [CREDIT | {"age": "x", "height": 1.8}]),
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    models = tmp_path_factory.mktemp("models")
    strict = Feature(**{name: getattr(AGE, name) for name in AGE.__struct_fields__} | {"outside": "abstain"})
    near = Calibration(centres=[[3.0, 0.0, 0.0, 0.7]], threshold=1.0)
    bounds = Criteria(output_maximum=800.0)
    age = Feature(**{name: getattr(AGE, name) for name in AGE.__struct_fields__} | {"missing": "reject"})
    write_bundle(models, manifest(criteria=Criteria(minimum_probability=0.6)))
    write_bundle(models, manifest(name="strict", features=[strict, *manifest().features[1:]]))
    write_bundle(models, manifest(name="joint", calibration=near, criteria=Criteria(joint="abstain")))
    warned = ["lbfgs stopped after 100 iterations"]
    write_bundle(models, manifest(name="unconverged", convergence=warned, criteria=Criteria(not_converged="abstain")))
    write_bundle(models, regressor_manifest(criteria=bounds, features=[age, INCOME]), regression(2))
    write_bundle(models, job_manifest(name="work"), positions())
    write_bundle(models, regressor_manifest(name="breaking"), breaking(2))
    write_bundle(models, regressor_manifest(name="unbounded"), regression(2, weight=1e308))
    write_bundle(models, regressor_manifest(name="hanging"), looping(2))
    (models / "serving.toml").write_text("[models.hanging]\nrun_timeout_s = 0.05\n")
    with line(models) as started:
        yield started


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.model} {' '.join(case.reasons) or case.flags}")
def test_an_instance_ends_alike_in_every_protocol(served: Line, case: Case, dialect: Dialect) -> None:
    ids = case.ids or [f"id-{place}" for place in range(len(case.instances))]
    content = dialect.say(case.instances, ids)
    if content is None or (case.ids and not dialect.has_ids):
        pytest.skip("this form has no words for it")
    heard, record = ask(served, case.model, dialect, content)
    assert (heard.outcome, list(heard.reasons)) == (case.outcome, case.reasons)
    assert (record.outcome, record.reasons) == (case.outcome, case.reasons)
    assert (heard.predicted is not None) == (case.outcome == "scored")
    assert record.id == heard.id
    for name, found in case.flags.items():
        assert record.flags[name] == found
    told, expected = ask(served, case.model, DIALECTS[0], DIALECTS[0].say(case.instances, ids))
    assert (heard.predicted, record.y, record.flags) == (told.predicted, expected.y, expected.flags)


def test_every_reason_has_a_case() -> None:
    assert {reason for case in CASES for reason in case.reasons} == {*verdict.REASONS, *outcome.REASONS}


def ask(served: Line, model: str, dialect: Dialect, content: Content | None) -> tuple[Heard, Record]:
    """The last instance of a request: what the client hears of it, and its record."""
    assert content is not None
    answered: ScoreResponse = served.run(lambda service: service.score(model, None, content, protocol=dialect.protocol))
    heard = dialect.hear(answered.reply)
    (*_, record) = (each for each in served.records() if each.request == answered.request_id)
    return heard[-1], record


ROW = json.dumps(CREDIT)
TENSORS = [{"name": name, "shape": [1], "datatype": "FP64", "data": [1]} for name in ("age", "income")]

REQUEST_ERRORS: list[tuple[BadRequestReason, str, bytes, str]] = [
    ("not_json", "native", b'{"instances": [', "the body is not JSON"),
    ("not_json", "open_inference", b"\xff", "not UTF-8"),
    ("not_json", "mlflow", b"", "the body is empty"),
    ("too_deep", "native", b'{"instances": [' + b"[" * 70 + b"]" * 70 + b"]}", "nested deeper"),
    ("too_deep", "open_inference", b'{"inputs": [' + b"[" * 70 + b"]" * 70 + b"]}", "nested deeper"),
    ("too_deep", "mlflow", b'{"instances": [' + b"[" * 70 + b"]" * 70 + b"]}", "nested deeper"),
    ("wrong_shape", "native", b'{"rows": []}', "unknown field"),
    ("wrong_shape", "open_inference", json.dumps({"inputs": [TENSORS[0] | {"shape": [2]}]}).encode(), "age"),
    ("wrong_shape", "mlflow", b'{"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}}', "columns"),
    ("no_instances", "native", b'{"instances": []}', "instances: empty"),
    ("no_instances", "open_inference", json.dumps({"inputs": [TENSORS[0] | {"shape": [0], "data": []}]}).encode(), ""),
    ("no_instances", "mlflow", b'{"inputs": []}', "inputs"),
    ("too_many_instances", "native", f'{{"instances": [{ROW}, {ROW}, {ROW}]}}'.encode(), "3 are more than 2"),
    (
        "too_many_instances", "open_inference",
        json.dumps({"inputs": [TENSORS[0] | {"shape": [3], "data": [1, 2, 3]}]}).encode(), "more than 2",
    ),
    ("too_many_instances", "mlflow", f'{{"dataframe_records": [{ROW}, {ROW}, {ROW}]}}'.encode(), "3 are more than 2"),
    ("malformed_id", "native", f'{{"instances": [{ROW}], "ids": ["a b"]}}'.encode(), "ids[0]"),
    (
        "malformed_id", "open_inference",
        json.dumps({"inputs": [*TENSORS, {"name": "instance_id", "shape": [1], "datatype": "BYTES", "data": ["a b"]}]})
        .encode(), "instance_id",
    ),
    ("malformed_id", "mlflow", f'{{"instances": [{ROW}], "ids": ["a b"]}}'.encode(), "ids[0]"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("reason", "protocol", "body", "told"), REQUEST_ERRORS, ids=[f"{each[0]} {each[1]}" for each in REQUEST_ERRORS]
)
def test_a_body_that_is_no_request_is_one_record_with_its_reason(
    tmp_path: Path, reason: str, protocol: Any, body: bytes, told: str
) -> None:
    write_bundle(tmp_path, manifest())
    with line(tmp_path, max_instances=2) as started:
        with pytest.raises(BadRequest) as refused:
            started.run(lambda service: service.score("credit", None, Content(body), protocol=protocol))
        (record,) = started.records()
    assert told in str(refused.value)
    assert (refused.value.reason, record.kind, record.reasons) == (reason, "request_error", [reason])
    assert (record.model, record.outcome) == ("credit", None)
