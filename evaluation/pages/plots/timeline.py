"""A share over time with its interval, beside the value from before production and the limit.

The points stand where their time is, so that hours without calls show as gaps.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from evaluation.pages.numbers import percent
from evaluation.pages.plots.scales import Linear, extent, share_label
from evaluation.pages.plots.svg import Box, circle, line, nothing, path, picture, text, y_axis

WIDTH, HEIGHT = 440, 220


@dataclass(frozen=True)
class Moment:
    """One hour or day: the share, its interval, and how many calls it rests on."""

    start: datetime
    value: float
    low: float
    high: float
    n: int


def timeline(moments: list[Moment], title: str, *, before: float | None = None, limit: float | None = None) -> str:
    """The shares from the first moment to the last; a single one is a dot, a NaN a gap."""
    known = [moment for moment in moments if math.isfinite(moment.value)]
    if not known:
        return nothing(WIDTH, HEIGHT, title, "No calls in this window")
    box = Box(52, 22, WIDTH - 12, HEIGHT - 34)
    marks = [value for value in (before, limit) if value is not None]
    low, high = extent([end for m in known for end in (m.value, m.low, m.high)] + marks) or (0.0, 1.0)
    margin = (high - low) * 0.08
    y = Linear(max(0.0, low - margin), max(high, min(1.0, high + margin)), box.bottom, box.top, 4, share_label)
    unit = _unit(known)
    x = Linear(_s(known[0].start), _s(known[-1].start + unit), box.left, box.right)
    parts = [y_axis(box, y), *_line(known, x, y, unit), *_marks(before, limit, box, y), _dates(known, x, box, unit)]
    return picture(WIDTH, HEIGHT, title, _in_words(known, before, limit), parts)


def _marks(before: float | None, limit: float | None, box: Box, y: Linear) -> list[str]:
    parts = []
    if before is not None:
        parts.append(line(box.left, y(before), box.right, y(before), "before-line"))
        parts.append(text(box.left + 4, y(before) - 5, f"before {percent(before)}", kind="halo"))
    if limit is not None:
        parts.append(line(box.left, y(limit), box.right, y(limit), "limit"))
        parts.append(text(box.right, y(limit) - 6, f"asked for {percent(limit)}", anchor="end", kind="limit-label"))
    return parts


def _line(known: list[Moment], x: Linear, y: Linear, unit: timedelta) -> list[str]:
    parts = []
    for run in _runs(known, unit):
        middle = [x(_s(m.start + unit / 2)) for m in run]
        band = [(a, y(m.high)) for a, m in zip(middle, run, strict=True)]
        band += [(a, y(m.low)) for a, m in zip(reversed(middle), reversed(run), strict=True)]
        points = [(a, y(m.value)) for a, m in zip(middle, run, strict=True)]
        if len(run) == 1:
            parts.append(line(middle[0], y(run[0].low), middle[0], y(run[0].high), "now-line"))
        else:
            parts += [path(band, "band", close=True), path(points, "now-line")]
        if len(known) <= 60 or len(run) == 1:
            parts += [circle(a, b, 2.6, "dot") for a, b in points]
    return parts


def _runs(known: list[Moment], unit: timedelta) -> list[list[Moment]]:
    """Neighbours in time together; a missing hour ends a run."""
    runs = [[known[0]]]
    for earlier, later in itertools.pairwise(known):
        if later.start - earlier.start > unit * 1.5:
            runs.append([])
        runs[-1].append(later)
    return runs


def _dates(known: list[Moment], x: Linear, box: Box, unit: timedelta) -> str:
    first, last = known[0].start, known[-1].start
    hours = unit < timedelta(days=1) and last - first <= timedelta(hours=48)
    span = last + unit - first
    parts = [line(box.left, box.bottom, box.right, box.bottom, "axis-line")]
    every = max(1, math.ceil(span / unit / 6))
    for index in range(0, math.ceil(span / unit) + 1, every):
        moment = first + index * unit
        label = f"{moment:%H:%M}" if hours else f"{moment.day} {moment:%b}"
        anchor = "start" if index == 0 else "end" if x(_s(moment)) > box.right - 14 else "middle"
        parts.append(line(x(_s(moment)), box.bottom, x(_s(moment)), box.bottom + 4, "axis-line"))
        parts.append(text(x(_s(moment)), box.bottom + 18, label, anchor=anchor))
    return "".join(parts)


def _unit(known: list[Moment]) -> timedelta:
    gaps = [later.start - earlier.start for earlier, later in itertools.pairwise(known)]
    return timedelta(days=1) if gaps and min(gaps) >= timedelta(days=1) else timedelta(hours=1)


def _in_words(known: list[Moment], before: float | None, limit: float | None) -> str:
    lowest = min(known, key=lambda m: m.value)
    words = f"{len(known)} points. Lowest {percent(lowest.value)} at {lowest.start:%d %b %H:%M} UTC, "
    words += f"last {percent(known[-1].value)}."
    words += f" Before production {percent(before)}." if before is not None else ""
    return words + (f" Asked for is {percent(limit)}." if limit is not None else "")


def _s(moment: datetime) -> float:
    return moment.astimezone(UTC).timestamp()
