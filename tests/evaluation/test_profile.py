"""Profiles: what they count, and that merging them is exact in any order and any grouping."""

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

from audit.reader import read_blob
from audit.records import Record, encode_record
from evaluation.binning import count_values
from evaluation.distinct import KEPT, distinct, merge_sketches, sketch
from evaluation.profile import Profile, decode_profile, encode_profile, merge, merge_by_key
from evaluation.profiler import Reference, profile, profile_records, reference_of
from evaluation.time_bins import EDGES_US, ERROR, merge_times, time_histogram
from scoring.bundle import Histogram
from tests.evaluation.workshop import HOUR, NOON, Log, answer, label, make_bundle, request_error, score


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Reference:
    return reference_of(make_bundle(tmp_path_factory.mktemp("models")))


def some_records(reference: Reference, n: int, seed: int = 0) -> list[Record]:
    draw = np.random.default_rng(seed)
    return [
        score(
            f"i{seed}-{number}",
            NOON + number,
            bundle=reference.sha256,
            outcome=str(draw.choice(["scored", "abstained", "rejected"], p=[0.8, 0.1, 0.1])),
            reasons=[str(draw.choice(["low_confidence", "wrong_type"]))],
            x={"a": float(draw.normal()), "b": None if number % 5 == 0 else float(draw.normal(3))},
            y=answer("binary", draw),
            flags={
                "missing": ["b"] if number % 5 == 0 else [],
                "outside": {"b": "above"} if number % 7 == 0 else {},
                "artifacts": {"*": ["duplicate_instance"]} if number % 11 == 0 else {},
                "distance": float(draw.rayleigh()),
                "cluster": int(draw.integers(2)),
            },
            us={"decode": int(draw.integers(1, 100)), "infer": int(draw.integers(10, 10**6))},
            row=number % 3,
            rows=3,
            request=f"r{seed}-{number // 3}",
            cold=number == 0,
        )
        for number in range(n)
    ]


def test_a_profile_counts_what_is_there(reference: Reference) -> None:
    records = some_records(reference, 300)
    found = profile_records(records, reference)
    judged = [record for record in records if record.outcome != "rejected"]
    assert found.outcomes["scored"] == sum(record.outcome == "scored" for record in records)
    assert found.missing == {"b": sum("b" in record.flags["missing"] for record in judged)}
    assert found.outside == {"b": {"above": sum(bool(record.flags["outside"]) for record in judged)}}
    assert found.requests == 100
    assert distinct(found.request_ids) == (100, True)
    assert (found.batches, found.batch_max, found.batch_sum) == ({1: 100}, 3, 300)
    assert found.times["total"].n == found.times["decode"].n == 100
    part = found.distributions[reference.sha256]
    assert part.n == len(judged)
    histogram = part.features["b"]
    assert histogram.missing == found.missing["b"]
    assert sum(histogram.counts) + histogram.missing == len(judged)
    assert part.clusters is not None
    assert sum(part.clusters.occupancy) == len(judged)
    assert part.beyond == sum(record.flags["distance"] > 3.5 for record in judged)


def test_an_instance_that_a_challenger_was_not_run_on_is_counted_and_is_in_no_distribution(
    reference: Reference,
) -> None:
    records = some_records(reference, 30)
    skipped = msgspec.structs.replace(
        records[0], id="skipped", outcome="failed", reasons=["timeout"], flags={}, x=None, us={}
    )
    found, before = profile_records([*records, skipped], reference), profile_records(records, reference)
    assert found.distributions == before.distributions
    assert (found.instances, found.outcomes["failed"]) == (before.instances + 1, before.outcomes.get("failed", 0) + 1)
    assert found.reasons["failed"]["timeout"] == 1


def test_numbers_fall_into_the_baselines_bins_as_numpys(reference: Reference) -> None:
    bins = reference.baseline.features["a"]
    values = np.random.default_rng(1).normal(size=5000)
    found = count_values(values.tolist(), bins)
    assert bins.edges is not None
    assert found.counts[1:-1] == np.histogram(values, bins.edges)[0].tolist()
    assert found.counts[0] == int((values < bins.edges[0]).sum())
    assert found.counts[-1] == int((values > bins.edges[-1]).sum())


@pytest.mark.parametrize(
    ("values", "counts", "missing", "unseen"),
    [
        ([0.0, 1.0, 2.0], [0, 1, 2, 0], 0, 0),
        ([-1, 3, 10**400, -(10**400)], [2, 0, 0, 2], 0, 0),
        ([None, float("nan")], [0, 0, 0, 0], 2, 0),
        (["1", True, [], {}], [0, 0, 0, 0], 0, 4),
        ([float("inf"), float("-inf")], [1, 0, 0, 1], 0, 0),
        ([], [0, 0, 0, 0], 0, 0),
    ],
)
def test_any_value_has_a_bin(values: list[Any], counts: list[int], missing: int, unseen: int) -> None:
    found = count_values(values, Histogram(edges=[0.0, 1.0, 2.0], counts=[0, 0, 0, 0]))
    assert (found.counts, found.missing, found.unseen) == (counts, missing, unseen)


def test_categories_keep_their_types_apart() -> None:
    bins = Histogram(categories=[True, False, "x"], counts=[0, 0, 0])
    found = count_values([True, True, False, "x", "y", 1, None, [], float("nan")], bins)
    assert (found.counts, found.missing, found.unseen) == ([2, 1, 1], 2, 3)


