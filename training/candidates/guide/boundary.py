"""Where a fitted model says what: two columns, the rows, and the area of one class, as an SVG file of its own.

The area is drawn as horizontal runs of cells, so the file stays small whatever the shape. The file carries its own
style, for light and dark, since a document shows it as an image.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from evaluation.pages.plots.scales import Linear
from evaluation.pages.plots.svg import Box, circle, picture, rectangle, text, x_axis, y_axis

WIDTH, HEIGHT, CELLS, DOTS = 360.0, 330.0, 72, 400
STYLE = """<style>
svg { background: #fff; font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
text { font-size: 11.5px; fill: #52606e; } .title { fill: #131a22; }
.head { font-size: 13px; font-weight: 600; fill: #131a22; }
.grid-line { stroke: #dbe1e7; } .axis-line { stroke: #b7c1cc; }
.area { fill: #e69f00; fill-opacity: .22; } .first { fill: #0072b2; fill-opacity: .65; } .second { fill: #b35900; }
@media (prefers-color-scheme: dark) {
svg { background: #161c23; } text { fill: #a5b1bd; } .title, .head { fill: #e9eef3; }
.grid-line { stroke: #2a343f; } .axis-line { stroke: #465362; } .first { fill: #56b4e9; } .second { fill: #f0a94a; } }
</style>"""


def boundary(pipeline: Any, table: pd.DataFrame, target: str, wanted: str, title: str) -> str:
    """The area in which `pipeline` answers `wanted`, with rows of the table; the other class's dots are blue."""
    first, second = [name for name in table.columns if name != target]
    ends = [(float(table[name].min()), float(table[name].max())) for name in (first, second)]
    box = Box(46, 46, WIDTH - 10, HEIGHT - 46)
    x, y = Linear(*ends[0], box.left, box.right), Linear(*ends[1], box.bottom, box.top)
    parts = [text(0, 16, title, kind="head", limit=60), y_axis(box, y, second), x_axis(box, x, first)]
    parts += _key(wanted, str(table[target][table[target] != wanted].iloc[0]))
    parts += _area(pipeline, (first, second), ends, wanted, x, y)
    parts += _dots(table.head(DOTS * 10), (first, second), target, wanted, x, y)
    share = float((pipeline.predict(table[[first, second]]) == wanted).mean())
    return alone(picture(WIDTH, HEIGHT, title, f"{wanted} is answered for {share:.1%} of the rows.", parts))


def alone(svg: str) -> str:
    """A plot of a page as a file of its own."""
    opened = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    start = opened.index(">") + 1
    return f"{opened[:start]}{STYLE}{opened[start:]}\n"


def _key(wanted: str, other: str) -> list[str]:
    """What the colours mean, right above the box."""
    right = WIDTH - 10
    return [
        rectangle(right - 84, 21, 12, 11, "area"), text(right - 67, 30, f"says {wanted}"),
        circle(right - 140, 26.5, 2.6, "second"), text(right - 132, 30, wanted),
        circle(right - 190, 26.5, 2.6, "first"), text(right - 182, 30, other),
    ]  # fmt: skip


def _area(
    pipeline: Any, names: tuple[str, str], ends: list[tuple[float, float]], wanted: str, x: Linear, y: Linear
) -> list[str]:
    edges = [np.linspace(low, high, CELLS + 1) for low, high in ends]
    centres = [(edge[1:] + edge[:-1]) / 2 for edge in edges]
    across, up = np.meshgrid(*centres)
    cells = pd.DataFrame({names[0]: across.ravel(), names[1]: up.ravel()})
    inside = (pipeline.predict(cells) == wanted).reshape(CELLS, CELLS)
    parts = []
    for row in range(CELLS):
        top, bottom = y(edges[1][row + 1]), y(edges[1][row])
        for start, end in _runs(inside[row]):
            parts.append(
                rectangle(x(edges[0][start]), top, x(edges[0][end]) - x(edges[0][start]), bottom - top, "area")
            )
    return parts


def _runs(row: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    found, position = [], 0
    for inside, cells in itertools.groupby(row.tolist()):
        length = len(list(cells))
        if inside:
            found.append((position, position + length))
        position += length
    return found


def _dots(table: pd.DataFrame, names: tuple[str, str], target: str, wanted: str, x: Linear, y: Linear) -> list[str]:
    """All rows of the wanted class and some of the other, the wanted ones on top."""
    is_wanted = table[target] == wanted
    shown = [(table[~is_wanted].head(DOTS), "first", 1.8), (table[is_wanted].head(DOTS), "second", 2.2)]
    return [
        circle(x(a), y(b), radius, kind)
        for rows, kind, radius in shown
        for a, b in zip(rows[names[0]], rows[names[1]], strict=True)
    ]
