"""What `verify` says: one thing that is not as it should be, and where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_LONGEST_TEXT = 300

Progress = Callable[[int, int, str], None]  # told (read, in all, name)


@dataclass(frozen=True, order=True)
class Finding:
    """Something that is not as it should be. `what` is one of the words in audit/README.md."""

    blob: str  # of the log, or a digest
    what: str
    detail: str


def short(text: str) -> str:
    """What stands in the container may be long and hostile; a finding is a line or two."""
    return text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"
