"""Rows of a table cut to the width of a terminal: which column gives way first, and where a text may be cut.

A row that is wider than the terminal is broken by it anywhere, and a table of such rows cannot be read. So columns give
way in steps, each to a least width, in an order that the caller names: what matters least comes first. Columns in which
nothing stands go before any is cut. Where the least of all is still too wide, whole columns go in the same order.

What was cut ends in an ellipsis. No character is cut in two: not one that takes two cells, none from its accents, no
flag. Pure: no terminal, no output.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from rich.cells import cell_len, split_graphemes
from rich.text import Text

type Steps = Sequence[tuple[str, int]]  # a column and the width that it may be cut to, every column at least once

ELLIPSIS = "…"
_HALF_FLAGS = "".join(map(chr, range(0x1F1E6, 0x1F200)))  # two letters of these make a flag


def fitted(names: Sequence[str], rows: Sequence[Sequence[Text]], steps: Steps, width: int) -> list[Text]:
    """A line for the names, in bold, and one for each row, none of them wider than `width`.

    >>> rows = [(Text("2026-11-23"), Text("patient-17")), (Text("2026-11-24"), Text("b"))]
    >>> [line.plain for line in fitted(("day", "id"), rows, [("day", 5), ("id", 3)], 17)]
    ['day    id', '2026-… patient-17', '2026-… b']
    """
    head = [Text(name, "bold") for name in names]
    natural = {name: max(cell_len(row[place].plain) for row in [head, *rows]) for place, name in enumerate(names)}
    empty = {name for place, name in enumerate(names) if rows and not any(row[place].plain for row in rows)}
    widths = _widths(natural, empty, steps, width)
    places = {name: place for place, name in enumerate(names) if name in widths}
    return [_line([(row[place], widths[name]) for name, place in places.items()]) for row in [head, *rows]]


def cut(text: str, width: int) -> str:
    """The text, or as much of it as fits with an ellipsis behind it.

    >>> cut("patient-17", 10), cut("patient-17", 8), cut("漢字かな", 6)
    ('patient-17', 'patient…', '漢字…')
    """
    if cell_len(text) <= width:
        return text
    end = used = 0
    for _, until, cells in split_graphemes(text)[0]:
        used += cells
        if used >= width:
            break
        end = end if _joined(text, until) else until
    return text[:end] + ELLIPSIS if width > 0 else ""


def _widths(natural: Mapping[str, int], empty: Set[str], steps: Steps, width: int) -> dict[str, int]:
    """How wide each column is shown; those that are not shown are left out."""
    if _whole(natural) <= width:
        return dict(natural)
    shown = {name: cells for name, cells in natural.items() if name not in empty}
    leaving = [name for name in dict.fromkeys(name for name, _ in steps) if name in shown]
    while True:
        widths = _given_way(shown, steps, width)
        if _whole(widths) <= width or len(shown) <= 1:
            return {name: min(cells, width) for name, cells in widths.items()}
        del shown[leaving.pop(0)]


def _given_way(natural: Mapping[str, int], steps: Steps, width: int) -> dict[str, int]:
    """Each column cut as far as its steps let it, and no further than needed."""
    widths = dict(natural)
    for name, least in steps:
        over = _whole(widths) - width
        if over > 0 and name in widths:
            widths[name] = max(widths[name] - over, min(widths[name], least))
    return widths


def _whole(widths: Mapping[str, int]) -> int:
    """The width of a row, one space between two columns."""
    return sum(widths.values()) + len(widths) - 1


def _line(cells: Sequence[tuple[Text, int]]) -> Text:
    """One row; nothing is padded behind its last text."""
    line, owed = Text(), 0
    for cell, width in cells:
        shown = cut(cell.plain, width)
        if shown:
            line.append(" " * owed).append(shown, cell.style)
            owed = 0
        owed += width - cell_len(shown) + 1
    return line


def _joined(text: str, at: int) -> bool:
    """Whether the character there belongs to the one before: the colour of a skin, the second half of a flag."""
    character, before = text[at : at + 1], text[:at]
    if character and character in _HALF_FLAGS:
        return (len(before) - len(before.rstrip(_HALF_FLAGS))) % 2 == 1
    return "\U0001f3fb" <= character <= "\U0001f3ff"
