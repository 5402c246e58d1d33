"""Counts and lists in the sentences of commands and findings."""

from __future__ import annotations

from collections.abc import Sequence


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """How many of what.

    >>> counted(1, "blob"), counted(1_200, "matching record"), counted(0, "entry", "entries")
    ('1 blob', '1,200 matching records', '0 entries')
    """
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def listed(words: Sequence[str]) -> str:
    """Alternatives in a sentence.

    >>> listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])
    ('a', 'a or b', 'a, b or c')
    """
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last
