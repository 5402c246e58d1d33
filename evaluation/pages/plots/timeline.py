"""A figure over time with its interval, beside the value from before production and the limit.

The points stand where their time is, so that hours without calls show as gaps. Large ones alert, open ones rest on
too few instances for a verdict; the line and the band leave these out, in whose noise they would drown.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from evaluation.pages.numbers import percent
from evaluation.pages.plots.scales import Linear, extent, share_label
from evaluation.pages.plots.svg import Box, circle, line, nothing, path, picture, text, y_axis

WIDTH, HEIGHT = 440, 220


@dataclass(frozen=True)
class Moment:
    """One hour or day: the figure, its interval, what it rests on, and whether that is enough and it alerts."""

    start: datetime
    value: float
    low: float
    high: float
    n: int
    judged: bool = True
    alerts: bool = False


@dataclass(frozen=True)
class Measure:
    """How a figure is written, and between which values it can lie."""

    write: Callable[[float | None], str] = field(default=percent)
    label: Callable[[float, float], str] = field(default=share_label)
    least: float = 0.0
    most: float = 1.0
    limit: str = "asked for"  # what the limit's line says before its value


SHARE = Measure()


def timeline(
    moments: list[Moment],
    title: str,
    *,
    before: float | None = None,
    limit: float | None = None,
    measure: Measure = SHARE,
    unit: timedelta | None = None,
) -> str:
    """The figure from the first moment to the last; a single one is a dot, a NaN a gap. `unit`: how long each lasts."""
    known = [moment for moment in moments if math.isfinite(moment.value)]
    if not known:
        return nothing(WIDTH, HEIGHT, title, "No calls in this window")
    box = Box(52, 22, WIDTH - 12, HEIGHT - 34)
    y = _y(known, [value for value in (before, limit) if value is not None], box, measure)
    unit = unit or _unit(known)
    x = Linear(_s(known[0].start), _s(known[-1].start + unit), box.left, box.right)
    judged = [moment for moment in known if moment.judged]
    parts = [y_axis(box, y), *_line(judged, x, y, unit), *_dots(known, x, y, unit)]
    parts += [*_marks(before, limit, box, y, measure), _dates(known, x, box, unit)]
    return picture(WIDTH, HEIGHT, title, _in_words(known, before, limit, measure), parts)


def _y(known: list[Moment], marks: list[float], box: Box, measure: Measure) -> Linear:
    ends = [end for m in known for end in ((m.value, m.low, m.high) if m.judged else (m.value,))]
    low, high = extent(ends + marks) or (0.0, 1.0)
    margin = (high - low) * 0.08
    bottom, top = max(measure.least, low - margin), max(high, min(measure.most, high + margin))
    return Linear(min(bottom, low), top, box.bottom, box.top, 4, measure.label)


def _marks(before: float | None, limit: float | None, box: Box, y: Linear, measure: Measure) -> list[str]:
    parts = []
    if before is not None:
        parts.append(line(box.left, y(before), box.right, y(before), "before-line"))
        parts.append(text(box.left + 4, y(before) - 5, f"before {measure.write(before)}", kind="halo"))
    if limit is not None:
        parts.append(line(box.left, y(limit), box.right, y(limit), "limit"))
        said = f"{measure.limit} {measure.write(limit)}"
        parts.append(text(box.right, y(limit) - 6, said, anchor="end", kind="limit-label"))
    return parts


def _dots(known: list[Moment], x: Linear, y: Linear, unit: timedelta) -> list[str]:
    """A dot for each moment that alerts or cannot be judged, and for every one where there is room."""
    roomy = len(known) <= 60
    alone = {id(run[0]) for run in _runs([m for m in known if m.judged], unit) if len(run) == 1}
    parts = []
    for moment in known:
        at = x(_s(moment.start + unit / 2)), y(moment.value)
        if not moment.judged:
            parts.append(circle(*at, 2.2, "dot-unsure"))
        elif moment.alerts:
            parts.append(circle(*at, 3.4, "dot-alert"))
        elif roomy or id(moment) in alone:
            parts.append(circle(*at, 2.6, "dot"))
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
            wide = any(m.high > m.low for m in run)
            parts += [path(band, "band", close=True) if wide else "", path(points, "now-line")]
    return parts


def _runs(known: list[Moment], unit: timedelta) -> list[list[Moment]]:
    """Neighbours in time together; a missing hour ends a run."""
    runs = [known[:1]] if known else []
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


def _in_words(known: list[Moment], before: float | None, limit: float | None, measure: Measure) -> str:
    write, lowest, highest = measure.write, min(known, key=lambda m: m.value), max(known, key=lambda m: m.value)
    words = f"{len(known)} points. Lowest {write(lowest.value)} at {lowest.start:%d %b %H:%M} UTC, "
    words += f"highest {write(highest.value)} at {highest.start:%d %b %H:%M} UTC, last {write(known[-1].value)}."
    alerting, unsure = sum(m.alerts for m in known), sum(not m.judged for m in known)
    words += f" {alerting} of them alert." if alerting else ""
    words += f" {unsure} rest on too little for a verdict." if unsure else ""
    words += f" Before production {write(before)}." if before is not None else ""
    return words + (f" {measure.limit.capitalize()} {write(limit)}." if limit is not None else "")


def _s(moment: datetime) -> float:
    return moment.astimezone(UTC).timestamp()
