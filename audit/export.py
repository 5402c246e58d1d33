"""Records in a file for other programs: Parquet, CSV or JSON lines; derived, never evidence.

Verified records only, in the order of the log: by hour, blob and position. Memory is that of a chunk of rows, however
many there are.

Parquet has the columns of `audit.compact`, `model` before them and `note` behind, the JSON of what a note says.

CSV has the same columns: RFC 4180 in UTF-8, lines end in CR LF; lists, maps and JSON columns as JSON, times as the
records write them, true and false, an empty cell for null. A cell that a spreadsheet would run as a formula, because
it begins with = + - @, a tab or a line end, gets an apostrophe in front, and so does one that begins with an
apostrophe; numbers do not. So whoever takes one leading apostrophe away has the text as it was recorded. (The rule is
OWASP's, https://owasp.org/www-community/attacks/CSV_Injection, made reversible.) `escape=False` leaves cells alone.

JSON lines are those of `python -m audit find --json`, which have every field of a record as it is.
Cold path only: imports pyarrow.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import batched
from typing import Any, BinaryIO, Literal, Protocol

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from audit.browse import Found
from audit.compact import COLUMNS, ROWS_A_GROUP, table_of
from audit.display import json_line

Format = Literal["parquet", "csv", "jsonl"]

SCHEMA = pa.schema([("model", pa.string()), *COLUMNS, ("note", pa.string())])
_FORMULA = re.compile(r"[=+\-@\t\r\n']")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def export(
    records: Iterable[Found],
    open_file: Callable[[], BinaryIO],
    kind: Format,
    *,
    escape: bool = True,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Write all records to a file, which is opened when the first is there; returns how many. `progress` is told so."""
    count, writer = 0, None
    for chunk in batched(records, ROWS_A_GROUP, strict=False):
        writer = writer or _writer(open_file(), kind, escape=escape)
        writer.write(chunk)
        count += len(chunk)
        if progress:
            progress(count)
    if writer is not None:
        writer.finish()
    return count


def escaped(cell: str) -> str:
    """The cell as a spreadsheet may have it.

    >>> escaped("=1+1"), escaped("'"), escaped("-1.5"), escaped("a=1")
    ("'=1+1", "''", '-1.5', 'a=1')
    """
    return f"'{cell}" if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell


def unescaped(cell: str) -> str:
    """The text as it was recorded.

    >>> unescaped("'=1+1"), unescaped("''"), unescaped("-1.5")
    ('=1+1', "'", '-1.5')
    """
    return cell[1:] if cell.startswith("'") else cell


class _Writer(Protocol):
    def write(self, pairs: Sequence[Found]) -> None: ...

    def finish(self) -> None: ...


def _writer(file: BinaryIO, kind: Format, *, escape: bool) -> _Writer:
    if kind == "parquet":
        return _Parquet(file)
    return _Csv(file, escape=escape) if kind == "csv" else _JsonLines(file)


def _table(pairs: Sequence[Found]) -> Any:
    table = table_of(pairs)
    models = pa.array([record.model for record, _ in pairs], pa.string())
    notes = [msgspec.json.encode(record.y).decode() if record.kind == "note" else None for record, _ in pairs]
    return table.add_column(0, "model", models).append_column("note", pa.array(notes, pa.string()))


class _Parquet:
    def __init__(self, file: BinaryIO) -> None:
        self._writer = pq.ParquetWriter(file, SCHEMA, compression="zstd")

    def write(self, pairs: Sequence[Found]) -> None:
        self._writer.write_table(_table(pairs))

    def finish(self) -> None:
        self._writer.close()


class _JsonLines:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, pairs: Sequence[Found]) -> None:
        self._file.writelines(f"{json_line(record, position)}\n".encode() for record, position in pairs)

    def finish(self) -> None:
        self._file.flush()


class _Utf8:
    """What `csv` needs of a file. A `TextIOWrapper` would close standard output when it goes after an error."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        return self._file.write(text.encode())


class _Csv:
    def __init__(self, file: BinaryIO, *, escape: bool) -> None:
        self._file = file
        self._rows = csv.writer(_Utf8(file))
        self._rows.writerow(SCHEMA.names)
        self._escape = escape

    def write(self, pairs: Sequence[Found]) -> None:
        self._rows.writerows(zip(*self._columns(_table(pairs)), strict=True))

    def finish(self) -> None:
        self._file.flush()

    def _columns(self, table: Any) -> Iterator[list[str | None]]:
        for field, column in zip(SCHEMA, table.columns, strict=True):
            cell = _cell(field.type, escape=self._escape)
            yield [None if value is None else cell(value) for value in column.to_pylist()]


def _cell(kind: Any, *, escape: bool) -> Callable[[Any], str]:
    """How a column's values are written."""
    if pa.types.is_string(kind):
        return escaped if escape else str
    if pa.types.is_timestamp(kind):
        return _time
    if pa.types.is_list(kind):
        return _json
    if pa.types.is_map(kind):
        return _map
    if pa.types.is_boolean(kind):
        return lambda value: "true" if value else "false"
    return _number if pa.types.is_floating(kind) else str


def _time(value: datetime) -> str:
    return value.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _map(value: list[tuple[str, float | None]]) -> str:
    """As the record has it, where a number that JSON cannot hold is a text.

    >>> _map([("a", 0.5), ("b", math.nan)])
    '{"a": 0.5, "b": "NaN"}'
    """
    return json.dumps({name: number if _finite(number) else _number(number) for name, number in value})


def _finite(number: float | None) -> bool:
    return number is None or math.isfinite(number)


def _number(value: float | None) -> str:
    if value is None or math.isnan(value):
        return "NaN"
    return repr(value) if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"
