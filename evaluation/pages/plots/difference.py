"""The difference of two models in one figure, with its interval and the line of no difference: a row's own plot.

The better side is always to the right, so that a glance down the rows tells which model wins.
"""

from __future__ import annotations

import math

from evaluation.pages.numbers import number
from evaluation.pages.plots.scales import Linear, extent
from evaluation.pages.plots.svg import circle, line, nothing, picture
from evaluation.report_format import PairedTest

WIDTH, HEIGHT = 180, 30


def difference(test: PairedTest) -> str:
    """The dot lies right of the dashed line where the second model is better."""
    if test.difference is None or not math.isfinite(test.difference):
        return nothing(WIDTH, HEIGHT, test.title, "not compared", "mini")
    sign = 1.0 if test.better == "higher" else -1.0
    dot = sign * test.difference
    ends = [sign * end for end in (test.low, test.high) if end is not None and math.isfinite(end)]
    reach = extent([abs(value) for value in [dot, *ends]], include=[0.0])
    widest = (reach[1] if reach else 1.0) * 1.15
    x = Linear(-widest, widest, 6, WIDTH - 6)
    parts = [line(x(0), 2, x(0), HEIGHT - 2, "reference")]
    if len(ends) == 2:
        parts.append(line(x(min(ends)), HEIGHT / 2, x(max(ends)), HEIGHT / 2, "now-line"))
    parts.append(circle(x(dot), HEIGHT / 2, 4, "dot"))
    return picture(WIDTH, HEIGHT, test.title, _in_words(test), parts, "mini")


def _in_words(test: PairedTest) -> str:
    between = f", interval {number(test.low)} to {number(test.high)}" if test.low is not None else ""
    side = {"one": "the first is better", "other": "the second is better"}.get(
        test.winner or "", "no difference proven"
    )
    return f"Difference {number(test.difference)}{between}: {side}."
