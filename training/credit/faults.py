"""What goes wrong in the fortnight: each fault changes one thing about a day's applicants, outcomes or run times.

| fault | what happens upstream | section that must name it |
|---|---|---|
| covariate shift | a campaign brings applicants of another age | drift: `age` |
| concept drift | who defaults follows another rule, the applicants are the same | performance |
| feature missing | a source of incomes is away, its field comes empty | coverage: `income` |
| sentinel outage | the same, but upstream fills in -1, as it is declared to do | coverage: `income` |
| unit change | amounts come in cents instead of euros | drift: `amount` |
| unseen category | a new purpose that training did not know | drift: `purpose` |
| class imbalance | a recession: three times as many loans default | performance |
| slow period | every model run takes 80 ms longer | profiling: `p99_ms` |

A fault is seen through its consequences too: a feature that is missing has another distribution, applicants of
another age may be harder to judge. So each fault names further sections that may alert and prove nothing if they do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from training.credit.applicants import (
    NO_INCOME,
    Applicants,
    default_probability,
    draw,
    outcomes,
    people,
    with_gaps,
)

Section = Literal["coverage", "performance", "profiling", "drift"]
SECTIONS: tuple[Section, ...] = ("coverage", "performance", "profiling", "drift")
SLOWER_US = 80_000


@dataclass(frozen=True)
class Traffic:
    """A day's applicants as upstream sends them, what became of them, and how much longer the model took."""

    X: pd.DataFrame
    y: np.ndarray[tuple[int], np.dtype[np.object_]]
    slower_us: int = 0


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong, and who must notice."""

    name: str
    section: Section  # must alert
    names: str | None  # the feature or requirement that the section must name
    may_alert: frozenset[Section]  # a consequence: neither wanted nor false
    make: Callable[[int, np.random.Generator], Traffic]


def clean(n: int, random: np.random.Generator) -> Traffic:
    """A day on which nothing is wrong."""
    return _as_sent(draw(n, random))


def covariate_shift(n: int, random: np.random.Generator) -> Traffic:
    """Applicants under 40, most of them under 30; the rule of who defaults is the same."""
    pool = people(12 * n, random)
    young = np.exp(-((pool["age"].to_numpy(np.float64) - 22) ** 2) / (2 * 5.0**2))
    chosen = pool.iloc[random.choice(len(pool), n, replace=False, p=young / young.sum())].reset_index(drop=True)
    probability = default_probability(chosen)
    return Traffic(with_gaps(chosen, random), outcomes(probability, random))


def concept_drift(n: int, random: np.random.Generator) -> Traffic:
    """The same applicants, but now it is little use of credit, and a long employment, that goes with default."""
    usual = people(n, random)
    turned = usual.assign(
        utilisation=1 - usual["utilisation"], employment_years=15 - np.minimum(usual["employment_years"], 15)
    )
    return Traffic(with_gaps(usual, random), outcomes(default_probability(turned), random))


def feature_missing(n: int, random: np.random.Generator) -> Traffic:
    """Nearly half of the incomes are empty."""
    day = clean(n, random)
    return replace(day, X=day.X.assign(income=day.X["income"].mask(random.random(n) < 0.45)))


def sentinel_outage(n: int, random: np.random.Generator) -> Traffic:
    """A third of the incomes are -1."""
    day = clean(n, random)
    return replace(day, X=day.X.assign(income=day.X["income"].mask(random.random(n) < 0.35, NO_INCOME)))


def unit_change(n: int, random: np.random.Generator) -> Traffic:
    """Amounts in cents."""
    day = clean(n, random)
    return replace(day, X=day.X.assign(amount=day.X["amount"] * 100))


def unseen_category(n: int, random: np.random.Generator) -> Traffic:
    """A quarter of the applicants want a heat pump, for which the form has got a purpose of its own."""
    day = clean(n, random)
    return replace(day, X=day.X.assign(purpose=day.X["purpose"].mask(random.random(n) < 0.25, "heat_pump")))


def class_imbalance(n: int, random: np.random.Generator) -> Traffic:
    """Half of the loans default: of ordinary applicants, those who will not pay back are over-represented."""
    pool = draw(8 * n, random)
    bad = np.flatnonzero(pool.y == "default")
    good = np.flatnonzero(pool.y != "default")
    half = min(n // 2, len(bad))
    rows = random.permutation(np.concatenate([bad[:half], good[: n - half]]))
    return Traffic(pool.X.iloc[rows].reset_index(drop=True), pool.y[rows])


def slow_period(n: int, random: np.random.Generator) -> Traffic:
    """Every run of the model takes 80 ms longer."""
    return replace(clean(n, random), slower_us=SLOWER_US)


def _as_sent(applicants: Applicants) -> Traffic:
    return Traffic(applicants.X, applicants.y)


FAULTS: tuple[Fault, ...] = (
    Fault("covariate shift", "drift", "age", frozenset({"performance"}), covariate_shift),
    Fault("concept drift", "performance", None, frozenset(), concept_drift),
    Fault("feature missing", "coverage", "income", frozenset({"drift", "performance"}), feature_missing),
    Fault("sentinel outage", "coverage", "income", frozenset({"drift", "performance"}), sentinel_outage),
    Fault("unit change", "drift", "amount", frozenset({"coverage", "performance"}), unit_change),
    Fault("unseen category", "drift", "purpose", frozenset({"coverage", "performance"}), unseen_category),
    Fault("class imbalance", "performance", None, frozenset({"drift"}), class_imbalance),
    Fault("slow period", "profiling", "p99_ms", frozenset(), slow_period),
)
