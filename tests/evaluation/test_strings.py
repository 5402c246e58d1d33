"""String features in reports and pages: counted by category, compared, and shown whatever their texts are."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.binning import count_values, place_of
from evaluation.drift.bins import size
from evaluation.drift.categories import MOST_CATEGORIES, condensed, pair
from evaluation.pages.docs import docs_page
from evaluation.pages.instance import instance_page
from evaluation.pages.plots.overlay import CATEGORIES_MINI, overlay
from evaluation.pages.report import report_page
from evaluation.pages.trail import Evidence, InstanceTrail
from evaluation.profile import merge
from evaluation.profiler import Reference, profile_records, reference_of
from evaluation.report_format import HistogramPair, encode_report
from scoring.bundle import Bundle, Feature, Histogram, Label
from scoring.catalog import Catalog
from scoring.openapi import openapi
from tests.evaluation.test_pages import Reading
from tests.evaluation.test_pages_plots import checked, words
from tests.evaluation.test_report import report_of
from tests.evaluation.workshop import NOON, Log, answer, make_bundle, score
from tests.scoring.bundles import AGE, JOB, job_manifest, positions
from tests.scoring.bundles import write_bundle as write_served
from training.bundle_writer import write_bundle

HOSTILE: list[Label] = [
    "<script>alert(1)</script>",
    "</text></svg><script>alert(2)</script>",
    "\"'&",
    "two\nlines\x00",
    "\u202eexe.gpj",
    "مرحبا",
    "",
    "x" * 100_000,
]


def bundle_with_jobs(models: Path, categories: Sequence[Label], counts: Sequence[int], **more: Any) -> Bundle:
    """The workshop's bundle with a string feature `job` besides."""
    plain = make_bundle(models, name="plain")
    job = Feature(name="job", type="string", categories=list(categories), importance=0.2, **more)
    manifest = msgspec.structs.replace(
        plain.manifest, name="toy", features=[*plain.manifest.features, job], calibration=None
    )
    before = plain.baseline()
    histogram = Histogram(categories=list(categories), counts=list(counts))
    baseline = msgspec.structs.replace(before, features=before.features | {"job": histogram}, clusters=None)
    return write_bundle(models, manifest, {"baseline.json": msgspec.json.encode(baseline), "model.onnx": b"none"})


def scored(jobs: Sequence[Any], bundle: str, seed: int = 0) -> list[Any]:
    """A record for each job; None is missing, as is a sentinel."""
    draw = np.random.default_rng(seed)
    return [
        score(
            f"i{number}",
            NOON + number,
            bundle=bundle,
            x={"a": float(draw.normal()), "b": float(draw.normal()), "job": job},
            y=answer("binary", draw),
            flags={"missing": ["job"]} if job in (None, "N/A") else {},
        )
        for number, job in enumerate(jobs)
    ]


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return reference_of(bundle_with_jobs(tmp_path_factory.mktemp("models"), ["N/A", "clerk", "cook"], [0, 250, 150]))


JOBS = ["cook", "clerk", "cook", None, "N/A", "pilot", "Cook", "cook", {"prefix": "x", "length": 2000}, "clerk"]


def test_texts_are_counted_by_category_with_missing_and_unseen_apart(reference: Reference) -> None:
    found = profile_records(scored(JOBS, reference.sha256), reference).distributions[reference.sha256]
    assert found.features["job"] == Histogram(
        categories=["N/A", "clerk", "cook"], counts=[0, 2, 3], missing=2, unseen=3
    )
    places = {example.id: example.places for example in found.examples}
    assert [places[f"i{number}"][2] for number in range(10)] == [2, 1, 2, 4, 4, 3, 3, 2, 3, 1]


def test_numbers_are_counted_alike_beside_texts(reference: Reference) -> None:
    records = scored(JOBS * 20, reference.sha256)
    records[3] = msgspec.structs.replace(records[3], x={"a": "text", "job": "cook"}, flags={"missing": ["b"]})
    records[4] = msgspec.structs.replace(records[4], x=[1, 2])
    found = profile_records(records, reference).distributions[reference.sha256].features
    for name in ("a", "b"):
        values = [record.x.get(name) if isinstance(record.x, dict) else None for record in records]
        assert found[name] == count_values(values, reference.baseline.features[name])
    assert list(found) == list(reference.baseline.features)


