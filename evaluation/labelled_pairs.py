"""Predictions beside their truth as arrays: which pairs of a joined table a figure can be made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evaluation.label_indices import recorded_places
from evaluation.measured import Measured
from evaluation.metrics import classification_of_indices, regression_metrics
from scoring.bundle import Manifest, class_key

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Pairs:
    """Usable pairs of prediction and truth: class positions, or values of a regression."""

    truth: Any
    predicted: Any
    probabilities: Floats | None
    scores: Floats | None
    order: Indices  # by the hash of the id: a sample that does not depend on when it is drawn
    unusable: int
    ids: Any  # of the instances, an array of texts


def pairs_of(rows: pd.DataFrame, manifest: Manifest) -> Pairs:
    """The usable pairs of a table of `evaluation.label_join.Joined`."""
    if manifest.task == "regression":
        truth, predicted = rows["truth_value"].to_numpy(np.float64), rows["value"].to_numpy(np.float64)
        usable = np.isfinite(truth) & np.isfinite(predicted)
        ids = rows["id"].to_numpy(object)[usable]
        return Pairs(truth[usable], predicted[usable], None, None, _order(rows[usable]), int((~usable).sum()), ids)
    places = recorded_places(manifest.classes)
    truth = rows["truth_label"].map(places).fillna(-1).to_numpy(np.int64)
    predicted = rows["label"].map(places).fillna(-1).to_numpy(np.int64)
    shares = _shares(rows, manifest)
    scores = rows["score"].to_numpy(np.float64) if manifest.output.score is not None else None
    usable = (truth >= 0) & (predicted >= 0)
    for answers in (shares, scores):
        if answers is not None:
            usable &= np.isfinite(answers.reshape(len(rows), -1)).all(axis=1)
    return Pairs(
        truth[usable],
        predicted[usable],
        None if shares is None else shares[usable],
        None if scores is None else scores[usable],
        _order(rows[usable]),
        int((~usable).sum()),
        rows["id"].to_numpy(object)[usable],
    )


def chosen(pairs: Pairs, places: Indices) -> Pairs:
    """Some of the pairs, in the order asked for; `order` is that of these."""
    ids = pairs.ids[places]
    return Pairs(
        pairs.truth[places],
        pairs.predicted[places],
        None if pairs.probabilities is None else pairs.probabilities[places],
        None if pairs.scores is None else pairs.scores[places],
        _order_of(ids),
        0,
        ids,
    )


def _shares(rows: pd.DataFrame, manifest: Manifest) -> Floats | None:
    """Probabilities [n, classes], NaN where one is not there; None when the model gives none."""
    if manifest.output.probabilities is None:
        return None
    keys = [class_key(label) for label in manifest.classes]
    given = [row if isinstance(row, dict) else {} for row in rows["probabilities"]]
    table = [[row.get(key) for key in keys] for row in given]
    return np.array(table, np.float64).reshape(len(rows), len(keys))


def _order(rows: pd.DataFrame) -> Indices:
    return _order_of(rows["id"].to_numpy(object))


def _order_of(ids: Any) -> Indices:
    hashes = pd.util.hash_array(ids, categorize=False)
    return np.argsort(hashes, kind="stable")


def measured_of(pairs: Pairs, manifest: Manifest) -> dict[str, Measured]:
    """Their figures."""
    if manifest.task == "regression":
        return regression_metrics(pairs.truth, pairs.predicted)
    return classification_of_indices(
        pairs.truth,
        pairs.predicted,
        classes=manifest.classes,
        positive=manifest.positive,
        probabilities=pairs.probabilities,
        scores=pairs.scores,
    )
