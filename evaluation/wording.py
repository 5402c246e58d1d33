"""Shares in the sentences of verdicts and notes, which go to terminals and logs as well as to pages."""

from __future__ import annotations

from evaluation.pages.numbers import NBSP, percent


def share(value: float) -> str:
    """A share of one, never rounded to a whole that it is not, with a plain space that any terminal shows.

    >>> share(4999 / 5000), share(1.0), share(0.0512)
    ('> 99.9 %', '100 %', '5.1 %')
    """
    return percent(value).replace(NBSP, " ")
