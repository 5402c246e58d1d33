"""What a model's probabilities are worth, by how often they came true on the test rows before production.

The bundle holds, for each class, how many test rows had its probability in each of 100 equal bins, by their true class
(`Baseline.scores_by_class`). Through these runs, for each class, the curve of beta calibration (M. Kull, T. Silva
Filho, P. Flach, AISTATS 2017): log odds = a · ln p − b · ln(1 − p) + c. A calibrated model has a = b = 1, c = 0, and
that is where a normal prior holds the curve (standard deviations 0.5, 0.5, 1) until the rows say otherwise: a hundred
rows move it a little, ten thousand to where they are. So there is no threshold at which a model counts as calibrated.

What the rows leave open is drawn, not assumed away: curves of the normal approximation to the posterior.

Only the bin of a test row's probability is known. Of the probabilities in a bin the one nearest to what came true is
taken, so that no bin's width counts against the model. So in the outermost bins, where production's
own probabilities may be far surer of themselves than that, these are moved to it: a forest's 0 is not never.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring.bundle import Baseline, Label, class_key

DRAWS = 400
_BINS = 100  # of the baseline
_EDGES = np.arange(_BINS + 1) / _BINS
_MIDDLES = (_EDGES[:-1] + _EDGES[1:]) / 2
_LEAST = 1e-7
_PRIOR, _PRECISION = np.array([1.0, 1.0, 0.0]), np.diag([4.0, 4.0, 1.0])
_STEPS = 50

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class _Curve:
    """One class: coefficients [3], what leads to draws of them [3, 3], and where the outermost bins' rows were put."""

    coefficients: Floats
    spread: Floats
    lowest: float
    highest: float


@dataclass(frozen=True)
class ProbabilityCalibration:
    """How often a probability of a class comes true; `curves` by class, none without test rows."""

    curves: list[_Curve]
    sentence: str

    def drawn(self, place: int, probability: Floats, counts: Counts, random: np.random.Generator) -> Floats:
        """[1 + 400, n]: first the curve itself, then as it might be by what the test rows leave open."""
        if not self.curves:
            return np.broadcast_to(probability, (1 + DRAWS, len(probability)))
        curve = self.curves[place]
        moved = random.standard_normal((DRAWS, 3)) @ curve.spread.T
        coefficients = curve.coefficients + np.vstack([np.zeros(3), moved])
        return _came_true(coefficients, _at_the_ends(probability, counts, curve))


def calibration_of(baseline: Baseline | None, classes: Sequence[Label]) -> ProbabilityCalibration:
    """By what the baseline says of the test rows."""
    keys = [class_key(label) for label in classes]
    counted = baseline.scores_by_class if baseline is not None else {}
    if not _complete(counted, keys):
        return ProbabilityCalibration(
            [], "The bundle does not say how often probabilities came true before production; they are taken as is."
        )
    by_truth = np.array([[counted[true][key] for key in keys] for true in keys], np.float64)
    came = by_truth[np.arange(len(keys)), np.arange(len(keys))]
    curves = [_fitted(own, sizes) for own, sizes in zip(came, by_truth.sum(axis=0), strict=True)]
    rows = int(by_truth[:, 0].sum())
    return ProbabilityCalibration(curves, f"Calibrated by what came true of {rows:,} test rows{_examples(curves)}.")


def _examples(curves: Sequence[_Curve]) -> str:
    """What some probabilities of a binary model's second class are worth."""
    if len(curves) != 2:
        return ""
    said = np.array([0.1, 0.5, 0.9])
    worth = _came_true(curves[1].coefficients[np.newaxis], said)[0]
    return ": " + ", ".join(f"{p:g} is worth {w:.2g}" for p, w in zip(said, worth, strict=True))


def _complete(counted: dict[str, dict[str, list[int]]], keys: list[str]) -> bool:
    return bool(counted) and all(len(counted.get(true, {}).get(key, ())) == _BINS for true in keys for key in keys)


def _fitted(came: Floats, sizes: Floats) -> _Curve:
    """Newton's method on the posterior, which has one maximum; steps of length 1 at most."""
    nearest = np.clip((came + _MIDDLES) / (sizes + 1), _EDGES[:-1], _EDGES[1:])
    columns = _columns(nearest)
    theta, precision = _PRIOR.copy(), _PRECISION
    for _ in range(_STEPS):
        expected = _logistic(columns @ theta)
        gradient = columns.T @ (came - sizes * expected) - _PRECISION @ (theta - _PRIOR)
        precision = (columns.T * (sizes * expected * (1 - expected))) @ columns + _PRECISION
        step = np.linalg.solve(precision, gradient)
        theta = theta + step / max(1.0, float(np.linalg.norm(step)))
        if float(np.abs(step).max()) < 1e-10:
            break
    return _Curve(theta, np.linalg.inv(np.linalg.cholesky(precision)).T, float(nearest[0]), float(nearest[-1]))


def _at_the_ends(probability: Floats, counts: Counts, curve: _Curve) -> Floats:
    """Probabilities in the outermost bins, moved inwards so that their mean is not beyond where test rows were put."""
    low, high = probability < _EDGES[1], probability >= _EDGES[-2]
    moved = probability.copy()
    if counts[low].sum():
        moved[low] += max(0.0, curve.lowest - float(np.average(probability[low], weights=counts[low])))
    if counts[high].sum():
        moved[high] -= max(0.0, float(np.average(probability[high], weights=counts[high])) - curve.highest)
    return moved


def _came_true(coefficients: Floats, probability: Floats) -> Floats:
    return _logistic(coefficients @ _columns(probability).T)


def _columns(probability: Floats) -> Floats:
    inside = np.clip(probability, _LEAST, 1 - _LEAST)
    return np.column_stack([np.log(inside), -np.log1p(-inside), np.ones(len(inside))])


def _logistic(odds: Floats) -> Floats:
    values: Floats = 1 / (1 + np.exp(-np.clip(odds, -700, 700)))
    return values
