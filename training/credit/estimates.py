"""Performance as it was estimated without labels, beside what the labels said, fault by fault.

An estimate (CBPE) takes the model at its word: a probability of 0.8 is right in 80 of 100 cases. That stays true when
other applicants come, for the rule of who defaults is the same, and it is true no more when the rule changes. So the
two must agree on clean days and under a covariate shift, and must not under concept drift. Compared are the labelled
instances alone, so that both speak of the same ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evaluation.report_format import EstimatedFigure, Report

FIGURES = ("accuracy", "roc_auc")


@dataclass(frozen=True)
class Estimated:
    """One figure of one day."""

    figure: str
    distance: float  # between the estimate and what came true
    outside: bool  # whether what came true lies outside the estimate's interval


def estimates(report: Report) -> tuple[Estimated, ...]:
    """The figures that were estimated and could be compared."""
    estimate = report.performance.estimate
    figures = estimate.figures if estimate else []
    return tuple(found for each in figures if each.name in FIGURES and (found := _compared(each)) is not None)


def estimate_table(days: Sequence[tuple[str, tuple[Estimated, ...]]]) -> Iterator[str]:
    """A line for each fault and figure; `days` are (fault or `clean`, what its report said)."""
    for fault in dict.fromkeys(name for name, _ in days):
        for figure in FIGURES:
            found = [each for name, part in days if name == fault for each in part if each.figure == figure]
            if found:
                mean = sum(each.distance for each in found) / len(found)
                outside = f"outside its interval on {sum(each.outside for each in found)} of {len(found)} days"
                yield f"{fault:<16} {figure:<9} off by {mean:.3f}, {outside}"


def _compared(figure: EstimatedFigure) -> Estimated | None:
    low, expected, high, realised = figure.labelled_low, figure.labelled, figure.labelled_high, figure.realised
    if low is None or expected is None or high is None or realised is None:
        return None
    return Estimated(figure.name, abs(realised - expected), not low <= realised <= high)
