"""Residuals of a regression: against the prediction, and how they are distributed."""

from __future__ import annotations

import math

from evaluation.pages.numbers import count, number
from evaluation.pages.plots.scales import Linear, extent
from evaluation.pages.plots.svg import Box, circle, line, nothing, picture, steps, x_axis, y_axis
from evaluation.report_format import Residuals

WIDTH, HEIGHT = 420, 280


def residual_cloud(residuals: Residuals, title: str) -> str:
    """One dot an instance: its prediction and how far it was off; a good model's cloud lies around the line."""
    known = [(x, y) for x, y in residuals.points if math.isfinite(x) and math.isfinite(y)]
    across, up = extent([x for x, _ in known]), extent([y for _, y in known], include=[0.0])
    if across is None or up is None:
        return nothing(WIDTH, HEIGHT, title, "No labelled predictions yet")
    box = Box(56, 30, WIDTH - 8, HEIGHT - 46)
    x, y = Linear(*across, box.left, box.right), Linear(*up, box.bottom, box.top)
    unit = f" ({residuals.unit})" if residuals.unit else ""
    parts = [y_axis(box, y, f"residual{unit}"), x_axis(box, x, f"predicted{unit}")]
    parts.append(line(box.left, y(0), box.right, y(0), "axis-line"))
    parts += [circle(x(a), y(b), 2.6, "cloud") for a, b in known]
    words = f"{count(len(known))} instances; residuals from {number(up[0])} to {number(up[1])}{unit}."
    return picture(WIDTH, HEIGHT, title, words, parts)


def residual_histogram(residuals: Residuals, title: str) -> str:
    """How many residuals of each size; zero is marked."""
    total = sum(residuals.counts)
    across = extent(residuals.edges)
    if not total or across is None:
        return nothing(WIDTH, HEIGHT, title, "No labelled predictions yet")
    box = Box(56, 30, WIDTH - 8, HEIGHT - 46)
    x = Linear(*across, box.left, box.right)
    y = Linear(0, max(residuals.counts) * 1.05, box.bottom, box.top, wanted=4)
    edges = [x(edge) for edge in residuals.edges]
    unit = f" ({residuals.unit})" if residuals.unit else ""
    parts = [y_axis(box, y, "instances"), steps(edges, [y(n) for n in residuals.counts], box.bottom, "now")]
    parts.append(x_axis(box, x, f"predicted − truth{unit}"))
    if across[0] < 0 < across[1]:
        parts.append(line(x(0), box.top, x(0), box.bottom, "limit"))
    tallest = max(range(len(residuals.counts)), key=residuals.counts.__getitem__)
    between = f"{number(residuals.edges[tallest])} and {number(residuals.edges[tallest + 1])}"
    words = f"{count(total)} residuals; more lie between {between}{unit} than in any other bin."
    return picture(WIDTH, HEIGHT, title, words, parts)
