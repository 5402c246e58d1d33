"""Rows on which a wrong conversion shows: at the edges of the training data, beyond them, and without values.

Five kinds, all drawn from the training rows with a fixed seed, in this order:

    targeted   a training row with one feature at an edge: minimum, maximum, their neighbouring floats, 1e-6 … 1e6
               widths beyond, +0, -0, tiny (5e-324, 1e-300) and huge (1e30 … 1.7e308) of both signs
    whole      the same edge in every feature at once
    mixed      each feature from another training row
    between    a point on the line between two training rows, where decision boundaries run
    missing    one, some or all features missing (of those in which the pipeline takes missing values)

Booleans are 0 or 1 always.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.data import Columns, Doubles

TARGETED_AT_MOST = 4_000
SMALLEST, LARGEST = 5e-324, 1.7e308


@dataclass(frozen=True)
class Rows:
    """Rows and, for messages, how each of them was made."""

    values: Doubles
    origins: list[str]


def adversarial_rows(training: Doubles, columns: Columns, missing: frozenset[int], count: int, seed: int) -> Rows:
    """At least `count` rows; `missing` are the features that may be missing."""
    random = np.random.default_rng(seed)
    edges = {name: _edges(training, name) for name in EDGES}
    parts = [_targeted(training, columns, edges, random), _whole(edges)]
    share = max(count - sum(len(part.values) for part in parts), count // 2)
    per_kind = -(-share // (3 if missing else 2))
    parts += [_mixed(training, per_kind, random), _between(training, per_kind, random)]
    if missing:
        parts.append(_missing(training, missing, per_kind, random))
    values = np.concatenate([part.values for part in parts])
    boolean = [i for i, kind in enumerate(columns.types) if kind == "boolean"]
    for i in boolean:
        column = values[:, i]
        values[:, i] = np.where(np.isnan(column), np.nan, column > 0.5)
    return Rows(values, [origin for part in parts for origin in part.origins])


EDGES = (
    "minimum", "below minimum", "above minimum", "maximum", "below maximum", "above maximum",
    "1e-6 widths below", "1e-6 widths above", "0.05 widths below", "0.05 widths above",
    "1 width below", "1 width above",
    "1e3 widths below", "1e3 widths above", "1e6 widths below", "1e6 widths above",
    "0", "-0", "5e-324", "-5e-324", "1e-300", "-1e-300", "1e30", "-1e30", "1e150", "-1e150", "1.7e308", "-1.7e308",
)  # fmt: skip


def _edges(training: Doubles, name: str) -> Doubles:
    """The value that edge `name` has for each feature."""
    lowest, highest = _range(training)
    if name.endswith(("minimum", "maximum")):
        edge = lowest if name.endswith("minimum") else highest
        toward = {"below": -np.inf, "above": np.inf}.get(name.split()[0])
        return edge if toward is None else np.nextafter(edge, toward)
    if "width" in name:
        factor, _, side = name.split()
        width = np.where(highest > lowest, highest - lowest, np.maximum(np.abs(highest), 1.0))
        return np.asarray(lowest - float(factor) * width if side == "below" else highest + float(factor) * width)
    return np.full(training.shape[1], float(name))


def _range(training: Doubles) -> tuple[Doubles, Doubles]:
    """Lowest and highest value of each feature that are there; 0 and 0 for a feature that is always missing."""
    there = ~np.isnan(training)
    lowest = np.where(there, training, np.inf).min(axis=0)
    highest = np.where(there, training, -np.inf).max(axis=0)
    empty = ~there.any(axis=0)
    return np.where(empty, 0.0, lowest), np.where(empty, 0.0, highest)


def _targeted(training: Doubles, columns: Columns, edges: dict[str, Doubles], random: np.random.Generator) -> Rows:
    pairs = [(feature, edge) for feature in range(training.shape[1]) for edge in EDGES]
    if len(pairs) > TARGETED_AT_MOST:
        pairs = [pairs[i] for i in sorted(random.choice(len(pairs), TARGETED_AT_MOST, replace=False))]
    values = training[random.integers(len(training), size=len(pairs))].copy()
    for row, (feature, edge) in enumerate(pairs):
        values[row, feature] = edges[edge][feature]
    return Rows(values, [f"{columns.names[feature]} at {edge}" for feature, edge in pairs])


def _whole(edges: dict[str, Doubles]) -> Rows:
    return Rows(np.stack(list(edges.values())), [f"every feature at {edge}" for edge in edges])


def _mixed(training: Doubles, count: int, random: np.random.Generator) -> Rows:
    rows = random.integers(len(training), size=(count, training.shape[1]))
    return Rows(np.take_along_axis(training, rows, axis=0), ["features of several training rows"] * count)


def _between(training: Doubles, count: int, random: np.random.Generator) -> Rows:
    first, second = training[random.integers(len(training), size=(2, count))]
    part = random.random((count, 1))
    return Rows(first * (1 - part) + second * part, ["between two training rows"] * count)


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
