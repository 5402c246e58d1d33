"""Predictions for rows that the model had not seen, by cross-validation: every candidate on the same folds.

The folds hold the classes in equal proportions. In each fold a candidate's sampling (its remedy) is applied to the
rows that it is fitted on and to no other; the predictions for the rows left aside are pooled, so each training row is
judged once. What a candidate warns of is kept: `ConvergenceWarning`s and steps that used all of their iterations as
its convergence notes, everything else as warnings. A candidate that raises is not compared, and says why; so is one
whose predictions are not finite.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import KFold, StratifiedKFold
from threadpoolctl import threadpool_limits

from training.candidates.catalogue import Candidate
from training.candidates.problem import Problem, Rows
from training.convergence import convergence_notes, fit_recorded
from training.converters.ensembles import threshold_of

ONE_THREAD_ROWS = 20_000  # below, starting threads costs more than they save, and far more when cores are shared

Doubles = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Predictions:
    """What a model says of n rows; classes as positions. Of the three forms of scores it has at most one."""

    labels: Indices | None = None
    probabilities: Doubles | None = None  # [n, classes]
    scores: Doubles | None = None  # [n], a binary decision function, larger for the second class
    values: Doubles | None = None  # [n], of a regression


@dataclass(frozen=True)
class Fitted:
    """A candidate's pipeline fitted on some rows, and what it warned of."""

    pipeline: Any
    weights: Doubles | None  # of the rows given, for as long as they were not sampled
    convergence: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class OutOfFold:
    """A candidate's pooled predictions for the training rows."""

    candidate: Candidate
    predictions: Predictions = Predictions()
    convergence: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    thresholds: tuple[float, ...] = ()  # those tuned, one a fold: of the positive class's probability
    seconds: float = 0.0
    failed: str | None = None


def folds_of(problem: Problem) -> Indices:
    """The fold [n] in which each training row is judged."""
    stratified = bool(problem.target.classes)
    splitter = (StratifiedKFold if stratified else KFold)(problem.folds, shuffle=True, random_state=problem.seed)
    folds = np.zeros(len(problem.train), dtype=np.int64)
    for fold, (_, judged) in enumerate(splitter.split(folds, problem.truth if stratified else None)):
        folds[judged] = fold
    return folds


def cross_validated(
    candidate: Candidate, problem: Problem, folds: Indices, done: Callable[[], None] = lambda: None
) -> OutOfFold:
    """Fit and predict once a fold; `done` is called after each."""
    started = time.perf_counter()
    convergence: dict[str, list[int]] = {}
    told: dict[str, None] = {}
    thresholds: list[float] = []
    parts: list[tuple[Indices, Predictions]] = []
    try:
        for fold in range(problem.folds):
            judged, fitted_on = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
            fitted = fitted_candidate(candidate, problem, fitted_on, fold)
            with recorded() as caught:
                parts.append((judged, predictions_of(fitted.pipeline, problem, problem.train, judged)))
            for note in fitted.convergence:
                convergence.setdefault(note, []).append(fold + 1)
            told |= dict.fromkeys((*fitted.warnings, *map(told_as, caught)))
            thresholds += _thresholds(fitted.pipeline, problem.target.positive)
            done()
    except Exception as problem_of_its_own:  # noqa: BLE001  one candidate's failure must not lose the others
        return OutOfFold(candidate, failed=_failure(problem_of_its_own), seconds=time.perf_counter() - started)
    return OutOfFold(
        candidate=candidate,
        predictions=_pooled(parts, len(folds)),
        convergence=tuple(_in_folds(note, where, problem.folds) for note, where in convergence.items()),
        warnings=tuple(told),
        thresholds=tuple(thresholds),
        seconds=time.perf_counter() - started,
    )


