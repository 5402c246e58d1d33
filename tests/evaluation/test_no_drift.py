"""The bar that noise does not clear: false alerts stay under the promise."""

from __future__ import annotations

import time

import numpy as np
import pytest

from evaluation.drift.jensen_shannon import jensen_shannon
from evaluation.drift.kolmogorov_smirnov import kolmogorov_smirnov
from evaluation.drift.no_drift import FALSE_ALERTS, NoDrift, tail_quantile
from evaluation.drift.psi import population_stability

STATISTICS = [(jensen_shannon, 2.0), (population_stability, 1.0), (kolmogorov_smirnov, 2.0)]
BELL = np.exp(-(((np.arange(20) - 9.5) / 4) ** 2))
SHAPES = {
    "even": np.ones(20),
    "a bell with rare ends": np.concatenate([[0.01], BELL, [0.01]]),
    "two, one of them rare": np.array([0.97, 0.03]),
    "many categories": 1 / np.arange(1, 60) ** 1.5,
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("n_before", "n_now"), [(426, 1000), (20_000, 1000)])
def test_a_thousandth_of_undrifted_samples_exceeds_it_and_hardly_more(shape: str, n_before: int, n_now: int) -> None:
    """30,000 pairs of samples against bars made from four of them, for each statistic; seed 5."""
    share = SHAPES[shape] / SHAPES[shape].sum()
    random = np.random.default_rng(5)
    now = random.multinomial(n_now, share, size=30_000).astype(float)
    before = random.multinomial(n_before, share, size=30_000).astype(float)
    for statistic, power in STATISTICS:
        values = statistic(now, before)
        bars = [NoDrift(now[i], before[i], seed=i).quantile(statistic, tested=1, power=power) for i in range(4)]
        exceed = np.mean([(values > bar).mean() for bar in bars])
        assert exceed <= 3 * FALSE_ALERTS, (statistic.__name__, exceed)


def test_more_distributions_raise_the_bar() -> None:
    null = NoDrift(np.full(10, 50.0), np.full(10, 40.0))
    one, many = (null.quantile(jensen_shannon, tested=tested, power=2.0) for tested in (1, 300))
    assert one < many


def test_its_cost_does_not_depend_on_the_counts() -> None:
    started = time.perf_counter()
    NoDrift(np.full(22, 1e8), np.full(22, 1e7)).quantile(jensen_shannon, tested=30, power=2.0)
    assert time.perf_counter() - started < 1.0


def test_samples_without_any_spread_have_a_bar_of_their_own_value() -> None:
    assert tail_quantile(np.zeros(100), 0.001) == 0.0
    assert NoDrift(np.array([5.0]), np.array([9.0])).quantile(jensen_shannon, tested=1, power=2.0) == 0.0


def test_a_statistic_undefined_in_most_samples_has_no_bar_and_in_few_samples_a_finite_one() -> None:
    """An ordered statistic leaves missing values out, and a sample may hold nothing else."""
    one_in = {rare: NoDrift(np.array([rare, 0.0, 300.0]), np.array([rare, 0.0, 400.0])) for rare in (0.0, 6.0)}
    bars = {rare: null.quantile(lambda now, before: kolmogorov_smirnov(now[..., :2], before[..., :2]), tested=1)
            for rare, null in one_in.items()}  # fmt: skip
    assert np.isnan(bars[0.0])
    assert np.isfinite(bars[6.0])


def test_the_fitted_tail_is_the_gammas() -> None:
    values = np.random.default_rng(1).gamma(4.0, 2.0, size=100_000)
    assert tail_quantile(values, 1e-5) == pytest.approx(37.33, rel=0.03)  # scipy.stats.gamma.isf(1e-5, 4, scale=2)
