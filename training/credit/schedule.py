"""Which fault on which day: eight of fourteen days have one, shuffled by the seed; the first day is always clean.

>>> fortnight = days(seed=1)
>>> len(fortnight), fortnight[0].fault, sorted(day.fault.name for day in fortnight if day.fault)[:2]
(14, None, ['class imbalance', 'concept drift'])
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.credit.faults import FAULTS, Fault

DAYS = 14


@dataclass(frozen=True)
class Day:
    """One day of the fortnight, counted from 0."""

    number: int
    fault: Fault | None


def days(seed: int) -> list[Day]:
    """The fortnight of a seed."""
    random = np.random.default_rng([seed, 0])
    faults: list[Fault | None] = [*FAULTS, *[None] * (DAYS - 1 - len(FAULTS))]
    order = random.permutation(len(faults))
    return [Day(0, None), *(Day(number, faults[place]) for number, place in enumerate(order, 1))]
