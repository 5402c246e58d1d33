"""Each fault changes what it says and nothing else: beside a clean day of the same draw, the rest is equal."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from training.credit.applicants import default_probability, people
from training.credit.faults import FAULTS, SECTIONS, SLOWER_US, Fault, Traffic, clean

N = 4000


def day_of(name: str) -> Traffic:
    return fault(name).make(N, np.random.default_rng(3))


def fault(name: str) -> Fault:
    return next(each for each in FAULTS if each.name == name)


@pytest.fixture(scope="module")
def usual() -> Traffic:
    return clean(N, np.random.default_rng(3))


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("concept drift", None),
        ("feature missing", "income"),
        ("sentinel outage", "income"),
        ("unit change", "amount"),
        ("unseen category", "purpose"),
        ("slow period", None),
    ],
)
def test_no_other_column_and_no_outcome_changes(usual: Traffic, name: str, column: str | None) -> None:
    day = day_of(name)
    changed = [each for each in usual.X.columns if not day.X[each].equals(usual.X[each])]
    assert changed == ([column] if column else [])
    assert (day.y == usual.y).all() == (name != "concept drift")
    assert day.slower_us == (SLOWER_US if name == "slow period" else 0)


def test_nearly_half_of_the_incomes_are_empty(usual: Traffic) -> None:
    income = day_of("feature missing").X["income"]
    assert income.isna().mean() == pytest.approx(0.45, abs=0.04)
    assert income.dropna().equals(usual.X["income"][income.notna()]), "those that are there are as they were"


def test_a_third_of_the_incomes_are_the_sentinel(usual: Traffic) -> None:
    income = day_of("sentinel outage").X["income"]
    assert (income == -1).mean() == pytest.approx(0.35, abs=0.03)
    assert income[income != -1].equals(usual.X["income"][income != -1])


def test_amounts_are_in_cents(usual: Traffic) -> None:
    assert (day_of("unit change").X["amount"] / usual.X["amount"]).to_numpy() == pytest.approx(100)


def test_a_quarter_want_what_training_did_not_know(usual: Traffic) -> None:
    purpose = day_of("unseen category").X["purpose"]
    assert "heat_pump" not in set(usual.X["purpose"])
    assert (purpose == "heat_pump").mean() == pytest.approx(0.25, abs=0.03)


def test_under_a_covariate_shift_applicants_are_young_and_the_rule_is_the_same() -> None:
    day = day_of("covariate shift")
    assert day.X["age"].max() < 42
    assert (day.X["age"] < 30).mean() > 0.7
    known = day.X.dropna()
    expected = default_probability(known).mean()
    assert (day.y[known.index] == "default").mean() == pytest.approx(expected, abs=0.025)


def test_under_concept_drift_the_old_rule_tells_much_less(usual: Traffic) -> None:
    risk = default_probability(people(N, np.random.default_rng(3)))
    before, now = (roc_auc_score(day.y == "default", risk) for day in (usual, day_of("concept drift")))
    assert before > 0.75
    assert now < 0.70


def test_in_a_recession_half_of_the_loans_default_of_applicants_who_are_otherwise_usual(usual: Traffic) -> None:
    day = day_of("class imbalance")
    assert len(day.X) == N
    assert (day.y == "default").mean() == pytest.approx(0.5, abs=0.001)
    for outcome in ("default", "repaid"):
        now, before = day.X["utilisation"][day.y == outcome], usual.X["utilisation"][usual.y == outcome]
        assert now.mean() == pytest.approx(before.mean(), abs=0.03)
    assert len(set(np.flatnonzero(day.y == "default") < N / 2)) == 2, "shuffled: the day does not begin with them"


@pytest.mark.parametrize("each", FAULTS, ids=lambda each: each.name)
def test_a_fault_may_be_any_size_and_names_sections_that_there_are(each: Fault) -> None:
    assert {each.section, *each.may_alert} <= set(SECTIONS)
    assert each.section not in each.may_alert
    for n in (1, 2, 30):
        day = each.make(n, np.random.default_rng(5))
        assert len(day.X) == len(day.y) == n
        assert list(day.X.index) == list(range(n))
