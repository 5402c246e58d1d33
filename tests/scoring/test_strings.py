"""String features: which number each text becomes, what is flagged, and that no text breaks anything."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scoring.bundle import Calibration, Criteria, Feature, Label
from scoring.catalog import Catalog
from scoring.encoding import Encoding
from scoring.envelope import Envelope
from scoring.judge import Judge, Judged
from scoring.metadata import model_metadata
from scoring.openapi import openapi
from scoring.storable import INSTANCE_LIMIT
from scoring.verdict import Verdict
from tests.scoring.bundles import AGE, JOB, MEMBER, job_manifest, manifest, positions, write_bundle
from tests.scoring.services import Line, line
from tests.scoring.test_json_body import JSON

NFC, NFD = "caf\u00e9", "cafe\u0301"
ODD = [
    "",
    " ",
    "a\x00b",
    "\x00",
    "tab\there",
    "two\nlines",
    "😀",
    "👩‍👩‍👧",
    NFC,
    NFD,
    "مرحبا",
    "\u202eabc",
    "x" * 1024,
    "😀" * 1024,
]
TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=30)


def judged(value: Any, job: Feature = JOB, **more: Any) -> tuple[float, Verdict]:
    """The number that a job became, and the instance's verdict."""
    found = Judge(job_manifest(job, **more)).judge([{"age": 50.0, "job": value}])
    return float(found.matrix[0, 1]), found.verdicts[0]


@pytest.mark.parametrize(
    ("value", "number", "outside"),
    [
        ("clerk", 0.0, {}),
        ("cook", 1.0, {}),
        ("chef", 2.0, {"job": "unseen"}),
        ("pilot", -1.0, {"job": "unseen"}),
        ("Clerk", -1.0, {"job": "unseen"}),
        ("clerk ", -1.0, {"job": "unseen"}),
        ("c\u200blerk", -1.0, {"job": "unseen"}),
        ("0", -1.0, {"job": "unseen"}),
        ("NaN", -1.0, {"job": "unseen"}),
        ("null", -1.0, {"job": "unseen"}),
        ("x" * 1024, -1.0, {"job": "unseen"}),
    ],
)
def test_a_text_is_the_position_of_its_category(value: str, number: float, outside: dict[str, str]) -> None:
    found, verdict = judged(value)
    artifacts = {"job": ["unseen_category"]} if outside else {}
    assert (found, verdict.outside, verdict.outcome, verdict.artifacts) == (number, outside, None, artifacts)
    assert verdict.distance is not None


@pytest.mark.parametrize("value", [None, math.nan, "", "N/A"])
def test_null_nan_and_sentinels_are_missing(value: Any) -> None:
    number, verdict = judged(value)
    assert math.isnan(number)
    assert (verdict.missing, verdict.outcome, verdict.outside) == (["job"], None, {})


def test_an_absent_key_is_missing() -> None:
    (verdict,) = Judge(job_manifest()).judge([{"age": 50.0}]).verdicts
    assert (verdict.missing, verdict.outcome) == (["job"], None)


def test_missing_abstains_where_training_had_it_always() -> None:
    _, verdict = judged("", msgspec.structs.replace(JOB, missing_in_training=0))
    assert (verdict.outcome, verdict.reasons) == ("abstained", ["missing_required"])


@pytest.mark.parametrize("value", [1, 0, -1, 1.5, True, False, [], ["clerk"], {}, {"clerk": 1}, math.inf, 10**400])
def test_what_is_no_text_is_of_the_wrong_type(value: Any) -> None:
    number, verdict = judged(value)
    assert math.isnan(number)
    assert (verdict.outcome, verdict.reasons, verdict.missing) == ("rejected", ["wrong_type"], [])


