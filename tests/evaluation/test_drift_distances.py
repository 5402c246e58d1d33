"""Wasserstein, chi-square, L∞ and Cramér's V equal SciPy's, and every statistic has a value or says why not."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.stats.contingency import association

from evaluation.binning import count_values
from evaluation.drift.bins import bins
from evaluation.drift.chi_square import chi_square, freedom
from evaluation.drift.cramers_v import cramers_v
from evaluation.drift.judge import Judge
from evaluation.drift.kinds import KINDS, METHOD, Axis, kinds_of
from evaluation.drift.l_infinity import l_infinity
from evaluation.drift.no_drift import NoDrift
from evaluation.drift.wasserstein import deviation_of, positions, wasserstein
from evaluation.profile import merge_histograms
from evaluation.thresholds import DEFAULTS, OPTIONAL, Thresholds
from scoring.bundle import Feature, Histogram, Label
from training.baseline import edges_for, histogram

counts = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1, max_size=30)
edges = st.lists(st.floats(-1e6, 1e6, width=32), min_size=2, max_size=12, unique=True).map(sorted)


def split(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([p for p, _ in pairs], float), np.array([q for _, q in pairs], float)


@settings(max_examples=40)
@given(counts)
def test_chi_square_and_its_degrees_are_scipys(pairs: list[tuple[int, int]]) -> None:
    now, before = split(pairs)
    table = np.array([now, before])[:, (now + before) > 0]
    if now.sum() and before.sum():
        expected = stats.chi2_contingency(table, correction=False)
        assert chi_square(now, before) == pytest.approx(expected.statistic, rel=1e-9, abs=1e-7)
        assert freedom(now, before) == expected.dof


@settings(max_examples=40)
@given(counts)
def test_cramers_v_is_scipys_and_0_where_both_have_one_and_the_same_category(pairs: list[tuple[int, int]]) -> None:
    now, before = split(pairs)
    table = np.array([now, before])[:, (now + before) > 0].astype(int)
    if now.sum() and before.sum():
        expected = association(table, method="cramer") if table.shape[1] > 1 else 0.0
        assert cramers_v(now, before) == pytest.approx(expected, rel=1e-9, abs=1e-7)


@settings(max_examples=40)
@given(counts)
def test_l_infinity_is_the_largest_norm(pairs: list[tuple[int, int]]) -> None:
    now, before = split(pairs)
    if now.sum() and before.sum():
        expected = np.linalg.norm(now / now.sum() - before / before.sum(), np.inf)
        assert l_infinity(now, before) == pytest.approx(expected, abs=1e-12)


@settings(max_examples=40)
@given(edges, st.data())
def test_wasserstein_is_scipys_of_the_bins_middles(edges: list[float], data: st.DataObject) -> None:
    size = len(edges) + 1
    pairs = data.draw(st.lists(st.tuples(st.integers(0, 999), st.integers(0, 999)), min_size=size, max_size=size))
    now, before = split(pairs)
    middles = np.array([edges[0], *((low + high) / 2 for low, high in itertools.pairwise(edges)), edges[-1]])
    if len(edges) > 2:  # the ends of quantile bins are long and mostly empty
        middles[1] = max(middles[1], edges[1] - 1.5 * (edges[2] - edges[1]))
        middles[-2] = min(middles[-2], edges[-2] + 1.5 * (edges[-2] - edges[-3]))
    if now.sum() and before.sum():
        expected = stats.wasserstein_distance(middles, middles, now, before)
        spread = edges[-1] - edges[0]
        assert wasserstein(edges, 1.0)(now, before) == pytest.approx(expected, abs=1e-9 * max(spread, 1.0))
        middle = np.average(middles, weights=before)
        deviation = np.sqrt(np.average((middles - middle) ** 2, weights=before))
        assert deviation_of(edges, before) == pytest.approx(deviation, abs=1e-6 * max(spread, 1.0))


@settings(max_examples=40)
@given(
    st.lists(st.integers(-3, 6), min_size=1, max_size=60),
    st.lists(st.integers(0, 5), min_size=2, max_size=60).filter(lambda values: len(set(values)) > 1),
)
def test_of_tied_values_with_a_bin_each_it_is_that_of_the_raw_values(now: list[int], before: list[int]) -> None:
    raw = np.array(before, float)
    bins_of = edges_for(raw)
    inside = [min(max(value, min(before)), max(before)) for value in now if value in set(before)]
    if not inside or bins_of != [bins_of[0] + step for step in range(len(bins_of))]:
        return  # a gap between values: a bin's middle is no value
    binned = [bins(histogram(np.array(values, float), bins_of))[:-2] for values in (inside, before)]
    expected = stats.wasserstein_distance(inside, before) / raw.std()
    assert wasserstein(bins_of, raw.std())(*binned) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("size", [1e308, 1e-308, 1.0])
def test_a_shift_by_one_deviation_is_1_whatever_the_unit(size: float) -> None:
    edges = [0.0, 0.25 * size, 0.5 * size, 0.75 * size, size]
    now, before = np.array([0.0, 0, 5, 0, 0, 0]), np.array([0.0, 5, 0, 0, 0, 0])
    assert wasserstein(edges, 0.25 * size)(now, before) == pytest.approx(1.0)


def test_wasserstein_is_undefined_where_the_baseline_does_not_vary() -> None:
    for deviation in (0.0, float("nan"), float("inf")):
        assert np.isnan(wasserstein([0.0, 1.0], deviation)(np.array([1.0, 2, 0]), np.array([1.0, 2, 0])))
    assert positions([-1e308, 1e308])[0].tolist() == [-1.0, 0.0, 1.0]


NUMBERS = [float(value) for value in range(300)]
INPUTS: dict[str, tuple[list[float], list[Any]]] = {
    "the same": (NUMBERS, NUMBERS),
    "empty": (NUMBERS, []),
    "constant before": ([3.0] * 300, NUMBERS),
    "constant now": (NUMBERS, [3.0] * 300),
    "constant in both": ([3.0] * 300, [3.0] * 300),
    "all missing now": (NUMBERS, [None] * 300),
    "of a wrong type now": (NUMBERS, ["x"] * 300),
    "heavy ties": ([1.0] * 290 + [2.0] * 10, [1.0] * 150 + [2.0] * 150),
    "infinities": (NUMBERS, [*NUMBERS, float("inf"), float("-inf"), float("nan")]),
    "the largest doubles": ([-1.7e308, 1.7e308] * 200, [1.7e308] * 300),
    "one below all": (NUMBERS, [*NUMBERS, -1e300]),
}


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("declared", [True, False], ids=["with a deviation", "without"])
def test_any_numbers_have_statistics_or_a_status(name: str, declared: bool) -> None:
    then, now = INPUTS[name]
    before = histogram(np.array(then), edges_for(np.array(then)))
    with np.errstate(all="ignore"):
        deviation = float(np.std(then))
    feature = Feature(name="a", type="float", deviation=deviation if declared else None)
    found = Judge(Thresholds(), tested=1).distribution("a", before, count_values(now, before), feature)
    assert [one.name for one in found.statistics] == [kind.name for kind in kinds_of(Axis([]))]
    for one in found.statistics:
        assert one.value is None or np.isfinite(one.value)
        assert one.status if one.value is None or one.level == "no data" else True
    values = {one.name: one.value for one in found.statistics}
    if name == "infinities":
        expected = stats.ks_2samp([value for value in now if value is not None and np.isfinite(value)], then).statistic
        assert values["kolmogorov_smirnov"] == pytest.approx(expected, abs=0.01)
    if name in ("constant before", "constant in both"):
        assert {one.name: one.status for one in found.statistics}["wasserstein"] == "the baseline does not vary" or (
            not declared
        )


CATEGORIES: dict[str, tuple[list[Label], list[int], list[Any]]] = {
    "the same": (["a", "b"], [150, 150], ["a", "b"] * 150),
    "one class in both": (["a"], [300], ["a"] * 300),
    "one new category": (["a", "b"], [150, 150], ["a", "b"] * 150 + ["new"]),
    "nothing but new ones": (["a"], [300], ["new"] * 300),
    "all missing": (["a", "b"], [150, 150], [None] * 300),
    "none before": (["a", "b"], [0, 0], ["a"] * 300),
    "no categories": ([], [], ["a"] * 300),
    "thousands": ([str(i) for i in range(3000)], [1] * 3000, [str(i) for i in range(3000)]),
}


@pytest.mark.parametrize("name", CATEGORIES)
def test_any_categories_have_statistics_or_a_status(name: str) -> None:
    categories, before, now = CATEGORIES[name]
    then = Histogram(categories=list(categories), counts=before)
    found = Judge(Thresholds(), tested=1).distribution("a", then, count_values(now, then))
    assert [one.name for one in found.statistics] == [kind.name for kind in kinds_of(None)]
    for one in found.statistics:
        assert one.value is None or np.isfinite(one.value)
        assert one.status if one.value is None or one.level == "no data" else True
    if name == "one new category":
        values = {one.name: one.value for one in found.statistics}
        assert values["l_infinity"] == pytest.approx(1 / 301)
        assert found.level == "ok"


def test_what_is_shown_alone_never_alerts_and_costs_those_that_may_nothing() -> None:
    may = {kind.name for kind in KINDS} & set(DEFAULTS)
    assert may == {"jensen_shannon", "psi", "kolmogorov_smirnov"}
    assert {kind.name for kind in KINDS} - may <= OPTIONAL
    before = Histogram(categories=["a", "b"], counts=[5000, 5000])
    now = Histogram(categories=["a", "b"], counts=[1000, 0])
    shown = {one.name: one for one in Judge(Thresholds(), tested=1).distribution("x", before, now).statistics}
    assert {name: one.level for name, one in shown.items()} == {
        name: "alert" if name in may else "ok" for name in shown
    }
    judge = Judge(Thresholds(None, {"l_infinity": 0.3}), tested=1)
    asked = {one.name: one for one in judge.distribution("x", before, now).statistics}
    assert asked["l_infinity"].level == "alert"
    assert (asked["psi"].no_drift or 0) > (shown["psi"].no_drift or 0), "one more that may alert raises the bar of all"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.name not in DEFAULTS], ids=lambda kind: kind.name)
def test_by_chance_is_what_a_thousandth_of_undrifted_samples_exceeds(kind) -> None:  # type: ignore[no-untyped-def]
    share = np.concatenate([np.exp(-(((np.arange(22) - 10.5) / 4) ** 2)), [0.001, 0.02]])
    share /= share.sum()
    random = np.random.default_rng(3)
    now = random.multinomial(1000, share, size=10_000).astype(float)
    before = random.multinomial(426, share, size=10_000).astype(float)
    distance = kind.on(Axis([float(edge) for edge in range(21)], 4.0), before[0])
    bar = np.mean([NoDrift(now[i], before[i], seed=i).quantile(distance, tested=1, power=kind.power) for i in range(4)])
    assert 0.0001 <= (distance(now, before) > bar).mean() <= 0.004


def test_the_method_tells_every_convention() -> None:
    for word in ("base 2", "natural", "both ways", "add 0.5", "lower edge", "Bonferroni", "continuity", "99.9 %"):
        assert word in METHOD


@settings(max_examples=8)
@given(st.lists(st.integers(0, 25), min_size=1, max_size=80), st.randoms())
def test_statistics_of_merged_histograms_are_those_of_the_whole_in_any_order(values: list[int], random) -> None:  # type: ignore[no-untyped-def]
    before = histogram(np.arange(20.0), edges_for(np.arange(20.0)))
    parts = [values[start : start + 7] for start in range(0, len(values), 7)]
    random.shuffle(parts)
    merged = merge_histograms([count_values(part, before) for part in parts])
    whole = count_values(values, before)
    assert merged == whole
    judge = Judge(Thresholds(None, {"drift_minimum": 1}), tested=1)
    assert judge.distribution("a", before, merged).statistics == judge.distribution("a", before, whole).statistics
