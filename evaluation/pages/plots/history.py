"""Verdicts day by day: a row for each section, a bar for each day, the worse the taller.

Height says the level as well as colour does; a day without data has a dot, a day without a report has nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from evaluation.pages.plots.svg import line, nothing, picture, rectangle, text
from evaluation.report_format import Level

ROW, LEFT, ROOM = 34, 104, 384  # room for the days
MOST_DAYS = 60
_HEIGHTS: dict[Level, float] = {"alert": 1.0, "warn": 0.62, "ok": 0.3}
_KINDS: dict[Level, str] = {"alert": "h-alert", "warn": "h-warn", "ok": "h-ok"}


@dataclass(frozen=True)
class Day:
    """One day's levels by section, of its newest report."""

    day: date
    levels: dict[str, Level]


def history(days: Sequence[Day], sections: Sequence[str], title: str) -> str:
    """The last 60 days at most, up to the last that has a report."""
    if not days:
        return nothing(LEFT + ROOM, 60, title, "No day has a report yet")
    last = max(one.day for one in days)
    span = min(MOST_DAYS, (last - min(one.day for one in days)).days + 1)
    first, step = last - timedelta(days=span - 1), min(16.0, ROOM / span)
    parts = []
    for row, section in enumerate(sections):
        floor = (row + 1) * ROW - 4
        parts.append(text(0, floor - 6, section, kind="title"))
        parts.append(line(LEFT, floor, LEFT + span * step, floor, "axis-line"))
        shown = [one for one in days if one.day >= first and section in one.levels]
        parts += [_bar(one.levels[section], LEFT + (one.day - first).days * step, floor, step) for one in shown]
    bottom = len(sections) * ROW
    parts += _dates(first, span, step, bottom + 14)
    return picture(LEFT + max(span * step, 90) + 30, bottom + 22, title, _in_words(days, sections), parts, "history")


def _bar(level: Level, x: float, floor: float, step: float) -> str:
    gap = min(2.0, step * 0.2)
    if level not in _HEIGHTS:
        return rectangle(x + step / 2 - 1.5, floor - 5, 3, 3, "h-none")
    height = (ROW - 10) * _HEIGHTS[level]
    return rectangle(x + gap / 2, floor - height, step - gap, height, _KINDS[level])


def _dates(first: date, span: int, step: float, y: float) -> list[str]:
    every = max(1, -(-span // max(1, int(span * step // 70))))
    days = [first + timedelta(days=back) for back in range(0, span, every)]
    return [text(LEFT + (day - first).days * step, y, f"{day.day} {day:%b}") for day in days]


def _in_words(days: Sequence[Day], sections: Sequence[str]) -> str:
    told = [f"{len(days)} days have a report."]
    for section in sections:
        levels = [one.levels.get(section) for one in days]
        told.append(f"{section}: {levels.count('alert')} alert, {levels.count('warn')} warn, {levels.count('ok')} ok.")
    return " ".join(told)
