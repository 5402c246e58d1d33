"""Each row of the table of reasons and flags, alone and together with others."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.artifacts import ARTIFACTS
from scoring.bundle import Criteria, Feature, Manifest
from scoring.feature_rule import takes
from scoring.judge import Judge
from scoring.verdict import REASONS, Verdict
from tests.scoring.bundles import AGE, INCOME, MEMBER, manifest, numeric_manifest
from tests.scoring.test_json_body import JSON

GOOD: dict[str, Any] = {"age": 50.0, "income": 500, "member": True}
SEEN_MISSING = [
    msgspec.structs.replace(feature, missing_in_training=3, **more)
    for feature, more in ((AGE, {"sentinels": [-999, "N/A"]}), (INCOME, {}), (MEMBER, {}))
]


def judge(instance: Any, described: Manifest | None = None) -> Verdict:
    return Judge(described or manifest()).judge([instance]).verdicts[0]


def changed(**features: Any) -> dict[str, Any]:
    return {**GOOD, **features}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in GOOD.items() if key != name}


def with_feature(feature: Feature, **changes: Any) -> Manifest:
    features = [msgspec.structs.replace(each, **changes) if each is feature else each for each in (AGE, INCOME, MEMBER)]
    return manifest(features=features)


def test_a_good_instance_is_accepted_without_flags() -> None:
    verdict = judge(GOOD)
    assert (verdict.outcome, verdict.reasons, verdict.missing, verdict.artifacts, verdict.outside) == (
        None, [], [], {}, {},
    )  # fmt: skip
    assert (verdict.distance, verdict.cluster, verdict.clean) == (0.0, 1, True)


def test_keys_may_come_in_any_order() -> None:
    judged = Judge(manifest()).judge([dict(reversed(GOOD.items()))])
    assert judged.matrix.tolist() == [[50.0, 500.0, 1.0]]


@pytest.mark.parametrize(
    ("instance", "outcome", "reasons"),
    [
        (changed(age="50"), "rejected", ["wrong_type"]),
        (changed(age=True), "rejected", ["wrong_type"]),
        (changed(age=[50]), "rejected", ["wrong_type"]),
        (changed(age={"a": 1}), "rejected", ["wrong_type"]),
        (changed(income=1.5), "rejected", ["wrong_type"]),
        (changed(income=500.0), None, []),
        (changed(income=False), "rejected", ["wrong_type"]),
        (changed(member=1), "rejected", ["wrong_type"]),
        (changed(member=0.0), "rejected", ["wrong_type"]),
        (changed(member="true"), "rejected", ["wrong_type"]),
        (changed(age=50), None, []),
        (changed(age=math.inf), "rejected", ["not_finite"]),
        (changed(age=-math.inf), "rejected", ["not_finite"]),
        (changed(age=10**400), "rejected", ["not_finite"]),
        (changed(income=math.inf), "rejected", ["not_finite"]),
        (changed(age="x" * 1025), "rejected", ["wrong_type", "too_long"]),
        (changed(age="x" * 1024), "rejected", ["wrong_type"]),
        (changed(age=list(range(100_000))), "rejected", ["wrong_type", "too_long"]),
        (changed(job="clerk"), "rejected", ["unknown_feature"]),
        (without("age"), "abstained", ["missing_required"]),
        (changed(age=None), "abstained", ["missing_required"]),
        (changed(age=math.nan), "abstained", ["missing_required"]),
        (changed(member=None), "abstained", ["missing_required"]),
        ({}, "abstained", ["missing_required"]),
        (None, "rejected", ["wrong_type"]),
        (3, "rejected", ["wrong_type"]),
        ("age", "rejected", ["wrong_type"]),
        ([], "rejected", ["wrong_type"]),
        (["age", "income", "member"], "rejected", ["wrong_type"]),
        ("x" * 300_000, "rejected", ["wrong_type"]),
        ([1] * 300_000, "rejected", ["wrong_type", "too_long"]),
    ],
)  # fmt: skip
def test_outcomes_and_reasons(instance: Any, outcome: str | None, reasons: list[str]) -> None:
    verdict = judge(instance)
    assert (verdict.outcome, verdict.reasons) == (outcome, reasons)


def test_all_reasons_are_given_in_one_order() -> None:
    verdict = judge({"job": 1, "age": math.inf, "income": "x"})
    assert verdict.reasons == ["wrong_type", "not_finite", "unknown_feature", "missing_required"]
    assert verdict.missing == ["member"]
    assert verdict.outcome == "rejected"


@pytest.mark.parametrize("given", [None, math.nan, -999, -999.0, "N/A"])
def test_what_was_missing_in_training_is_imputed_by_the_pipeline(given: Any) -> None:
    judged = Judge(manifest(features=SEEN_MISSING)).judge([changed(age=given)])
    verdict = judged.verdicts[0]
    assert (verdict.outcome, verdict.missing) == (None, ["age"])
    assert math.isnan(judged.matrix[0, 0])


@pytest.mark.parametrize("given", ["", "n/a", False])
def test_what_is_like_a_sentinel_is_none(given: Any) -> None:
    assert judge(changed(age=given), manifest(features=SEEN_MISSING)).reasons == ["wrong_type"]


def test_a_sentinel_among_plain_numbers_is_missing_whether_int_or_float() -> None:
    described = numeric_manifest(3)
    features = [msgspec.structs.replace(each, sentinels=[-999], missing_in_training=1) for each in described.features]
    judged = Judge(msgspec.structs.replace(described, features=features)).judge([{"f0": -999, "f1": -999.0, "f2": 1.0}])
    assert judged.verdicts[0].missing == ["f0", "f1"]
    assert judged.verdicts[0].outside == {}


@pytest.mark.parametrize(
    ("feature", "defaults", "given", "flagged"),
    [
        (AGE, [99, -1], 99.0, True),
        (AGE, [99, -1], -1, True),
        (AGE, [99.0], 99, True),
        (AGE, ["99"], 99, False),
        (AGE, [1], True, False),
        (AGE, [99], "99", False),
        (INCOME, [0], 0.0, True),
        (INCOME, [0], -0.0, True),
        (INCOME, [0.5], 0.5, False),
        (MEMBER, [False], False, True),
        (MEMBER, [False], True, False),
        (MEMBER, [0], False, False),
    ],
)
def test_a_known_default_is_scored_and_flagged_by_its_type(
    feature: Feature, defaults: list[Any], given: Any, flagged: bool
) -> None:
    verdict = judge(changed(**{feature.name: given}), with_feature(feature, defaults=defaults))
    assert verdict.artifacts == ({feature.name: ["known_default"]} if flagged else {})
    assert (verdict.outcome is None) == takes(feature.type, given)


def test_a_value_that_is_declared_as_missing_is_no_default() -> None:
    verdict = judge(changed(age=-999), with_feature(AGE, defaults=[-999], sentinels=[-999], missing="impute"))
    assert (verdict.missing, verdict.artifacts) == (["age"], {})


def test_defaults_are_flagged_in_their_rows_alone() -> None:
    described = with_feature(AGE, defaults=[30, 40], sentinels=[-1], missing="impute")
    judged = Judge(described).judge([changed(age=age) for age in (30, 31, 40, -1, "30")])
    assert [verdict.artifacts.get("age") for verdict in judged.verdicts] == [
        ["known_default"], None, ["known_default"], None, None,
    ]  # fmt: skip
    assert [verdict.missing for verdict in judged.verdicts] == [[], [], [], ["age"], []]


def test_a_pipeline_that_takes_no_missing_values_abstains_even_if_they_were_seen() -> None:
    parity = msgspec.structs.replace(manifest().parity, takes_missing=False)
    assert judge(without("age"), manifest(features=SEEN_MISSING, parity=parity)).reasons == ["missing_required"]


@pytest.mark.parametrize(
    ("policy", "outcome", "reasons"),
    [
        ("impute", None, []),
        ("abstain", "abstained", ["missing_required"]),
        ("reject", "rejected", ["missing_feature"]),
    ],
)
def test_a_feature_may_say_what_missing_means(policy: str, outcome: str | None, reasons: list[str]) -> None:
    verdict = judge(without("age"), with_feature(AGE, missing=policy))
    assert (verdict.outcome, verdict.reasons, verdict.missing) == (outcome, reasons, ["age"])


@pytest.mark.parametrize(
    ("age", "outside"),
    [(17.0, {}), (16.99, {"age": "below"}), (83.0, {}), (83.01, {"age": "above"}), (1e300, {"age": "above"})],
)
def test_the_training_range_is_widened_by_5_percent_of_its_width(age: float, outside: dict[str, str]) -> None:
    verdict = judge(changed(age=age))
    assert (verdict.outcome, verdict.outside) == (None, outside)
    assert verdict.distance is not None
    assert math.isfinite(verdict.distance)


def test_outside_its_range_a_feature_may_abstain() -> None:
    verdict = judge(changed(age=200), with_feature(AGE, outside="abstain"))
    assert (verdict.outcome, verdict.reasons, verdict.outside) == (
        "abstained", ["outside_calibration"], {"age": "above"},
    )  # fmt: skip


def test_a_boolean_that_training_never_saw_is_outside() -> None:
    described = manifest(features=[AGE, INCOME, msgspec.structs.replace(MEMBER, categories=[True])], calibration=None)
    assert judge(changed(member=False), described).outside == {"member": "unseen"}
    assert judge(changed(member=False), described).artifacts == {"member": ["unseen_category"]}
    assert judge(changed(member=True), described).outside == {}


def test_far_from_all_centres_is_flagged_by_its_distance_and_may_abstain() -> None:
    far = changed(age=90.0)
    assert judge(far).outcome is None
    assert judge(far).distance == pytest.approx(4.0)
    strict = manifest(criteria=Criteria(joint="abstain"))
    assert judge(far, strict).reasons == ["outside_calibration"]
    assert judge(GOOD, strict).reasons == []


def test_extra_keys_may_be_ignored() -> None:
    lenient = manifest(criteria=Criteria(extra_features="ignore"))
    verdict = judge(changed(job="x" * 2000), lenient)
    assert (verdict.outcome, verdict.clean) == (None, False)
    assert judge(changed(job=list(range(100_000))), lenient).reasons == ["too_long"]


def test_a_lone_surrogate_is_an_artifact() -> None:
    assert judge(changed(age="\ud800")).artifacts == {"age": ["lone_surrogate"]}
    assert judge(changed(**{"\ud800": 1})).artifacts == {"*": ["lone_surrogate"]}


def test_a_repeated_id_rejects_the_later_ones_only() -> None:
    judged = Judge(manifest()).judge([GOOD, changed(age=51), changed(age=52)], ["a", "b", "a"])
    assert [verdict.reasons for verdict in judged.verdicts] == [[], [], ["duplicate_id"]]


def test_equal_values_are_flagged_on_the_later_ones_and_scored() -> None:
    judged = Judge(numeric_manifest(2)).judge([{"f0": 0.0, "f1": 1}, {"f1": 1.0, "f0": -0.0}, {"f0": "x", "f1": 1}])
    assert [verdict.artifacts for verdict in judged.verdicts] == [{}, {"*": ["duplicate_instance"]}, {}]
    assert judged.verdicts[1].outcome is None


def test_a_bad_instance_changes_nothing_for_its_neighbours() -> None:
    others = [changed(age=float(20 + row)) for row in range(20)]
    alone = Judge(manifest()).judge(others)
    mixed = Judge(manifest()).judge([changed(age=10**400), *others, "x", {}, changed(age=math.inf)])
    for verdict, expected in zip(mixed.verdicts[1:21], alone.verdicts, strict=True):
        assert msgspec.structs.replace(verdict, clean=True) == expected
    np.testing.assert_array_equal(mixed.matrix[1:21], alone.matrix)


def test_distances_have_the_same_bits_alone_and_among_many() -> None:
    described = numeric_manifest(30)
    rows = np.random.default_rng(7).normal(size=(700, 30)).tolist()
    instances = [dict(zip([feature.name for feature in described.features], row, strict=True)) for row in rows]
    judging = Judge(described)
    together = [verdict.distance for verdict in judging.judge(instances).verdicts]
    assert together == [judging.judge([instance]).verdicts[0].distance for instance in instances]


def test_a_model_of_one_feature() -> None:
    judged = Judge(numeric_manifest(1)).judge([{"f0": 1.5}, {}, {"f0": None}, {"f0": "x"}])
    assert [verdict.outcome for verdict in judged.verdicts] == [None, "abstained", "abstained", "rejected"]


VALUES = JSON | st.sampled_from([50, 50.0, True, math.nan, math.inf, 10**400, -999, "N/A", "\ud800", 0.5])
INSTANCES = st.lists(
    st.dictionaries(st.sampled_from(["age", "income", "member", "job"]), VALUES) | JSON, min_size=1, max_size=6
)


@given(INSTANCES, st.booleans())
def test_judging_never_raises_and_every_instance_has_one_verdict(instances: list[Any], seen_missing: bool) -> None:
    described = manifest(features=SEEN_MISSING) if seen_missing else manifest()
    judged = Judge(described).judge(instances)
    assert judged.matrix.shape == (len(instances), 3)
    for verdict, row in zip(judged.verdicts, judged.matrix, strict=True):
        assert (verdict.outcome is None) == (not verdict.reasons)
        assert verdict.reasons == sorted(set(verdict.reasons), key=REASONS.index)
        if verdict.outcome is None and not seen_missing:
            assert np.isfinite(row).all()
        json.dumps([verdict.missing, verdict.artifacts, verdict.outside, verdict.distance], allow_nan=False)
        assert {word for words in verdict.artifacts.values() for word in words} <= set(ARTIFACTS)
        unseen = {name for name, words in verdict.artifacts.items() if "unseen_category" in words}
        assert unseen == {name for name, side in verdict.outside.items() if side == "unseen"}


@given(INSTANCES)
def test_a_verdict_depends_on_its_instance_alone(instances: list[Any]) -> None:
    judging = Judge(manifest())
    for instance, verdict in zip(instances, judging.judge(instances).verdicts, strict=True):
        verdict.artifacts.pop("*", None)
        alone = judging.judge([instance]).verdicts[0]
        alone.artifacts.pop("*", None)
        assert verdict == alone


def test_a_rejected_instance_says_where_its_reasons_lie() -> None:
    judge = Judge(manifest())
    odd = {"age": "x" * 2000, "income": 1.5, "member": 1, "heigth": 1, "h\ud800": 2} | {"k" * 200: 3}
    (verdict,) = judge.judge([odd]).verdicts
    assert {name: sorted(reasons) for name, reasons in verdict.faults.items()} == {
        "age": ["too_long", "wrong_type"],
        "income": ["wrong_type"],
        "member": ["wrong_type"],
        "heigth": ["unknown_feature"],
        "h\\ud800": ["unknown_feature"],
        "k" * 64: ["unknown_feature"],
    }
    (infinite,) = judge.judge([GOOD | {"age": 1e400}]).verdicts
    assert infinite.faults == {"age": ["not_finite"]}
    (many,) = judge.judge([GOOD | {f"k{number:03}": 1 for number in range(100)}]).verdicts
    assert sorted(many.faults) == [f"k{number:03}" for number in range(10)]
