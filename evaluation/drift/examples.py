"""From a drift to instances: the bins that hold more than before, each with ids to look at."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from evaluation.bin_examples import OUTPUT
from evaluation.drift.bins import bin_name, bins
from evaluation.drift.categories import condensed
from evaluation.format.drift import DistributionDrift, GrownBin
from evaluation.profile import Distributions
from scoring.bundle import Histogram

MOST_BINS = 3
MOST_IDS = 5
LEAST_RISE = 0.005  # of the share: a bin that grew by less is not worth a line, unless it grew most


def with_examples(
    drift: DistributionDrift, found: Distributions, before: Mapping[str, Histogram], *, output: bool = False
) -> DistributionDrift:
    """A feature or output that has drifted, with the bins that grew and instances in them; any other as it is."""
    if drift.level not in ("warn", "alert"):
        return drift
    now = (found.outputs if output else found.features)[drift.name]
    then = before[drift.name]
    column = _column(found, drift.name, output=output)
    grown = _grown(condensed(then, then.counts), condensed(now, then.counts), _ids_by_place(found, column))
    return msgspec.structs.replace(drift, grown=grown, examples=grown[0].ids if grown else [])


def _column(found: Distributions, name: str, *, output: bool) -> int:
    """Its position among an example's places: features first, then outputs, each sorted."""
    names = [*sorted(found.features), *(f"{OUTPUT}{one}" for one in sorted(found.outputs))]
    return names.index(f"{OUTPUT}{name}" if output else name)


def _ids_by_place(found: Distributions, column: int) -> dict[int, list[str]]:
    ids: dict[int, list[str]] = {}
    for example in found.examples:
        own = ids.setdefault(example.places[column], [])
        if example.id not in own and len(own) < MOST_IDS:
            own.append(example.id)
    return ids


def _grown(before: Histogram, now: Histogram, ids: Mapping[int, list[str]]) -> list[GrownBin]:
    old, new = bins(before), bins(now)
    then, since = old / old.sum(), new / new.sum()
    order = sorted(range(len(old)), key=lambda place: (then[place] - since[place], place))
    rising = [place for place in order[:MOST_BINS] if since[place] - then[place] >= LEAST_RISE] or order[:1]
    return [
        GrownBin(
            name=bin_name(before, place), before=float(then[place]), now=float(since[place]), ids=ids.get(place, [])
        )
        for place in rising
    ]
