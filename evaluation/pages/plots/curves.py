"""ROC, precision-recall and calibration curves: a unit square with one line for each class.

The lines differ in dash pattern as well as colour. At most six are drawn; the caller says what was left out.
"""

from __future__ import annotations

import math

from evaluation.pages.numbers import number
from evaluation.pages.plots.scales import Linear
from evaluation.pages.plots.svg import Box, circle, line, nothing, path, picture, x_axis, y_axis
from evaluation.report_format import Curve

SIDE, LINES = 340, 6


def curves(lines: list[Curve], title: str) -> str:
    """The lines of one kind (all `roc`, all `pr` or all `calibration`); the page has the key to them below."""
    drawn = [curve for curve in lines if any(_finite(point) for point in curve.points)][:LINES]
    if not drawn:
        return nothing(SIDE, SIDE, title, "Too few labels to draw this")
    box = Box(46, 30, SIDE - 10, SIDE - 46)
    x, y = Linear(0, 1, box.left, box.right), Linear(0, 1, box.bottom, box.top)
    parts = [y_axis(box, y, drawn[0].y_title), x_axis(box, x, drawn[0].x_title)]
    if drawn[0].name != "pr":
        start, end = (x(0), y(0)), (x(1), y(1))
        parts.append(line(*start, *end, "reference"))
    for index, curve in enumerate(drawn, start=1):
        points = [(x(a), y(b)) if _finite((a, b)) else (math.nan, math.nan) for a, b in curve.points]
        parts.append(path(points, f"series k{index}"))
        if curve.name == "calibration" or len(points) == 1:
            parts += _weighted_dots(curve, points)
    return picture(SIDE, SIDE, title, _in_words(drawn), parts)


def _weighted_dots(curve: Curve, points: list[tuple[float, float]]) -> list[str]:
    """Dots whose area grows with the instances behind them."""
    largest = max(curve.weights, default=0) or 1
    weights = curve.weights if len(curve.weights) == len(points) else [largest] * len(points)
    known = [(x, y, w) for (x, y), w in zip(points, weights, strict=True) if math.isfinite(x)]
    return [circle(x, y, 2 + 4 * math.sqrt(w / largest), "cloud") for x, y, w in known]


def _in_words(drawn: list[Curve]) -> str:
    words = f"{drawn[0].y_title} over {drawn[0].x_title}."
    for curve in drawn:
        known = [point for point in curve.points if _finite(point)]
        middle = known[len(known) // 2]
        words += f" {curve.label[:40]}: {len(known)} points, such as {number(middle[1])} at {number(middle[0])}."
    return words


def _finite(point: tuple[float, float]) -> bool:
    return math.isfinite(point[0]) and math.isfinite(point[1])
