"""What labelled instances of a classifier show beside its figures: the confusion matrix, curves, what misleads."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.confusion_figures import confusion_matrix
from evaluation.curves import calibration_curve, confusion_of, ranking_curves
from evaluation.label_indices import positive_index
from evaluation.labelled_pairs import Pairs
from evaluation.report_format import Curve
from evaluation.wording import share
from scoring.bundle import Manifest, class_key

_CURVES_FOR = 10  # classes of a multiclass model that get curves

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]


def class_extras(pairs: Pairs, manifest: Manifest) -> dict[str, Any]:
    size, n = len(manifest.classes), len(pairs.truth)
    keys = [class_key(label) for label in manifest.classes]
    confusion = confusion_matrix(pairs.truth, pairs.predicted, size)
    if not n:
        return {"notes": [f"{pairs.unusable:,} labels are none of the classes."]}
    actual = confusion.sum(axis=1)
    majority = int(actual.argmax())
    return {
        "confusion": confusion_of(confusion, keys),
        "curves": _curves(pairs, manifest),
        "majority_class": keys[majority],
        "majority_baseline": int(actual[majority]) / n,
        "notes": _notes(confusion, keys, pairs.unusable),
    }


def _notes(confusion: Indices, keys: list[str], unusable: int) -> list[str]:
    notes = []
    n, right = int(confusion.sum()), int(np.trace(confusion))
    majority = int(confusion.sum(axis=1).max())
    said = [keys[i] for i in np.flatnonzero(confusion.sum(axis=0))]
    if len(said) == 1:
        notes.append(f"It predicts a single class: every labelled instance was called {said[0]}.")
    if right <= majority:
        notes.append(
            f"Accuracy misleads here: {share(right / n)} is no better than always saying the commonest class, "
            f"{share(majority / n)}."
        )
    if unusable:
        notes.append(f"{unusable:,} labelled instances are left out: their label is none of the classes.")
    return notes


def _curves(pairs: Pairs, manifest: Manifest) -> list[Curve]:
    if manifest.task == "binary":
        index = positive_index(manifest.classes, manifest.positive)
        return _curves_of(pairs, index, class_key(manifest.classes[index]), calibrated=True)
    curves = []
    for index, label in enumerate(manifest.classes[:_CURVES_FOR]):
        curves += _curves_of(pairs, index, class_key(label), calibrated=False)
    if pairs.probabilities is not None:
        confidence = pairs.probabilities[np.arange(len(pairs.truth)), pairs.predicted]
        curves.append(calibration_curve(confidence, pairs.truth == pairs.predicted, "predicted class"))
    return curves


def _curves_of(pairs: Pairs, index: int, label: str, *, calibrated: bool) -> list[Curve]:
    came_true = pairs.truth == index
    if pairs.probabilities is not None:
        share: Floats = pairs.probabilities[:, index]
        return ranking_curves(came_true, share, label) + (
            [calibration_curve(share, came_true, label)] if calibrated else []
        )
    if pairs.scores is None:
        return []
    return ranking_curves(came_true, pairs.scores if index == 1 else -pairs.scores, label)
