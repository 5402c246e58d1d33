"""Some hundred training rows for pairplots, as Parquet: features, target, and what the model predicts for them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from training.data import Columns, Data, Doubles

ROWS_AT_MOST = 500


def sample_parquet(data: Data, predicted: npt.NDArray[Any], columns: Columns, target: str, seed: int = 0) -> bytes:
    """At most 500 rows in their training order. The prediction's column is `prediction`, with `_` added until free."""
    count = min(ROWS_AT_MOST, len(data))
    rows = np.sort(np.random.default_rng(seed).choice(len(data), count, replace=False))
    table = {
        name: _column(data.values[rows, i], kind)
        for i, (name, kind) in enumerate(zip(columns.names, columns.types, strict=True))
    }
    table[target] = pa.array(data.target[rows].tolist())
    prediction = "prediction"
    while prediction in table:
        prediction += "_"
    table[prediction] = pa.array(predicted[rows].tolist())
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(table), sink, compression="zstd")
    return bytes(sink.getvalue().to_pybytes())


def _column(values: Doubles, kind: str) -> Any:
    plain = [None if np.isnan(value) else value for value in values.tolist()]
    if kind == "boolean":
        return pa.array([None if value is None else bool(value) for value in plain], pa.bool_())
    if kind == "integer":
        return pa.array([None if value is None else int(value) for value in plain], pa.int64())
    return pa.array(plain, pa.float64())
