"""Redacted features and policies in profiles, reports and pages: no data is told as no data, and nothing is guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from audit.memory_store import MemoryStore
from audit.records import Record, timestamp
from evaluation.bin_examples import NOT_THERE
from evaluation.hourly import make_report
from evaluation.pages.docs import docs_page
from evaluation.pages.instance import instance_page
from evaluation.pages.report import report_page
from evaluation.pages.trail import Evidence, InstanceTrail
from evaluation.profile import merge
from evaluation.profiler import Reference, profile_records, reference_of
from evaluation.references import References
from evaluation.report_format import Report
from evaluation.windows import day_window
from scoring.openapi import openapi
from scoring.redaction import digest
from tests.evaluation.test_pages import Reading
from tests.evaluation.workshop import HOUR, NOON, Log, answer, make_bundle, score
from tests.scoring.bundles import AGE, JOB, job_manifest, positions, write_bundle
from tests.scoring.services import line

KEY = b"k" * 32


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return reference_of(make_bundle(tmp_path_factory.mktemp("models")))


def made(bundle: str, n: int, *, way: str = "none", seed: int = 0) -> list[Record]:
    """Instances whose `b` is redacted one way or another; every seventh lacks it, every fifth is out of range."""
    draw, records = np.random.default_rng(seed), []
    for number in range(n):
        b = None if number % 7 == 0 else float(draw.normal())
        x: dict[str, Any] = {"a": float(draw.normal()), "b": b}
        flags: dict[str, Any] = {"distance": float(draw.rayleigh()), "cluster": int(draw.integers(2))}
        flags |= {"missing": ["b"]} if b is None else {"outside": {"b": "above"}} if number % 5 == 0 else {}
        if way == "hash":
            x["b"] = None if b is None else digest(KEY, "b", b)
        elif way == "drop":
            del x["b"]
        record = score(f"{way}{seed}-{number}", bundle=bundle, x=x, y=answer("binary", draw), flags=flags)
        record.redacted = [] if way == "none" else ["b"]
        records.append(record)
    return records


def report_of(records: list[Record], models: Path) -> Report:
    log = Log()
    log.append(NOON, records)
    return make_report(
        log.store, MemoryStore(), References(models), "toy", day_window(NOON), timestamp(NOON + 11 * HOUR)
    )


@pytest.mark.parametrize("way", ["hash", "drop"])
def test_what_is_redacted_is_neither_missing_nor_unseen(way: str, reference: Reference) -> None:
    found = profile_records(made(reference.sha256, 70, way=way), reference)
    assert (found.redacted, found.missing, found.outside) == ({"b": 70}, {"b": 10}, {"b": {"above": 12}})
    part = found.distributions[reference.sha256]
    b, a = part.features["b"], part.features["a"]
    assert (sum(b.counts), b.missing, b.unseen) == (0, 0, 0)
    assert (sum(a.counts), a.missing, a.unseen) == (70, 0, 0)
    assert {example.places[1] for example in part.examples} == {NOT_THERE}


def test_values_in_clear_are_counted_beside_those_that_are_redacted(reference: Reference) -> None:
    clear, hashed = made(reference.sha256, 70), made(reference.sha256, 30, way="hash", seed=1)
    together = profile_records([*clear, *hashed], reference)
    assert together == merge([profile_records(part, reference) for part in (clear, hashed)])
    alone = profile_records(clear, reference)
    part = together.distributions[reference.sha256]
    assert part.features["b"] == alone.distributions[reference.sha256].features["b"]
    assert sum(part.features["a"].counts) == 100
    assert together.redacted == {"b": 30}


def test_a_feature_that_the_bundle_redacts_has_no_histogram(tmp_path: Path) -> None:
    found = reference_of(make_bundle(tmp_path))
    features = [msgspec.structs.replace(each, redaction="hash") for each in found.manifest.features]
    own = msgspec.structs.replace(found, manifest=msgspec.structs.replace(found.manifest, features=features))
    assert profile_records(made(own.sha256, 5), own).distributions[own.sha256].features == {}


@pytest.mark.parametrize("way", ["hash", "drop"])
def test_the_report_says_that_a_feature_is_redacted_and_judges_the_others(way: str, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path)
    report = report_of(made(bundle.sha256, 400, way=way), tmp_path)
    a, b = report.drift.features
    assert (a.name, a.level, a.redacted) == ("a", "ok", 0)
    assert (b.name, b.level, b.n_now, b.redacted, b.histogram) == ("b", "no data", 0, 400, None)
    assert b.sentence == "b is redacted: the log holds no values of it to compare."
    assert report.drift.verdict.level == "ok"
    rates = report.coverage.features[1]
    assert (rates.missing, rates.outside) == (58, 68)
    assert "400 redacted" in Reading(report_page(report)).text.replace("\u00a0", " ")


def test_a_feature_that_is_redacted_from_some_moment_on_is_compared_before_it(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path)
    records = [*made(bundle.sha256, 300), *made(bundle.sha256, 50, way="drop", seed=1)]
    report = report_of(records, tmp_path)
    b = next(feature for feature in report.drift.features if feature.name == "b")
    assert (b.n_now, b.redacted) == (300, 50)
    assert "300 now, 50 redacted" in Reading(report_page(report)).text.replace("\u00a0", " ")


def test_artifacts_of_whole_instances_and_known_defaults_are_reported(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path)
    artifacts: list[dict[str, Any]] = [
        {"*": ["duplicate_instance"], "a": ["known_default"]},
        {},
        {"a": ["known_default"]},
    ]
    records = [score(f"i{n}", bundle=bundle.sha256, flags={"artifacts": one}) for n, one in enumerate(artifacts)]
    report = report_of(records, tmp_path)
    (whole,) = report.coverage.whole
    assert (whole.name, whole.count) == ("duplicate_instance", 1)
    assert [(kind.name, kind.count) for kind in report.coverage.features[0].kinds] == [("known_default", 2)]
    text = Reading(report_page(report)).text.replace("\u00a0", " ")
    assert "duplicate instance 1" in text
    assert "known default 2" in text


def test_the_report_notes_policies_beside_the_bundles_own(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path)
    records = made(bundle.sha256, 3)
    records[0].policies = "0123456789abcdef"
    assert (
        "1 instances were judged by policies of serving.toml beside the bundle's own, 0123456789abcdef."
        in report_of(records, tmp_path).notes
    )


def test_the_page_of_an_instance_shows_that_values_are_redacted(tmp_path: Path) -> None:
    hashed = digest(KEY, "name", "Ada")
    record = {
        "kind": "score", "outcome": "scored", "ts": "2026-11-23T14:05:06.123456Z", "policies": "0123456789abcdef",
        "x": {"age": 50.0, "name": hashed}, "redacted": ["card", "name", "older", "*"],
    }  # fmt: skip
    features: list[dict[str, Any]] = [
        {"name": "age", "type": "float", "minimum": 1.0, "maximum": 99.0},
        {"name": "name", "type": "string", "categories": ["Grace"], "redaction": "hash"},
        {"name": "card", "type": "float", "minimum": 123.0, "maximum": 456.0},
        {"name": "city", "type": "string", "categories": ["Ulm"]},
    ]
    page = instance_page(InstanceTrail("m", "a", [Evidence(record, "b", 0, 0)], features=features))
    text = Reading(page).text.replace("\u00a0", " ")
    assert f"redacted, keyed hash {hashed['hmac'][:12]}…" in text
    for told in (
        "card redacted",
        "older redacted",
        "city not sent",
        "1 to 99",
        "“Ulm”",
        "under names that are no feature",
    ):
        assert told in " ".join(text.split()), told
    assert "0123456789abcdef" in text[: text.index("In the log")]
    assert "Grace" not in text
    assert "123 to 456" not in text


def test_the_documentation_tells_of_defaults_and_redaction(tmp_path: Path) -> None:
    age = msgspec.structs.replace(AGE, defaults=[99], redaction="drop")
    write_bundle(tmp_path, job_manifest(JOB, features=[age, JOB]), positions())
    with line(tmp_path) as started:
        text = " ".join(Reading(docs_page(openapi(started.service.catalog))).text.split())
    for told in ("default: 99", "redacted: drop", "missing: “”", "missing: “N/A”"):
        assert told in text, told
