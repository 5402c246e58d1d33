"""Ground truth from Parquet: batch by batch, with the types that the file has.

| column | types |
|---|---|
| id | text, or whole numbers, which stand for their digits |
| label | text, booleans, whole numbers, floating or decimal numbers: as the model's classes are |
| value | whole, floating or decimal numbers |
| ts | text as in RFC 3339, or timestamps with a time zone. One without a zone is refused: nobody can tell when it was |

Dictionaries hold any of these; a column of nulls is missing values. Other types are refused before anything is read.
Cold path only: imports pyarrow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as kinds

from scoring.errors import shown
from scoring.label_rows import LabelFileError, LabelRow, Wanted

_BATCH_ROWS = 5_000
_BUFFER_BYTES = 1 << 20  # of a column, instead of all of it in a row group
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ParquetLabels:
    """Rows of one file. Raises `LabelFileError`."""

    def __init__(self, file: BinaryIO, wanted: Wanted) -> None:
        try:
            self._file = pq.ParquetFile(file, pre_buffer=False, buffer_size=_BUFFER_BYTES)
            schema = self._file.schema_arrow
            self._rows: int = self._file.metadata.num_rows
        except (pa.ArrowException, OSError, ValueError) as problem:
            raise LabelFileError(f"it is no Parquet file, or breaks off: {_short(problem)}") from None
        places = wanted.columns(schema.names)
        self._readers = {name: _reader(name, schema.field(place)) for name, place in places.items()}
        self._names = {name: schema.names[place] for name, place in places.items()}
        self.ignored = [name for place, name in enumerate(schema.names) if place not in places.values()]
        self._read = 0

    def __iter__(self) -> Iterator[LabelRow]:
        for columns in self._columns():
            for values in zip(*columns, strict=True):
                self._read += 1
                yield LabelRow(self._read, None, dict(zip(self._names, values, strict=True)))

    def progress(self) -> tuple[int, int | None]:
        """Rows."""
        return self._read, self._rows

    def close(self) -> None:
        """Let go of the file, which is closed by who opened it."""
        self._file.close()

    def _columns(self) -> Iterator[list[list[Any]]]:
        """The columns of each batch; some damage shows only as their values are taken out."""
        stored = list(self._names.values())
        try:
            for batch in self._file.iter_batches(_BATCH_ROWS, columns=stored, use_threads=False):
                yield [self._readers[name](batch.column(column)) for name, column in self._names.items()]
        except (pa.ArrowException, OSError, ValueError) as problem:
            place = f"after row {self._read:,}"
            raise LabelFileError(f"{place} the file is damaged or breaks off: {_short(problem)}") from None


def _reader(name: str, field: Any) -> Callable[[Any], list[Any]]:
    """How a column's values become what the judge takes; raises `LabelFileError` for types that hold no such thing."""
    kind = field.type.value_type if kinds.is_dictionary(field.type) else field.type
    text = kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_string_view(kind)
    if kinds.is_null(kind) or (text and name != "value"):
        return _texts
    if kinds.is_integer(kind):
        if name == "id":
            return _digits
        if name != "ts":
            return _values
    if name in ("label", "value") and (kinds.is_floating(kind) or kinds.is_decimal(kind)):
        return _decimals if kinds.is_decimal(kind) else _values
    if name == "label" and kinds.is_boolean(kind):
        return _values
    if name == "ts" and kinds.is_timestamp(kind) and kind.tz is not None:
        return _times
    raise LabelFileError(f"column {shown(field.name)} holds {shown(str(field.type))}; {_EXPECTED[name]}")


_EXPECTED = {
    "id": "ids are text or whole numbers: cast it to string",
    "label": "labels are text, booleans or numbers, as the model's classes are",
    "value": "values are numbers: cast it to double",
    "ts": "times are timestamps with a time zone, or text such as 2026-11-23T14:05:06Z. Where there is no zone, nobody "
    "can tell when it was: with pandas, frame[column].dt.tz_localize('UTC') says so",
}


def _plain(column: Any) -> Any:
    return column.dictionary_decode() if kinds.is_dictionary(column.type) else column


def _values(column: Any) -> list[Any]:
    values: list[Any] = _plain(column).to_pylist()
    return values


def _texts(column: Any) -> list[Any]:
    """Bytes that are no UTF-8, which Parquet does not forbid, become escapes."""
    try:
        return _values(column)
    except UnicodeDecodeError:
        stored = _plain(column).cast(pa.large_binary()).to_pylist()
        return [None if value is None else value.decode(errors="backslashreplace") for value in stored]


def _digits(column: Any) -> list[Any]:
    return [None if value is None else str(value) for value in _values(column)]


def _decimals(column: Any) -> list[Any]:
    return [None if value is None else _number(value) for value in _values(column)]


def _number(value: Decimal) -> int | float:
    """
    >>> _number(Decimal("1.00")), _number(Decimal("0.5"))
    (1, 0.5)
    """
    return int(value) if value == value.to_integral_value() else float(value)


def _times(column: Any) -> list[Any]:
    """RFC 3339 in UTC, cut to microseconds; beyond the years that this has, the number, which the judge refuses."""
    plain = _plain(column)
    per_second = _PER_SECOND[plain.type.unit]
    return [None if value is None else _time(value, per_second) for value in plain.cast(pa.int64()).to_pylist()]


def _time(value: int, per_second: int) -> str:
    """
    >>> _time(1_700_000_000_123_456_789, 10**9), _time(10**18, 1)
    ('2023-11-14T22:13:20.123456+00:00', '1000000000000000000')
    """
    seconds, rest = divmod(value, per_second)
    try:
        return (_EPOCH + timedelta(seconds=seconds, microseconds=rest * 10**6 // per_second)).isoformat()
    except OverflowError:
        return str(value)


def _short(problem: Exception) -> str:
    return shown(str(problem).strip().partition("\n")[0], 200)
