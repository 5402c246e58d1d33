"""Some hundred training rows for pairplots, as Parquet: features, target, and what the model predicts for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from scoring.bundle import Feature
from training.data import Data, Doubles

ROWS_AT_MOST = 500


def sample_parquet(
    data: Data, predicted: npt.NDArray[Any], features: Sequence[Feature], target: str, seed: int = 0
) -> bytes:
    """At most 500 rows in their training order, values as a client would send them. The prediction's column is
    `prediction`, with `_` added until free."""
    count = min(ROWS_AT_MOST, len(data))
    rows = np.sort(np.random.default_rng(seed).choice(len(data), count, replace=False))
    table = {feature.name: _column(data.values[rows, i], feature) for i, feature in enumerate(features)}
    table[target] = _plain(data.target[rows])
    prediction = "prediction"
    while prediction in table:
        prediction += "_"
    table[prediction] = _plain(predicted[rows])
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(table), sink, compression="zstd")
    return bytes(sink.getvalue().to_pybytes())


def _plain(values: npt.NDArray[Any]) -> Any:
    """Labels or numbers; whole ones beyond 63 bits are unsigned."""
    plain = values.tolist()
    unsigned = any(isinstance(value, int) and value >= 2**63 for value in plain)
    return pa.array(plain, pa.uint64() if unsigned else None)


def _column(values: Doubles, feature: Feature) -> Any:
    plain = [None if np.isnan(value) else value for value in values.tolist()]
    if feature.type == "string":
        texts = dict(enumerate([*(feature.categories or []), *feature.known]))
        return pa.array([None if value is None else texts[value] for value in plain], pa.string())
    if feature.type == "boolean":
        return pa.array([None if value is None else bool(value) for value in plain], pa.bool_())
    if feature.type == "integer" and all(value is None or -(2.0**63) <= value < 2.0**63 for value in plain):
        return pa.array([None if value is None else int(value) for value in plain], pa.int64())
    return pa.array(plain, pa.float64())
