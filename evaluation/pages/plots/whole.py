"""A whole and its parts, as one bar: what share of the log's files is verified, what came of the replays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.pages.numbers import count, counted, percent
from evaluation.pages.plots.svg import nothing, picture, rectangle, text

WIDTH = 440
BAR, ROW, TOP = 26.0, 22.0, 4.0
LEAST = 3.0  # width of a part that is there at all: one damaged file among thousands must be seen


@dataclass(frozen=True)
class Part:
    """So many of a kind; `kind` is its colour in the stylesheet."""

    label: str
    amount: int
    kind: str


def whole(parts: Sequence[Part], title: str, noun: str) -> str:
    """The parts side by side in their order, and below them each by name; parts of nothing are left out."""
    present = [part for part in parts if part.amount > 0]
    total = sum(part.amount for part in present)
    if not total:
        return nothing(WIDTH, 60, title, f"There is no {noun}")
    drawn = [
        rectangle(x, TOP, max(0.5, width - 2), BAR, part.kind)
        for part, x, width in zip(present, *_places([part.amount / total for part in present]), strict=True)
    ]
    for row, part in enumerate(present):
        y = TOP + BAR + 12 + row * ROW
        drawn += [
            rectangle(0, y, 13, 13, part.kind),
            text(22, y + 11, part.label, limit=60),
            text(WIDTH, y + 11, f"{count(part.amount)} · {percent(part.amount / total)}", anchor="end", kind="title"),
        ]
    words = ", ".join(f"{count(part.amount)} {part.label}" for part in present)
    height = TOP + BAR + 12 + ROW * len(present)
    return picture(WIDTH, height, title, f"{counted(total, noun)}: {words}.", drawn)


def _places(shares: Sequence[float]) -> tuple[list[float], list[float]]:
    """Where each part begins and how wide it is; small ones are widened at the cost of the others."""
    widths = [max(LEAST + 2, share * WIDTH) for share in shares]
    over = sum(widths) - WIDTH
    spare = sum(width - LEAST - 2 for width in widths) or 1.0
    widths = [width - over * (width - LEAST - 2) / spare for width in widths]
    starts = [sum(widths[:index]) for index in range(len(widths))]
    return starts, widths
