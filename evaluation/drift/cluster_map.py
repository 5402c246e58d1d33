"""A map of the training clusters: the encoded space of the joint envelope, projected on a plane.

The axes are the first two principal components of the training centres, each weighted by the training rows it has
(K. Pearson, On lines and planes of closest fit. Philosophical Magazine 2, 1901): the plane on which the centres lie
farthest apart. It is the baseline's alone, so that two reports of one bundle have the same map. Where the centres do
not span a plane, the most important features complete it.

Rows are encoded as `scoring.bundle.Calibration` says, from the values that the profile keeps, which are rounded and
cut; a value that is hidden or of no known category adds nothing, as a missing one does. Not promised: that distances
on the map are those in the space; an instance far from all centres may look near. Those beyond the threshold are
marked by the distance that was recorded.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from evaluation.format.drift import ClusterMap, MapPoint
from evaluation.kept_rows import LONGEST_TEXT, Row
from evaluation.profile import Distributions
from evaluation.training_sample import TrainingSample
from scoring.bundle import Clusters, Feature, Manifest, class_key

FARTHEST = 1e6  # standard deviations: beyond them a value is drawn at the edge anyway
Floats = NDArray[np.float64]
Values = Mapping[str, float | str | None]


def cluster_map(
    manifest: Manifest, before: Clusters, found: Distributions, sample: TrainingSample | None
) -> ClusterMap | None:
    """The map; None without centres, or when their width is not the encoding's."""
    calibration = manifest.calibration
    centres = np.asarray(calibration.centres if calibration else [], np.float64)
    blocks = [_width(feature) for feature in manifest.features]
    if calibration is None or centres.ndim != 2 or centres.shape[1] != sum(blocks) or not np.isfinite(centres).all():
        return None
    weights = np.asarray(before.occupancy, np.float64)
    if len(weights) != len(centres) or not weights.sum():
        weights = np.ones(len(centres))
    axes, kept = _axes(centres, weights, _important(manifest.features, blocks))
    middle = np.average(centres, axis=0, weights=weights)
    flat = (centres - middle) @ axes.T
    names = sorted(found.features)
    return ClusterMap(
        x=_title(axes[0], manifest.features, blocks),
        y=_title(axes[1], manifest.features, blocks) if len(axes) > 1 else "",
        kept=_rounded(kept),
        centres=[_point(place, cluster=number) for number, place in enumerate(flat)],
        before=_training(sample, manifest.features, centres, calibration.threshold, middle, axes),
        now=_instances(found, names, manifest.features, calibration.threshold, middle, axes),
    )


def _axes(centres: Floats, weights: Floats, spare: Sequence[int]) -> tuple[Floats, float]:
    """Two axes of length 1 at right angles (one if the space has no second), and the share of variance they show."""
    shifted = (centres - np.average(centres, axis=0, weights=weights)) * np.sqrt(weights / weights.sum())[:, None]
    _, sizes, rows = np.linalg.svd(shifted, full_matrices=False)
    axes = [row for size, row in zip(sizes[:2], rows, strict=False) if size > 1e-9 * max(1.0, float(sizes[0]))]
    for column in spare:
        if len(axes) == 2:
            break
        unit = np.zeros(centres.shape[1])
        unit[column] = 1.0
        rest = unit - sum((axis * (axis @ unit) for axis in axes), np.zeros_like(unit))
        if np.linalg.norm(rest) > 1e-6:
            axes.append(rest / np.linalg.norm(rest))
    total = float((sizes**2).sum())
    signed = [axis * (1.0 if axis[np.abs(axis).argmax()] > 0 else -1.0) for axis in axes]
    return np.array(signed), float((sizes[:2] ** 2).sum()) / total if total else 1.0


def _important(features: Sequence[Feature], blocks: Sequence[int]) -> list[int]:
    """First column of each feature's block, the most important first."""
    starts = np.cumsum([0, *blocks[:-1]]).tolist()
    order = sorted(range(len(features)), key=lambda place: (-(features[place].importance or 0.0), place))
    return [starts[place] for place in order if blocks[place]]


def _title(axis: Floats, features: Sequence[Feature], blocks: Sequence[int]) -> str:
    """The two features that an axis is mostly made of."""
    parts = np.split(axis**2, np.cumsum(blocks)[:-1])
    loads = [(-float(part.sum()), place) for place, part in enumerate(parts)]
    best = [features[place].name for load, place in sorted(loads)[:2] if -load > 0.05]
    return " and ".join(best)


def _training(
    sample: TrainingSample | None,
    features: Sequence[Feature],
    centres: Floats,
    threshold: float,
    middle: Floats,
    axes: Floats,
) -> list[MapPoint]:
    """Training rows, with the centre that is nearest to each; none where the sample lacks a feature."""
    if sample is None or any(feature.name not in sample.columns for feature in features):
        return []
    rows = [{name: column[row] for name, column in sample.columns.items()} for row in range(sample.rows)]
    encoded = _encoded(rows, features)
    apart = np.linalg.norm(encoded[:, None, :] - centres[None, :, :], axis=2)
    flat = (encoded - middle) @ axes.T
    nearest, distances = apart.argmin(axis=1), apart.min(axis=1, initial=math.inf)
    return [
        _point(place, cluster=int(cluster), beyond=bool(distance > threshold))
        for place, cluster, distance in zip(flat, nearest, distances, strict=True)
    ]


def _instances(
    found: Distributions,
    names: Sequence[str],
    features: Sequence[Feature],
    threshold: float,
    middle: Floats,
    axes: Floats,
) -> list[MapPoint]:
    """The sample of instances, and those of the farthest that are beyond the threshold."""
    sampled = {(row.id, row.ts) for row in found.rows}
    far = [row for row in found.farthest if _is_beyond(row, threshold) and (row.id, row.ts) not in sampled]
    rows = [row for row in [*found.rows, *far] if row.distance is not None]
    encoded = _encoded([dict(zip(names, row.values, strict=False)) for row in rows], features)
    flat = (encoded - middle) @ axes.T
    return [
        _point(place, cluster=row.cluster, beyond=_is_beyond(row, threshold), id=row.id)
        for place, row in zip(flat, rows, strict=True)
    ]


def _is_beyond(row: Row, threshold: float) -> bool:
    return row.distance is not None and row.distance > threshold


def _encoded(rows: Sequence[Values], features: Sequence[Feature]) -> Floats:
    """Rows in encoded space [rows, width]."""
    if not rows:
        return np.empty((0, sum(map(_width, features))))
    return np.array(
        [[number for feature in features for number in _code(row.get(feature.name), feature)] for row in rows]
    )


def _code(value: float | str | None, feature: Feature) -> Iterator[float]:
    if feature.categories is None:
        deviation = feature.deviation or 1.0
        number = (value - (feature.mean or 0.0)) / deviation if isinstance(value, float) else 0.0
        yield min(FARTHEST, max(-FARTHEST, number)) if number == number else 0.0
        return
    for category in feature.categories:
        yield math.sqrt(0.5) if value is not None and class_key(category)[:LONGEST_TEXT] == value else 0.0


def _width(feature: Feature) -> int:
    return 1 if feature.categories is None else len(feature.categories)


def _point(place: Floats, *, cluster: int | None = None, beyond: bool = False, id: str | None = None) -> MapPoint:
    y = place[1] if len(place) > 1 else 0.0
    return MapPoint(x=_rounded(place[0]), y=_rounded(y), cluster=cluster, beyond=beyond, id=id)


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
