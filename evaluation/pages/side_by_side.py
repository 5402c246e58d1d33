"""The page of `python -m evaluation compare`: what is worse, in a sentence, then every figure beside the first's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.format.comparison import Comparison, Side
from evaluation.pages import numbers
from evaluation.pages.plots.overlay import overlay
from evaluation.pages.plots.whisker import whisker
from evaluation.pages.render import markup, render
from evaluation.report_format import DistributionDrift

DISTRIBUTIONS = 30  # of the drift between two windows, drawn
_TITLES = {"versions": "Versions", "windows": "Windows", "challengers": "Champion and challengers"}


@dataclass(frozen=True)
class TimeRow:
    """One stage's 50 % and 99 % quantiles, one of each side that has it."""

    title: str
    p50_ms: list[float | None]
    p99_ms: list[float | None]


def side_by_side_page(comparison: Comparison) -> str:
    """One self-contained HTML file."""
    drift = comparison.differences[0].drift if comparison.kind == "windows" else None
    drifted = _shown(drift.features + drift.outputs) if drift else []
    return render(
        "side_by_side.html.j2",
        served=False,
        code=None,
        comparison=comparison,
        heading=_TITLES[comparison.kind],
        windows=_windows(comparison.sides),
        times=_times(comparison.sides),
        drift=drift,
        drifted=drifted[:DISTRIBUTIONS],
        left_out=max(0, len(drifted) - DISTRIBUTIONS),
        whisker=lambda figure: markup(whisker(figure)),
        overlay=lambda one: markup(overlay(one.histogram, one.name, unit=one.unit, mini=True)),
    )


def _windows(sides: Sequence[Side]) -> str:
    """What the sides cover, when that is one window."""
    covered = {side.window for side in sides}
    return numbers.window(sides[0].window) if len(covered) == 1 else ""


def _times(sides: Sequence[Side]) -> list[TimeRow]:
    held = [{stage.name: stage for stage in side.times} for side in sides]
    titles = {stage.name: stage.title for side in sides for stage in side.times}
    return [
        TimeRow(
            title,
            [one[name].p50_ms if name in one else None for one in held],
            [one[name].p99_ms if name in one else None for one in held],
        )
        for name, title in titles.items()
    ]


def _shown(every: Sequence[DistributionDrift]) -> list[DistributionDrift]:
    """Those that drifted."""
    return [one for one in every if one.level in ("warn", "alert")]
