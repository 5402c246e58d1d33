"""Records as tables: the few columns that a label join needs, from raw frames or from curated Parquet.

| instances | |
|---|---|
| `id`, `ts` (datetime64, µs, UTC), `version`, `role`, `outcome` | as recorded |
| `repeat` | rejected as `duplicate_id`: the same id stood in the same request already |
| `x_hash` | 64-bit hash of the instance as recorded |
| `label` (JSON text), `value`, `score`, `probabilities` (dict) | the answer |

Labels have `id`, `ts`, `outcome`, `label`, `value`. Rows are in the order of the log: by blob, then by position.
From Parquet only the columns asked for are read, and answers only for ids that have a label, so that memory is bounded
by ids and not by what the instances hold.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq

INSTANCE_COLUMNS = (
    "id", "ts", "version", "role", "outcome", "repeat", "x_hash", "label", "value", "score", "probabilities",
)  # fmt: skip
LABEL_COLUMNS = ("id", "ts", "outcome", "label", "value")
_ANSWER = ("label", "value", "score", "probabilities")


class _Line(msgspec.Struct):
    """The fields of a record that a join may need; decoding skips the others."""

    kind: str
    id: str
    ts: str
    model: str
    version: str | None = None
    role: str | None = None
    outcome: str | None = None
    reasons: list[str] = []
    x: msgspec.Raw = msgspec.Raw(b"")
    y: dict[str, Any] | None = None


_decoder = msgspec.json.Decoder(_Line)


def tables_of_lines(
    lines: Iterable[bytes], model: str, until_ts: str | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Instances and labels of one model in raw lines, those later than `until_ts` left out."""
    instances: list[tuple[Any, ...]] = []
    labels: list[tuple[Any, ...]] = []
    for line in lines:
        try:
            record = _decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue  # the profile counts lines that are no records, and the report says how many
        if record.model != model or (until_ts is not None and record.ts > until_ts):
            continue
        y = record.y or {}
        label, value = _json(y.get("label")), _number(y.get("value"))
        if record.kind == "label":
            labels.append((record.id, record.ts, record.outcome, label, value))
        elif record.kind == "score":
            repeat, x = "duplicate_id" in record.reasons, bytes(record.x).decode(errors="replace")
            who = (record.id, record.ts, record.version, record.role, record.outcome, repeat, x)
            instances.append((*who, label, value, _number(y.get("score")), y.get("probabilities")))
    return _instances(instances), _frame(labels, LABEL_COLUMNS)


def labels_of_part(data: bytes, until: np.datetime64 | None = None) -> pd.DataFrame:
    """Labels in a curated part."""
    table = pq.read_table(io.BytesIO(data), columns=["kind", *LABEL_COLUMNS])
    table = _until(table.filter(pc.equal(table["kind"], "label")), until)
    return _utc(table.select(list(LABEL_COLUMNS)).to_pandas())


def instances_of_part(data: bytes, labelled: Collection[str], until: np.datetime64 | None = None) -> pd.DataFrame:
    """Instances in a curated part, with answers for the ids in `labelled`."""
    columns = ["kind", "id", "ts", "version", "role", "outcome", "reasons", "x"]
    table = pq.read_table(io.BytesIO(data), columns=columns + list(_ANSWER))
    table = _until(table.filter(pc.equal(table["kind"], "score")), until)
    frame = _utc(table.select(["id", "ts", "version", "role", "outcome"]).to_pandas())
    frame["repeat"] = ["duplicate_id" in (reasons or ()) for reasons in table["reasons"].to_pylist()]
    frame["x_hash"] = _hashes(table["x"].to_pylist())
    wanted = frame["id"].isin(list(labelled)).to_numpy()
    answers = table.select(list(_ANSWER)).filter(wanted)
    for column in _ANSWER:
        values = np.full(len(frame), np.nan if column in ("value", "score") else None, object)
        values[wanted] = _objects(answers[column].to_pylist(), column)
        frame[column] = values.astype(np.float64) if column in ("value", "score") else values
    return frame


def concatenated(parts: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """All rows, numbered by position in the log (`position`)."""
    filled = [part for part in parts if len(part)]
    whole = pd.concat(filled, ignore_index=True) if filled else _frame([], columns)
    whole["position"] = np.arange(len(whole))
    return whole


def _instances(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    frame = _frame(rows, INSTANCE_COLUMNS)
    frame["x_hash"] = _hashes(frame["x_hash"].tolist())
    return frame


def _frame(rows: list[tuple[Any, ...]], columns: Sequence[str]) -> pd.DataFrame:
    frame = pd.DataFrame({name: pd.Series([row[i] for row in rows], dtype=object) for i, name in enumerate(columns)})
    frame["ts"] = np.array([ts.removesuffix("Z") for ts in frame["ts"]], "datetime64[us]")
    kinds = {"value": np.float64, "score": np.float64, "repeat": bool}
    return frame.astype({name: kinds[name] for name in columns if name in kinds})


def _until(table: Any, until: np.datetime64 | None) -> Any:
    if until is None:
        return table
    return table.filter(table["ts"].to_numpy().astype("datetime64[us]") <= until)


def _utc(frame: pd.DataFrame) -> pd.DataFrame:
    frame["ts"] = frame["ts"].dt.tz_localize(None).astype("datetime64[us]")
    for column in frame.columns.difference(["ts", "value"]):
        frame[column] = frame[column].astype(object).where(frame[column].notna(), None)
    return frame


def _hashes(texts: Sequence[str | None]) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """The same text has the same hash whatever table it is in."""
    if not len(texts):
        return np.empty(0, np.uint64)
    return pd.util.hash_array(np.array([text or "" for text in texts], object), categorize=False)


def _objects(values: Sequence[Any], column: str) -> list[Any]:
    if column in ("value", "score"):
        return [np.nan if value is None else value for value in values]
    if column == "probabilities":
        return [None if value is None else dict(value) for value in values]
    return list(values)


def _json(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _number(value: Any) -> float:
    """A number as a double; NaN for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return float("nan")
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
