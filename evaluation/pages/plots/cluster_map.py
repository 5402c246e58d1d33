"""The map of the training clusters: centres, training rows, instances now, and those that are near no centre.

The axes span the middle 98 % of the training rows and the instances and all centres; what lies outside is drawn at the
edge. An instance beyond the threshold is a cross, so nothing rests on colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from evaluation.pages.numbers import count, percent
from evaluation.pages.plots.scales import Linear, extent
from evaluation.pages.plots.svg import Box, circle, dots, nothing, path, picture, rectangle, text
from evaluation.report_format import ClusterMap, MapPoint

WIDTH, HEIGHT = 460, 430
ARM = 3.6  # half the width of a cross


def cluster_map(found: ClusterMap | None, title: str) -> str:
    """The map as a plot."""
    if found is None or not found.centres:
        return nothing(WIDTH, HEIGHT, title, "The bundle has no centres to draw a map of")
    box = Box(14, 14, WIDTH - 14, HEIGHT - 30)
    x = Linear(*_span(found, "x"), box.left + 8, box.right - 8)
    y = Linear(*_span(found, "y"), box.bottom - 8, box.top + 8)
    near = [point for point in found.now if not point.beyond]
    parts = [rectangle(box.left, box.top, box.width, box.bottom - box.top, "frame")]
    parts.append(dots([(x(point.x), y(point.y)) for point in found.before], "before-dots"))
    parts.append(dots([(x(point.x), y(point.y)) for point in near], "now-dots"))
    parts += [_cross(x(point.x), y(point.y)) for point in found.now if point.beyond]
    for number, point in enumerate(found.centres, 1):
        parts.append(circle(x(point.x), y(point.y), 9, "centre"))
        parts.append(text(x(point.x), y(point.y) + 4, str(number), anchor="middle", kind="centre-name"))
    parts.append(text(box.right, box.bottom + 18, f"mostly {found.x} →" if found.x else "", anchor="end", limit=70))
    if found.y:
        parts.append(text(box.left + 6, box.top + 16, f"↑ mostly {found.y}", kind="halo", limit=70))
    return picture(WIDTH, HEIGHT, title, _in_words(found), parts)


def _span(found: ClusterMap, axis: str) -> tuple[float, float]:
    ends = [getattr(point, axis) for point in found.centres]
    for points in (found.before, found.now):
        values = [value for point in points if math.isfinite(value := getattr(point, axis))]
        if values:
            ends += np.quantile(values, [0.01, 0.99], method="nearest").tolist()
    return extent(ends) or (-1.0, 1.0)


def _cross(x: float, y: float) -> str:
    left, right, top, bottom = x - ARM, x + ARM, y - ARM, y + ARM
    return path([(left, top), (right, bottom), (math.nan, 0), (left, bottom), (right, top)], "cross")


def _in_words(found: ClusterMap) -> str:
    beyond = sum(point.beyond for point in found.now)
    return (
        f"{count(len(found.centres))} training centres, {count(len(found.before))} training rows and "
        f"{count(len(found.now))} instances, {count(beyond)} of them near no centre. "
        f"The map shows {percent(found.kept)} of how far the centres lie apart. "
        f"{_visits(found.now, len(found.centres))}"
    )


def _visits(points: Sequence[MapPoint], centres: int) -> str:
    counts = [sum(point.cluster == number for point in points) for number in range(centres)]
    most = max(range(centres), key=counts.__getitem__)
    return f"Most instances drawn are nearest to centre {most + 1}."
