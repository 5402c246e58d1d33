"""What befalls a host beside its line: it is killed, its storage is away for a while, its hour is sealed too early."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["killed with -9", "storage away", "hour sealed early"]
KINDS: tuple[Kind, ...] = ("killed with -9", "storage away", "hour sealed early")
_LONGEST_OUTAGE_S = 6.0


@dataclass(frozen=True)
class Misfortune:
    """One of them; `lasts_s` is how long the host or its storage is away."""

    at_s: float
    kind: Kind
    lasts_s: float


def misfortunes(seconds: float, seed: int) -> list[Misfortune]:
    """Those of a siege of so many seconds, in their order: all kinds in turn, none in the last moments.

    >>> [each.kind for each in misfortunes(8, 1)] == [each.kind for each in misfortunes(8, 1)]
    True
    """
    draw = random.Random(seed)
    pause_s = min(12.0, max(2.0, seconds / 4))
    found: list[Misfortune] = []
    turn: list[Kind] = []
    at_s = pause_s * draw.uniform(0.5, 0.7)
    while at_s < seconds - pause_s / 2:
        turn = turn or draw.sample(KINDS, len(KINDS))
        kind = turn.pop()
        longest_s = min(_LONGEST_OUTAGE_S, pause_s) if kind == "storage away" else pause_s / 8
        found.append(Misfortune(at_s, kind, draw.uniform(longest_s / 2, longest_s)))
        at_s += pause_s * draw.uniform(0.9, 1.1)
    return found


async def befall(planned: list[Misfortune], strike: Callable[[Misfortune], None], began_s: float) -> Counter[str]:
    """Let each happen at its time since `began_s` (monotonic), one after the other; how often each did."""
    met: Counter[str] = Counter()
    for misfortune in planned:
        await asyncio.sleep(max(0.0, began_s + misfortune.at_s - time.monotonic()))
        await asyncio.to_thread(strike, misfortune)
        met[misfortune.kind] += 1
    return met
