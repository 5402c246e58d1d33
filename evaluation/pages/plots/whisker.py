"""One figure and its interval beside the same before production: a row's own small plot.

Both lie on one scale, so that a glance tells whether the intervals overlap.
"""

from __future__ import annotations

import math

from evaluation.pages.numbers import number
from evaluation.pages.plots.scales import Linear, extent
from evaluation.pages.plots.svg import circle, line, nothing, picture
from evaluation.report_format import Figure

WIDTH, HEIGHT = 180, 30


def whisker(figure: Figure) -> str:
    """The interval now (filled dot, above) and before (open dot, below)."""
    values = [figure.value, figure.low, figure.high, figure.before, figure.before_low, figure.before_high]
    around = extent([value for value in values if value is not None])
    if around is None or (figure.value is None and figure.before is None):
        return nothing(WIDTH, HEIGHT, figure.title, "nothing to compare yet", "mini")
    margin = (around[1] - around[0]) * 0.08
    x = Linear(max(-1e300, around[0] - margin), min(1e300, around[1] + margin), 6, WIDTH - 6)
    parts = _interval(figure.before, figure.before_low, figure.before_high, 22, x, "before-line", "dot-before")
    parts += _interval(figure.value, figure.low, figure.high, 8, x, "now-line", "dot")
    return picture(WIDTH, HEIGHT, figure.title, _in_words(figure), parts, "mini")


def _interval(
    value: float | None, low: float | None, high: float | None, y: float, x: Linear, kind: str, dot: str
) -> list[str]:
    known = low is not None and high is not None and math.isfinite(low) and math.isfinite(high)
    parts = [line(x(low), y, x(high), y, kind)] if known and low is not None and high is not None else []
    return [*parts, circle(x(value), y, 4, dot)] if value is not None and math.isfinite(value) else parts


def _in_words(figure: Figure) -> str:
    now = _words("Now", figure.value, figure.low, figure.high)
    return f"{now} {_words('Before', figure.before, figure.before_low, figure.before_high)}"


def _words(moment: str, value: float | None, low: float | None, high: float | None) -> str:
    between = f", interval {number(low)} to {number(high)}" if low is not None else ""
    return f"{moment} {number(value)}{between}."
