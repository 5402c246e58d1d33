"""What may help when one class is rare, and a model that never predicts it is right 98 times in 100.

    class-weights   an error on a class costs as much as the class is rare (`class_weight="balanced"`)
    importance      importance weighting: a weight for each row (`sample_weight`), the square root of the class weight,
                    halfway between the classes as they are and as if they were equally common
    upsampling      rows of the rarer classes are drawn again, with replacement, until all classes have as many
    boosting        boosting, whose later trees work on what the earlier ones got wrong, with class weights
    one-class-svm   anomaly detection: learn the common class, and call everything else the rare one (two classes)
    threshold       predict the positive class from another probability than one half, tuned by cross-validation
                    within the training rows (two classes)

Upsampling happens to rows that a model is fitted on, and to no other: the rows that judge it stay as they came. It is
kept away from candidates that cross-validate within their own fit, where copies of a row would lie on both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training.candidates.target import Target
from training.errors import FitRefused

Indices = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]

NAMES = ("class-weights", "importance", "upsampling", "boosting", "one-class-svm", "threshold")
TWO_CLASSES = frozenset({"one-class-svm", "threshold"})


@dataclass(frozen=True)
class Draw:
    """Which rows to fit on (positions, with repetition), and their weights."""

    rows: Indices
    weights: Doubles | None


Sampling = Callable[[Indices, "Doubles | None", np.random.Generator], Draw]


def as_given(truth: Indices, weights: Doubles | None, random: np.random.Generator) -> Draw:  # noqa: ARG001
    """Every row once."""
    return Draw(np.arange(len(truth)), weights)


def upsampled(truth: Indices, weights: Doubles | None, random: np.random.Generator) -> Draw:
    """Every row, and rows of the rarer classes again until each class has as many as the commonest.

    >>> draw = upsampled(np.array([0, 0, 0, 1]), None, np.random.default_rng(0))
    >>> draw.rows.tolist()
    [0, 1, 2, 3, 3, 3]
    """
    counts = np.bincount(truth)
    more = [
        random.choice(np.flatnonzero(truth == position), int(counts.max() - count))
        for position, count in enumerate(counts)
        if count
    ]
    rows = np.concatenate([np.arange(len(truth)), *more]).astype(np.int64)
    return Draw(rows, None if weights is None else weights[rows])


def importance_weighted(truth: Indices, weights: Doubles | None, random: np.random.Generator) -> Draw:  # noqa: ARG001
    """Every row once, weighing √(rows ÷ (classes · rows of its class)), times its own weight.

    >>> importance_weighted(np.array([0] * 8 + [1] * 2), None, np.random.default_rng(0)).weights[[0, 9]].round(3)
    array([0.791, 1.581])
    """
    counts = np.bincount(truth)
    rarity = np.sqrt(len(truth) / (np.count_nonzero(counts) * np.maximum(counts, 1)))[truth]
    return Draw(np.arange(len(truth)), rarity if weights is None else rarity * weights)


def chosen_remedies(wanted: str | Sequence[str], target: Target) -> tuple[str, ...]:
    """Names of the remedies to try: `auto` tries all of them when a class is rare, and none otherwise."""
    names = [name.strip() for name in wanted.split(",")] if isinstance(wanted, str) else list(wanted)
    if names == ["auto"]:
        names = ["all"] if target.has_rare_class else ["none"]
    if names == ["none"]:
        return ()
    unknown = [name for name in names if name not in NAMES and names != ["all"]]
    if unknown:
        raise FitRefused(f"remedies: there is no {unknown[0]!r}, but auto, all, none, {', '.join(NAMES)}")
    if target.task == "regression":
        if names == ["all"]:
            return ()
        raise FitRefused(f"remedies: {', '.join(names)} are for classes, and {target.name!r} is a quantity")
    if names == ["all"]:
        return tuple(name for name in NAMES if target.task == "binary" or name not in TWO_CLASSES)
    too_many = sorted(TWO_CLASSES & set(names)) if target.task == "multiclass" else []
    if too_many:
        raise FitRefused(f"remedies: {too_many[0]} is for two classes, and {target.name!r} has {len(target.classes)}")
    return tuple(names)


def tuned_for(metric: str, target: Target) -> Any:
    """What a threshold is tuned for: the metric asked for if it depends on one, else balanced accuracy."""
    from sklearn import metrics

    scorers = {
        "accuracy": metrics.make_scorer(metrics.accuracy_score),
        "f1": metrics.make_scorer(metrics.f1_score, pos_label=target.positive, zero_division=0),
        "mcc": metrics.make_scorer(metrics.matthews_corrcoef),
    }
    return scorers.get(metric, metrics.make_scorer(metrics.balanced_accuracy_score))
