"""Ground truth from CSV in UTF-8, plain or gzipped: row by row, in the memory of one row.

RFC 4180: a header line, commas, double quotes around what holds a comma, a quote or a line end; any line ends, a byte
order mark or none. Python's reader rather than pyarrow's, because it knows on which line a row begins, and that a file
ends within quotes. Cells are taken as they stand, spaces too. An empty cell is missing; a row of empty cells, as
spreadsheets leave at the end, is no row. A class is the text of the cell; a regression's value is a number with a
decimal point, without separators of thousands.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
import stat
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

from scoring.label_rows import LabelFileError, LabelRow, Wanted

LONGEST_ROW = 1 << 20  # characters
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?(nan|inf|infinity)", re.IGNORECASE)
_OTHER_MARKS = {"semicolons": ";", "tabs": "\t", "vertical bars": "|"}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_TO_UTF8 = "save it as UTF-8, or convert it: iconv -f WINDOWS-1252 -t UTF-8 (or whatever it is in)"


class CsvLabels:
    """Rows of one stream; the header is read at once. Raises `LabelFileError`."""

    def __init__(self, raw: BinaryIO, wanted: Wanted, *, gzipped: bool = False) -> None:
        self._raw = raw
        self._field = wanted.field
        stream: Any = gzip.GzipFile(fileobj=raw) if gzipped else raw
        self._buffered = io.BufferedReader(stream)
        self._text = io.TextIOWrapper(self._buffered, "utf-8-sig", newline="")
        self._rows = _parsed(_Lines(self._buffered, self._text))
        header = next(self._rows, None)
        if header is None:
            raise LabelFileError("it is empty: the first line must name the columns")
        names = header[1]
        if len(names) == 1 and (other := _other_separator(names[0])):
            raise LabelFileError(_separated(other))
        self._width = len(names)
        self._places = wanted.columns(names)
        self.ignored = [name for place, name in enumerate(names) if place not in self._places.values()]

    def __iter__(self) -> Iterator[LabelRow]:
        for number, (line, cells) in enumerate(self._rows, 1):
            yield LabelRow(number, line, self._given(cells))

    def progress(self) -> tuple[int, int | None]:
        """Bytes, compressed ones if the file is; of a pipe nothing is known."""
        try:
            status = os.fstat(self._raw.fileno())
            return (self._raw.tell(), status.st_size) if stat.S_ISREG(status.st_mode) else (0, None)
        except OSError:  # no file at all
            return 0, None

    def close(self) -> None:
        """Let go of the stream, which is closed by who opened it."""
        self._text.detach()
        self._buffered.detach()

    def _given(self, cells: list[str]) -> Any:
        if len(cells) != self._width:
            return ",".join(cells)
        given: dict[str, Any] = {name: cells[place] or None for name, place in self._places.items()}
        if self._field == "value":
            given["value"] = number(given["value"])
        return given


def number(cell: str | None) -> float | str | None:
    """The number that a cell holds; the text itself if it holds none, for the judge to say so.

    >>> number("-1.5e3"), number("1,234.5"), number("1_000"), number(" 1"), number(None)
    (-1500.0, '1,234.5', '1_000', ' 1', None)
    """
    return float(cell) if cell is not None and _NUMBER.fullmatch(cell) else cell


class _Lines:
    """Lines with their ends, and on which of them the row at hand begins. No row may be longer than memory should
    hold; Python's own limit is of a cell, and of the whole process."""

    def __init__(self, buffered: io.BufferedReader, text: io.TextIOWrapper) -> None:
        self._buffered = buffered
        self._text = text
        self._count = 0
        self._characters = 0
        self._last = ""
        self.begins = 1

    def of_others(self) -> str | None:
        """What seems to separate the columns of the line read last, if that is no comma."""
        return _other_separator(self._last)

    def begin_row(self) -> None:
        self.begins = self._count + 1
        self._characters = 0

    def __iter__(self) -> Iterator[str]:
        if self._buffered.peek(2)[:2] in _UTF16:
            raise LabelFileError(f"it is in UTF-16, not in UTF-8: {_TO_UTF8.replace('WINDOWS-1252', 'UTF-16')}")
        while line := self._text.readline(LONGEST_ROW):
            self._count += 1
            self._last = line
            self._characters += len(line)
            if self._characters >= LONGEST_ROW:
                raise LabelFileError(_too_long(self.begins))
            yield line


def _parsed(lines: _Lines) -> Iterator[tuple[int, list[str]]]:
    """The line on which it begins, and the cells, of every row that is not blank."""
    reader = csv.reader(lines, strict=True)
    try:
        for cells in reader:
            if any(cells):
                yield lines.begins, cells
            lines.begin_row()
    except csv.Error as problem:
        if lines.begins == 1 and "expected after" in str(problem) and (other := lines.of_others()):
            raise LabelFileError(_separated(other)) from None
        raise LabelFileError(_broken(str(problem), lines.begins, reader.line_num)) from None
    except UnicodeDecodeError as problem:
        place = f"after line {reader.line_num}"
        raise LabelFileError(f"{place} it is not UTF-8 ({problem.reason}): {_TO_UTF8}") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as problem:
        place = f"after line {reader.line_num}"
        raise LabelFileError(f"{place} the compressed file breaks off or is damaged: {problem}") from None
    except OSError as problem:
        raise LabelFileError(f"it cannot be read: {problem.strerror or problem}") from None


def _other_separator(line: str) -> str | None:
    """
    >>> _other_separator('id;label'), _other_separator('"id";"label"'), _other_separator("id,label;x")
    ('semicolons', 'semicolons', None)
    """
    found = {name: line.count(mark) for name, mark in _OTHER_MARKS.items()}
    most = max(found, key=lambda name: found[name])
    return most if found[most] and "," not in line else None


def _separated(by: str) -> str:
    return f"its columns are separated by {by}, as it seems: save it with commas, and numbers with a decimal point"


def _broken(problem: str, begins: int, line: int) -> str:
    """
    >>> _broken("unexpected end of data", 3, 9)
    'the row that begins on line 3 has a double quote that is never closed, or the file breaks off'
    """
    if "unexpected end" in problem:
        return f"the row that begins on line {begins} has a double quote that is never closed, or the file breaks off"
    if "field larger" in problem:
        return _too_long(begins)
    return f"line {max(line, begins)} is no CSV ({problem}): within quotes, write a double quote twice"


def _too_long(begins: int) -> str:
    return f"the row that begins on line {begins} is too long: most likely a double quote is never closed"
