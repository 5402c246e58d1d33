"""A table in a file, CSV or Parquet by its ending, as the commands of training read it.

In a CSV file an empty cell is missing and nothing else is: "NA" is text. CSV knows no types, so a column of codes such
as 01067 must be named to stay text. Names that stand twice, and rows longer than the header, are refused.
"""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from training.errors import TableRefused

UNREADABLE = (
    pd.errors.ParserWarning, pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError, csv.Error
)  # fmt: skip
PARQUET = {".parquet", ".pq"}
CODE_ROWS = 10_000


def read_table(path: Path, text: Iterable[Any] = (), *, nullable: bool = False) -> pd.DataFrame:
    """The file's table; columns named in `text` are text even where they look like numbers.

    `nullable`: columns of pandas' nullable types, in which whole numbers and booleans keep their type though some are
    missing; otherwise of its ordinary ones, which pipelines are mostly fitted with. Raises `TableRefused`, `OSError`.
    """
    kind = "string" if nullable else "str"
    if path.suffix.lower() in PARQUET:
        table = _parquet(path)
        kinds: dict[Any, Any] = dict.fromkeys((name for name in text if name in table), kind)
        return table.astype(kinds)
    backend: Any = {"dtype_backend": "numpy_nullable"} if nullable else {}
    try:
        refuse_repeated(_header(path), str(path))
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # rows longer than the header
            rows: pd.DataFrame = pd.read_csv(
                path,
                keep_default_na=False,
                na_values=[""],
                dtype=dict.fromkeys(text, kind),
                encoding="utf-8-sig",
                index_col=False,
                low_memory=False,
                **backend,
            )
    except UNREADABLE as problem:
        raise TableRefused(f"{path} is not a CSV file with a header, in UTF-8: {problem}") from problem
    return rows


def columns_of_codes(path: Path, text: Iterable[Any] = ()) -> list[str]:
    """Columns of a CSV file, those in `text` left out, whose first rows hold digits after a leading zero, as 01067."""
    if path.suffix.lower() in PARQUET:
        return []
    rows = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False, nrows=CODE_ROWS)
    known = set(text)
    return [str(name) for name in rows if name not in known and rows[name].str.fullmatch(r"0[0-9]+").any()]


def refuse_repeated(names: Iterable[Any], what: str) -> None:
    """Raise `TableRefused` if a name stands twice."""
    listed = [str(name) for name in names]
    repeated = sorted({name for name in listed if listed.count(name) > 1}) if len(set(listed)) < len(listed) else []
    if repeated:
        raise TableRefused(f"{what} has columns of the same name: {', '.join(map(repr, repeated))}; rename one of each")


def _header(path: Path) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return next(csv.reader(file), [])


def _parquet(path: Path) -> pd.DataFrame:
    try:
        table: pd.DataFrame = pd.read_parquet(path)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as problem:
        raise TableRefused(f"{path} cannot be read as Parquet: {problem}") from problem
    return table
