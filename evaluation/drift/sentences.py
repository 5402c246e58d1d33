"""What the drift section says in words."""

from __future__ import annotations

from collections.abc import Sequence

from evaluation.drift.bins import bin_name, bins, most_grown, size
from evaluation.format.drift import Statistic
from evaluation.format.figures import Level
from evaluation.wording import share, too_few
from scoring.bundle import Histogram


def distribution_sentence(
    name: str, level: Level, statistics: Sequence[Statistic], before: Histogram, now: Histogram, minimum: float
) -> str:
    """One feature or output."""
    if level == "no data":
        return f"{name}: {too_few(size(now), 'instance')} for a verdict, {minimum:,.0f} are needed."
    decisive = next((s for s in statistics if s.level == level), statistics[0])
    told = f"{decisive.title} {decisive.value:.3g}"
    if level == "ok":
        return f"{name} is distributed as in the baseline ({told})."
    return f"{name} has drifted: {told}, threshold {decisive.threshold:.3g}; {_moved(before, now)}."


def _moved(before: Histogram, now: Histogram) -> str:
    """The bin whose share grew most, in words."""
    old, new, place = bins(before), bins(now), most_grown(before, now)
    shares = f"{share(old[place] / old.sum())} before, {share(new[place] / new.sum())} now"
    return f"{bin_name(before, place)}: {shares}"


def cluster_sentence(
    level: Level, n: int, minimum: float, beyond: int, occupancy: list[Statistic], distance: list[Statistic]
) -> str:
    """Where instances lie among the training clusters."""
    if level == "no data":
        return f"{too_few(n, 'instance with a distance')} for a verdict, {minimum:,.0f} are needed."
    near_none = f"{beyond:,} of {n:,} instances are near no training cluster"
    if level == "ok":
        return f"Instances lie in the training clusters as before; {near_none}."
    decisive = next((statistic for statistic in occupancy if statistic.level == level), None)
    moved = "Training clusters are visited in other shares than before"
    if decisive is None:
        decisive = next(statistic for statistic in distance if statistic.level == level)
        moved = "Distances to the nearest training cluster have moved"
    return f"{moved}: {decisive.title} {decisive.value:.3g}, threshold {decisive.threshold:.3g}; {near_none}."