def test_request_errors_and_labels_have_no_version() -> None:
    log = Log()
    blob = log.append(NOON, [request_error("e"), label("a", "yes"), label("b", "no", outcome="rejected")])
    (found,) = profile(read_blob(log.store, blob).frames, lambda model, version: None).profiles
    assert (found.version, found.role, found.requests) == ("-", "-", 1)
    assert found.request_errors == {"malformed_json": 1}
    assert found.labels == {"recorded": 1, "rejected": 1}


def test_the_append_before_is_counted_for_each_model_that_it_carried() -> None:
    log = Log()
    log.append(NOON, [score("a"), score("b", model="other")])
    blob = log.append(NOON, [score("c")], append_us=2000)
    log.close(blob, append_us=4000)
    found = {one.model: one for one in profile(read_blob(log.store, blob).frames, lambda *_: None).profiles}
    assert (found["toy"].append.n, found["toy"].append.max_us) == (2, 4000)
    assert (found["other"].append.n, found["other"].append.max_us) == (1, 2000)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), cuts=st.lists(st.integers(0, 60), max_size=5))
def test_merging_is_exact_in_any_order_and_any_grouping(reference: Reference, seed: int, cuts: list[int]) -> None:
    records = some_records(reference, 60, seed=seed % 1000)
    whole = profile_records(records, reference)
    borders = [0, *sorted(cuts), 60]
    parts = [profile_records(records[low:high], reference) for low, high in itertools.pairwise(borders) if high > low]
    assert merge(parts) == whole
    random.Random(seed).shuffle(parts)
    assert merge(parts) == whole
    if len(parts) > 2:
        assert merge([merge(parts[:2]), *parts[2:]]) == merge([parts[0], merge(parts[1:])]) == whole


def test_profiling_in_chunks_is_the_same(reference: Reference, monkeypatch: pytest.MonkeyPatch) -> None:
    log = Log()
    blob = log.append(NOON, [*some_records(reference, 50), request_error("e"), label("i0-1", "yes")])
    frames = read_blob(log.store, blob).frames
    whole = profile(frames, lambda *_: reference)
    monkeypatch.setattr("evaluation.profiler.CHUNK", 7)
    assert profile(frames, lambda *_: reference) == whole


def test_a_profile_survives_being_stored(reference: Reference) -> None:
    found = profile_records(some_records(reference, 80), reference)
    assert decode_profile(encode_profile(found)) == found


def test_a_profile_of_another_format_is_refused() -> None:
    data = msgspec.json.encode({"schema": 99, "model": "a", "version": "1", "role": "champion"})
    with pytest.raises(ValueError, match="profile its blob again"):
        decode_profile(data)


def test_different_things_are_not_merged() -> None:
    one, other = (Profile(model=name, version="1", role="champion") for name in "ab")
    with pytest.raises(ValueError, match="different models"):
        merge([one, other])
    with pytest.raises(ValueError, match="at least one"):
        merge([])
    assert set(merge_by_key([one, other, one])) == {("a", "1", "champion"), ("b", "1", "champion")}


def test_histograms_of_two_bundles_stay_apart(reference: Reference) -> None:
    other = msgspec.structs.replace(reference, sha256="c" * 64)
    mine = profile_records(some_records(reference, 10), reference)
    theirs = profile_records(
        [msgspec.structs.replace(record, bundle="c" * 64) for record in some_records(reference, 10)], other
    )
    merged = merge([mine, theirs])
    assert set(merged.distributions) == {reference.sha256, "c" * 64}


@given(st.lists(st.integers(0, 2**45), min_size=1, max_size=200))
def test_a_quantile_is_off_by_no_more_than_it_says(times: list[int]) -> None:
    histogram = time_histogram(times)
    for share in (0.5, 0.9, 0.99):
        exact = sorted(times)[max(0, int(np.ceil(share * len(times))) - 1)]
        found = histogram.quantile_us(share)
        assert found is not None
        if exact < EDGES_US[-1]:
            assert exact * (1 - ERROR) - 0.6 <= found <= exact * (1 + ERROR) + 0.6
    assert histogram.max_us == max(times)
    assert histogram.sum_us == sum(times)
    assert merge_times([time_histogram(times[:3]), time_histogram(times[3:])]) == histogram


def test_few_ids_are_counted_exactly_and_many_within_three_errors() -> None:
    few, many = [f"a{i}" for i in range(KEPT - 1)], [f"b{i}" for i in range(100_000)]
    assert distinct(sketch(few * 2)) == (KEPT - 1, True)
    count, exact = distinct(sketch(many))
    assert not exact
    assert abs(count / 100_000 - 1) < 3 * 0.0313
    halves = [sketch(many[:60_000]), sketch(many[40_000:])]
    assert merge_sketches(halves) == merge_sketches(halves[::-1]) == sketch(many)


def test_records_after_the_moment_are_left_out(models: Path) -> None:
    log = Log()
    blob = log.append(NOON, [score("a", NOON), score("b", NOON + 0.5 * HOUR)])
    frames = read_blob(log.store, blob).frames
    (found,) = profile(frames, lambda *_: None, until_ts=score("x", NOON + 60).ts).profiles
    assert found.instances == 1


def test_a_hostile_line_is_counted_and_stops_nothing() -> None:
    log = Log()
    blob = log.append(NOON, [b"", b"null", b'{"v":1}', b"\xff\xfe", encode_record(score("a"))])
    found = profile(read_blob(log.store, blob).frames, lambda *_: None)
    assert (found.declared, found.unreadable) == (5, 4)
    assert found.profiles[0].instances == 1
