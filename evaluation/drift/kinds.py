"""The statistics that compare two distributions, in the order in which a report lists them, and their conventions.

Which may alert by default: Jensen–Shannon, PSI and, for numbers, Kolmogorov–Smirnov. The others are shown, and alert
where a threshold is set. They would name the same drifts again, and each that may alert raises the bar of chance for
all: Wasserstein sees a shift that Kolmogorov–Smirnov sees too, chi-square says how sure and not how large, Cramér's V
depends on the two sizes, L∞ misses what is spread over many categories, KL has no scale of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evaluation.drift.chi_square import chi_square
from evaluation.drift.cramers_v import cramers_v
from evaluation.drift.jensen_shannon import jensen_shannon
from evaluation.drift.kl import kullback_leibler
from evaluation.drift.kolmogorov_smirnov import kolmogorov_smirnov
from evaluation.drift.l_infinity import l_infinity
from evaluation.drift.proportions import SMOOTHING
from evaluation.drift.psi import population_stability
from evaluation.drift.wasserstein import deviation_of, wasserstein

Floats = NDArray[np.float64]
Distance = Callable[[Floats, Floats], Floats]


@dataclass(frozen=True)
class Axis:
    """What numbers have and categories lack: an order, and distances along it."""

    edges: list[float]
    deviation: float | None = None  # of the training values; without one, that of the baseline's bins


On = Callable[[Axis | None, Floats], Distance]  # axis, the baseline's counts → the distance of counts


@dataclass(frozen=True)
class Kind:
    """One statistic: on what it is computed, and the power that makes it a quadratic form (`NoDrift.quantile`)."""

    name: str
    title: str
    on: On
    power: float = 1.0
    of: Literal["any", "number", "category"] = "any"


def _bins(distance: Distance) -> On:
    """Of all bins."""
    return lambda _axis, _before: distance


def _numbers(distance: On) -> On:
    """Without the last two bins, unseen and missing, which have no place in an order."""

    def on(axis: Axis | None, before: Floats) -> Distance:
        inner = distance(axis, before[:-2])
        return lambda now, then: inner(now[..., :-2], then[..., :-2])

    return on


def _along(axis: Axis | None, before: Floats) -> Distance:
    if axis is None:
        raise ValueError("a distance along an axis needs one")
    return wasserstein(axis.edges, deviation_of(axis.edges, before) if axis.deviation is None else axis.deviation)


KINDS = (
    Kind("jensen_shannon", "Jensen–Shannon distance (base 2)", _bins(jensen_shannon), power=2.0),
    Kind("psi", "Population stability index", _bins(population_stability)),
    Kind(
        "kolmogorov_smirnov",
        "Kolmogorov–Smirnov statistic",
        _numbers(_bins(kolmogorov_smirnov)),
        power=2.0,
        of="number",
    ),
    Kind("wasserstein", "Wasserstein, standard deviations", _numbers(_along), power=2.0, of="number"),
    Kind("chi_square", "Chi-square", _bins(chi_square), of="category"),
    Kind("l_infinity", "L∞, largest change of a share", _bins(l_infinity), power=2.0, of="category"),
    Kind("cramers_v", "Cramér’s V", _bins(cramers_v), power=2.0, of="category"),
    Kind("kl_production_to_baseline", "KL(production ‖ baseline), bits", _bins(kullback_leibler)),
    Kind(
        "kl_baseline_to_production",
        "KL(baseline ‖ production), bits",
        _bins(lambda now, before: kullback_leibler(before, now)),
    ),
)
METHOD = (
    "A statistic alerts when it exceeds its threshold and also the value that it stays below in 99.9 % of reports on "
    "data without drift, for these sample sizes and this number of distributions and of statistics with a threshold "
    "(Bonferroni); at half its threshold it warns. Statistics without a threshold are shown and never alert. "
    "Logarithms are to base 2 in KL and Jensen–Shannon, natural in PSI. KL(production ‖ baseline) is what production "
    "costs when it is coded for the baseline, KL(baseline ‖ production) the other way round; all others but KL are the "
    f"same both ways. KL and PSI add {SMOOTHING} to the count of each bin that either side uses, because an empty bin "
    "makes them infinite; nothing else is smoothed. Bins are the baseline’s and never move: each holds its lower edge, "
    "the last its upper edge too; values below and above them, infinities among these, unseen and missing ones have "
    "bins of their own. Kolmogorov–Smirnov is the largest gap at the bins’ edges. Wasserstein takes values at the "
    "middle of their bin (in the first and last at most 1.5 widths of the next bin from it), those outside at the "
    "outer edge, in standard deviations of the training values (of "
    "outputs and distances: of the baseline’s bins). Both leave unseen and missing values out. Chi-square is Pearson’s "
    "without continuity correction; it and Cramér’s V depend on both sample sizes. No intervals are given: the column "
    "“By chance” tells what sampling alone may do. Of over 100 categories the 99 that were most frequent in the "
    "baseline are compared each, the others together. Rejected instances are not counted."
)


def kinds_of(axis: Axis | None) -> list[Kind]:
    """Those that are defined for numbers, or for categories."""
    return [kind for kind in KINDS if kind.of == "any" or (kind.of == "number") == (axis is not None)]
