"""`python -m training fit`: a table in a file becomes a comparison of candidates, a page, and a bundle."""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from evaluation.pages.text import shown
from training.bundle_writer import check_free
from training.candidates.console import print_comparison, watching
from training.candidates.fitting import NothingExported, Result, fit
from training.candidates.page import comparison_page, write_page
from training.candidates.table import kind_of, typed
from training.errors import FitRefused
from training.table_file import columns_of_codes, read_table


def fit_from_files(options: argparse.Namespace) -> Result:
    """Read the files that the options name, compare, export, and write the page."""
    if options.export:
        check_free(options.out, options.name, options.version)
    page = options.comparison or Path(f"{options.name}-{options.version}-candidates.html")
    if page.is_dir():
        raise FitRefused(f"--comparison {page} is a folder; name a file, such as {page / 'candidates.html'}")
    data = read_table(options.data, options.text, nullable=True)
    absent = [name for name in options.text if name not in data]
    if absent:
        raise FitRefused(f"--text: {options.data} has no column {absent[0]!r}")
    test = read_table(options.test, _text_columns(data), nullable=True) if options.test else None
    try:
        with watching() as watch:
            watch.say(f"{options.data}: {len(data):,} rows, {data.shape[1]} columns")
            for name in columns_of_codes(options.data, [*options.text, *options.drop]):
                if pd.api.types.is_numeric_dtype(data[name]):
                    watch.say(f"{shown(name, 60)!r} has leading zeros and is read as a number; --text keeps them")
            result = fit(data, options.target, test=test, watch=watch, **_arguments(options))
    except NothingExported as problem:
        _show(problem.result, page, options.name)
        raise
    _show(result, page, options.name)
    return result


def _show(result: Result, page: Path, name: str) -> None:
    print_comparison(result.comparison, result.pick)
    made = datetime.fromtimestamp(time.time(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    write_page(page, comparison_page(result.comparison, result.pick, name=name, made=made))
    print(f"Comparison: {page}")


def _arguments(options: argparse.Namespace) -> dict[str, Any]:
    names = ("name", "version", "out", "metric", "task", "positive", "weights", "drop", "keep", "test_share", "folds")
    files = [path.name for path in (options.data, options.test) if path is not None]
    return {name: getattr(options, name) for name in names} | {
        "seed": options.seed,
        "export": options.export,
        "remedies": options.remedies or ("none" if options.candidates else "auto"),
        "candidates": [name.strip() for name in options.candidates.split(",")] if options.candidates else None,
        "source": ", ".join(files),
        "private": options.private,
    }


def _text_columns(data: pd.DataFrame) -> list[str]:
    """Columns that the test file must hold as text too, even if all of its values look like numbers."""
    table = typed(data)
    return [name for name in table.columns if kind_of(table[name]) == "string"]
