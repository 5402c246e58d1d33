"""Small data sets with a known shape, and pipelines fitted on them, for the tests of this folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from scoring.bundle import Bundle
from training.export import export_bundle

NOON = 1_795_435_200.0  # 2026-11-23T12:00:00Z


@dataclass(frozen=True)
class Problem:
    """Training and test rows as a user has them."""

    X_train: Any
    y_train: Any
    X_test: Any
    y_test: Any

    def export(self, pipeline: Any, out: Path, *, name: str = "model", version: str = "1", **options: Any) -> Bundle:
        """`export_bundle` of this data at noon."""
        options.setdefault("clock", lambda: NOON)
        return export_bundle(
            pipeline,
            self.X_train,
            self.y_train,
            self.X_test,
            self.y_test,
            name=name,
            version=version,
            out=out,
            **options,
        )


def numbers(classes: int = 2, rows: int = 90, features: int = 4, seed: int = 0) -> Problem:
    """Arrays of doubles; two thirds for training. The label is the class of the largest of noisy sums."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, features)) * [1.0, 10.0, 0.1, 3.0][:features] + [0.0, 50.0, 1.0, -3.0][:features]
    centred = (X - X.mean(axis=0)) / X.std(axis=0)
    scores = centred @ random.normal(size=(features, classes)) + 0.3 * random.normal(size=(rows, classes))
    return _split(X, scores.argmax(axis=1), rows)


def values(rows: int = 90, features: int = 4, seed: int = 0) -> Problem:
    """Arrays for a regression."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, features)) * [1.0, 10.0, 0.1, 3.0][:features] + [0.0, 50.0, 1.0, -3.0][:features]
    return _split(X, 100 + X @ random.normal(size=features) + random.normal(size=rows), rows)


def people(rows: int = 120, seed: int = 0) -> Problem:
    """A DataFrame of a float with gaps, an integer and a boolean column, and text labels."""
    random = np.random.default_rng(seed)
    age, income = random.integers(18, 90, rows), random.normal(30_000, 8_000, rows)
    owner = random.random(rows) < 0.4
    good = income + 200 * age + 9_000 * owner + random.normal(0, 4_000, rows) > 43_000
    X = pd.DataFrame({"income": income, "age in years": age, "owner": owner})
    X.loc[random.random(rows) < 0.1, "income"] = np.nan
    y = pd.Series(np.where(good, "good", "bad"), name="credit")
    return _split(X, y, rows)


def logistic() -> Any:
    """A pipeline that is not fitted yet."""
    return make_pipeline(StandardScaler(), LogisticRegression())


def fitted_logistic(problem: Problem) -> Any:
    """A logistic regression on scaled features."""
    return logistic().fit(problem.X_train, problem.y_train)


def fitted_ridge(problem: Problem) -> Any:
    """A ridge regression on scaled features."""
    return make_pipeline(StandardScaler(), Ridge()).fit(problem.X_train, problem.y_train)


def _split(X: Any, y: Any, rows: int) -> Problem:
    cut = rows * 2 // 3
    if isinstance(X, pd.DataFrame):
        return Problem(X.iloc[:cut], y.iloc[:cut], X.iloc[cut:], y.iloc[cut:])
    return Problem(X[:cut], y[:cut], X[cut:], y[cut:])
