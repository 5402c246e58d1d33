"""Rows of a file with ground truth, as `scoring.labels.LabelJudge` takes them, and how a file is refused.

A file's columns are chosen by name, all others are left alone. `number` counts the rows from 1, so that a file can be
gone on with in the middle; `line` is where a row of CSV begins, for an editor.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from audit.wording import counted
from scoring.errors import shown

_MOST_NAMED = 20  # columns


class LabelFileError(Exception):
    """The file, or its rest, cannot be read; the message names the place and the fix."""


class NoSuchRow(LabelFileError):
    """The file ends before the row that it was to be read from."""


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One row. `given` is an object as over HTTP, or a text if the row has not as many cells as the header."""

    number: int
    line: int | None
    given: Any


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which columns to read. `field` is the judge's name of the truth, `label` or `value`; `ts` is looked for, and
    needed only if it was asked for by name."""

    field: str
    id: str = "id"
    truth: str | None = None  # by default, the field's name
    ts: str | None = None

    def columns(self, names: Sequence[str]) -> dict[str, int]:
        """Where the judge's fields stand among the file's columns; raises `LabelFileError`."""
        places = {"id": _place(self.id, names, "--id-column")}
        places[self.field] = _place(self.truth or self.field, names, "--label-column")
        if self.ts is not None or "ts" in names:
            places["ts"] = _place(self.ts or "ts", names, "--ts-column")
        if len(set(places.values())) < len(places):
            raise LabelFileError("one column cannot be two of id, label and ts: name another")
        return places


class LabelRows(Protocol):
    """An open file. Iterating raises `LabelFileError` where it cannot be read any further."""

    ignored: list[str]  # columns that are not read

    def __iter__(self) -> Iterator[LabelRow]: ...

    def progress(self) -> tuple[int, int | None]:
        """How far it was read and how long it is, in bytes or rows; None if nobody knows."""

    def close(self) -> None: ...


def from_row(rows: Iterable[LabelRow], first: int) -> Iterator[LabelRow]:
    """The rows from this one on; raises `NoSuchRow` if there is none, unless all were wanted."""
    last = 0
    for row in rows:
        last = row.number
        if last >= first:
            yield row
    if last < first and first > 1:
        there = counted(last, "row") if last else "no rows"
        raise NoSuchRow(f"--from-row {first}: the file has {there}, so there is nothing to go on with")


def _place(name: str, names: Sequence[str], option: str) -> int:
    if name not in names:
        raise LabelFileError(
            f"there is no column {shown(name)}; the columns are {listed(names)}: choose one with {option}"
        )
    if names.count(name) > 1:
        raise LabelFileError(f"there are {names.count(name)} columns named {shown(name)}: rename all but one")
    return names.index(name)


def listed(names: Sequence[str]) -> str:
    """Names of columns for a sentence.

    >>> listed(["a", "b "]), listed([])
    ("'a', 'b '", 'none')
    """
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return (", ".join(map(shown, names[:_MOST_NAMED])) or "none") + more
