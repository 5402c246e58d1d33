"""What is to be predicted: a class or a number, which class is the positive one, and how rare the rarest is.

Text and booleans are classes. Numbers are classes when they have two distinct values, or are whole and have at most
ten; otherwise they are a quantity (`task` overrules this). Classes are in scikit-learn's order.

Of two classes the positive one is that which is named, else the rarer if it is rare, else the second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.pages.numbers import counted
from evaluation.pages.text import shown
from evaluation.wording import share
from scoring.bundle import Label, Task, class_key
from training.candidates.table import kind_of
from training.errors import FitRefused

MOST_WHOLE_CLASSES = 10
RARE = 0.2  # a class is rare when it holds less than a fifth of what it would if all were equal: 10 % of two classes

Indices = npt.NDArray[np.int64]
Wanted = Literal["classification", "regression"]


@dataclass(frozen=True)
class Target:
    """The target's name, task and, for classes, their labels, the positive one and the training rows of each."""

    name: str
    task: Task
    classes: tuple[Label, ...] = ()
    positive: Label | None = None
    counts: tuple[int, ...] = ()

    @property
    def shares(self) -> list[float]:
        """Of each class, among the training rows."""
        return [count / sum(self.counts) for count in self.counts]

    @property
    def common(self) -> Label:
        """The class with the most training rows."""
        return self.classes[int(np.argmax(self.counts))]

    @property
    def rarest(self) -> Label:
        """The class with the fewest training rows."""
        return self.classes[int(np.argmin(self.counts))]

    @property
    def has_rare_class(self) -> bool:
        """Whether the rarest class is rare enough for the remedies."""
        return bool(self.classes) and is_rare(self.counts)

    def positions(self, y: npt.NDArray[Any]) -> Indices:
        """Each label's position among the classes."""
        places = {class_key(label): index for index, label in enumerate(self.classes)}
        return np.array([places[class_key(label)] for label in y.tolist()], dtype=np.int64)


def is_rare(counts: tuple[int, ...]) -> bool:
    """Whether the smallest count is less than a fifth of its fair share.

    >>> is_rare((98, 2)), is_rare((80, 20)), is_rare((50, 45, 5))
    (True, False, True)
    """
    return min(counts) / sum(counts) < RARE / len(counts)


def task_of(values: pd.Series, wanted: Wanted | None) -> Wanted:
    """Classes or a quantity, unless it was said."""
    kind = kind_of(values)
    if kind in ("string", "boolean"):
        if wanted == "regression":
            raise FitRefused(f"target {values.name!r} is text or true and false; a regression needs numbers")
        return "classification"
    distinct = values.nunique()
    whole = kind == "integer" and distinct <= MOST_WHOLE_CLASSES
    return wanted or ("classification" if distinct == 2 or whole else "regression")


def labels_of(values: pd.Series) -> npt.NDArray[Any]:
    """Class labels as an array of text, whole numbers or booleans."""
    kind = kind_of(values)
    if kind == "float":
        numbers = values.to_numpy(np.float64)
        if not (numbers == np.round(numbers)).all():
            raise FitRefused(
                f"target {values.name!r} holds fractions, which cannot be class labels; "
                "turn them into text, or ask for a regression (task)"
            )
        return numbers.astype(np.int64)
    if kind == "string":
        return np.array(values.tolist(), dtype=str)
    return values.to_numpy(np.bool_ if kind == "boolean" else np.int64)


def classes_target(name: str, y: npt.NDArray[Any], positive: str | Label | None) -> Target:
    """The target of a classification, from its training labels."""
    found, counts = np.unique(y, return_counts=True)
    classes = tuple(label.item() for label in found)
    if len(classes) < 2:
        raise FitRefused(f"target {name!r} is {shown(str(classes[0]))!r} in every row; rows of two classes are needed")
    every = tuple(int(count) for count in counts)
    if len(classes) > 2:
        if positive is not None:
            raise FitRefused(f"positive: target {name!r} has {len(classes)} classes; it is for two")
        return Target(name, "multiclass", classes, None, every)
    return Target(name, "binary", classes, _positive(name, classes, every, positive), every)


def in_words(target: Target) -> str:
    """What is predicted, for people."""
    if target.task == "regression":
        return f"{shown(target.name, 60)!r} is a quantity: regression"
    parts = [
        f"{shown(str(label), 40)} {share(part)}" for label, part in zip(target.classes, target.shares, strict=True)
    ]
    more = f", and {len(parts) - 6} more" if len(parts) > 6 else ""
    known = f", positive is {shown(str(target.positive), 40)}" if target.positive is not None else ""
    return (
        f"{shown(target.name, 60)!r} has {counted(len(parts), 'class', 'classes')}: {', '.join(parts[:6])}{more}{known}"
    )


def _positive(name: str, classes: tuple[Label, ...], counts: tuple[int, ...], wanted: str | Label | None) -> Label:
    if wanted is not None:
        for label in classes:
            if label == wanted or str(label) == str(wanted):
                return label
        raise FitRefused(
            f"positive {wanted!r}: target {name!r} has no such label, but {', '.join(repr(label) for label in classes)}"
        )
    return classes[int(np.argmin(counts))] if is_rare(counts) else classes[1]
