"""The sample of training rows that a bundle may hold, `sample.parquet`: for plots that need rows and not counts.

A bundle has none when its features are private or redacted, and old ones have none; then plots say so. A sample that
cannot be read is treated as none: it must never cost a report. pyarrow is imported when there is one to read.
"""

from __future__ import annotations

import io

import msgspec

from scoring.bundle import Bundle

ROWS = 500
SAMPLE = "sample.parquet"


class TrainingSample(msgspec.Struct, frozen=True):
    """Rows of the training data, by feature; None for a missing value."""

    rows: int
    columns: dict[str, list[float | str | None]]


def read_sample(bundle: Bundle) -> TrainingSample | None:
    """At most 500 rows of the features that no policy of the bundle hides, booleans as the texts `true` and `false`."""
    if SAMPLE not in bundle.manifest.files:
        return None
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted = [feature.name for feature in bundle.manifest.features if feature.redaction == "none"]
    try:
        table = pq.read_table(io.BytesIO((bundle.folder / SAMPLE).read_bytes())).slice(0, ROWS)
        found = {
            name: [_plain(value) for value in table[name].to_pylist()] for name in wanted if name in table.schema.names
        }
    except (OSError, pa.ArrowException, KeyError):
        return None
    return TrainingSample(table.num_rows, found)


def _plain(value: object) -> float | str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return float(value) if value == value else None
    return value if isinstance(value, str) else None
