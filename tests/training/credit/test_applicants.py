"""Synthetic applicants: seeded, dependent on each other as people are, with a default rate that is known."""

from __future__ import annotations

import numpy as np
import pytest

from training.credit.applicants import (
    CLASSES,
    HOUSING,
    PURPOSES,
    REGIONS,
    Applicants,
    default_probability,
    draw,
    people,
)

N = 20_000


@pytest.fixture(scope="module")
def applicants() -> Applicants:
    return draw(N, np.random.default_rng(7))


def test_a_seed_always_draws_the_same_and_another_draws_others(applicants: Applicants) -> None:
    again, other = draw(N, np.random.default_rng(7)), draw(N, np.random.default_rng(8))
    assert again.X.equals(applicants.X)
    assert (again.y == applicants.y).all()
    assert not other.X.equals(applicants.X)


def test_there_is_a_column_of_every_type_that_production_meets(applicants: Applicants) -> None:
    kinds = applicants.X.dtypes.map(lambda dtype: dtype.kind).to_dict()
    assert kinds["age"] == "i"
    assert kinds["income"] == "f"
    assert kinds["purpose"] == "O"
    assert kinds["customer"] == "b"
    assert set(applicants.y) == set(CLASSES)


@pytest.mark.parametrize(("column", "shares"), [("purpose", PURPOSES), ("housing", HOUSING), ("region", REGIONS)])
def test_categories_come_as_often_as_they_should(applicants: Applicants, column: str, shares: dict[str, float]) -> None:
    found = applicants.X[column].value_counts(normalize=True).to_dict()
    assert found == pytest.approx(shares, abs=0.015)


def test_only_incomes_and_years_of_employment_have_gaps(applicants: Applicants) -> None:
    gaps = applicants.X.isna().mean()
    assert gaps["income"] == pytest.approx(0.03, abs=0.005)
    assert gaps["employment_years"] == pytest.approx(0.05, abs=0.006)
    assert gaps.drop(["income", "employment_years"]).sum() == 0


def test_who_is_older_earns_more_and_who_earns_more_asks_for_more() -> None:
    known = people(N, np.random.default_rng(7))
    assert known["age"].corr(known["income"], method="spearman") > 0.2
    assert known["age"].corr(known["employment_years"], method="spearman") > 0.4
    assert known["income"].corr(known["amount"], method="spearman") > 0.4
    assert (known["employment_years"] <= known["age"] - 18).all()
    assert known["amount"].min() >= 500


def test_loans_default_as_often_as_their_probability_says(applicants: Applicants) -> None:
    defaulted = applicants.y == "default"
    assert defaulted.mean() == pytest.approx(0.159, abs=0.01)
    tenths = np.array_split(np.argsort(applicants.probability), 10)
    for rows in tenths:
        assert defaulted[rows].mean() == pytest.approx(applicants.probability[rows].mean(), abs=0.035)


def test_use_of_credit_and_late_payments_raise_the_risk_and_employment_lowers_it() -> None:
    usual = people(100, np.random.default_rng(1))
    before = default_probability(usual)
    assert (default_probability(usual.assign(late_payments=usual["late_payments"] + 1)) >= before).all()
    assert (default_probability(usual.assign(utilisation=1.0)) >= before).all()
    assert (default_probability(usual.assign(employment_years=usual["employment_years"] + 5)) <= before).all()


def test_none_and_one_are_numbers_too() -> None:
    assert [len(draw(n, np.random.default_rng(1)).X) for n in (0, 1)] == [0, 1]
