"""Pipelines that are not fitted yet, with scikit-learn's defaults but where a comment says why.

A maker gives a new pipeline each time it is called, so that no fold inherits anything from another.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import SVC, SVR, OneClassSVM

from training.candidates.anomaly import AnomalyClassifier
from training.candidates.linearising import expanded
from training.candidates.preprocessing import for_trees, scaled
from training.candidates.problem import Problem
from training.candidates.remedies import tuned_for

ITERATIONS = 2_000
OUTLIERS = 0.05  # share of the common class that the one-class SVM may leave outside
THRESHOLDS = 50

Maker = Callable[[], Any]


def on_scaled(problem: Problem, model: Maker) -> Maker:
    """The model on imputed, scaled and encoded columns."""
    return lambda: _pipeline(scaled(problem.columns, problem.target, problem.seed), model())


def on_expanded(problem: Problem, expansion: str, model: Maker) -> Maker:
    """The model on these and features that make the problem linear."""
    return lambda: _pipeline(expanded(expansion, problem.columns, problem.target, problem.seed), model())


def on_trees(problem: Problem, model: Maker) -> Maker:
    """The model on columns as trees take them."""
    return lambda: _pipeline(for_trees(problem.columns), model())


def logistic(**options: Any) -> Maker:
    """Logistic regression."""
    return partial(LogisticRegression, max_iter=ITERATIONS, **options)  # 100, the default, are few for expansions


def forest(problem: Problem, **options: Any) -> Maker:
    """A random forest."""
    kind = RandomForestClassifier if problem.target.classes else RandomForestRegressor
    return partial(kind, random_state=problem.seed, **options)


def boosted(problem: Problem, **options: Any) -> Maker:
    """Histogram gradient boosting."""
    kind = HistGradientBoostingClassifier if problem.target.classes else HistGradientBoostingRegressor
    return partial(kind, random_state=problem.seed, **options)


def kernel_machine(problem: Problem) -> Maker:
    """An SVM with RBF kernel, with probabilities from Platt's calibration."""
    if problem.target.classes:
        return lambda: CalibratedClassifierCV(SVC(random_state=problem.seed), cv=3, ensemble=False)
    # C and ε in units of the target: what scikit-learn's defaults are to a target of standard deviation 1
    return partial(SVR, C=problem.spread, epsilon=0.1 * problem.spread)


def weighted_kernel_machine(problem: Problem) -> Maker:
    """The same with class weights, and without calibration, which would set the boundary back."""
    return partial(SVC, class_weight="balanced", random_state=problem.seed)


def detector(problem: Problem) -> Maker:
    """A one-class SVM that learns the common class."""
    return lambda: AnomalyClassifier(OneClassSVM(nu=OUTLIERS), common=problem.target.common)


def tuned(problem: Problem, metric: str, model: Maker) -> Maker:
    """The model with a threshold of its own, tuned for the metric."""
    scoring = tuned_for(metric, problem.target)
    # 50 thresholds rather than 100: each is scored in Python, which costs more than the fits
    return lambda: TunedThresholdClassifierCV(
        model(), scoring=scoring, thresholds=THRESHOLDS, cv=3, random_state=problem.seed
    )


def _pipeline(preparation: Any, model: Any) -> Pipeline:
    """One flat pipeline."""
    if isinstance(preparation, Pipeline):
        return make_pipeline(*(step for _, step in preparation.steps), model)
    return make_pipeline(model) if preparation == "passthrough" else make_pipeline(preparation, model)
