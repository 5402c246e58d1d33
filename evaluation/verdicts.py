"""Levels, and how several make one."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import NormalDist

import msgspec

from evaluation.report_format import Figure, Level, Verdict
from evaluation.thresholds import Thresholds
from scoring.bundle import Metric

FAR = 10.0
ORDER: tuple[Level, ...] = ("no data", "ok", "warn", "alert")


def worst(levels: Iterable[Level]) -> Level:
    """The worst of some levels; `no data` only if there is nothing else.

    >>> worst(["ok", "no data", "warn"]), worst([])
    ('warn', 'no data')
    """
    return max(levels, key=ORDER.index, default="no data")


def overall(sections: dict[str, Verdict]) -> Verdict:
    """The report's verdict: that of its worst section, the first of equals."""
    level = worst(verdict.level for verdict in sections.values())
    name, decisive = next((name, verdict) for name, verdict in sections.items() if verdict.level == level)
    others = [other for other, verdict in sections.items() if verdict.level == level and other != name]
    if level == "ok":
        silent = [other for other, verdict in sections.items() if verdict.level == "no data"]
        rest = f"; no data on {' and '.join(silent)}" if silent else ""
        return Verdict(level="ok", sentence=f"Nothing is out of its limits{rest}.")
    if level == "no data":
        return Verdict(level="no data", sentence=decisive.sentence)
    also = f" Look at {' and '.join(others)} too." if others else ""
    return Verdict(
        level=level,
        sentence=decisive.sentence + also,
        figure=decisive.figure,
        value=decisive.value,
        before=decisive.before,
        threshold=decisive.threshold,
    )


def judged(figure: Figure, before: Metric | None, thresholds: Thresholds, *, tested: int = 1) -> Figure:
    """The figure with its preproduction value and level; `tested` figures are judged together.

    Worse beyond chance: the interval of the difference excludes 0, made from both intervals by R. G. Newcombe's
    square-and-add method (Statistics in Medicine 17, 1998) and widened from 95 % to what so many figures need
    (Bonferroni). That warns; it alerts beyond the figure's margin. A figure that is worse by `FAR` margins warns
    whatever its interval says: one wild error makes the interval of a loss as wide as the loss itself.
    """
    if figure.value is None:
        return _with(figure, before, "no data", None, f"{figure.title}: {figure.status}.")
    if before is None:
        return _with(figure, None, "no data", None, f"{figure.title} has no value from the export.")
    needed = thresholds.need("labelled_minimum")
    margin = thresholds.margin(figure.name, before.value)
    told = f"{figure.title} is {_short(figure.value)}, at export it was {_short(before.value)}"
    if figure.n < needed:
        sentence = f"{told}; {figure.n:,} labelled instances are too few for a verdict, {needed:,.0f} are needed."
        return _with(figure, before, "no data", margin, sentence)
    worse, noise = worsening(figure, before)
    by_chance = worse <= noise * _widening(tested)
    if by_chance and worse > FAR * margin:
        sentence = (
            f"{told}: worse by far more than {_short(margin)}, perhaps by a few instances; look at the largest errors."
        )
        return _with(figure, before, "warn", margin, sentence)
    if by_chance or worse <= 0:
        return _with(figure, before, "ok", margin, f"{told}: not worse beyond chance.")
    if worse > margin:
        return _with(figure, before, "alert", margin, f"{told}: worse by more than {_short(margin)}.")
    return _with(figure, before, "warn", margin, f"{told}: worse beyond chance, by less than {_short(margin)}.")


def worsening(figure: Figure, before: Metric) -> tuple[float, float]:
    """How much worse the figure is than before, and how much of that may be chance."""
    value = figure.value or 0.0
    if figure.better == "higher":
        return before.value - value, _reach(value, figure.high, before.value, before.low)
    if figure.better == "lower":
        return value - before.value, _reach(value, figure.low, before.value, before.high)
    return abs(value) - abs(before.value), _reach(value, figure.low, before.value, before.high)


def _widening(tested: int) -> float:
    """How much wider an interval is that holds `tested` times at once in 95 % of the cases."""
    return NormalDist().inv_cdf(1 - 0.025 / max(1, tested)) / NormalDist().inv_cdf(0.975)


def _reach(value: float, limit: float | None, before: float, before_limit: float | None) -> float:
    own = 0.0 if limit is None else limit - value
    theirs = 0.0 if before_limit is None else before_limit - before
    return float((own**2 + theirs**2) ** 0.5)


def _with(figure: Figure, before: Metric | None, level: Level, margin: float | None, sentence: str) -> Figure:
    return msgspec.structs.replace(
        figure,
        before=None if before is None else before.value,
        before_n=None if before is None else before.n,
        before_low=None if before is None else before.low,
        before_high=None if before is None else before.high,
        level=level,
        threshold=margin,
        sentence=sentence,
    )


def _short(value: float) -> str:
    return f"{value:.4g}".replace("-", "−")
