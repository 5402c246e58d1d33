"""Two versions, two windows, or a champion and its challengers side by side, as `comparison.json` has them."""

from __future__ import annotations

from typing import Literal

import msgspec

from evaluation.format.coverage import CoverageCounts
from evaluation.format.drift import Drift
from evaluation.format.figures import Figure, Verdict, Window
from evaluation.format.profiling import StageTimes

SCHEMA = 1


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """One of those that are compared."""

    label: str  # "version 2", "16 November 2026, the whole day (UTC)"
    version: str
    role: Literal["champion", "challenger"]
    window: Window
    verdicts: dict[str, Verdict] = {}  # against what was before production; none of a challenger
    counts: CoverageCounts
    figures: list[Figure] = []  # of performance, on its own labelled instances
    times: list[StageTimes] = []  # without their bins


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One side beside the first."""

    label: str
    figures: list[Figure] = []  # coverage first; `before` is the first side's value, `level` whether this one is worse
    drift: Drift | None = None  # of two windows: the second's distributions against the first's
    verdict: Verdict


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of `comparison.json`."""

    schema: int
    kind: Literal["versions", "windows", "challengers"]
    model: str
    as_of: str
    provisional: bool
    verdict: Verdict  # the worst of the differences
    sides: list[Side]  # at most 20
    differences: list[Difference]  # of each further side from the first
    notes: list[str] = []


def encode_comparison(comparison: Comparison) -> bytes:
    """The JSON text, indented, ending in a newline; the same comparison always gives the same bytes."""
    return msgspec.json.format(msgspec.json.encode(comparison), indent=1) + b"\n"
