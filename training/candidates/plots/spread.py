"""One metric for every candidate: each fold a small dot, their mean a large one with its standard error.

The best stands first. The name stands above its line, so that long names fit a phone; the baseline's score is a dashed
line through all of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from evaluation.pages.numbers import number
from evaluation.pages.plots.scales import Linear, extent
from evaluation.pages.plots.svg import Box, circle, line, nothing, picture, text, x_axis
from training.candidates.judging import Judged

WIDTH, ROW, TOP, BOTTOM = 400.0, 38.0, 24.0, 46.0


def spread(ranked: Sequence[Judged], baseline: Judged | None, metric_title: str) -> str:
    """The candidates in the order given; those without a score are for the table."""
    shown = [one for one in ranked if one.by_fold]
    title = f"{metric_title} of each candidate"
    level = baseline.score if baseline is not None else None
    around = extent([value for one in shown for value in one.by_fold] + ([] if level is None else [level]))
    if around is None:
        return nothing(WIDTH, 120, title, "No candidate has this figure")
    height = TOP + ROW * len(shown) + BOTTOM
    box = Box(4, TOP, WIDTH - 8, TOP + ROW * len(shown))
    margin = (around[1] - around[0]) * 0.04
    x = Linear(around[0] - margin, around[1] + margin, box.left, box.right)
    parts = [x_axis(box, x, metric_title), *_baseline(level, x, box)]
    for index, one in enumerate(shown):
        parts += _row(one, TOP + ROW * index, x, box, best=index == 0)
    return picture(WIDTH, height, title, _in_words(shown, level), parts)


def _baseline(level: float | None, x: Linear, box: Box) -> list[str]:
    if level is None:
        return []
    at = x(level)
    anchor = "end" if at > WIDTH * 0.6 else "start"
    label = f"baseline {number(level)}"
    return [
        line(at, box.top - 6, at, box.bottom, "before-line"),
        text(at + (-5 if anchor == "end" else 5), box.top - 10, label, anchor=anchor, kind="halo"),
    ]


def _row(one: Judged, y: float, x: Linear, box: Box, *, best: bool) -> list[str]:
    middle, mean = y + 25, one.score or 0.0
    return [
        line(box.left, middle, box.right, middle, "grid-line"),
        text(box.left, y + 14, one.candidate.title, kind="title halo" if best else "halo", limit=60),
        *(circle(x(value), middle, 2.6, "cloud") for value in one.by_fold),
        line(x(mean - one.error), middle, x(mean + one.error), middle, "now-line"),
        circle(x(mean), middle, 5.2 if best else 4.2, "dot"),
    ]


def _in_words(shown: Sequence[Judged], level: float | None) -> str:
    words = "; ".join(f"{one.candidate.title} {number(one.score)}" for one in shown[:8])
    return f"Best first: {words}." + (f" The baseline is at {number(level)}." if level is not None else "")
