"""Evidence that a fit had not converged, read from a pipeline after the fact.

The `ConvergenceWarning` itself is gone once `fit` returns; `fit_recorded` keeps it. What remains in every fitted
estimator is `n_iter_`: one that used all of its `max_iter` iterations was stopped, not finished. `convergence_notes`
looks at each fitted estimator once, however deep it is nested, and names the way to it.

Promised: whatever scikit-learn itself warns of when it reaches `max_iter` has a note. Not promised: that each note is
bad news. A fit that met its tolerance in the very last iteration looks like one that was cut off, so notes say "may".
Estimators that are meant to use all of their iterations have none; `_meant_to` lists them.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from sklearn.decomposition import LatentDirichletAllocation
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import OrthogonalMatchingPursuitCV, TheilSenRegressor
from sklearn.semi_supervised import SelfTrainingClassifier

# Where a fitted estimator keeps others: by name, in a list, or alone. Names come first, for they tell more.
_NAMED = ("steps", "transformer_list", "transformers_", "named_estimators_")
_LISTED = ("estimators_", "calibrated_classifiers_", "imputation_sequence_")
_ALONE = ("best_estimator_", "estimator_", "final_estimator_", "regressor_", "init_", "base_estimator_")
# These keep nothing else, and one of them answers with what the estimator in it says: `FrozenEstimator`.
_HOLDERS = ("FrozenEstimator", "_CalibratedClassifier")

# Here `max_iter` is how much of something is wanted, not how long to search for it.
_COUNTS = (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    OrthogonalMatchingPursuitCV,
    SelfTrainingClassifier,
)


def fit_recorded(pipeline: Any, X: Any, y: Any, **parameters: Any) -> list[str]:
    """Fit, and return the text of every `ConvergenceWarning`, each once; other warnings are shown as always."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pipeline.fit(X, y, **parameters)
    notes: list[str] = []
    for warning in caught:
        text = " ".join(str(warning.message).split())
        if not issubclass(warning.category, ConvergenceWarning):
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
        elif text not in notes:
            notes.append(text)
    return notes


def convergence_notes(pipeline: Any) -> list[str]:
    """One sentence for each fitted estimator that used all of its iterations, in the order of the pipeline."""
    return [
        f"{' → '.join(way)}: {type(estimator).__name__} stopped after max_iter={estimator.max_iter} iterations; "
        "it may not have converged"
        for way, estimator in _estimators(pipeline)
        if _was_stopped(estimator)
    ]


def _estimators(root: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every fitted estimator below and including `root`, each once, with the names on the way to it."""
    seen: set[int] = set()
    waiting: list[tuple[tuple[str, ...], Any]] = [((), root)]
    while waiting:
        way, estimator = waiting.pop()
        if id(estimator) in seen:
            continue
        seen.add(id(estimator))
        yield way or (type(estimator).__name__.lower(),), estimator
        inner = [((*way, name), child) for name, child in _inside(estimator)]
        waiting.extend(reversed(inner))


def _inside(estimator: Any) -> Iterator[tuple[str, Any]]:
    """(name, fitted estimator) of those that an estimator is made of."""
    if type(estimator).__name__ in _HOLDERS:
        yield "estimator", estimator.estimator
        return
    for attribute in _NAMED:
        yield from _named(getattr(estimator, attribute, None))
    for attribute in _LISTED:
        for number, child in enumerate(_flat(getattr(estimator, attribute, None))):
            yield f"{attribute.rstrip('_')}[{number}]", child
    for attribute in _ALONE:
        child = getattr(estimator, attribute, None)
        if _is_fitted_part(child):
            yield attribute.rstrip("_"), child


def _named(parts: Any) -> Iterator[tuple[str, Any]]:
    pairs: Iterable[Any] = parts.items() if isinstance(parts, dict) else parts if isinstance(parts, list) else ()
    for name, child, *_ in pairs:
        if _is_fitted_part(child):
            yield str(name), child


def _flat(parts: Any) -> Iterator[Any]:
    """The estimators in a list, an array of them, or a list of tuples that hold one each."""
    if isinstance(parts, list | tuple | np.ndarray):
        for part in parts:
            yield from _flat(part)
    elif _is_fitted_part(parts):
        yield parts


def _is_fitted_part(part: Any) -> bool:
    """Anything but the words that stand for a step (`drop`, `passthrough`), numbers and other settings."""
    return hasattr(part, "fit") or type(part).__name__ in _HOLDERS


def _was_stopped(estimator: Any) -> bool:
    if type(estimator).__name__ in _HOLDERS:
        return False
    limit, used = getattr(estimator, "max_iter", None), getattr(estimator, "n_iter_", None)
    if not isinstance(limit, int | np.integer) or limit <= 0 or used is None or np.size(used) == 0:
        return False
    first = 1 if isinstance(estimator, TheilSenRegressor) else 0  # the one that counts its iterations from 0
    return bool(np.max(used) + first >= limit) and not _meant_to(estimator)


def _meant_to(estimator: Any) -> bool:
    """Whether an estimator that used all of its iterations is as it should be.

    The rules are scikit-learn's own, read from the code that warns or does not: no tolerance, no stopping early
    (stochastic gradient descent, NMF); draws from a posterior (IterativeImputer) and topics whose perplexity nobody
    looks at (LatentDirichletAllocation) have nothing to wait for; mixtures say themselves whether they converged, and
    a perceptron counts how long it has not improved.
    """
    if isinstance(estimator, _COUNTS):
        return True
    if isinstance(estimator, LatentDirichletAllocation):
        return bool(estimator.evaluate_every <= 0)
    if getattr(estimator, "sample_posterior", False) or getattr(estimator, "converged_", False):
        return True
    if hasattr(estimator, "tol") and (estimator.tol is None or estimator.tol == -math.inf):
        return True
    if type(estimator).__name__ in ("NMF", "MiniBatchNMF"):
        return bool(estimator.tol <= 0)
    patience = getattr(estimator, "n_iter_no_change", None)
    return patience is not None and getattr(estimator, "_no_improvement_count", 0) > patience
