"""Distributions before production: bins that never move, and the counts of training and test rows in them.

Edges, so that each bin holds enough to compare: with more than 20 distinct values, the 5 % quantiles (minimum and
maximum are the outer edges; equal quantiles merge); with 2 to 20, half-way between neighbouring values, so that each
value has its own bin (but for the two largest doubles, between which there is no edge); one value c has the one bin
c ± 1e-6·max(1, |c|), and anything else falls outside. Probabilities have 20 equal bins of [0, 1]. Distances start at 0.
Booleans and strings are counted by category.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from scoring.bundle import SCHEMA, Baseline, Calibration, Clusters, Feature, Histogram, Label, class_key
from scoring.envelope import Envelope
from training.answer import Answer
from training.data import Doubles
from training.model_kind import ModelKind

BINS = 20
SCORE_BINS = 100


def build_baseline(
    features: Sequence[Feature],
    calibration: Calibration,
    training: Doubles,
    kind: ModelKind,
    answer: Answer,
    truth: npt.NDArray[np.int64] | None,
) -> Baseline:
    """The baseline of training rows and of the graph's answers to the test rows; `truth`: their class positions."""
    distances, nearest = Envelope(features, calibration).distances(training)
    occupancy = np.bincount(nearest, minlength=len(calibration.centres))
    return Baseline(
        schema=SCHEMA,
        rows=len(training),
        test_rows=len(answer),
        features={f.name: _feature_histogram(f, training[:, i]) for i, f in enumerate(features)},
        outputs=_outputs(kind, answer),
        clusters=Clusters(occupancy=occupancy.tolist(), distance=histogram(distances, _from_zero(distances))),
        scores_by_class=_scores_by_class(kind, answer, truth),
    )


def edges_for(values: Doubles) -> list[float]:
    """Bin edges for values of which some are there, by the rule above.

    >>> edges_for(np.array([1.0, 2.0, 4.0, np.nan]))
    [0.5, 1.5, 3.0, 5.0]
    """
    there = values[~np.isnan(values)]
    distinct = np.unique(there)
    with np.errstate(over="ignore"):
        if len(distinct) == 1:
            margin = 1e-6 * max(1.0, abs(float(distinct[0])))
            return _increasing(np.array([distinct[0] - margin, distinct[0] + margin]))
        if len(distinct) > BINS:
            return _increasing(np.quantile(there, np.linspace(0, 1, BINS + 1)))
        middles = np.maximum(distinct[:-1] / 2 + distinct[1:] / 2, np.nextafter(distinct[:-1], np.inf))
        first = distinct[0] - (middles[0] - distinct[0])
        last = np.maximum(distinct[-1] + (distinct[-1] - middles[-1]), np.nextafter(distinct[-1], np.inf))
    return _increasing(np.concatenate([[first], middles, [last]]))


def histogram(values: Doubles, edges: Sequence[float]) -> Histogram:
    """Counts of `values` in the bins of `edges`, with those below, above and missing apart.

    >>> histogram(np.array([-1.0, 0.0, 0.5, 1.0, 1.5, np.nan]), [0.0, 0.5, 1.0]).counts
    [1, 1, 2, 1]
    """
    there = values[~np.isnan(values)]
    place = np.searchsorted(edges, there, side="right")
    place[there == edges[-1]] = len(edges) - 1
    counts = np.bincount(place, minlength=len(edges) + 1)
    return Histogram(edges=list(edges), counts=counts.tolist(), missing=int(len(values) - len(there)))


def _increasing(edges: npt.NDArray[np.floating]) -> list[float]:
    finite = np.clip(edges, -np.finfo(np.float64).max, np.finfo(np.float64).max)
    return [float(edge) for edge in np.unique(finite)]


def _from_zero(distances: Doubles) -> list[float]:
    edges = edges_for(distances)
    return [0.0, *(edge for edge in edges[1:] if edge > 0)]


def _feature_histogram(feature: Feature, column: Doubles) -> Histogram:
    if feature.type in ("float", "integer"):
        return histogram(column, edges_for(column))
    categories = list(feature.categories or [])
    codes = range(len(categories)) if feature.type == "string" else map(float, categories)
    there, counts = np.unique(column[~np.isnan(column)], return_counts=True)
    found = dict(zip(there.tolist(), counts.tolist(), strict=True))
    seen = [found.pop(code, 0) for code in codes]
    missing = int(np.isnan(column).sum())
    return Histogram(categories=categories, counts=seen, missing=missing, unseen=sum(found.values()))


def _outputs(kind: ModelKind, answer: Answer) -> dict[str, Histogram]:
    if answer.labels is None:
        return {"value": histogram(answer.scores[:, 0], edges_for(answer.scores[:, 0]))}
    counts = np.bincount(answer.labels, minlength=len(kind.classes)).tolist()
    classes: list[Label] = list(kind.classes)
    found = {"label": Histogram(categories=classes, counts=counts)}
    if kind.answer == "score":
        return found | {"score": histogram(answer.scores[:, 0], edges_for(answer.scores[:, 0]))}
    equal = np.linspace(0, 1, BINS + 1).tolist()
    return found | {
        f"probability:{class_key(label)}": histogram(np.clip(answer.scores[:, i], 0, 1), equal)
        for i, label in enumerate(kind.classes)
    }


def _scores_by_class(
    kind: ModelKind, answer: Answer, truth: npt.NDArray[np.int64] | None
) -> dict[str, dict[str, list[int]]]:
    """True class → class → counts of that class's probability in 100 equal bins of [0, 1]."""
    if truth is None or kind.answer != "probabilities":
        return {}
    place = np.clip((answer.scores * SCORE_BINS).astype(np.int64), 0, SCORE_BINS - 1)
    keys = [class_key(label) for label in kind.classes]
    return {
        true: {
            key: np.bincount(place[truth == t, k], minlength=SCORE_BINS).tolist() for k, key in enumerate(keys)
        }
        for t, true in enumerate(keys)
    }  # fmt: skip