def test_profiles_of_texts_merge_exactly(reference: Reference) -> None:
    records = scored(JOBS * 5, reference.sha256)
    whole = profile_records(records, reference)
    parts = [profile_records(part, reference) for part in (records[30:], records[:7], records[7:30])]
    assert merge(parts) == whole


ANY: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3), st.just([]), st.just({})
)


@given(st.lists(st.text(max_size=3), unique=True, max_size=5), st.lists(ANY, min_size=1))
def test_a_value_has_the_place_at_which_it_is_counted(categories: list[Label], values: list[Any]) -> None:
    bins = Histogram(categories=categories, counts=[0] * len(categories))
    found = count_values(values, bins)
    counts = np.bincount([place_of(value, bins) for value in values], minlength=len(categories) + 2).tolist()
    assert counts == [*found.counts, found.unseen, found.missing]


COUNTS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=250)


@given(COUNTS, st.integers(0, 9), st.integers(0, 9))
def test_many_categories_become_few_and_no_value_is_lost(
    counts: list[tuple[int, int]], missing: int, unseen: int
) -> None:
    names: list[Label] = [f"c{place}" for place in range(len(counts))]
    before = Histogram(categories=names, counts=[old for old, _ in counts], missing=missing)
    now = Histogram(categories=names, counts=[new for _, new in counts], unseen=unseen)
    few = condensed(now, before.counts)
    drawn = pair(before, now)
    assert size(few) == size(now)
    assert (sum(drawn.before) + missing, sum(drawn.now) + unseen) == (size(before), size(now))
    assert drawn.categories is not None
    assert len(few.counts) == len(drawn.categories) == min(len(counts), MOST_CATEGORIES)
    for name, count in zip(few.categories or [], few.counts, strict=True):
        assert name not in names or count == now.counts[names.index(name)]


def test_texts_that_moved_have_drifted_and_lead_to_instances(log: Log, models: Path) -> None:
    bundle = bundle_with_jobs(models, ["clerk", "cook", "pilot"], [300, 90, 10], outside="abstain")
    log.append(NOON, scored(["clerk", "pilot", "pilot", "miner"] * 100, bundle.sha256))
    report = report_of(log, models)
    job = report.drift.features[0]
    assert (job.name, job.kind, job.level, len(job.examples)) == ("job", "category", "alert", 5)
    assert "“pilot”: 2.5 % before, 50.0 % now." in job.sentence.replace("\u00a0", " ")
    assert job.histogram is not None
    assert (job.histogram.categories, job.histogram.now) == (["clerk", "cook", "pilot"], [100, 0, 200])
    assert job.histogram.now_unseen == 100
    assert [statistic.name for statistic in job.statistics].count("kolmogorov_smirnov") == 0
    assert report.model.criteria[-1] == "Abstains from categories that training did not have of job."
    text = text_of(report_page(report))
    assert "pilot 2.5 % 50.0 %" in text
    assert "unseen 0 % 25.0 %" in text


def test_texts_that_stayed_have_not_drifted(log: Log, models: Path) -> None:
    bundle = bundle_with_jobs(models, ["clerk", "cook"], [300, 100])
    log.append(NOON, scored(["clerk", "clerk", "cook", "clerk"] * 100, bundle.sha256))
    assert {feature.name: feature.level for feature in report_of(log, models).drift.features}["job"] == "ok"


def test_thousands_of_categories_are_compared_and_drawn(log: Log, models: Path) -> None:
    names: list[Label] = [f"town {number:04}" for number in range(5_000)]
    bundle = bundle_with_jobs(models, names, [40 if number % 100 == 7 else 1 for number in range(5_000)])
    log.append(NOON, scored(["town 0007", "town 4999", *names[:198]] * 2 + ["town 4321"] * 200, bundle.sha256))
    report = report_of(log, models)
    job = next(feature for feature in report.drift.features if feature.name == "job")
    assert job.level == "alert"
    assert "“town 4321”" in job.sentence
    assert job.histogram is not None
    assert job.histogram.categories is not None
    assert (len(job.histogram.categories), job.histogram.categories[-1]) == (100, "4,901 others")
    assert "town 4321" in job.histogram.categories, "rare before, frequent now"
    assert len(encode_report(report)) < 200_000
    text = text_of(report_page(report))
    assert "town 4321" in text
    assert "77 others" in text


