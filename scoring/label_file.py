"""A file with ground truth, opened by its ending: .csv, .csv.gz, .parquet, or `-` for CSV on standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

from scoring.label_csv import CsvLabels
from scoring.label_rows import LabelFileError, LabelRows, Wanted

_PARQUET = (".parquet", ".pq")


@contextmanager
def open_labels(name: str, wanted: Wanted) -> Iterator[LabelRows]:
    """The file's rows; raises `LabelFileError` for one that is none, or has not the columns."""
    ending = "".join(Path(name).suffixes[-2:]).lower()
    if name != "-" and not ending.endswith((".csv", ".csv.gz", *_PARQUET)):
        raise LabelFileError("its name must end in .csv, .csv.gz or .parquet, or be - for CSV on standard input")
    try:
        opened: Any = nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb")  # noqa: SIM115
    except OSError as problem:
        raise LabelFileError(f"it cannot be opened: {problem.strerror}") from None
    with opened as file, closing(_rows(file, ending, wanted)) as rows:
        yield rows


def _rows(file: BinaryIO, ending: str, wanted: Wanted) -> LabelRows:
    if ending.endswith(_PARQUET):
        from scoring.label_parquet import ParquetLabels

        return ParquetLabels(file, wanted)
    return CsvLabels(file, wanted, gzipped=ending.endswith(".gz"))
