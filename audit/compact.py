"""Closed blobs as Parquet: one part for each model, derived, rebuildable, never evidence.

The unit of work is one closed blob, which alone decides its parts: blobs can be compacted by anyone, in any order,
again and again, with the same bytes (by one version of pyarrow). One row for each record, in the order of the log; what
a record does not have is null. `COLUMNS` is the schema. Cold path only: imports pyarrow.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import batched
from typing import Any
from urllib.parse import quote

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from audit.layout import parse_name
from audit.reader import BlobReading, Position, frame_records
from audit.records import Record

ROWS_A_GROUP = 20_000
_LEAST, _MOST = -(2**63), 2**63 - 1  # of a 64-bit integer

COLUMNS = pa.schema(
    [
        ("kind", pa.string()),
        ("id", pa.string()),
        ("ts", pa.timestamp("us", tz="UTC")),
        ("request", pa.string()),
        ("row", pa.int64()),
        ("rows", pa.int64()),
        ("run_id", pa.string()),
        ("run_position", pa.int64()),
        ("run_size", pa.int64()),
        ("version", pa.string()),
        ("bundle", pa.string()),
        ("policies", pa.string()),
        ("role", pa.string()),
        ("outcome", pa.string()),
        ("reasons", pa.list_(pa.string())),
        ("flags", pa.string()),  # JSON
        ("x", pa.string()),  # JSON
        ("redacted", pa.list_(pa.string())),
        ("label", pa.string()),  # JSON of y.label: "1" and 1 stay apart
        ("value", pa.float64()),
        ("score", pa.float64()),
        ("probabilities", pa.map_(pa.string(), pa.float64())),
        ("truth_ts", pa.timestamp("us", tz="UTC")),  # y.ts
        ("us_decode", pa.int64()),
        ("us_judge", pa.int64()),
        ("us_infer", pa.int64()),
        ("us_encode", pa.int64()),
        ("us_start", pa.int64()),
        ("cold", pa.bool_()),
        ("writer", pa.string()),
        ("blob", pa.string()),
        ("sequence", pa.int64()),
        ("line", pa.int64()),
    ]
)


def compact_blob(reading: BlobReading) -> dict[str, bytes]:
    """The blob's Parquet parts by model; no part for a model without records. Deterministic."""
    parts: dict[str, _Part] = {}
    records = (pair for frame in reading.frames for pair in frame_records(frame))
    for chunk in batched(records, ROWS_A_GROUP, strict=False):
        rows: dict[str, list[tuple[Record, Position]]] = {}
        for pair in chunk:
            rows.setdefault(pair[0].model, []).append(pair)
        for model, pairs in rows.items():
            parts.setdefault(model, _Part()).add(pairs)
    return {model: parts[model].finish() for model in sorted(parts)}


def part_name(blob: str, model: str) -> str:
    """Where a blob's part of a model is stored; the model's name is percent-encoded if it needs it.

    >>> part_name("log/v1/2026/11/23/14/20261123T140506-3f9c2a71-0.jsonl", "wine")
    'curated/model=wine/date=2026-11-23/hour=14/20261123T140506-3f9c2a71-0.parquet'
    """
    name = parse_name(blob)
    if name is None:
        raise ValueError(f"{blob!r} is no blob of the log")
    year, month, day, hour = name.hour.split("/")
    return f"curated/model={quote(model, safe='')}/date={year}-{month}-{day}/hour={hour}/{name.writer}-{name.n}.parquet"


def table_of(pairs: Sequence[tuple[Record, Position]]) -> pa.Table:
    """Records as rows of `COLUMNS`."""
    columns = _columns([record for record, _ in pairs], [position for _, position in pairs])
    arrays = [
        values if isinstance(values := columns[field.name], pa.Array) else pa.array(values, field.type)
        for field in COLUMNS
    ]
    return pa.Table.from_arrays(arrays, schema=COLUMNS)


class _Part:
    """A Parquet file that grows by row groups."""

    def __init__(self) -> None:
        self._buffer = io.BytesIO()
        self._writer = pq.ParquetWriter(self._buffer, COLUMNS, compression="zstd", write_page_index=False)

    def add(self, pairs: list[tuple[Record, Position]]) -> None:
        self._writer.write_table(table_of(pairs))

    def finish(self) -> bytes:
        self._writer.close()
        return self._buffer.getvalue()


def _columns(records: list[Record], positions: list[Position]) -> dict[str, Any]:
    """Every column's values by its name. Column by column, which takes a fraction of the time of row by row."""
    results = [record.y or {} for record in records]
    runs = [record.run or (None, None, None) for record in records]
    columns: dict[str, Any] = {
        "kind": [record.kind for record in records],
        "id": [record.id for record in records],
        "ts": [_time(record.ts) for record in records],
        "request": [record.request for record in records],
        "row": [_int64(record.row) for record in records],
        "rows": [_int64(record.rows) for record in records],
        "run_id": [run[0] for run in runs],
        "run_position": [_int64(run[1]) for run in runs],
        "run_size": [_int64(run[2]) for run in runs],
        "version": [record.version for record in records],
        "bundle": [record.bundle for record in records],
        "policies": [record.policies for record in records],
        "role": [record.role for record in records],
        "outcome": [record.outcome for record in records],
        "reasons": [record.reasons for record in records],
        "flags": [_json(record.flags or None) for record in records],
        "x": [_json(record.x) for record in records],
        "redacted": [record.redacted for record in records],
        "cold": [record.cold for record in records],
        "writer": [record.writer for record in records],
        "blob": [position.blob for position in positions],
        "sequence": [position.sequence for position in positions],
        "line": [position.line for position in positions],
    }
    for stage in ("decode", "judge", "infer", "encode", "start"):
        columns[f"us_{stage}"] = [_int64(record.us.get(stage)) for record in records]
    return columns | _result_columns(results)


def _result_columns(results: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "label": [_json(y.get("label")) for y in results],
        "value": [_float(y.get("value")) for y in results],
        "score": [_float(y.get("score")) for y in results],
        "probabilities": _probabilities([y.get("probabilities") for y in results]),
        "truth_ts": [_time(y.get("ts")) for y in results],
    }


def _probabilities(given: list[Any]) -> pa.Array:
    """The maps as one flat list of names and one of values, and where each row's begin; null where there are none."""
    names: list[str] = []
    values: list[float | None] = []
    starts: list[int | None] = []
    for one in given:
        if isinstance(one, dict):
            starts.append(len(names))
            names.extend(one)
            values.extend(map(_float, one.values()))
        else:
            starts.append(None)
    offsets = pa.array([*starts, len(names)], pa.int32())
    return pa.MapArray.from_arrays(offsets, pa.array(names, pa.string()), pa.array(values, pa.float64()))


def _json(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _int64(value: int | None) -> int | None:
    return value if value is not None and _LEAST <= value <= _MOST else None


def _float(value: object) -> float | None:
    """A number, also as the text "NaN" or "Infinity" that stands for what JSON cannot hold; null for anything else."""
    if type(value) is float:
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _time(value: object) -> datetime | None:
    """A time as RFC 3339 has it, without an offset in UTC; null for anything else, years outside 1 to 9999 included."""
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.fromisoformat(value)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