def test_hostile_categories_stay_text_in_a_report(log: Log, models: Path) -> None:
    bundle = bundle_with_jobs(models, HOSTILE, [50] * len(HOSTILE))
    log.append(NOON, scored([*HOSTILE, *[HOSTILE[-1]] * 400], bundle.sha256))
    report = report_of(log, models)
    data = encode_report(report)
    assert len(data) < 100_000
    job = next(feature for feature in report.drift.features if feature.name == "job")
    assert job.level == "alert"
    assert job.sentence.isprintable()
    assert "(100,000 characters)" in job.sentence
    assert_harmless(report_page(report))


@pytest.mark.parametrize("text", [str(text) for text in HOSTILE])
def test_a_sentence_shows_whatever_category_moved(text: str, log: Log, models: Path) -> None:
    bundle = bundle_with_jobs(models, ["clerk", text], [400, 0])
    log.append(NOON, scored([text] * 200, bundle.sha256))
    job = report_of(log, models).drift.features[0]
    assert job.name == "job"
    assert job.sentence.replace("\u00a0", " ").isprintable()
    assert len(job.sentence) < 400


def text_of(page: str) -> str:
    """A page's words, with commas where a reader sees them."""
    return Reading(page).text.replace(" , ", ", ").replace("\u00a0", " ")


def assert_harmless(page: str) -> None:
    reading = Reading(page)
    assert reading.open == []
    assert not [tag for tag, _ in reading.elements if tag == "script"]
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00]", page)
    assert len(page) < 500_000


def test_hostile_categories_stay_text_in_the_documentation(tmp_path: Path) -> None:
    job = msgspec.structs.replace(JOB, categories=HOSTILE, sentinels=[""])
    write_served(tmp_path, job_manifest(job), positions())
    document = openapi(Catalog.load(tmp_path))
    described = document["components"]["schemas"]["instance.amount"]["x-features"][1]
    assert described["categories"] == HOSTILE[:-1], "as they are, but for the one that is too long to be sent"
    assert len(json.dumps(document)) < 200_000
    page = docs_page(document)
    assert_harmless(page)
    assert "“<script>alert(1)</script>”, “</text></svg><script>alert(2)</script>”" in text_of(page)
    assert "“\\u{202e}exe.gpj”" in text_of(page)


def test_the_documentation_counts_what_it_leaves_out(tmp_path: Path) -> None:
    job = msgspec.structs.replace(JOB, categories=[f"c{number:03}" for number in range(250)], known=[])
    write_served(tmp_path, job_manifest(job), positions())
    text = text_of(docs_page(openapi(Catalog.load(tmp_path))))
    assert "“c000”, “c001”" in text
    assert "“c009”, … 240 more" in text
    assert "c010" not in text


def test_an_instance_is_shown_beside_what_training_had() -> None:
    job = msgspec.structs.replace(JOB, categories=[*HOSTILE, *(f"c{number:03}" for number in range(250))])
    record = msgspec.to_builtins(scored(["pilot"], "b" * 64)[0]) | {"flags": {"outside": {"job": "unseen"}}}
    features = [msgspec.to_builtins(feature) for feature in (AGE, job)]
    page = instance_page(InstanceTrail("toy", "i0", [Evidence(record, "blob", 0, 0)], features=features))
    assert_harmless(page)
    text = text_of(page)
    assert "“c001”, … 248 more" in text
    assert "outside: unseen" in text


def test_a_small_plot_names_the_categories_that_are_or_were_most_frequent() -> None:
    names = [f"n{number:02}" for number in range(60)]
    before = [1000 if number in (3, 40) else 1 for number in range(60)]
    now = [1000 if number in (40, 59) else 1 for number in range(60)]
    root = checked(overlay(HistogramPair(categories=names, before=before, now=now), "job", mini=True))
    drawn = [element.text for element in root.iter() if element.tag.endswith("text")]
    assert {"n03", "n40", "n59"} <= set(drawn)
    assert len(drawn) == CATEGORIES_MINI
    assert "54 others" in words(root)
