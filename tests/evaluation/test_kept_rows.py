"""The instances that a profile keeps: the right ones, the same however records are cut, bounded, nothing redacted."""

from __future__ import annotations

import itertools
import random
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.records import Record
from evaluation.bin_examples import EACH, NOT_THERE, each_of, pool
from evaluation.binning import place_of
from evaluation.kept_rows import FARTHEST, LEAST_CONFIDENT, LONGEST_ID, LONGEST_TEXT, ROWS, hashes_of
from evaluation.profile import Distributions, decode_profile, encode_profile, merge
from evaluation.profiler import Reference, profile_records, reference_of
from scoring.bundle import Histogram
from tests.evaluation.workshop import make_bundle, score


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return reference_of(make_bundle(tmp_path_factory.mktemp("models")))


def instance(reference: Reference, id: str, a: Any, distance: Any = 1.0, p: Any = 0.5, **named: Any) -> Record:
    answer = {"label": "yes", "probabilities": {"yes": p, "no": 0.1}}
    flags = {"distance": distance, "cluster": 1}
    return score(id, bundle=reference.sha256, x={"a": a, "b": 1}, y=answer, flags=flags, **named)


def many(reference: Reference, n: int, seed: int = 0) -> list[Record]:
    """Heavy ties in distance and confidence, an id now and then twice, values missing or of a wrong type."""
    draw = np.random.default_rng(seed)
    values = [*draw.normal(size=n // 2).tolist(), *[None, "text", -99.0, 1.5] * n][:n]
    return [
        instance(
            reference, f"i{draw.integers(0, n)}", value, float(draw.integers(0, 4)), float(draw.integers(1, 5)) / 4
        )
        for value in values
    ]


def kept(records: list[Record], reference: Reference) -> Distributions:
    return profile_records(records, reference).distributions[reference.sha256]


def test_rows_are_those_of_smallest_hash_farthest_and_least_confident(reference: Reference) -> None:
    draw = np.random.default_rng(1)
    distances, shares = draw.rayleigh(size=1500), draw.uniform(0.2, 1, size=1500)
    records = [instance(reference, f"i{n}", float(n), float(distances[n]), float(shares[n])) for n in range(1500)]
    found = kept(records, reference)
    hashes = hashes_of([record.id for record in records])
    assert [row.id for row in found.rows] == [f"i{n}" for n in np.argsort(hashes)[:ROWS]]
    assert [row.id for row in found.farthest] == [f"i{n}" for n in np.argsort(-distances)[:FARTHEST]]
    assert [row.id for row in found.least_confident] == [f"i{n}" for n in np.argsort(shares)[:LEAST_CONFIDENT]]
    first = found.farthest[0]
    assert (first.values, first.distance, first.cluster) == ([float(first.id[1:]), 1.0], distances.max(), 1)
    assert first.confidence == shares[int(first.id[1:])]


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 99), cuts=st.sets(st.integers(1, 699), max_size=6))
def test_they_are_the_same_however_records_are_cut_and_profiles_merged(
    reference: Reference, seed: int, cuts: set[int]
) -> None:
    records = many(reference, 700, seed % 3)
    whole = profile_records(records, reference)
    random.Random(seed).shuffle(records)
    borders = [0, *sorted(cuts), len(records)]
    parts = [profile_records(records[low:high], reference) for low, high in itertools.pairwise(borders)]
    assert merge(parts) == whole
    if len(parts) > 2:
        assert merge([merge(parts[1:]), parts[0]]) == merge([merge(parts[:2]), *parts[2:]]) == whole
    assert decode_profile(encode_profile(whole)) == whole


def test_every_bin_that_is_used_leads_to_instances_however_rare_it_is(reference: Reference) -> None:
    values = [float(value) for value in np.random.default_rng(2).normal(size=5000)]
    records = [instance(reference, f"i{n}", value) for n, value in enumerate([*values, -50.0, None, "x", 60.0, 60.0])]
    found, bins = kept(records, reference), reference.baseline.features["a"]
    by_place: dict[int, list[str]] = {}
    for example in found.examples:
        by_place.setdefault(example.places[0], []).append(example.id)
    counts = [*found.features["a"].counts, found.features["a"].unseen, found.features["a"].missing]
    for place, count in enumerate(counts):
        assert len(by_place.get(place, [])) >= min(count, EACH)
    assert "i5000" in by_place[place_of(-50.0, bins)]
    assert by_place[place_of(None, bins)] == ["i5001"]
    assert by_place[place_of("x", bins)] == ["i5002"]
    places = {record.id: place_of(record.x["a"], bins) for record in records}
    assert all(places[id] == place for place, ids in by_place.items() for id in ids)
    assert len(found.examples) < 250