def fitted_candidate(candidate: Candidate, problem: Problem, rows: Indices, stream: int) -> Fitted:
    """The candidate fitted on these training rows, sampled as its remedy says; `stream` seeds the sampling."""
    train = problem.train
    weights = None if train.weights is None else train.weights[rows]
    draw = candidate.sampling(problem.truth[rows], weights, np.random.default_rng([problem.seed, stream]))
    chosen = rows[draw.rows]
    pipeline = candidate.make()
    parameters = {} if draw.weights is None else {_weights_name(pipeline): draw.weights}
    with recorded() as caught, threads(len(chosen)):
        notes = fit_recorded(pipeline, train.X.iloc[chosen], train.y[chosen], **parameters)
    notes += [note for note in convergence_notes(pipeline) if note not in notes]
    unsampled = len(draw.rows) == len(rows)
    return Fitted(
        pipeline, draw.weights if unsampled else weights, tuple(notes), tuple(dict.fromkeys(map(told_as, caught)))
    )


def predictions_of(pipeline: Any, problem: Problem, rows: Rows, chosen: Indices | None = None) -> Predictions:
    """What the fitted pipeline says of the rows; raises `ValueError` when that is not finite."""
    X = rows.X if chosen is None else rows.X.iloc[chosen]
    with threads(len(X)):
        found = _predictions(pipeline, problem, X)
    for scores in (found.probabilities, found.scores, found.values):
        if scores is not None and not np.isfinite(scores).all():
            raise ValueError("it predicts values that are not finite")
    return found


@contextmanager
def threads(rows: int) -> Iterator[None]:
    """One thread for small tables."""
    with threadpool_limits(1 if rows < ONE_THREAD_ROWS else None):
        yield


def _predictions(pipeline: Any, problem: Problem, X: Any) -> Predictions:
    predicted = pipeline.predict(X)
    if problem.target.task == "regression":
        return Predictions(values=np.asarray(predicted, dtype=np.float64))
    labels = problem.target.positions(predicted)
    if hasattr(pipeline, "predict_proba"):
        return Predictions(labels, probabilities=np.asarray(pipeline.predict_proba(X), dtype=np.float64))
    scores = np.asarray(pipeline.decision_function(X), dtype=np.float64)
    return Predictions(labels, scores=scores if scores.ndim == 1 else None)


def _weights_name(pipeline: Any) -> str:
    return f"{pipeline.steps[-1][0]}__sample_weight" if hasattr(pipeline, "steps") else "sample_weight"


def _thresholds(pipeline: Any, positive: Any) -> list[float]:
    """The tuned threshold, turned to the positive class's probability where it is the other's."""
    model = pipeline.steps[-1][1] if hasattr(pipeline, "steps") else pipeline
    if not hasattr(model, "best_threshold_"):
        return []
    _, threshold, position = threshold_of(model)
    return [threshold if model.classes_[position] == positive else 1 - threshold]


def _pooled(parts: list[tuple[Indices, Predictions]], rows: int) -> Predictions:
    places = np.concatenate([judged for judged, _ in parts])

    def pooled(name: str) -> Any:
        found = [getattr(part, name) for _, part in parts]
        if any(values is None for values in found):
            return None
        together = np.concatenate(found)
        ordered = np.empty_like(together)
        ordered[places] = together
        return ordered

    assert len(places) == rows
    return Predictions(*(pooled(name) for name in ("labels", "probabilities", "scores", "values")))


def _in_folds(note: str, where: list[int], folds: int) -> str:
    return f"{note} (in {len(where)} of {folds} folds)"


@contextmanager
def recorded() -> Iterator[list[warnings.WarningMessage]]:
    """Keeps what is warned of within this block, rather than showing it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught


def told_as(warning: warnings.WarningMessage) -> str:
    """A warning in one line."""
    return f"{warning.category.__name__}: {' '.join(str(warning.message).split())}"


def _failure(problem: Exception) -> str:
    text = " ".join(str(problem).split())
    return f"{type(problem).__name__}: {text[:300]}{'…' if len(text) > 300 else ''}"
