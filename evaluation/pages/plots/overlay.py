"""Two histograms laid over each other: the baseline, and now.

Both are drawn as shares of their own total, so that a baseline of 400 rows and a day of a million compare. Each bin
is as wide as the next whatever its edges: what is compared is how much lies in a bin, and bins made of quantiles or
reaching to 1e300 stay readable. Values below and above the outer edges, missing and unseen ones stand apart, to the
sides.
"""

from __future__ import annotations

from dataclasses import dataclass

from evaluation.pages.numbers import count, number, percent
from evaluation.pages.plots.scales import Linear, share_label
from evaluation.pages.plots.svg import Box, line, nothing, picture, rectangle, steps, text, y_axis
from evaluation.report_format import HistogramPair

CATEGORIES, CATEGORIES_MINI = 12, 7  # columns at most, wide enough for a name; the others are added up in a last one
SLIVER = 0.002  # a share that stands apart and is smaller than this is told in words, not drawn
APART, APART_MINI = 56.0, 44.0  # width of a column that stands apart, wide enough for its name
GAP = 14.0  # between the bins and what stands apart


@dataclass(frozen=True)
class Column:
    """One bin or category with its share before and now."""

    label: str
    before: float
    now: float


def overlay(pair: HistogramPair | None, title: str, *, unit: str | None = None, mini: bool = False) -> str:
    """The pair as a plot; `mini` is the small form for a row of a list."""
    width, height = (260, 108) if mini else (420, 240)
    kind = "mini" if mini else ""
    if pair is None or not (_total(pair, now=False) or _total(pair, now=True)):
        return nothing(width, height, title, "No values to draw", kind)
    main, apart = columns_of(pair, CATEGORIES_MINI if mini else CATEGORIES)
    drawn = [column for column in apart if max(column.before, column.now) >= SLIVER]
    box = Box(2 if mini else 46, 8 if mini else 30, width - 2, height - (46 if unit and not mini else 24))
    top = max((max(column.before, column.now) for column in main + drawn), default=1.0)
    y = Linear(0, top * 1.06, box.bottom, box.top, wanted=4, label=share_label)
    aside = APART_MINI if mini else APART
    slot = min(88.0 if mini else 96.0, (box.width - aside * len(drawn) - (GAP if drawn else 0)) / max(1, len(main)))
    parts = [] if mini else [y_axis(box, y, "share of instances")]
    parts += _bars(pair, main, box, slot, y)
    parts += _apart(drawn, box.right - aside * len(drawn), aside, box, y)
    parts.append(line(box.left, box.bottom, box.right, box.bottom, "axis-line"))
    parts += _labels(pair, main, box, slot, unit, mini=mini)
    return picture(width, height, title, _in_words(pair, main, apart, unit), parts, kind)


def columns_of(pair: HistogramPair, most: int) -> tuple[list[Column], list[Column]]:
    """Columns that touch (bins, or at most so many categories) and those that stand apart."""
    before, now = _total(pair, now=False) or 1, _total(pair, now=True) or 1
    columns = [Column("", b / before, n / now) for b, n in zip(pair.before, pair.now, strict=True)]
    apart = [
        Column("missing", pair.before_missing / before, pair.now_missing / now),
        Column("unseen", pair.before_unseen / before, pair.now_unseen / now),
    ]
    if pair.edges is not None:
        below, above = columns[0], columns[-1]
        apart = [Column("below", below.before, below.now), Column("above", above.before, above.now), *apart]
        main = columns[1:-1]
    else:
        named = [Column(label, c.before, c.now) for label, c in zip(pair.categories or [], columns, strict=True)]
        main = named if len(named) <= most else _largest(named, most - 1)
    return main, [column for column in apart if column.before or column.now]


def _largest(columns: list[Column], most: int) -> list[Column]:
    """The categories that are or were most frequent, in their order, then the sum of the others."""
    ranked = sorted(range(len(columns)), key=lambda place: -max(columns[place].before, columns[place].now))
    kept = set(ranked[:most])
    rest = [column for place, column in enumerate(columns) if place not in kept]
    others = Column(f"{len(rest)} others", sum(c.before for c in rest), sum(c.now for c in rest))
    return [*(columns[place] for place in sorted(kept)), others]


