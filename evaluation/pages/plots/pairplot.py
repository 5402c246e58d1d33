"""The pairplot: features that drifted against each other, the training rows below what is scored now.

On the diagonal stands each feature alone, as shares in twelve equal bins of its axis. An axis spans the middle 98 % of
both samples, so that one wild value does not squeeze the others into a line; what lies outside is drawn at its end.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evaluation.pages.numbers import count, number
from evaluation.pages.plots.scales import Linear, extent
from evaluation.pages.plots.svg import Box, dots, nothing, picture, rectangle, steps, text
from evaluation.report_format import Pairplot

WIDTH = 860
CELL_GAP = 14.0
BINS = 12
LEFT, BOTTOM, TOP = 64.0, 44.0, 26.0

Values = Sequence[float | None]


def pairs(plot: Pairplot | None, title: str) -> str:
    """All pairs of at most four features, each once, below the diagonal."""
    names = [feature.name for feature in plot.features] if plot else []
    if plot is None or len(names) < 2 or not plot.now:
        return nothing(WIDTH, 120, title, "Fewer than two numbers to draw", "pairs")
    size = (WIDTH - LEFT - CELL_GAP * len(names)) / len(names)
    height = TOP + len(names) * (size * 0.72 + CELL_GAP) + BOTTOM
    columns = [([row[place] for row in plot.before], [row[place] for row in plot.now]) for place in range(len(names))]
    spans = [_span(before, now) for before, now in columns]
    parts: list[str] = []
    for down in range(len(names)):
        for across in range(down + 1):
            left = LEFT + across * (size + CELL_GAP)
            top = TOP + down * (size * 0.72 + CELL_GAP)
            box = Box(left, top, left + size, top + size * 0.72)
            parts.append(rectangle(left, top, size, size * 0.72, "frame"))
            parts += (
                _alone(columns[down], spans[down], box) if across == down else _both(columns, spans, across, down, box)
            )
            parts += _ticks(spans, names, across, down, box, last=down == len(names) - 1)
    parts += [
        text(
            LEFT + place * (size + CELL_GAP),
            TOP + place * (size * 0.72 + CELL_GAP) - 6,
            _label(plot, place),
            kind="title",
        )
        for place in range(len(names))
    ]
    return picture(WIDTH, height, title, _in_words(plot), [f'<g class="small-dots">{"".join(parts)}</g>'], "pairs")


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
    columns: Sequence[tuple[Values, Values]], spans: Sequence[tuple[float, float]], across: int, down: int, box: Box
) -> list[str]:
    x, y = Linear(*spans[across], box.left, box.right), Linear(*spans[down], box.bottom, box.top)
    drawn = []
    for side, kind in ((0, "before-dots"), (1, "now-dots")):
        both = zip(columns[across][side], columns[down][side], strict=True)
        drawn.append(dots([(x(a), y(b)) for a, b in both if a is not None and b is not None], kind))
    return drawn


def _ticks(
    spans: Sequence[tuple[float, float]], names: Sequence[str], across: int, down: int, box: Box, *, last: bool
) -> list[str]:
    """Labels at the ends of the outer axes."""
    parts = []
    if last:
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


def _label(plot: Pairplot, place: int) -> str:
    feature = plot.features[place]
    return f"{feature.name} ({feature.unit})" if feature.unit else feature.name


def _in_words(plot: Pairplot) -> str:
    words = [f"{count(len(plot.before))} training rows and {count(len(plot.now))} instances."]
    for place, feature in enumerate(plot.features):
        middles = [_middle([row[place] for row in rows]) for rows in (plot.before, plot.now)]
        words.append(f"{feature.name[:40]}: median {middles[0]} before, {middles[1]} now.")
    return " ".join(words)


def _middle(values: Values) -> str:
    known = [value for value in values if value is not None]
    return number(float(np.quantile(known, 0.5, method="nearest"))) if known else "not known"
