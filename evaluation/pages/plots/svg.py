"""The few SVG elements that the plots are made of; text is escaped here and nowhere else."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from evaluation.pages.plots.scales import Scale
from evaluation.pages.text import shown

Point = tuple[float, float]


@dataclass(frozen=True)
class Box:
    """The plotting area inside the picture, in picture units."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """From left to right."""
        return self.right - self.left


def picture(width: float, height: float, title: str, description: str, body: Iterable[str], kind: str = "") -> str:
    """A whole plot that scales with its column; `description` is what a screen reader says."""
    return (
        f'<svg class="plot {kind}" viewBox="0 0 {at(width)} {at(height)}" role="img">'
        f"<title>{clean(title)}</title><desc>{clean(description, 600)}</desc>{''.join(body)}</svg>"
    )


def nothing(width: float, height: float, title: str, reason: str, kind: str = "") -> str:
    """A plot without data: it says so in words."""
    words = text(width / 2, height / 2, reason, anchor="middle")
    return picture(width, height, title, reason, [words], kind)


def text(x: float, y: float, content: str, *, anchor: str = "start", kind: str = "", limit: int = 40) -> str:
    """A line of text whose baseline begins, is centred or ends at x."""
    named = f' class="{kind}"' if kind else ""
    return f'<text x="{at(x)}" y="{at(y)}" text-anchor="{anchor}"{named}>{clean(content, limit)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """A straight line."""
    return f'<line x1="{at(x1)}" y1="{at(y1)}" x2="{at(x2)}" y2="{at(y2)}" class="{kind}"/>'


def rectangle(x: float, y: float, width: float, height: float, kind: str) -> str:
    """A rectangle; nothing when it has no area."""
    if width <= 0 or height <= 0:
        return ""
    return f'<rect x="{at(x)}" y="{at(y)}" width="{at(width)}" height="{at(height)}" class="{kind}"/>'


def circle(x: float, y: float, radius: float, kind: str) -> str:
    """A dot."""
    return f'<circle cx="{at(x)}" cy="{at(y)}" r="{at(radius)}" class="{kind}"/>'


def dots(points: Iterable[Point], kind: str) -> str:
    """Many dots as one element, each a closed line of no length with round ends: ten bytes a dot.

    >>> dots([(1, 2), (3, 4.25)], "now-dots")
    '<path d="M1 2ZM3 4.2Z" class="dots now-dots"/>'
    """
    commands = [f"M{at(x)} {at(y)}Z" for x, y in points if math.isfinite(x) and math.isfinite(y)]
    return f'<path d="{"".join(commands)}" class="dots {kind}"/>' if commands else ""


def path(points: Iterable[Point], kind: str, *, close: bool = False) -> str:
    """A line through the points; a point that is not finite interrupts it."""
    commands, pen_down = [], False
    for x, y in points:
        if not (math.isfinite(x) and math.isfinite(y)):
            pen_down = False
            continue
        commands.append(f"{'L' if pen_down else 'M'}{at(x)} {at(y)}")
        pen_down = True
    if not commands:
        return ""
    return f'<path d="{"".join(commands)}{"Z" if close else ""}" class="{kind}"/>'


def steps(edges: list[float], heights: list[float], floor: float, kind: str) -> str:
    """A histogram's outline as one closed shape: k + 1 x positions, k y positions; nothing where all is floor."""
    if not heights or all(height >= floor for height in heights):
        return ""
    outline: list[Point] = [(edges[0], floor)]
    for start, end, height in zip(edges, edges[1:], heights, strict=False):
        outline += [(start, height), (end, height)]
    return path([*outline, (edges[-1], floor)], kind, close=True)


def y_axis(box: Box, scale: Scale, title: str = "") -> str:
    """Horizontal grid lines with their labels left of the box, and the axis' title above."""
    parts = []
    for value, label in scale.ticks():
        y = scale(value)
        parts += [line(box.left, y, box.right, y, "grid-line"), text(box.left - 7, y + 4, label, anchor="end")]
    return "".join(parts) + (text(0, box.top - 16, title, kind="title", limit=60) if title else "")


def x_axis(box: Box, scale: Scale, title: str = "") -> str:
    """Labels below the box and the axis' title under them."""
    parts = [line(box.left, box.bottom, box.right, box.bottom, "axis-line")]
    for value, label in scale.ticks():
        parts.append(line(scale(value), box.bottom, scale(value), box.bottom + 4, "axis-line"))
        parts.append(text(scale(value), box.bottom + 18, label, anchor="middle"))
    if title:
        middle = (box.left + box.right) / 2
        parts.append(text(middle, box.bottom + 36, title, anchor="middle", kind="title", limit=60))
    return "".join(parts)


def at(value: float) -> str:
    """A coordinate with one decimal at most.

    >>> at(12.0), at(12.345)
    ('12', '12.3')
    """
    return f"{value:.1f}".removesuffix(".0")


def clean(content: str, limit: int = 120) -> str:
    """Text that is safe between tags and in attributes.

    >>> clean("<b>&")
    '&lt;b&gt;&amp;'
    """
    return escape(shown(content, limit))
