"""Applicants for a loan and whether they will pay it back: synthetic, seeded, with a probability that is known.

Columns of every type that production meets: amounts with a long tail, counts, shares, categories and a boolean. Some
values are missing, as they were in training: 3 % of the incomes and, where nobody asked, the years of employment.
Dependent on each other as people are: who is older earns more and has been employed for longer, who earns more asks
for more. Whether a loan defaults is drawn with a probability that is a smooth function of the applicant, so the best
model there can be is known too.

No person is behind any of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

NO_INCOME = -1.0  # what the fictional system upstream sends when its source of incomes is away
CLASSES = ("default", "repaid")
PURPOSES = {"car": 0.28, "home_improvement": 0.20, "debt": 0.22, "education": 0.10, "furniture": 0.14, "wedding": 0.06}
HOUSING = {"rent": 0.46, "mortgage": 0.34, "own": 0.20}
REGIONS = {"north": 0.22, "south": 0.20, "east": 0.14, "west": 0.18, "capital": 0.20, "islands": 0.06}
TERMS = (12, 24, 36, 48, 60, 72)
_PURPOSE_RISK = {"car": -0.1, "home_improvement": -0.3, "debt": 0.5, "education": 0.1, "furniture": 0.0, "wedding": 0.3}
_HOUSING_RISK = {"rent": 0.25, "mortgage": -0.1, "own": -0.35}

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Applicants:
    """Who asked, how likely each loan is to default, and what became of it."""

    X: pd.DataFrame  # [n, 12]
    probability: Floats  # [n], of default
    y: NDArray[np.object_]  # [n], "default" or "repaid"


def draw(n: int, random: np.random.Generator) -> Applicants:
    """`n` applicants."""
    X = people(n, random)
    probability = default_probability(X)
    X = with_gaps(X, random)
    return Applicants(X, probability, outcomes(probability, random))


def people(n: int, random: np.random.Generator) -> pd.DataFrame:
    """Applicants of whom everything is known."""
    age = np.clip(np.round(18 + random.gamma(3.2, 7.5, n)), 18, 90)
    income = np.exp(10.15 + 0.012 * np.minimum(age - 18, 35) + random.normal(0, 0.42, n))
    employed = np.round((age - 18) * random.beta(1.1, 2.6, n))
    return pd.DataFrame(
        {
            "age": age.astype(np.int64),
            "income": np.round(income, 2),
            "employment_years": employed,
            "amount": np.round(np.clip(income * random.gamma(2.2, 0.13, n), 500, None), -2),
            "term_months": random.choice(TERMS, n, p=[0.12, 0.20, 0.28, 0.20, 0.14, 0.06]),
            "utilisation": np.round(random.beta(1.8, 3.0, n), 4),
            "open_credits": random.poisson(2.6, n),
            "late_payments": random.poisson(0.45, n),
            "purpose": _chosen(PURPOSES, n, random),
            "housing": _chosen(HOUSING, n, random),
            "region": _chosen(REGIONS, n, random),
            "customer": random.random(n) < 0.38,
        }
    )


def default_probability(X: pd.DataFrame) -> Floats:
    """The truth: a logistic function of burden, use of credit, history and circumstances."""
    burden = X["amount"].to_numpy(np.float64) / X["income"].to_numpy(np.float64)
    utilisation = X["utilisation"].to_numpy(np.float64)
    logit = (
        -2.75
        + 2.2 * np.tanh(2.0 * (burden - 0.3))
        + 2.6 * utilisation**2
        + 0.85 * np.minimum(X["late_payments"].to_numpy(np.float64), 4)
        - 0.055 * np.minimum(X["employment_years"].to_numpy(np.float64), 15)
        + 0.012 * (X["term_months"].to_numpy(np.float64) - 36)
        + 0.5 * (X["age"].to_numpy(np.float64) < 25)
        + 0.10 * X["open_credits"].to_numpy(np.float64)
        + X["purpose"].map(_PURPOSE_RISK).fillna(0.0).to_numpy(np.float64)
        + X["housing"].map(_HOUSING_RISK).fillna(0.0).to_numpy(np.float64)
        - 0.30 * X["customer"].to_numpy(np.float64)
    )
    probability: Floats = 1 / (1 + np.exp(-logit))
    return probability


def with_gaps(X: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """The same people with the values missing that are missing on an ordinary day."""
    gone = {"income": 0.03, "employment_years": 0.05}
    masks = {name: random.random(len(X)) < share for name, share in gone.items()}
    return X.assign(**{name: X[name].mask(mask) for name, mask in masks.items()})


def outcomes(probability: Floats, random: np.random.Generator) -> NDArray[np.object_]:
    """What became of each loan."""
    drawn: NDArray[np.object_] = np.where(random.random(len(probability)) < probability, *CLASSES).astype(object)
    return drawn


def _chosen(shares: dict[str, float], n: int, random: np.random.Generator) -> NDArray[np.object_]:
    names: NDArray[np.object_] = random.choice(np.array(list(shares), object), n, p=list(shares.values()))
    return names
