"""Statistics equal SciPy's where SciPy has them, and hold their invariants on awkward counts."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import distance
from scipy.special import rel_entr

from evaluation.drift.jensen_shannon import jensen_shannon
from evaluation.drift.kl import kullback_leibler
from evaluation.drift.kolmogorov_smirnov import kolmogorov_smirnov
from evaluation.drift.proportions import SMOOTHING, shares, smoothed
from evaluation.drift.psi import population_stability

ALL = [jensen_shannon, kullback_leibler, kolmogorov_smirnov, population_stability]
SYMMETRIC = [jensen_shannon, kolmogorov_smirnov, population_stability]
counts = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1, max_size=30)


def split(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([p for p, _ in pairs], float), np.array([q for _, q in pairs], float)


@given(counts)
def test_jensen_shannon_is_scipys(pairs: list[tuple[int, int]]) -> None:
    now, before = split(pairs)
    if now.sum() and before.sum():
        expected = distance.jensenshannon(now / now.sum(), before / before.sum(), base=2)
        assert jensen_shannon(now, before) == pytest.approx(np.nan_to_num(expected), abs=1e-7)
        assert jensen_shannon(now, before) ** 2 == pytest.approx(np.nan_to_num(expected) ** 2, abs=1e-12)


@given(counts)
def test_kullback_leibler_is_scipys_entropy_of_the_smoothed_shares(pairs: list[tuple[int, int]]) -> None:
    now, before = split(pairs)
    if now.sum() and before.sum():
        used = (now + before) > 0
        p, q = now[used] + SMOOTHING, before[used] + SMOOTHING
        assert kullback_leibler(now, before) == pytest.approx(stats.entropy(p, q, base=2), abs=1e-12)


@given(counts)
def test_psi_is_both_divergences_together(pairs: list[tuple[int, int]]) -> None:
    now, before = split(pairs)
    if now.sum() and before.sum():
        p, q = smoothed(now, before), smoothed(before, now)
        both = rel_entr(p, q).sum() + rel_entr(q, p).sum()
        assert population_stability(now, before) == pytest.approx(both, abs=1e-12)
        bits = kullback_leibler(now, before) + kullback_leibler(before, now)
        assert population_stability(now, before) == pytest.approx(bits * np.log(2), abs=1e-9)


@given(
    st.lists(st.integers(0, 8), min_size=1, max_size=60),
    st.lists(st.integers(0, 8), min_size=1, max_size=60),
)
def test_kolmogorov_smirnov_is_scipys_when_the_bins_are_as_fine_as_the_values(
    now: list[int], before: list[int]
) -> None:
    binned = (np.bincount(values, minlength=9).astype(float) for values in (now, before))
    with warnings.catch_warnings():  # SciPy's p-value, which nobody asks for here, warns on tiny samples
        warnings.simplefilter("ignore", RuntimeWarning)
        expected = stats.ks_2samp(now, before, method="asymp").statistic
    assert kolmogorov_smirnov(*binned) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_kolmogorov_smirnov_of_bins_never_exceeds_that_of_the_raw_values(seed: int) -> None:
    random = np.random.default_rng(seed)
    now, before = random.normal(0.3, 1, 500), random.normal(0, 1, 400)
    edges = np.concatenate([[-np.inf], np.quantile(before, np.linspace(0, 1, 21)), [np.inf]])
    raw = stats.ks_2samp(now, before).statistic
    binned = kolmogorov_smirnov(np.histogram(now, edges)[0].astype(float), np.histogram(before, edges)[0].astype(float))
    assert raw - 0.06 <= binned <= raw + 1e-12


@pytest.mark.parametrize("statistic", ALL)
@given(pairs=counts)
def test_it_is_zero_for_the_same_shares_and_never_negative(statistic, pairs: list[tuple[int, int]]) -> None:  # type: ignore[no-untyped-def]
    now, before = split(pairs)
    if now.sum() and before.sum():
        assert statistic(now, before) >= 0
        assert statistic(now, now) == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("statistic", SYMMETRIC)
@given(pairs=counts)
def test_it_does_not_matter_which_is_which(statistic, pairs: list[tuple[int, int]]) -> None:  # type: ignore[no-untyped-def]
    now, before = split(pairs)
    np.testing.assert_allclose(statistic(now, before), statistic(before, now), atol=1e-9)


@pytest.mark.parametrize("statistic", ALL)
@pytest.mark.parametrize("empty", [([0.0, 0.0], [1.0, 2.0]), ([1.0, 2.0], [0.0, 0.0]), ([0.0], [0.0])])
def test_an_empty_sample_has_no_statistic(statistic, empty: tuple[list[float], list[float]]) -> None:  # type: ignore[no-untyped-def]
    assert np.isnan(statistic(np.array(empty[0]), np.array(empty[1])))


@pytest.mark.parametrize("statistic", ALL)
@settings(max_examples=25)
@given(pairs=st.lists(counts.map(lambda given: given[:4] + [(1, 1)] * (5 - len(given[:4]))), min_size=1, max_size=5))
def test_many_at_once_are_each_what_they_are_alone(statistic, pairs: list[list[tuple[int, int]]]) -> None:  # type: ignore[no-untyped-def]
    rows = [split(row) for row in pairs]
    now, before = np.array([n for n, _ in rows]), np.array([b for _, b in rows])
    np.testing.assert_array_equal(statistic(now, before), [statistic(n, b) for n, b in rows])


def test_nothing_in_common_is_a_distance_of_one_and_finite_divergences() -> None:
    now, before = np.array([1e6, 0.0]), np.array([0.0, 1e6])
    assert jensen_shannon(now, before) == 1.0
    assert kolmogorov_smirnov(now, before) == 1.0
    assert np.isfinite(kullback_leibler(now, before))
    assert np.isfinite(population_stability(now, before))


def test_a_bin_that_neither_side_uses_changes_nothing() -> None:
    now, before = np.array([30.0, 10.0]), np.array([20.0, 20.0])
    for statistic in ALL:
        assert statistic(np.append(now, 0.0), np.append(before, 0.0)) == pytest.approx(float(statistic(now, before)))


def test_the_two_directions_of_kl_say_which_is_which() -> None:
    now, before = np.array([50.0, 50.0, 0.0]), np.array([34.0, 33.0, 33.0])
    forward, backward = kullback_leibler(now, before), kullback_leibler(before, now)
    assert forward < backward  # production stopped using a bin: it costs little to code it, much to be coded for it


def test_shares_sum_to_one() -> None:
    assert shares(np.array([[1.0, 3.0], [2.0, 2.0]])).sum(axis=-1).tolist() == [1.0, 1.0]
