"""Which instances an auditor is shown: the same ones whatever the order of merging, and each for the reason it says."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest

from evaluation.label_join import Joined
from evaluation.profile import Distributions, Profile, Row
from evaluation.report_format import LabelArrival
from evaluation.vouching.chosen import Chosen, farthest, least_confident, sample, wrong
from scoring.bundle import Label, Manifest, Output
from tests.scoring.bundles import manifest, regressor_manifest

ARRIVAL = LabelArrival(labels=0, matched=0, scored=0, labelled=0, join_rate=None)


def row(n: int, **more: Any) -> Row:
    hashed = n * 2_654_435_761 % 2**53
    return Row(hash=hashed, id=f"i{n}", ts=f"2026-11-23T12:00:{n % 60:02d}.000000Z", values=[], **more)


def profile(rows: Sequence[Row] = (), far: Sequence[Row] = (), unsure: Sequence[Row] = ()) -> Profile:
    """Of a champion that kept these rows."""
    held = Distributions(n=len(rows), rows=list(rows), farthest=list(far), least_confident=list(unsure))
    return Profile(model="m", version="1", role="champion", distributions={"b" * 64: held})


def test_a_sample_is_the_same_from_one_profile_and_from_many_in_any_order() -> None:
    rows = [row(n) for n in range(2000)]
    by_hash = sorted(rows, key=lambda one: one.hash)[:500]
    whole = [profile(by_hash)]
    parts = [profile(sorted(rows[k::7], key=lambda one: one.hash)[:500]) for k in range(7)]
    drawn = sample(whole, "seed")
    assert len(drawn) == len({one.id for one in drawn}) == 20
    for turn in range(5):
        random.Random(turn).shuffle(parts)
        assert sample(parts, "seed") == drawn
    assert sample(whole, "another seed") != drawn


def test_over_the_seeds_every_kept_instance_is_drawn_about_as_often() -> None:
    profiles = [profile([row(n) for n in range(50)])]
    times = pd.Series([one.id for seed in range(500) for one in sample(profiles, str(seed), 5)]).value_counts()
    assert len(times) == 50
    expected, deviation = 50.0, (500 * 0.1 * 0.9) ** 0.5
    assert abs(times - expected).max() < 4.5 * deviation


def test_an_id_that_came_twice_is_drawn_once_and_a_few_are_all_drawn() -> None:
    twice = msgspec.structs.replace(row(1), ts="2026-11-23T13:00:00.000000Z")
    assert sample([profile([row(1), twice, row(2)])], "s", 20) in (
        [Chosen("i1", row(1).ts), Chosen("i2", row(2).ts)],
        [Chosen("i2", row(2).ts), Chosen("i1", row(1).ts)],
    )
    assert sample([], "s") == []


def test_the_strangest_are_the_ten_of_all_profiles_and_ties_do_not_depend_on_their_order() -> None:
    far = [row(n, distance=float(n % 7)) for n in range(60)]
    unsure = [row(n, confidence=0.5 + (n % 5) / 10) for n in range(60)]
    parts = [profile([], far[k::3], unsure[k::3]) for k in range(3)]
    for order in (parts, parts[::-1]):
        assert [one.measure for one in farthest(order)] == [6.0] * 8 + [5.0] * 2
        assert [one.measure for one in least_confident(order)] == [0.5] * 10
    assert farthest(parts) == farthest(parts[::-1])
    assert farthest([profile([], [row(1), row(2, distance=float("nan"))])]) == []


def joined(rows: list[tuple[Any, ...]], role: str = "champion", version: str = "1") -> Joined:
    """Pairs of (id, label, value, score, probabilities, truth_label, truth_value)."""
    names = ("id", "label", "value", "score", "probabilities", "truth_label", "truth_value")
    frame = pd.DataFrame(rows, columns=list(names)).astype({"value": float, "score": float, "truth_value": float})
    frame["ts"] = np.datetime64("2026-11-23T12:00:00", "us")
    return Joined(pairs={(version, role): frame}, arrival=ARRIVAL, instances=0, repeated_ids=0, conflicting_ids=0)


def classified(id: str, said: str, truth: str, *shares: float) -> tuple[Any, ...]:
    return id, said, np.nan, np.nan, dict(zip(("good", "bad"), shares, strict=False)), truth, np.nan


def test_wrong_answers_come_by_how_sure_they_were() -> None:
    pairs = joined(
        [
            classified("right", '"good"', '"good"', 0.99, 0.01),
            classified("sure", '"good"', '"bad"', 0.98, 0.02),
            classified("less", '"bad"', '"good"', 0.4, 0.6),
            classified("no class", '"good"', '"other"', 0.99, 0.01),
            classified("no answer", '"good"', '"bad"'),
        ]
    )
    found = wrong(pairs, {"1": manifest(classes=["good", "bad"])}, "binary")
    assert [(one.id, one.measure) for one in found.chosen] == [("sure", 0.98), ("less", 0.6)]
    assert (found.measure, found.labelled, found.wrong) == ("confidence", 4, 2)
    assert found.chosen[0].ts == "2026-11-23T12:00:00.000000Z"


def test_without_probabilities_the_size_of_the_score_ranks_them() -> None:
    described = manifest(classes=[0, 1], output=Output(label_index="l", score="s"))
    rows = [(f"s{s}", "1", np.nan, s, None, "0.0", np.nan) for s in (0.5, -7.0, 3.0)]
    found = wrong(joined(rows), {"1": described}, "binary")
    assert [(one.id, one.measure) for one in found.chosen] == [("s-7.0", 7.0), ("s3.0", 3.0), ("s0.5", 0.5)]
    assert found.measure == "score"


def test_of_a_regression_the_largest_errors_come_first_and_what_is_no_number_never() -> None:
    values = {"a": 3.0, "b": -9.0, "c": 0.0, "d": np.nan, "e": np.inf}
    rows = [(name, None, value, np.nan, None, None, 0.0) for name, value in values.items()]
    found = wrong(joined(rows), {"1": regressor_manifest()}, "regression")
    assert [(one.id, one.measure) for one in found.chosen] == [("b", 9.0), ("a", 3.0)]
    assert (found.measure, found.labelled) == ("error", 3)


@pytest.mark.parametrize("classes", [["good", "bad"], [0, 1]])
def test_nothing_to_be_wrong_about_is_no_error(classes: list[Label]) -> None:
    described: dict[str, Manifest] = {"1": manifest(classes=classes)}
    for pairs in (joined([]), joined([classified("a", '"good"', '"bad"', 1.0)], role="challenger")):
        assert wrong(pairs, described, "binary").chosen == []
    assert wrong(joined([classified("a", '"good"', '"bad"', 1.0)]), {}, None).chosen == []


def test_of_answers_that_are_equally_sure_and_wrong_those_of_the_first_ids_are_shown() -> None:
    rows = [classified(f"i{n:06d}", '"good"', '"bad"', 1.0, 0.0) for n in range(999, -1, -1)]
    found = wrong(joined(rows), {"1": manifest(classes=["good", "bad"])}, "binary")
    assert [one.id for one in found.chosen] == [f"i{n:06d}" for n in range(10)]
