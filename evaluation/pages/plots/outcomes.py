"""Calls over time, stacked by what became of them."""

from __future__ import annotations

import math
from datetime import datetime

from evaluation.pages.numbers import count
from evaluation.pages.plots.scales import Linear
from evaluation.pages.plots.svg import Box, line, nothing, picture, rectangle, text, y_axis
from evaluation.report_format import CoverageHour

WIDTH, HEIGHT = 440, 200
KINDS = ("scored", "abstained", "rejected", "failed", "error")


def outcomes(hours: list[CoverageHour], title: str, *, days: bool) -> str:
    """One column an hour or day, in their order; gaps in time are not drawn, each column says its start."""
    totals = [hour.counts.calls for hour in hours]
    if not any(totals):
        return nothing(WIDTH, HEIGHT, title, "No calls in this window")
    box = Box(52, 14, WIDTH - 12, HEIGHT - 30)
    y = Linear(0, max(totals) * 1.04, box.bottom, box.top, wanted=4)
    slot = min(96.0, box.width / len(hours))
    parts = [y_axis(box, y), line(box.left, box.bottom, box.right, box.bottom, "axis-line")]
    parts += [_column(hour, box.left + index * slot, slot, y) for index, hour in enumerate(hours)]
    every = max(1, math.ceil(60 / slot))
    for index in range(0, len(hours), every):
        label = _label(hours[index].start, days=days)
        parts.append(text(box.left + (index + 0.5) * slot, box.bottom + 17, label, anchor="middle"))
    words = f"{len(hours)} {'days' if days else 'hours'} with calls, {count(sum(totals))} calls in all, "
    return picture(WIDTH, HEIGHT, title, f"{words}{count(max(totals))} in the busiest.", parts)


def _column(hour: CoverageHour, x: float, slot: float, y: Linear) -> str:
    was = hour.counts
    amounts = (was.scored, was.abstained, was.rejected, was.failed, was.request_errors)
    gap = slot * 0.1 if slot > 4 else 0
    parts, below = [], 0
    for kind, amount in zip(KINDS, amounts, strict=True):
        top = below + amount
        parts.append(rectangle(x + gap, y(top), slot - 2 * gap, y(below) - y(top), f"f-{kind}"))
        below = top
    return "".join(parts)


def _label(start: str, *, days: bool) -> str:
    moment = datetime.fromisoformat(start)
    return f"{moment.day} {moment:%b}" if days else f"{moment:%H:%M}"
