"""Values written by strangers, made fit to be shown.

Escaping keeps a value from becoming markup, but a hostile value has other means: a hundred thousand characters, a
newline in a table cell, a right-to-left override that makes `exe.gpj` read `jpg.exe`, a lone surrogate that no UTF-8
file can hold. `shown` shortens and makes such characters visible; escaping is left to the template.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence

LIMIT = 200  # characters of a value in running text or a table
LONG_LIMIT = 20_000  # characters of raw JSON or a message that is shown in full

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})  # control, format (bidi, zero width), surrogates …


class LongText(str):
    """Text that may be long and have lines: raw JSON, a warning in full."""


def shown(text: str, limit: int | None = None) -> str:
    """The text with invisible characters as `\\u{…}` and its end cut off when it is longer than `limit`.

    >>> shown("jpg.\\u202eexe")
    'jpg.\\\\u{202e}exe'
    >>> shown("x" * 1000, limit=3)
    'xxx… (1,000 characters)'
    >>> shown("two\\nlines"), shown(LongText("two\\nlines"))
    ('two\\\\u{a}lines', 'two\\nlines')
    """
    long = isinstance(text, LongText)
    most = limit if limit is not None else LONG_LIMIT if long else LIMIT
    kept = "".join(_visible(character, lines=long) for character in text[:most])
    return kept if len(text) <= most else f"{kept}… ({len(text):,} characters)"


def shortened(text: str, limit: int = 240) -> LongText:
    """A model owner's prose, ended at a word with an ellipsis when it is longer than `limit`.

    >>> shortened("one two three", 9), shortened("one two", 9), shortened("unbreakable", 5)
    ('one two…', 'one two', 'unbre…')
    """
    if len(text) <= limit:
        return LongText(text)
    kept, space, _ = text[: limit + 1].rpartition(" ")
    return LongText(f"{(kept if space else text[:limit]).rstrip(' .,;:')}…")


def listed(categories: Sequence[object], *, total: int | None = None, most: int = 10, limit: int = 40) -> list[str]:
    """The first categories of a feature, each fit to be shown, and how many more there are of `total`.

    >>> listed(["clerk", "", True, 1])
    ['“clerk”', '“”', 'true', '1']
    >>> listed(["a", "b", "c"], most=2)
    ['“a”', '“b”', '… 1 more']
    """
    names = [
        f"“{shown(one, limit)}”" if isinstance(one, str) else json.dumps(one, default=str) for one in categories[:most]
    ]
    more = (len(categories) if total is None else total) - len(names)
    return [*names, f"… {more:,} more"] if more > 0 else names


def text_of(value: object) -> str:
    """What a record may hold where a text is expected: the text, nothing for null, JSON for anything else.

    >>> text_of("a"), text_of(None), text_of([1])
    ('a', '', '[1]')
    """
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _visible(character: str, *, lines: bool) -> str:
    if character.isascii() and character.isprintable():
        return character
    if lines and character in "\n\t":
        return character
    return f"\\u{{{ord(character):x}}}" if unicodedata.category(character) in _HIDDEN else character
