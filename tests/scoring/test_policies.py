"""Policies of serving.toml: what they change, what cannot hold, and that records tell of them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from audit.memory_store import MemoryStore
from audit.reader import blobs, hours, read_blob
from audit.writer import LogWriter, new_writer_id
from scoring.bundle import Criteria, Manifest
from scoring.catalog import Catalog
from scoring.feature_rule import FeatureRule
from scoring.policies import Policies, fingerprint, in_effect
from tests.scoring.bundles import (
    AGE,
    INCOME,
    JOB,
    MEMBER,
    job_manifest,
    manifest,
    positions,
    regression,
    regressor_manifest,
    write_bundle,
)
from tests.scoring.services import line

GOOD = {"age": 60.0, "income": 500, "member": True}
KEY = b"k" * 32


def serving(models: Path, text: str) -> None:
    (models / "serving.toml").write_text(text, encoding="utf-8")


def one(models: Path, policies: str, **more: Any) -> dict[str, Any]:
    """The result of one instance under policies of the model `credit`."""
    serving(models, policies)
    with line(models) as started:
        (result,) = started.score({"instances": [GOOD | more]})["results"]
    found: dict[str, Any] = result
    return found


def problem(models: Path, policies: str, model: str = "credit") -> str:
    """Why the model is not served."""
    serving(models, policies)
    with line(models) as started:
        state = started.service.ready()
    assert not state.ready
    return state.problems[f"{model}/1"]


@pytest.mark.parametrize(
    ("policies", "sent", "outcome", "reasons", "flags"),
    [
        ("minimum_probability = 0.9", {}, "abstained", ["low_confidence"], {}),
        ("minimum_probability = 0.7", {}, "scored", [], {}),
        ('joint = "abstain"', {"age": 90.0, "income": 900}, "abstained", ["outside_calibration"], {}),
        ('extra_features = "ignore"', {"more": 1}, "scored", [], {}),
        ('features.age.outside = "abstain"', {"age": 90.0}, "abstained", ["outside_calibration"], {}),
        ('features.age.missing = "reject"', {"age": None}, "rejected", ["missing_feature"], {"missing": ["age"]}),
        ('features.age.missing = "impute"', {"age": None}, None, None, {"missing": ["age"]}),
        ('features.age = {missing = "reject", sentinels = [60]}', {}, "rejected", ["missing_feature"], {}),
        ("features.age.defaults = [60]", {}, "scored", [], {"artifacts": {"age": ["known_default"]}}),
        ("features.member.defaults = [true]", {}, "scored", [], {"artifacts": {"member": ["known_default"]}}),
    ],
)  # fmt: skip
def test_policies_are_judged_by(
    policies: str,
    sent: dict[str, Any],
    outcome: str | None,
    reasons: list[str] | None,
    flags: dict[str, Any],
    tmp_path: Path,
) -> None:
    write_bundle(tmp_path, manifest())
    result = one(tmp_path, f"[models.credit.policies]\n{policies}", **sent)
    if outcome is not None:
        assert (result["outcome"], result["reasons"]) == (outcome, reasons)
    assert {name: result["flags"][name] for name in flags} == flags


def test_limits_of_a_regression_may_be_narrowed_and_lifted(tmp_path: Path) -> None:
    write_bundle(tmp_path, regressor_manifest(criteria=Criteria(output_maximum=100.0)), regression(2))
    outcomes = []
    for policies in ("", "output_maximum = inf", "output_maximum = inf\noutput_minimum = 561", "output_minimum = -inf"):
        serving(tmp_path, f"[models.amount.policies]\n{policies}")
        with line(tmp_path) as started:
            (result,) = started.score({"instances": [{"age": 60.0, "income": 500}]}, model="amount")["results"]
        outcomes.append((result["outcome"], result.get("value")))
    assert outcomes == [("abstained", None), ("scored", 560.0), ("abstained", None), ("abstained", None)]


def test_a_fit_that_did_not_converge_may_be_made_to_abstain(tmp_path: Path) -> None:
    write_bundle(tmp_path, manifest(convergence=["lbfgs did not converge"]))
    result = one(tmp_path, '[models.credit.policies]\nnot_converged = "abstain"')
    assert (result["outcome"], result["reasons"]) == ("abstained", ["not_converged"])


@pytest.mark.parametrize(
    ("policies", "where", "why"),
    [
        ('features.aeg.missing = "abstain"', "features.aeg", "the champion has no such feature; it has age, income"),
        ("minimum_probability = 1.5", "minimum_probability", "expected a probability, 0 to 1, found 1.5"),
        ("minimum_probability = nan", "minimum_probability", "expected a probability"),
        ("output_minimum = 1", "output_minimum", "the model is no regression, its task is binary"),
        ("features.age.sentinels = [nan]", "features.age.sentinels", "nan is no finite number"),
        ("features.age.defaults = [inf]", "features.age.defaults", "the default inf is no float"),
        ('features.age.defaults = ["99"]', "features.age.defaults", "the default '99' is no float; if it means"),
        ("features.income.defaults = [0.5]", "features.income.defaults", "the default 0.5 is no integer"),
        ("features.member.defaults = [0]", "features.member.defaults", "the default 0 is no boolean"),
        ("features.member.sentinels = [false]", "features.member.sentinels", "False is a category"),
        ("features.age = {sentinels = [0], defaults = [0.0]}", "features.age.defaults", "declared as a sentinel and"),
        ('features.income.missing = "impute"', "features.income.missing", "'impute', but the bundle says 'abstain'"),
        ('features.member.redaction = "none"', "features.member.redaction", "'none' keeps more than the bundle's"),
        ('features.age.redaction = "hash"', "features.age.redaction", "'hash' keeps more than the bundle's"),
    ],
)  # fmt: skip
def test_what_cannot_hold_refuses_the_model_and_names_the_place(
    policies: str, where: str, why: str, tmp_path: Path
) -> None:
    features = [
        msgspec.structs.replace(AGE, redaction="drop"),
        msgspec.structs.replace(INCOME, missing="abstain"),
        msgspec.structs.replace(MEMBER, redaction="hash"),
    ]
    write_bundle(tmp_path, manifest(features=features))
    said = problem(tmp_path, f"[models.credit.policies]\n{policies}")
    assert said.startswith(f"serving.toml: models.credit.policies.{where}: ")
    assert why in said


def test_what_a_pipeline_cannot_take_is_not_let_in_by_a_policy(tmp_path: Path) -> None:
    parity = msgspec.structs.replace(manifest().parity, takes_missing=False)
    strict = msgspec.structs.replace(JOB, outside="abstain")
    write_bundle(tmp_path, job_manifest(strict, parity=parity), positions())
    head = "[models.amount.policies.features.job]\n"
    assert "the pipeline takes no missing values" in problem(tmp_path, head + 'missing = "impute"', "amount")
    assert "its pipeline raises for unknown text" in problem(tmp_path, head + 'outside = "flag"', "amount")
    assert "'cook' is a category of the training data" in problem(tmp_path, head + 'sentinels = ["cook"]', "amount")
    top = "[models.amount.policies]\n"
    assert "the model gives no probabilities" in problem(tmp_path, top + "minimum_probability = 0.5", "amount")
    limits = "output_minimum = 2\noutput_maximum = 1"
    assert "2 is above output_maximum, 1" in problem(tmp_path, top + limits, "amount")
    assert "found -inf" in problem(tmp_path, top + "output_maximum = -inf", "amount")


def test_without_a_calibration_nothing_can_be_jointly_outside(tmp_path: Path) -> None:
    write_bundle(tmp_path, manifest(calibration=None))
    assert "no calibration envelope" in problem(tmp_path, '[models.credit.policies]\njoint = "abstain"')


@pytest.mark.parametrize(
    ("policies", "why"),
    [
        ('jiont = "abstain"', "unknown field `jiont` - at `$.models[...].policies`"),
        ('joint = "maybe"', "Invalid enum value 'maybe' - at `$.models[...].policies.joint`"),
        ('features.age.mising = "abstain"', "unknown field `mising` - at `$.models[...].policies.features[...]`"),
        (
            "features.age.defaults = [1900-01-01]",
            "got `date` - at `$.models[...].policies.features[...].defaults[0]`",
        ),
    ],
)
def test_a_misspelt_policy_refuses_the_file(policies: str, why: str, tmp_path: Path) -> None:
    write_bundle(tmp_path, manifest())
    serving(tmp_path, f"[models.credit.policies]\n{policies}")
    catalog = Catalog.load(tmp_path)
    assert why in catalog.problems["serving.toml"]
    assert catalog.champions() == []


def test_another_version_may_lack_a_feature_but_no_policy_of_those_it_has(tmp_path: Path) -> None:
    write_bundle(tmp_path, manifest(version="1", features=[AGE, MEMBER], calibration=None))
    write_bundle(tmp_path, manifest(version="2"))
    serving(tmp_path, '[models.credit.policies.features]\nincome.missing = "reject"\nage.missing = "reject"')
    with line(tmp_path) as started:
        (result,) = started.score({"instances": [{"member": True}]}, version="1")["results"]
        assert started.service.ready().ready
    assert result["reasons"] == ["missing_feature"]


def test_what_is_told_of_a_feature_is_what_is_in_effect(tmp_path: Path) -> None:
    write_bundle(tmp_path, manifest())
    serving(tmp_path, '[models.credit.policies.features.age]\nmissing = "reject"\ndefaults = [99]')
    served = Catalog.load(tmp_path).get("credit")
    assert served.manifest.features[0].defaults == [99]
    assert FeatureRule(served.manifest.features[0], takes_missing=True).missing == "reject"
    assert (
        served.bundle.sha256 == hashlib.sha256((tmp_path / "credit" / "1" / "manifest.json").read_bytes()).hexdigest()
    )


def test_records_carry_the_fingerprint_and_the_log_the_policies_themselves(tmp_path: Path) -> None:
    write_bundle(tmp_path, manifest())
    text = '[models.credit.policies]\njoint = "abstain"\nfeatures.age.defaults = [99]'
    serving(tmp_path, text)
    with line(tmp_path) as started:
        started.score({"instances": [GOOD, "no object"]})
        records = started.records()
    (mark,) = {record.policies for record in records}
    assert mark is not None
    catalog, store = Catalog.load(tmp_path), MemoryStore()
    writer = LogWriter(store, writer_id=new_writer_id(), opening=catalog.policies())
    writer.commit_blocking([b"{}"], 5)
    writer.close()
    (info,) = blobs(store, hours(store)[0])
    said = json.loads(read_blob(store, info.name).frames[0].lines[0])["about"][f"policies/credit/{mark}"]
    assert json.loads(said) == {"joint": "abstain", "features": {"age": {"defaults": [99]}}}
    assert hashlib.sha256(said.encode()).hexdigest().startswith(mark)


@pytest.mark.parametrize("text", ["", "[models.credit.policies]", "[models.credit.policies.features]"])
def test_without_policies_records_carry_none_and_nothing_changes(text: str, tmp_path: Path) -> None:
    write_bundle(tmp_path, manifest())
    serving(tmp_path, text)
    with line(tmp_path) as started:
        started.score({"instances": [GOOD]})
        assert b'"policies"' not in msgspec.json.encode(started.records()[0])
        assert started.service.catalog.policies() == {}
        assert started.service.catalog.get("credit").manifest.features == manifest().features


def test_other_policies_have_another_fingerprint() -> None:
    found = [fingerprint(Policies(minimum_probability=least)) for least in (0.5, 0.6, None)]
    assert len(set(found)) == 3
    assert found[2] is None


def test_a_manifest_without_policies_stays_what_it_was() -> None:
    for described in (manifest(), regressor_manifest(criteria=Criteria(output_minimum=0.0)), job_manifest()):
        assert in_effect(described, Policies(), champion=True) == described
    assert isinstance(described, Manifest)
