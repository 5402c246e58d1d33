"""What `verify` says: one thing that is not as it should be, and where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

What = Literal[
    "after close",
    "altered",
    "bad signature",
    "chain",
    "dated",
    "empty",
    "extra",
    "foreign",
    "gap",
    "missing",
    "moved",
    "not closed",
    "receipt",
    "stale",
    "torn",
    "twice",
    "unknown key",
    "unreadable",
    "witness",
]
_LONGEST_TEXT = 300

Progress = Callable[[int, int, str], None]  # told (read, in all, name)


@dataclass(frozen=True, order=True)
class Finding:
    """Something that is not as it should be. audit/README.md explains the words."""

    blob: str  # of the log, or a digest
    what: What
    detail: str


def short(text: str) -> str:
    """What stands in the container may be long and hostile; a finding is a line or two."""
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"