def _bars(pair: HistogramPair, main: list[Column], box: Box, slot: float, y: Linear) -> list[str]:
    edges = [box.left + index * slot for index in range(len(main) + 1)]
    if pair.edges is None:
        bars = [_pair_of_bars(column, x, slot, box, y) for column, x in zip(main, edges, strict=False)]
        return [bar for both in bars for bar in both]
    return [
        steps(edges, [y(column.before) for column in main], box.bottom, "before"),
        steps(edges, [y(column.now) for column in main], box.bottom, "now"),
    ]


def _pair_of_bars(column: Column, x: float, slot: float, box: Box, y: Linear) -> list[str]:
    gap, half = slot * 0.12, slot * 0.38
    return [
        rectangle(x + gap, y(column.before), half, box.bottom - y(column.before), "before"),
        rectangle(x + gap + half, y(column.now), half, box.bottom - y(column.now), "now"),
    ]


def _apart(apart: list[Column], x: float, width: float, box: Box, y: Linear) -> list[str]:
    parts = []
    for index, column in enumerate(apart):
        left = x + index * width
        parts += _pair_of_bars(column, left + width * 0.15, width * 0.7, box, y)
        parts.append(text(left + width / 2, box.bottom + 16, column.label, anchor="middle"))
    return parts


def _labels(
    pair: HistogramPair, main: list[Column], box: Box, slot: float, unit: str | None, *, mini: bool
) -> list[str]:
    if pair.edges is None:
        return _names(main, box, slot)
    last = len(pair.edges) - 1
    wanted = {0, last} if mini else {0, last // 4, last // 2, 3 * last // 4, last}
    anchors = {0: "start", last: "end"}
    labels = [
        text(box.left + index * slot, box.bottom + 16, number(pair.edges[index]), anchor=anchors.get(index, "middle"))
        for index in sorted(wanted)
    ]
    if unit and not mini:
        labels.append(text(box.left + last * slot / 2, box.bottom + 36, unit, anchor="middle", kind="title"))
    return labels


def _names(main: list[Column], box: Box, slot: float) -> list[str]:
    """Category names that fit under their column; none when columns are too narrow for a word."""
    if slot < 16:
        return []
    fits = max(2, int(slot / 7))
    short = [c.label if len(c.label) <= fits else f"{c.label[: fits - 1]}…" for c in main]
    centres = [box.left + (index + 0.5) * slot for index in range(len(main))]
    return [text(x, box.bottom + 16, name, anchor="middle") for x, name in zip(centres, short, strict=True)]


def _in_words(pair: HistogramPair, main: list[Column], apart: list[Column], unit: str | None) -> str:
    before, now = _total(pair, now=False), _total(pair, now=True)
    words = [f"In the baseline {count(before)} values, now {count(now)}."]
    if pair.edges is not None and main:
        between = f"from {number(pair.edges[0])} to {number(pair.edges[-1])} {unit or ''}"
        words.append(f"{len(main)} {'bin' if len(main) == 1 else 'bins'} {between}.")
        index = max(range(len(main)), key=lambda i: abs(main[i].now - main[i].before))
        where = f"the bin from {number(pair.edges[index])} to {number(pair.edges[index + 1])}"
        words.append(f"The largest change is in {where}: {_change(main[index])}.")
    else:
        words += [f"{c.label[:40]}: {_change(c)}." for c in main[:8]]
    return " ".join(words + [f"{c.label}: {_change(c)}." for c in apart])


def _change(column: Column) -> str:
    return f"{percent(column.before)} before, {percent(column.now)} now"


def _total(pair: HistogramPair, *, now: bool) -> int:
    if now:
        return sum(pair.now) + pair.now_missing + pair.now_unseen
    return sum(pair.before) + pair.before_missing + pair.before_unseen
