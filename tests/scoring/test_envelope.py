"""One row's distance: the same bits as in a batch, and never a warning, however large the numbers."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scoring.bundle import Calibration, Feature
from scoring.envelope import Envelope
from scoring.feature_rule import FeatureRule

MAGNITUDES = st.sampled_from([0.0, 5e-324, 1e-300, 1e-9, 1.0, 1e9, 1e150, 1e154, 1e200, 1e308])


@st.composite
def envelopes(draw: st.DrawFn) -> tuple[list[Feature], Envelope]:
    features = []
    for number in range(draw(st.integers(1, 12))):
        low, high = sorted(draw(MAGNITUDES) * draw(st.sampled_from([-1, 1])) for _ in range(2))
        deviation = draw(MAGNITUDES) or None
        mean = low / 2 + high / 2
        features.append(
            Feature(name=f"f{number}", type="float", minimum=low, maximum=high, mean=mean, deviation=deviation)
        )
    centres = draw(st.lists(st.lists(MAGNITUDES, min_size=len(features), max_size=len(features)), min_size=1))
    return features, Envelope(features, Calibration(centres=centres, threshold=1.0))


@given(envelopes(), st.data())
def test_a_row_inside_its_ranges_has_the_same_distance_alone_and_in_a_batch(
    given_envelope: tuple[list[Feature], Envelope], data: st.DataObject
) -> None:
    features, envelope = given_envelope
    rules = [FeatureRule(feature, takes_missing=True) for feature in features]
    ends = [(max(rule.low, -math.inf), rule.high, rule.low / 2 + rule.high / 2) for rule in rules]
    row = np.array([[data.draw(st.sampled_from(each)) for each in ends]])
    row = np.clip(row, -1.7e308, 1.7e308)
    distances, clusters = envelope.distances(np.concatenate([row, row]), complete=True)
    alone = envelope.distance(row, complete=True)
    patiently = envelope.distance(row)
    assert alone == patiently == (distances[0], clusters[0]) == (distances[1], clusters[1])


def test_ordinary_ranges_are_measured_without_silencing_warnings_and_huge_ones_are_not() -> None:
    age = Feature(name="age", type="float", minimum=18.0, maximum=80.0, mean=40.0, deviation=10.0)
    huge = Feature(name="huge", type="float", minimum=0.0, maximum=1e200, mean=1.0, deviation=1.0)
    assert Envelope([age], Calibration(centres=[[0.0]], threshold=1.0))._is_bounded
    assert not Envelope([huge], Calibration(centres=[[0.0]], threshold=1.0))._is_bounded
