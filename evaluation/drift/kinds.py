"""The statistics that compare two distributions, in the order in which a report lists them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.drift.jensen_shannon import jensen_shannon
from evaluation.drift.kl import kullback_leibler
from evaluation.drift.kolmogorov_smirnov import kolmogorov_smirnov
from evaluation.drift.proportions import SMOOTHING
from evaluation.drift.psi import population_stability

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Kind:
    """One statistic: how it is computed, on which bins, and the power that makes it a quadratic form."""

    name: str
    title: str
    function: Callable[[Floats, Floats], Floats]
    power: float = 1.0
    ordered: bool = False


KINDS = (
    Kind("jensen_shannon", "Jensen–Shannon distance (base 2)", jensen_shannon, power=2.0),
    Kind("psi", "Population stability index", population_stability),
    Kind("kolmogorov_smirnov", "Kolmogorov–Smirnov statistic", kolmogorov_smirnov, power=2.0, ordered=True),
    Kind("kl_production_to_baseline", "KL(production ‖ baseline), bits", kullback_leibler),
    Kind(
        "kl_baseline_to_production",
        "KL(baseline ‖ production), bits",
        lambda now, before: kullback_leibler(before, now),
    ),
)
METHOD = (
    "A statistic alerts when it exceeds its threshold and also the value that it stays below in 99.9 % of reports on "
    "data without drift, for these sample sizes and this number of distributions; at half its threshold it warns. "
    f"KL and PSI add {SMOOTHING} to the count of each bin that either side uses, because an empty bin makes them "
    "infinite; nothing else is smoothed. Values below and above the baseline's bins, unseen and missing ones have bins "
    "of their own; Kolmogorov–Smirnov, read from the bins' edges, leaves unseen and missing ones out. Rejected "
    "instances are not counted."
)
