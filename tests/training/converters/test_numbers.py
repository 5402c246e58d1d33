"""Transformers of numbers, element by element: near zero, at knots and bounds, and where values are missing."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
)

from tests.training.converters.graphs import transformed, written
from training.converters import elementary
from training.converters.functions import FUNCTIONS
from training.converters.interpolation import interpolate

TINY = [0.0, 5e-324, 1e-300, 1e-20, 1e-16, 1.1e-16, 2.3e-16, 1e-12, 1e-8, 1e-3, 0.5, 1.0, 3.0, 100.0]


def rows(count: int = 300, gaps: bool = False) -> Any:
    random = np.random.default_rng(0)
    X = np.column_stack([random.normal(5, 2, count), random.lognormal(0, 1, count), random.integers(0, 4, count)])
    return np.where(random.random(X.shape) < 0.1, np.nan, X) if gaps else X


def test_log1p_and_expm1_keep_their_digits_near_zero() -> None:
    x = np.array([[sign * value] for value in TINY for sign in (1, -1) if sign * value > -1])
    log1p = written(lambda nodes: elementary.log1p(nodes, "x"))(x)
    assert log1p == pytest.approx(np.log1p(x), rel=1e-15, abs=0)
    x = np.array([[sign * value] for value in [*TINY, 700.0, 1e9] for sign in (1, -1)])
    with np.errstate(over="ignore"):
        assert written(lambda nodes: elementary.expm1(nodes, "x"))(x) == pytest.approx(np.expm1(x), rel=2e-15, abs=0)


def test_log1p_at_its_ends() -> None:
    found = written(lambda nodes: elementary.log1p(nodes, "x"))([[-1.0], [-2.0], [np.inf], [np.nan], [1e308]])
    assert found[0] == -np.inf
    assert np.isnan(found[[1, 3]]).all()
    assert found[2] == np.inf
    assert found[4] == pytest.approx(np.log1p(1e308))


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_functions_of_numpy(function: Any) -> None:
    x = np.linspace(-3, 3, 61).reshape(-1, 1)
    with np.errstate(all="ignore"):
        expected = function(x)
    found = transformed(FunctionTransformer(function).fit(x), 1)(x)
    same = np.isnan(expected) | np.isinf(expected)
    assert (found[same] == expected[same]).all() or np.isnan(found[same & np.isnan(expected)]).all()
    assert found[~same] == pytest.approx(expected[~same], rel=1e-15, abs=1e-15)


BITS = [
    StandardScaler(),
    StandardScaler(with_mean=False),
    StandardScaler(with_std=False),
    RobustScaler(),
    MinMaxScaler((-1, 3)),
    MinMaxScaler(clip=True),
    MaxAbsScaler(),
    PolynomialFeatures(4),
    PolynomialFeatures(3, interaction_only=True, include_bias=False),
    SimpleImputer(),
    SimpleImputer(strategy="median", add_indicator=True),
    SimpleImputer(strategy="most_frequent"),
    SimpleImputer(strategy="constant", fill_value=-7),
    SimpleImputer(missing_values=0, strategy="median", add_indicator=True),
    MissingIndicator(),
    MissingIndicator(features="all"),
]


@pytest.mark.parametrize("step", BITS, ids=lambda step: repr(step)[:80])
def test_simple_arithmetic_has_scikit_learns_bits(step: Any) -> None:
    gaps = "Imputer" in repr(step) or "Indicator" in repr(step)
    zero = "missing_values=0" in repr(step)
    X = rows(gaps=gaps and not zero)
    step.fit(X)
    far = np.random.default_rng(1).normal(0, 1e6, (200, 3))
    for tried in (X, far) if "Indicator" not in repr(step) else (X,):
        assert np.array_equal(transformed(step, 3)(tried), np.asarray(step.transform(tried), dtype=np.float64))


CLOSE = [
    PowerTransformer(),
    PowerTransformer(standardize=False),
    QuantileTransformer(n_quantiles=50),
    QuantileTransformer(n_quantiles=300, output_distribution="normal"),
    SplineTransformer(),
    SplineTransformer(n_knots=3, degree=1, include_bias=False),
    SplineTransformer(degree=2, knots="quantile", extrapolation="linear"),
    SplineTransformer(extrapolation="continue"),
    SplineTransformer(extrapolation="periodic"),
    PCA(2),
    PCA(whiten=True),
    TruncatedSVD(2),
    Normalizer(),
    KBinsDiscretizer(4, encode="ordinal", strategy="uniform", quantile_method="averaged_inverted_cdf"),
]


@pytest.mark.parametrize("step", CLOSE, ids=lambda step: repr(step)[:80])
def test_other_transformers_are_right_within_and_beyond_the_training_range(step: Any) -> None:
    X = rows()
    step.fit(X)
    edges = np.concatenate([X, X.min(axis=0)[None, :], X.max(axis=0)[None, :]])
    beyond = np.random.default_rng(1).normal(3, 8, (300, 3))
    for tried in (edges, beyond):
        assert transformed(step, 3)(tried) == pytest.approx(step.transform(tried), rel=1e-11, abs=1e-11)


@pytest.mark.parametrize("distribution", ["uniform", "normal"])
def test_quantiles_of_values_that_training_held_many_times(distribution: str) -> None:
    X = np.array([[1.0]] * 50 + [[2.0]] * 30 + [[np.nan]] * 5 + [[v] for v in np.linspace(2, 4, 40)])
    step = QuantileTransformer(n_quantiles=60, output_distribution=distribution).fit(X)
    tried = np.array([[v] for v in [0.0, 1.0, np.nextafter(1, 2), 1.5, 2.0, 3.0, 4.0, 4 - 1e-9, 9.0, np.nan]])
    assert transformed(step, 1)(tried) == pytest.approx(step.transform(tried), rel=1e-12, abs=1e-12, nan_ok=True)


def test_missing_values_stay_missing_where_scikit_learn_lets_them_pass() -> None:
    X = rows(gaps=True)
    for step in (StandardScaler(), PowerTransformer(), QuantileTransformer(n_quantiles=50), MinMaxScaler(clip=True)):
        found, expected = transformed(step.fit(X), 3)(X), step.transform(X)
        assert found == pytest.approx(expected, rel=1e-11, abs=1e-11, nan_ok=True)


def test_a_column_that_an_imputer_drops_is_dropped_and_one_that_it_keeps_is_kept() -> None:
    X = rows(gaps=True)
    X[:, 1] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for keep in (False, True):
            step = SimpleImputer(keep_empty_features=keep, add_indicator=True).fit(X)
            assert np.array_equal(transformed(step, 3)(X), step.transform(X))


@settings(max_examples=60, deadline=None)
@given(
    points=st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=2, max_size=12),
    v=st.floats(-2e6, 2e6) | st.just(np.nan),
)
def test_interpolation_is_numpys(points: list[tuple[float, float]], v: float) -> None:
    x, y = np.sort([p[0] for p in points]), np.array([p[1] for p in points])
    for value in (v, x[0], x[-1], x[len(x) // 2]):
        found = written(lambda nodes: interpolate(nodes, "x", x, y))([[value]])[0, 0]
        expected = np.interp(value, x, y)
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-6, nan_ok=True)
