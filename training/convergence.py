"""Evidence that a fit had not converged, read from a pipeline after the fact.

The `ConvergenceWarning` itself is gone once `fit` returns; `fit_recorded` keeps it. What remains in any fitted step is
`n_iter_`: a step that used all of its `max_iter` iterations was stopped, not finished. Histogram boosting without early
stopping is the exception: its iterations are its trees, and all of them are wanted.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline


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
    """One sentence for each step that used all of its iterations."""
    notes = []
    for name, step in _steps(pipeline):
        limit, used = getattr(step, "max_iter", None), getattr(step, "n_iter_", None)
        wanted = getattr(step, "do_early_stopping_", True) is False
        if wanted or not isinstance(limit, int | np.integer) or limit <= 0 or used is None:
            continue
        if np.max(used) >= limit:
            notes.append(
                f"{name}: {type(step).__name__} stopped after max_iter={limit} iterations; it may not have converged"
            )
    return notes


def _steps(pipeline: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(pipeline, Pipeline):
        yield from pipeline.steps
    else:
        yield type(pipeline).__name__.lower(), pipeline