def test_bins_of_outputs_lead_to_instances_too(reference: Reference) -> None:
    found = kept([instance(reference, "a", 1.0, p=0.97), score("b", bundle=reference.sha256, y=None)], reference)
    names = ["a", "b", *sorted(reference.baseline.outputs)]
    place = {example.id: example.places[names.index("probability:yes")] for example in found.examples}
    assert place == {"a": place_of(0.97, reference.baseline.outputs["probability:yes"]), "b": NOT_THERE}


def test_an_id_that_comes_again_and_again_fills_no_bin(reference: Reference) -> None:
    again = [instance(reference, "again", 60.0) for _ in range(400)]
    assert [example.id for example in kept(again, reference).examples] == ["again"]
    found = kept([*again, instance(reference, "once", 60.0)], reference)
    assert {example.id for example in found.examples} == {"again", "once"}


@pytest.mark.parametrize(
    "value", ["x" * 100_000, {"deep": ["x" * 100_000]}, 10**400, -(10**400), 1.7976931348623157e308]
)
def test_hostile_values_are_cut_to_a_bounded_size(reference: Reference, value: Any) -> None:
    records = [instance(reference, f"i{n}", value, distance=10**400, p="none") for n in range(1000)]
    data = encode_profile(profile_records(records, reference))
    assert len(data) < 300_000
    (one, *_) = decode_profile(data).distributions[reference.sha256].rows
    assert not isinstance(one.values[0], str) or len(one.values[0]) == LONGEST_TEXT
    assert not isinstance(one.values[0], float) or np.isfinite(one.values[0])
    assert (one.distance, one.confidence) == (None, 0.1)


def test_an_id_that_no_service_accepts_is_kept_nowhere(reference: Reference) -> None:
    records = [instance(reference, "i" * (LONGEST_ID + 1), 60.0), instance(reference, "short", 60.0)]
    found = kept(records, reference)
    assert found.n == 2
    assert {one.id for group in (found.rows, found.farthest, found.examples) for one in group} == {"short"}


def test_nothing_that_is_redacted_is_kept_in_clear(reference: Reference) -> None:
    secret = instance(reference, "s", "SECRET")
    secret.redacted = ["a"]
    found = kept([secret, instance(reference, "t", 2.0)], reference)
    assert {row.id: row.values for row in found.rows} == {"s": [None, 1.0], "t": [2.0, 1.0]}
    own = [msgspec.structs.replace(one, redaction="drop") for one in reference.manifest.features]
    hidden = msgspec.structs.replace(reference, manifest=msgspec.structs.replace(reference.manifest, features=own))
    assert all(row.values == [] for row in kept([secret], hidden).rows)
    assert b"SECRET" not in encode_profile(profile_records([secret], reference))


def test_so_many_bins_keep_fewer_each_and_many_categories_share_one() -> None:
    assert each_of([Histogram(edges=[0.0] * 21, counts=[0] * 22)] * 500) == 1
    assert each_of([Histogram(edges=[0.0] * 21, counts=[0] * 22)] * 25) == EACH
    thousand = Histogram(categories=[str(n) for n in range(1000)], counts=list(range(1000)))
    pooled = pool(thousand)
    assert (pooled[999], pooled[901], pooled[900], pooled[0], pooled[1000], pooled[1001]) == (98, 0, 99, 99, 100, 101)


def test_profiling_an_empty_answer_and_no_features_keeps_rows_without_values(tmp_path: Path) -> None:
    found = reference_of(make_bundle(tmp_path, task="regression"))
    record = score("a", bundle=found.sha256, x={}, y=None, flags={})
    (row,) = kept([record], found).rows
    assert (row.values, row.distance, row.confidence, row.cluster) == ([None, None], None, None, None)
