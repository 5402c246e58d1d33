"""The pairplot: features that drifted against each other, the training rows below what is scored now.

On the diagonal stands each feature alone, as shares in twelve equal bins of its axis. An axis spans the middle 98 % of
both samples, so that one wild value does not squeeze the others into a line; what lies outside is drawn at its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from evaluation.pages.numbers import count, number
from evaluation.pages.plots.scales import MOST, Linear, extent
from evaluation.pages.plots.svg import Box, dots, nothing, picture, rectangle, steps, text
from evaluation.report_format import PairedFeature, Pairplot

WIDTH = 860
CELL_GAP = 14.0
BINS = 12
FLATNESS = 0.72  # of a cell, height ÷ width
LEFT, BOTTOM, TOP = 64.0, 44.0, 26.0

Values = Sequence[float | None]


def pairs(plot: Pairplot | None, title: str) -> str:
    """All pairs of at most four features, each once, below the diagonal."""
    if plot is None or len(plot.features) < 2 or not plot.now:
        return nothing(WIDTH, 120, title, "Fewer than two numbers to draw", "pairs")
    size = len(plot.features)
    columns = [(_column(plot.before, place), _column(plot.now, place)) for place in range(size)]
    spans = [_span(*column) for column in columns]
    names = [feature.name for feature in plot.features]
    parts: list[str] = []
    for across, down, box in _cells(size):
        parts.append(rectangle(box.left, box.top, box.width, box.bottom - box.top, "frame"))
        if across == down:
            parts += _alone(columns[down], spans[down], box)
            parts.append(text(box.left, box.top - 6, _label(plot.features[down]), kind="title"))
        else:
            parts += _both(columns[across], columns[down], spans[across], spans[down], box)
        parts += _ticks(spans, names, across, down, box)
    height = TOP + size * (box.bottom - box.top + CELL_GAP) + BOTTOM
    words = _in_words(plot, columns)
    return picture(WIDTH, height, title, words, [f'<g class="small-dots">{"".join(parts)}</g>'], "pairs")


def _cells(count: int) -> Iterator[tuple[int, int, Box]]:
    """Column, row and place of each cell, row by row."""
    width = (WIDTH - LEFT - CELL_GAP * count) / count
    height = width * FLATNESS
    for down in range(count):
        for across in range(down + 1):
            left, top = LEFT + across * (width + CELL_GAP), TOP + down * (height + CELL_GAP)
            yield across, down, Box(left, top, left + width, top + height)


def _column(rows: Sequence[Values], place: int) -> Values:
    """One feature's values; what is beyond any scale at its end."""
    values = (row[place] for row in rows)
    return [None if value is None or value != value else min(MOST, max(-MOST, value)) for value in values]


def _span(before: Values, now: Values) -> tuple[float, float]:
    """The middle 98 % of each sample, both together."""
    ends: list[float] = []
    for values in (before, now):
        known = [value for value in values if value is not None]
        if known:
            ends += np.quantile(known, [0.01, 0.99], method="nearest").tolist()
    low, high = extent(ends) or (0.0, 1.0)
    margin = (high / 2 - low / 2) * 0.08
    return low - margin, high + margin


def _alone(column: tuple[Values, Values], span: tuple[float, float], box: Box) -> list[str]:
    """The feature's distribution before and now."""
    x = Linear(*span, 0.0, float(BINS))
    shares = [_shares(values, x) for values in column]
    top = max((max(one) for one in shares if one), default=1.0) or 1.0
    y = Linear(0, top * 1.08, box.bottom, box.top)
    edges = [box.left + box.width * place / BINS for place in range(BINS + 1)]
    return [
        steps(edges, [y(share) for share in one], box.bottom, kind)
        for one, kind in zip(shares, ("before", "now"), strict=True)
        if one
    ]


def _shares(values: Values, x: Linear) -> list[float]:
    known = [min(BINS - 1, int(x(value))) for value in values if value is not None]
    return [known.count(place) / len(known) for place in range(BINS)] if known else []


def _both(
    across: tuple[Values, Values],
    down: tuple[Values, Values],
    wide: tuple[float, float],
    high: tuple[float, float],
    box: Box,
) -> list[str]:
    """Two features against each other, the training rows first."""
    x, y = Linear(*wide, box.left, box.right), Linear(*high, box.bottom, box.top)
    drawn = []
    for side, kind in enumerate(("before-dots", "now-dots")):
        both = zip(across[side], down[side], strict=True)
        drawn.append(dots([(x(a), y(b)) for a, b in both if a is not None and b is not None], kind))
    return drawn


def _ticks(spans: Sequence[tuple[float, float]], names: Sequence[str], across: int, down: int, box: Box) -> list[str]:
    """Labels at the ends of the outer axes."""
    parts = []
    if down == len(names) - 1:
        parts += [
            text(box.left + 3, box.bottom + 16, number(spans[across][0])),
            text(box.right - 3, box.bottom + 16, number(spans[across][1]), anchor="end"),
            text((box.left + box.right) / 2, box.bottom + 34, names[across], anchor="middle", kind="title", limit=26),
        ]
    if across == 0 and down > 0:
        parts += [
            text(box.left - 6, box.top + 12, number(spans[down][1]), anchor="end"),
            text(box.left - 6, box.bottom - 3, number(spans[down][0]), anchor="end"),
        ]
    return parts


def _label(feature: PairedFeature) -> str:
    return f"{feature.name} ({feature.unit})" if feature.unit else feature.name


def _in_words(plot: Pairplot, columns: Sequence[tuple[Values, Values]]) -> str:
    words = [f"{count(len(plot.before))} training rows and {count(len(plot.now))} instances."]
    for feature, column in zip(plot.features, columns, strict=True):
        then, now = map(_middle, column)
        words.append(f"{feature.name[:40]}: median {then} before, {now} now.")
    return " ".join(words)


def _middle(values: Values) -> str:
    known = [value for value in values if value is not None]
    return number(float(np.quantile(known, 0.5, method="nearest"))) if known else "not known"
