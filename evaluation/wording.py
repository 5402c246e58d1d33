"""Shares and counts in the sentences of verdicts and notes, which go to terminals and logs as well as to pages."""

from __future__ import annotations

from evaluation.pages.numbers import NBSP, counted, percent


def share(value: float) -> str:
    """A share of one, never rounded to a whole that it is not, with a plain space that any terminal shows.

    >>> share(4999 / 5000), share(1.0), share(0.0512)
    ('> 99.9 %', '100 %', '5.1 %')
    """
    return percent(value).replace(NBSP, " ")


def limit(value: float) -> str:
    """A share that somebody asked for, as they wrote it.

    >>> limit(0.9), limit(0.995)
    ('90 %', '99.5 %')
    """
    return f"{value * 100:.6g} %"


def too_few(n: int, noun: str) -> str:
    """Subject and verb of a sentence on a number that is not enough.

    >>> too_few(1, "instance"), too_few(1200, "instance with a distance")
    ('1 instance is too few', '1,200 instances with a distance are too few')
    """
    first, space, rest = noun.partition(" ")
    return f"{counted(n, first)}{space}{rest} {'is' if n == 1 else 'are'} too few"
