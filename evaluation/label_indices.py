"""Labels as positions in a model's classes."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from evaluation.measured import Indices
from scoring.bundle import Label, class_key


def class_indices(labels: Sequence[Label], classes: Sequence[Label]) -> Indices:
    """Positions of `labels` in `classes`; raises `ValueError` naming a label that is none of them.

    >>> class_indices([True, False], [False, True]).tolist()
    [1, 0]
    """
    places = {class_key(plain(label)): index for index, label in enumerate(classes)}
    try:
        return np.fromiter((places[class_key(plain(label))] for label in labels), np.int64, len(labels))
    except KeyError as unknown:
        raise ValueError(f"label {unknown} is none of the classes {list(places)}") from None


def recorded_places(classes: Sequence[Label]) -> dict[str, int]:
    """Positions by the JSON text of a class, as records have it; a whole number may be written 1 or 1.0.

    >>> recorded_places(["a", 1])
    {'"a"': 0, '1': 1, '1.0': 1}
    """
    places: dict[str, int] = {}
    for index, label in enumerate(classes):
        places[msgspec.json.encode(label).decode()] = index
        if isinstance(label, int | float) and not isinstance(label, bool) and float(label).is_integer():
            places |= {str(int(label)): index, f"{int(label)}.0": index}
    return places


def positive_index(classes: Sequence[Label], positive: Label | None) -> int:
    """Position of the positive class of two; the second one unless it is named."""
    return 1 if positive is None else int(class_indices([positive], classes)[0])


def plain(label: Label) -> Label:
    """A numpy scalar as Python's own value, which JSON can hold."""
    value: Label = label.item() if isinstance(label, np.generic) else label
    return value
