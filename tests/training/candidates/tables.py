"""Small tables of every kind of column, for the tests of this folder."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from training.candidates.comparison import Comparison, compare
from training.candidates.problem import Problem, read_problem

HOSTILE = "<script>alert('x')</script>"


def people(rows: int = 160, seed: int = 0) -> pd.DataFrame:
    """Numbers, a boolean and a text with gaps; `good` depends on all of them."""
    random = np.random.default_rng(seed)
    income, age = np.exp(random.normal(3, 1, rows)), random.integers(18, 90, rows)
    owner, town = random.random(rows) < 0.4, random.choice(["Bonn", "Ulm", "Kiel"], rows)
    score = np.log(income) + 0.02 * age + owner + (town == "Ulm") + random.normal(0, 0.7, rows)
    table = pd.DataFrame({"income": income, "age": age, "owner": owner, "town": town})
    table["income"] = table["income"].mask(random.random(rows) < 0.1)
    table["age"] = table["age"].astype("Int64").mask(random.random(rows) < 0.1)
    table["owner"] = table["owner"].astype("boolean").mask(random.random(rows) < 0.1)
    table["town"] = table["town"].mask(random.random(rows) < 0.1)
    return table.assign(good=np.where(score > np.median(score), "yes", "no"))


def points(rows: int = 120, rare: float = 0.5, seed: int = 0) -> pd.DataFrame:
    """Two numbers a and b, and `y` in which the share `rare` is "yes", farther up in both."""
    random = np.random.default_rng(seed)
    yes = np.arange(rows) < round(rows * rare)
    a, b = (random.normal(size=(rows, 2)) + 1.5 * yes[:, np.newaxis]).T
    table = pd.DataFrame({"a": a, "b": b, "y": np.where(yes, "yes", "no")})
    return table.sample(frac=1, random_state=seed).reset_index(drop=True)


def quantities(rows: int = 120, seed: int = 0) -> pd.DataFrame:
    """Two numbers, and a quantity `y` that is curved in the first."""
    random = np.random.default_rng(seed)
    a, b = random.uniform(-2, 2, (2, rows))
    return pd.DataFrame({"a": a, "b": b, "y": 10 * a**2 + 3 * b + random.normal(0, 0.5, rows)})


def problem(table: pd.DataFrame, target: str = "y", **options: Any) -> Problem:
    """Read, with three folds."""
    return read_problem(table, target, **{"folds": 3, **options})


def compared(table: pd.DataFrame, *names: str, target: str = "y", metric: str | None = None) -> Comparison:
    """These candidates on the table."""
    return compare(problem(table, target), metric=metric, wanted=names)
