"""Bins: every value falls into exactly one, edges rise, and training fills them by the stated rule."""

from __future__ import annotations

import bisect
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.bundle import Feature
from scoring.encoding import Encoding
from scoring.envelope import Envelope
from training.baseline import edges_for, histogram
from training.envelope import calibrate

FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(FINITE | st.just(np.nan), min_size=1).filter(lambda v: not all(np.isnan(v))))
def test_edges_rise_and_hold_all_values(values: list[float]) -> None:
    column = np.array(values)
    edges = edges_for(column)
    assert len(edges) >= 2
    assert all(a < b for a, b in pairwise(edges))
    assert np.isfinite(edges).all()
    counted = histogram(column, edges)
    assert (counted.counts[0], counted.counts[-1]) == (0, 0), "the training range is inside"
    assert sum(counted.counts) + counted.missing == len(values)


@given(st.lists(st.floats(-1e308, 1e308), min_size=2, max_size=20, unique=True))
def test_few_distinct_values_have_a_bin_each(values: list[float]) -> None:
    assert histogram(np.array(values), edges_for(np.array(values))).counts[1:-1] == [1] * len(values)


@given(st.lists(FINITE), st.lists(FINITE, min_size=2, unique=True).map(sorted))
def test_a_value_is_counted_in_the_bin_whose_left_edge_it_reaches(values: list[float], edges: list[float]) -> None:
    expected = [0] * (len(edges) + 1)
    for value in values:
        expected[len(edges) - 1 if value == edges[-1] else bisect.bisect_right(edges, value)] += 1
    assert histogram(np.array(values), edges).counts == expected


def test_many_values_fill_twenty_bins_evenly() -> None:
    column = np.random.default_rng(0).lognormal(size=2_000)
    counts = histogram(column, edges_for(column)).counts[1:-1]
    assert len(counts) == 20
    assert (min(counts), max(counts)) == (100, 100)


def test_anything_but_a_constant_falls_outside_its_bin() -> None:
    edges = edges_for(np.full(10, 3.0))
    assert histogram(np.array([3.0, 3.1, 2.9]), edges).counts == [1, 1, 1]


def test_encoded_space_is_the_one_in_which_production_measures() -> None:
    random = np.random.default_rng(0)
    features = [
        Feature(name="a", type="float", mean=2.0, deviation=4.0),
        Feature(name="b", type="boolean", categories=[False, True]),
        Feature(name="c", type="integer", mean=5.0, deviation=0.0),
    ]
    rows = np.column_stack([random.normal(2, 4, 50), random.integers(0, 2, 50), np.full(50, 5.0)])
    rows[::9, 0] = np.nan
    rows[::7, 1] = np.nan
    calibration = calibrate(rows, features)
    distances, nearest = Envelope(features, calibration).distances(rows)
    apart = np.linalg.norm(Encoding(features).encode(rows)[:, None, :] - np.array(calibration.centres)[None], axis=2)
    assert distances == pytest.approx(apart.min(axis=1), abs=1e-12)
    assert apart[np.arange(50), nearest] == pytest.approx(apart.min(axis=1), abs=1e-12)
    assert calibration.threshold == distances.max()
