"""`python -m training export`: a pipeline stored with joblib, and CSV or Parquet files, become a bundle."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd

from scoring.bundle import Bundle, Label
from training.errors import ExportRefused
from training.export import export_bundle
from training.preproduction import preproduction_report
from training.table_file import read_table


def export_from_files(options: argparse.Namespace, tell: Callable[[str], None]) -> Bundle:
    """Read the files that the options name, and export; `tell` hears of each stage."""
    pipeline = _load(options.pipeline)
    train, test = _read(options.train, options), _read(options.test, options)
    weights = None
    if options.weights:
        if options.weights not in train:
            raise ExportRefused(f"{options.train} has no column {options.weights!r}, which --weights names")
        weights, test = train.pop(options.weights), test.drop(columns=options.weights, errors="ignore")
    y_train, y_test = train.pop(options.target), test.pop(options.target)
    bundle = export_bundle(
        pipeline, train, y_train, test, y_test,
        name=options.name,
        version=options.version,
        out=options.out,
        sample_weight=weights,
        positive=_positive(options.positive, y_train),
        target_unit=options.target_unit,
        units=dict(_unit(text) for text in options.unit),
        policies=_policies(options.policies),
        p99_ms=options.p99_ms,
        cold_start_ms=options.cold_start_ms,
        description=options.description,
        source=options.source or f"{options.train.name}, {options.test.name}",
        private=options.private,
        allow_constant=options.allow_constant,
        tell=tell,
    )  # fmt: skip
    if options.report:
        tell("scoring the test rows for the report")
        options.report.parent.mkdir(parents=True, exist_ok=True)
        options.report.write_text(preproduction_report(bundle, test, y_test).html, encoding="utf-8")
    return bundle


def _load(path: Path) -> Any:
    import joblib

    try:
        return joblib.load(path)
    except OSError:
        raise
    except Exception as problem:
        raise ExportRefused(
            f"{path} cannot be loaded as a pipeline: {type(problem).__name__}: {problem}. "
            "Store it with joblib.dump, and load it with the same versions of Python and scikit-learn"
        ) from problem


def _read(path: Path, options: argparse.Namespace) -> pd.DataFrame:
    table = read_table(path, options.text)
    if options.target not in table:
        raise ExportRefused(
            f"{path} has no column {options.target!r}; its columns are {', '.join(map(str, table.columns))}"
        )
    for option, names in (("--text", options.text), ("--drop", options.drop)):
        absent = [name for name in names if name not in table]
        if absent:
            raise ExportRefused(f"{option}: {path} has no column {absent[0]!r}")
    kept: pd.DataFrame = table.drop(columns=options.drop)
    return kept


def _positive(text: str | None, y: pd.Series) -> Label | None:
    """The label that is written so on the command line, in the type that the file gives it."""
    if text is None:
        return None
    labels: list[Label] = y.unique().tolist()
    for label in labels:
        if str(label) == text:
            return label
    known = ", ".join(sorted(map(repr, labels))[:10])
    raise ExportRefused(f"--positive {text}: the target has no such label, but {known}")


def _policies(path: Path | None) -> dict[str, Any]:
    """What the file says of each feature; its fields are checked with those of `export_bundle`."""
    if path is None:
        return {}
    try:
        policies: dict[str, Any] = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
        raise ExportRefused(
            f'--policies: {path} is no JSON object such as {{"age": {{"sentinels": [-1]}}}}: {problem}'
        ) from problem
    return policies


def _unit(text: str) -> tuple[str, str]:
    name, equals, unit = text.rpartition("=")
    if not equals or not name or not unit:
        raise ExportRefused(f"--unit {text}: write it as FEATURE=UNIT, for example --unit 'age=years'")
    return name, unit
