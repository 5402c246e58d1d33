"""From values to positions: linear and logarithmic scales with ticks at round numbers.

The linear steps are Heckbert's "nice numbers for graph labels" (Graphics Gems, 1990): 1, 2 or 5 times a power of ten.
Any finite range works, up to the largest doubles; a range of one value is widened around it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from evaluation.pages.numbers import milliseconds, tick

MOST = 1e300  # beyond this, differences of doubles overflow
LEAST = 1e-290  # below this, a tenth of a difference may be zero


class Scale(Protocol):
    """What axes and marks need to know."""

    def __call__(self, value: float) -> float:
        """The position; values outside the range lie at its ends."""

    def ticks(self) -> list[tuple[float, str]]:
        """Values worth a label, with the label."""


@dataclass(frozen=True)
class Linear:
    """Values from `low` to `high` on positions from `start` to `end`.

    >>> scale = Linear(0, 10, 100, 200)
    >>> scale(5), scale(99), [label for _, label in scale.ticks()]
    (150.0, 200.0, ['0', '2', '4', '6', '8', '10'])
    """

    low: float
    high: float
    start: float
    end: float
    wanted: int = 5
    label: Callable[[float, float], str] = field(default=tick)

    def __call__(self, value: float) -> float:
        share = (value / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)

    def ticks(self) -> list[tuple[float, str]]:
        step = _nice_step(self.high / self.wanted - self.low / self.wanted)
        first = math.ceil(self.low / step - 1e-9)
        values = [(first + index) * step for index in range(self.wanted * 3)]
        return [(value, self.label(value, step)) for value in values if value <= self.high + step * 1e-9]


@dataclass(frozen=True)
class Logarithmic:
    """Positive values from `low` to `high`, with a tick at powers of ten (of two or five too where few)."""

    low: float
    high: float
    start: float
    end: float
    label: Callable[[float], str] = field(default=milliseconds)

    def __call__(self, value: float) -> float:
        if value <= self.low:
            return self.start
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return self.start + min(1.0, share) * (self.end - self.start)

    def ticks(self) -> list[tuple[float, str]]:
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        for leads in ((1,), (1, 3), (1, 2, 5)):
            values = [lead * 10.0**power for power in powers for lead in leads]
            inside = [value for value in values if self.low * 0.999 <= value <= self.high * 1.001]
            if len(inside) >= 3:
                break
        every = max(1, math.ceil(len(inside) / 6))
        return [(value, self.label(value)) for value in inside[::every]]


def extent(values: Iterable[float], *, include: Iterable[float] = ()) -> tuple[float, float] | None:
    """Smallest and largest of the finite values, widened when they are one; None when there is none.

    >>> extent([1, float("nan"), 3]), extent([5]), extent([float("inf")])
    ((1, 3), (4.5, 5.5), None)
    """
    finite = [min(MOST, max(-MOST, value)) for value in values if math.isfinite(value)]
    if not finite:
        return None
    both = [*finite, *include]
    low, high = min(both), max(both)
    if high - low <= max(max(abs(low), abs(high)) * 1e-12, LEAST):
        margin = max(abs(low) * 0.1, 1e-9) if low else 1.0
        return low - margin, high + margin
    return low, high


def share_label(value: float, step: float) -> str:
    """Tick label of a share: 0.25 as 25 %.

    >>> share_label(0.25, 0.25), share_label(0.995, 0.005)
    ('25 %', '99.5 %')
    """
    return f"{tick(value * 100, step * 100)} %"


def _nice_step(raw: float) -> float:
    if raw <= 0:
        return 1.0
    magnitude = 10.0 ** math.floor(math.log10(raw))
    return next((lead * magnitude for lead in (1, 2, 5) if lead * magnitude >= raw * 0.999), 10 * magnitude)
