"""Rows on which a wrong conversion shows: at the training data's edges, beyond them, beside splits, without values.

Seven kinds, all made from the training rows and the fitted pipeline with a fixed seed, in this order:

    targeted   a training row with one feature at an edge: minimum, maximum, their neighbouring floats, 1e-6 … 1e6
               widths beyond, +0, -0, tiny (5e-324, 1e-300) and huge (1e30 … 1.7e308) of both signs
    category   a training row with one text feature at each of its texts, and at a text that no row holds
    whole      the same edge in every feature at once
    splits     pairs of rows on both sides of a tree's split (`training.splits`)
    mixed      each feature from another training row
    between    a point on the line between two training rows, where decision boundaries run
    missing    one, some or all features missing (of those in which the pipeline takes missing values)

Booleans are 0 or 1 always, whole numbers are whole, and a text feature between two rows is that of one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from training.converters.table import Vocabulary
from training.data import Columns, Doubles
from training.splits import split_rows

TARGETED_AT_MOST = 4_000
CATEGORIES_AT_MOST = 2_000


@dataclass(frozen=True)
class Rows:
    """Rows and, for messages, how each of them was made."""

    values: Doubles
    origins: list[str]


@dataclass(frozen=True)
class Takes:
    """Positions of the features in which the pipeline takes a missing value, and a text that it does not know."""

    missing: frozenset[int]
    unseen: frozenset[int] = frozenset()


def adversarial_rows(pipeline: Any, training: Doubles, columns: Columns, takes: Takes, count: int, seed: int) -> Rows:
    """At least `count` rows."""
    random = np.random.default_rng(seed)
    edges = {name: _edges(training, columns, name) for name in EDGES}
    parts = [
        _targeted(training, columns, edges, random),
        _categories(training, columns, takes, random),
        _whole(training, edges, random),
        Rows(*split_rows(pipeline, training, columns, random)),
    ]
    share = max(count - sum(len(part.values) for part in parts), count // 2)
    per_kind = -(-share // (3 if takes.missing else 2))
    parts += [_mixed(training, per_kind, random), _between(training, columns, per_kind, random)]
    if takes.missing:
        parts.append(_missing(training, takes.missing, per_kind, random))
    values = _as_types(np.concatenate([part.values for part in parts]), columns)
    return Rows(values, [origin for part in parts for origin in part.origins])


EDGES = (
    "minimum", "below minimum", "above minimum", "maximum", "below maximum", "above maximum",
    "1e-6 widths below", "1e-6 widths above", "0.05 widths below", "0.05 widths above",
    "1 width below", "1 width above",
    "1e3 widths below", "1e3 widths above", "1e6 widths below", "1e6 widths above",
    "0", "-0", "5e-324", "-5e-324", "1e-300", "-1e-300", "1e30", "-1e30", "1e150", "-1e150", "1.7e308", "-1.7e308",
)  # fmt: skip


def _as_types(values: Doubles, columns: Columns) -> Doubles:
    """Booleans as 0 or 1, whole numbers whole."""
    for i, kind in enumerate(columns.types):
        column = values[:, i]
        if kind == "boolean":
            values[:, i] = np.where(np.isnan(column), np.nan, column > 0.5)
        elif kind == "integer":
            values[:, i] = np.rint(column)
    return values


def _edges(training: Doubles, columns: Columns, name: str) -> Doubles:
    """The value that edge `name` has for each feature; NaN, which means that the row keeps its own, for text."""
    lowest, highest = _range(training)
    if name.endswith(("minimum", "maximum")):
        edge = lowest if name.endswith("minimum") else highest
        toward = {"below": -np.inf, "above": np.inf}.get(name.split()[0])
        found = edge if toward is None else np.nextafter(edge, toward)
    elif "width" in name:
        factor, _, side = name.split()
        width = np.where(highest > lowest, highest - lowest, np.maximum(np.abs(highest), 1.0))
        found = np.asarray(lowest - float(factor) * width if side == "below" else highest + float(factor) * width)
    else:
        found = np.full(training.shape[1], float(name))
    return np.where(columns.is_text, np.nan, found)


def _range(training: Doubles) -> tuple[Doubles, Doubles]:
    """Lowest and highest value of each feature that are there; 0 and 0 for a feature that is always missing."""
    there = ~np.isnan(training)
    lowest = np.where(there, training, np.inf).min(axis=0)
    highest = np.where(there, training, -np.inf).max(axis=0)
    empty = ~there.any(axis=0)
    return np.where(empty, 0.0, lowest), np.where(empty, 0.0, highest)


def _targeted(training: Doubles, columns: Columns, edges: dict[str, Doubles], random: np.random.Generator) -> Rows:
    numbers = np.flatnonzero(~columns.is_text).tolist()
    pairs = _drawn([(feature, edge) for feature in numbers for edge in EDGES], TARGETED_AT_MOST, random)
    values = training[random.integers(len(training), size=len(pairs))].copy()
    for row, (feature, edge) in enumerate(pairs):
        values[row, feature] = edges[edge][feature]
    return Rows(values, [f"{columns.names[feature]} at {edge}" for feature, edge in pairs])


def _drawn[T](items: list[T], at_most: int, random: np.random.Generator) -> list[T]:
    if len(items) <= at_most:
        return items
    return [items[i] for i in sorted(random.choice(len(items), at_most, replace=False))]


def _categories(training: Doubles, columns: Columns, takes: Takes, random: np.random.Generator) -> Rows:
    pairs = [
        (feature, code)
        for feature, vocabulary in enumerate(columns.vocabularies)
        if isinstance(vocabulary, Vocabulary)
        for code in range(-1 if feature in takes.unseen else 0, len(vocabulary.values))
    ]
    pairs = _drawn(pairs, CATEGORIES_AT_MOST, random)
    values = training[random.integers(len(training), size=len(pairs))].copy()
    for row, (feature, code) in enumerate(pairs):
        values[row, feature] = code
    return Rows(values, [f"{columns.names[f]} {'unknown' if code < 0 else 'at a text'}" for f, code in pairs])


def _whole(training: Doubles, edges: dict[str, Doubles], random: np.random.Generator) -> Rows:
    at = np.stack(list(edges.values()))
    own = training[random.integers(len(training), size=len(at))]
    return Rows(np.where(np.isnan(at), own, at), [f"every feature at {edge}" for edge in edges])


def _mixed(training: Doubles, count: int, random: np.random.Generator) -> Rows:
    rows = random.integers(len(training), size=(count, training.shape[1]))
    return Rows(np.take_along_axis(training, rows, axis=0), ["features of several training rows"] * count)


def _between(training: Doubles, columns: Columns, count: int, random: np.random.Generator) -> Rows:
    first, second = training[random.integers(len(training), size=(2, count))]
    part = random.random((count, 1))
    values = np.where(columns.is_text, first, first * (1 - part) + second * part)
    return Rows(values, ["between two training rows"] * count)


def _missing(training: Doubles, missing: frozenset[int], count: int, random: np.random.Generator) -> Rows:
    features = np.array(sorted(missing))
    values = training[random.integers(len(training), size=count)].copy()
    gone = random.random((count, len(features))) < random.random((count, 1))
    gone[0] = True
    for row in range(1, min(count, len(features) + 1)):
        gone[row] = np.arange(len(features)) == row - 1
    block = values[:, features]
    block[gone] = np.nan
    values[:, features] = block
    return Rows(values, [f"{int(n)} features missing" for n in gone.sum(axis=1)])