@pytest.mark.parametrize("value", ["chef", "pilot"])
def test_a_category_that_training_never_saw_may_abstain(value: str) -> None:
    _, verdict = judged(value, msgspec.structs.replace(JOB, outside="abstain"))
    assert (verdict.outcome, verdict.reasons, verdict.outside) == (
        "abstained", ["outside_calibration"], {"job": "unseen"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("value", "artifacts"),
    [
        ("\ud800", ["lone_surrogate"]),
        ("clerk\udfff", ["lone_surrogate"]),
        ("a\x00b", ["control_characters"]),
        ("line\n", ["control_characters"]),
        ("\x7f", ["control_characters"]),
        ("\x85", ["control_characters"]),
        ("\x00\ud800", ["lone_surrogate", "control_characters"]),
    ],
)
def test_artifacts_are_flagged_and_not_refused(value: str, artifacts: list[str]) -> None:
    number, verdict = judged(value)
    assert (number, verdict.outcome, verdict.artifacts) == (-1.0, None, {"job": [*artifacts, "unseen_category"]})


@pytest.mark.parametrize(
    ("value", "artifacts"),
    [
        ("cook", ["known_default"]),
        ("chef", ["known_default", "unseen_category"]),
        ("unknown", ["known_default", "unseen_category"]),
        ("1900-01-01\n", ["control_characters", "known_default", "unseen_category"]),
        ("Unknown", ["unseen_category"]),
        ("clerk", None),
        ("N/A", None),
    ],
)
def test_a_default_text_is_flagged_whether_training_had_it_or_not(value: str, artifacts: list[str] | None) -> None:
    job = msgspec.structs.replace(JOB, defaults=["cook", "chef", "unknown", "1900-01-01\n", "N/A"])
    _, verdict = judged(value, job)
    assert (verdict.artifacts.get("job"), verdict.outcome) == (artifacts, None)


def test_an_artifact_that_training_had_is_flagged_and_is_its_category() -> None:
    number, verdict = judged("a\tb", msgspec.structs.replace(JOB, categories=["a", "a\tb"]))
    assert (number, verdict.outside, verdict.artifacts) == (1.0, {}, {"job": ["control_characters"]})


def test_artifacts_of_texts_in_other_places() -> None:
    judge = Judge(job_manifest(criteria=Criteria(extra_features="ignore")))
    (verdict,) = judge.judge([{"age": "a\n", "job": "cook", "\ud800": 1, "\x01": 2}]).verdicts
    assert verdict.artifacts == {"age": ["control_characters"], "*": ["control_characters", "lone_surrogate"]}


@pytest.mark.parametrize("text", ODD)
def test_every_text_can_be_a_category(text: str) -> None:
    job = msgspec.structs.replace(JOB, categories=["a", text], known=["b"], sentinels=[])
    number, verdict = judged(text, job)
    assert (number, verdict.outside, verdict.outcome) == (1.0, {}, None)


def test_a_text_is_told_from_those_that_only_look_like_it() -> None:
    job = msgspec.structs.replace(JOB, categories=[NFC, NFD], known=["Café", "\ufeffcafé"])
    assert [judged(text, job)[0] for text in (NFC, NFD, "Café", "\ufeffcafé", "CAFÉ")] == [0.0, 1.0, 2.0, 3.0, -1.0]


@pytest.mark.parametrize("known", [["a"], ["a", "x" * 1025]])
def test_a_text_of_over_1024_characters_is_too_long_even_if_training_had_it(known: list[Label]) -> None:
    _, verdict = judged("x" * 1025, msgspec.structs.replace(JOB, categories=known))
    assert (verdict.outcome, verdict.reasons) == ("rejected", ["too_long"])


@pytest.mark.parametrize("job", [msgspec.structs.replace(JOB, sentinels=[-1, 0, 1.0]), JOB])
def test_a_number_that_means_missing_is_no_position(job: Feature) -> None:
    assert [judged(text, job)[0] for text in ("clerk", "cook", "pilot")] == [0.0, 1.0, -1.0]


def test_a_number_that_means_missing_is_no_boolean() -> None:
    member = msgspec.structs.replace(MEMBER, sentinels=[0], missing_in_training=1)
    found = Judge(manifest(features=[member], calibration=None)).judge([{"member": False}, {"member": 0}])
    assert [verdict.missing for verdict in found.verdicts] == [[], ["member"]]
    assert found.matrix[0, 0] == 0.0


@pytest.mark.parametrize("feature", [AGE, MEMBER])
def test_nan_is_missing_in_every_type(feature: Feature) -> None:
    described = manifest(features=[msgspec.structs.replace(feature, missing_in_training=1)], calibration=None)
    (verdict,) = Judge(described).judge([{feature.name: math.nan}]).verdicts
    assert (verdict.outcome, verdict.missing) == (None, [feature.name])


def test_unknown_texts_are_equal_only_if_they_are_the_same() -> None:
    jobs = ["pilot", "miner", "pilot", "chef", "cook", "cook", "\ud800", "\udfff", "\ud800"]
    found = Judge(job_manifest()).judge([{"age": 50.0, "job": job} for job in jobs])
    repeated = [verdict.artifacts.get("*") for verdict in found.verdicts]
    assert [row for row, flag in enumerate(repeated) if flag == ["duplicate_instance"]] == [2, 5, 8]


def test_a_row_of_known_texts_may_be_too_large_for_its_record() -> None:
    count = INSTANCE_LIMIT // 4096 + 1
    features = [Feature(name=f"s{i}", type="string", categories=["a", "😀" * 1024]) for i in range(count)]
    judge = Judge(manifest(features=features, calibration=None))
    large, small = ({feature.name: text for feature in features} for text in ("😀" * 1024, "a"))
    assert [verdict.reasons for verdict in judge.judge([large, small]).verdicts] == [["too_long"], []]


LENIENT = Criteria(extra_features="ignore")
KNOWN_JOBS = ["clerk", "cook", "chef", "unknown", "", "N/A", "a\x00b", "\ud800", None, math.nan, 0, -1, True]
JOBS = st.sampled_from(KNOWN_JOBS) | TEXT | JSON


@given(JOBS)
@example("x" * 100_000)
def test_read_at_once_and_read_singly_are_the_same(value: Any) -> None:
    job = msgspec.structs.replace(JOB, categories=["a\x00b", "clerk", "cook"], defaults=["cook", "unknown", "a\x00b"])
    judge = Judge(job_manifest(job, criteria=LENIENT))
    quick, slow = (judge.judge([{"age": 50.0, "job": value} | more]) for more in ({}, {"extra": 1}))
    np.testing.assert_array_equal(quick.matrix, slow.matrix)
    assert msgspec.structs.replace(quick.verdicts[0], clean=False) == slow.verdicts[0]


@given(st.lists(JOBS, min_size=1, max_size=8))
def test_no_instance_depends_on_its_neighbours(jobs: list[Any]) -> None:
    judge = Judge(job_manifest())
    instances = [{"age": 50.0, "job": job} for job in jobs]
    together = judge.judge(instances)
    for row, instance in enumerate(instances):
        alone: Judged = judge.judge([instance])
        np.testing.assert_array_equal(alone.matrix[0], together.matrix[row])
        verdict = together.verdicts[row]
        verdict.artifacts.pop("*", None)
        assert verdict == alone.verdicts[0]


def mixed() -> tuple[list[Feature], np.ndarray[Any, Any]]:
    """Features of every type and rows of them, some missing, some of no category."""
    draw = np.random.default_rng(3)
    texts: list[Label] = [str(i) for i in range(40)]
    features = [
        Feature(name="a", type="float", mean=1.0, deviation=2.0),
        Feature(name="b", type="string", categories=texts[:7], known=texts[7:9]),
        Feature(name="c", type="boolean", categories=[False, True]),
        Feature(name="d", type="string", categories=list(texts)),
        Feature(name="e", type="integer", mean=5.0, deviation=0.0),
        Feature(name="f", type="boolean", categories=[True]),
    ]
    columns = [
        draw.normal(1, 2, 600), draw.integers(-1, 9, 600), draw.integers(0, 2, 600), draw.integers(-1, 40, 600),
        np.full(600, 5.0), draw.integers(0, 2, 600),
    ]  # fmt: skip
    rows = np.column_stack(columns).astype(np.float64)
    rows[draw.random(rows.shape) < 0.1] = np.nan
    return features, rows


@pytest.mark.parametrize("clusters", [1, 2, 8])
def test_distances_are_those_of_encoded_space_with_the_same_bits_alone_and_among_many(clusters: int) -> None:
    features, rows = mixed()
    encoding = Encoding(features)
    centres = encoding.encode(rows)[:clusters] * 0.9
    envelope = Envelope(features, Calibration(centres=centres.tolist(), threshold=1.0))
    distances, nearest = envelope.distances(rows)
    apart = np.linalg.norm(encoding.encode(rows)[:, None, :] - centres[None], axis=2)
    np.testing.assert_allclose(distances, apart.min(axis=1), atol=1e-12)
    np.testing.assert_allclose(apart[np.arange(len(rows)), nearest], apart.min(axis=1), atol=1e-12)
    for row in range(0, len(rows), 7):
        assert envelope.distance(rows[row : row + 1]) == (distances[row], nearest[row])
    np.testing.assert_array_equal(envelope.distances(rows[::-1])[0][::-1], distances)


def test_a_category_is_one_column_and_missing_unseen_and_known_are_none() -> None:
    features, _ = mixed()
    encoded = Encoding(features[1:3]).encode(
        np.array([[6.0, 1.0], [np.nan, np.nan], [-1.0, 0.0], [7.0, 1.0]])
    )  # of 7 categories and two booleans
    hits = [[(column, value) for column, value in enumerate(row) if value] for row in encoded.tolist()]
    one = 1 / math.sqrt(2)
    assert hits == [[(6, one), (8, one)], [], [(7, one)], [(8, one)]]


def test_a_row_on_its_centre_is_at_distance_nothing() -> None:
    features, rows = mixed()
    envelope = Envelope(features, Calibration(centres=Encoding(features).encode(rows[:8]).tolist(), threshold=1.0))
    assert envelope.distances(rows[:8])[0].tolist() == [0.0] * 8


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_bundle(folder, job_manifest(), positions())
    return folder


@pytest.fixture(scope="module")
def served(models: Path) -> Iterator[Line]:
    with line(models) as started:
        assert started.service.catalog.problems == {}
        yield started


def expected(value: Any) -> tuple[str, float | None]:
    """The outcome of an instance with this job, and the number that the graph got."""
    known = {"clerk": 0.0, "cook": 1.0, "chef": 2.0}
    if value is None or value != value or value in ("", "N/A"):
        return "scored", 7.0
    if not isinstance(value, str) or len(value) > 1024:
        return "rejected", None
    return "scored", known.get(value, -1.0)


@given(JOBS | st.sampled_from(["x" * 1024, "x" * 1025, "😀" * 1024]))
def test_whatever_a_job_is_there_is_one_outcome_and_the_graph_gets_the_right_number(served: Line, value: Any) -> None:
    (result,) = served.score({"instances": [{"age": 50.0, "job": value}]}, model="amount")["results"]
    outcome, number = expected(value)
    assert result["outcome"] == outcome
    assert result.get("value") == (None if number is None else 50.0 + 1000.0 * number)


def test_records_keep_what_was_sent(models: Path) -> None:
    long = "é" * 5_000
    sent = ["cook", "pilot", NFD, "a\x00b\n", "😀", "\ud800", "N/A", None, long, "</script>\u202e"]
    with line(models) as started:
        results = started.score({"instances": [{"age": 50.0, "job": job} for job in sent]}, model="amount")["results"]
        records = started.records()
    assert [result["outcome"] for result in results] == ["scored"] * 8 + ["rejected", "scored"]
    kept = [record.x["job"] for record in records]
    assert kept[:5] == sent[:5]
    assert kept[5:8] == ["\\ud800", "N/A", None]
    assert kept[8] == {"prefix": "é" * 64, "length": 5_000, "sha256": hashlib.sha256(long.encode()).hexdigest()}
    assert kept[9] == sent[9]
    assert [record.flags.get("outside") for record in records[:3]] == [None, {"job": "unseen"}, {"job": "unseen"}]
    assert [record.flags.get("artifacts") for record in records[3:6]] == [
        {"job": ["control_characters", "unseen_category"]}, {"job": ["unseen_category"]},
        {"job": ["lone_surrogate", "unseen_category"]},
    ]  # fmt: skip


def test_metadata_and_openapi_say_what_a_string_may_be(tmp_path: Path) -> None:
    many = msgspec.structs.replace(JOB, categories=["", *(f"job {i:03}" for i in range(250)), "z" * 2_000])
    write_bundle(tmp_path, job_manifest(many), positions())
    catalog = Catalog.load(tmp_path)
    document = openapi(catalog)
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    described = document["components"]["schemas"]["instance.amount"]
    job = described["x-features"][1]
    assert (job["type"], len(job["categories"]), job["categories"][:2]) == ("string", 100, ["", "job 000"])
    assert job["more_categories"] == 151, "251 can be sent, the one of 2,000 characters cannot"
    assert described["properties"]["job"]["description"] == "a string, in training one of 252"
    assert described["examples"] == [{"age": 50.0, "job": "job 000"}]
    metadata = model_metadata(catalog.get("amount").manifest, ["1"], "1", [])
    assert metadata["inputs"][1] == {"name": "job", "datatype": "BYTES", "shape": [-1]}
    with line(tmp_path) as started:
        example_request = document["paths"]["/models/{model}/score"]["post"]["requestBody"]["content"]
        body = example_request["application/json"]["examples"]["amount"]["value"]
        (result,) = started.score(body, model="amount")["results"]
    assert (result["outcome"], result["flags"]["outside"]) == ("scored", {})
