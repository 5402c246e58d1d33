"""`python -m training report`: test rows in a CSV or Parquet file become the preproduction report of a model.

A cell is read as the model's manifest describes its column: text where the feature is text, so that `007` stays what
it is; elsewhere as a number, or true or false, where it is written as one, and as text where it is not.
"""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path
from typing import Any

import pandas as pd

from evaluation import settings as evaluation_settings
from evaluation import terminal
from evaluation.report_format import Report, encode_report
from scoring.bundle import Bundle, Manifest, list_bundles, load_bundle
from scoring.serving_config import newest
from training.errors import ReportRefused
from training.preproduction import PreproductionReport, preproduction_report
from training.table_file import read_table

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def report_on_file(options: argparse.Namespace) -> Report:
    """Make the report that the options ask for, write what they name, and say what it comes to."""
    bundle = find_bundle(options.models, options.model)
    table = read_test_rows(options.test, options.target, bundle.manifest).drop(columns=options.drop, errors="ignore")
    thresholds = evaluation_settings.from_environ(os.environ).thresholds
    with terminal.progress_bar("scoring test rows") as progress:
        truth = table.pop(options.target)
        made = preproduction_report(bundle, table, truth, thresholds=thresholds, progress=progress)
    terminal.print_report(made.report)
    for note in made.report.notes:
        terminal.say(note)
    _write(made, options)
    return made.report


def find_bundle(models: Path, text: str) -> Bundle:
    """The bundle of `MODEL/VERSION`, or of the newest version of `MODEL`; raises `ReportRefused`, `BundleError`."""
    name, _, version = text.partition("/")
    versions = [found for model, found in list_bundles(models) if model == name]
    if not versions:
        known = ", ".join(dict.fromkeys(model for model, _ in list_bundles(models))) or "none"
        raise ReportRefused(f"there is no bundle of a model {name!r} in {models}; there is: {known}")
    if version and version not in versions:
        raise ReportRefused(f"model {name} has no version {version!r} in {models}; it has {', '.join(versions)}")
    return load_bundle(models / name / (version or newest(versions)))


def read_test_rows(path: Path, target: str, manifest: Manifest) -> pd.DataFrame:
    """The file's table, its columns as the manifest has them."""
    texts = [feature.name for feature in manifest.features if feature.type == "string"]
    if manifest.classes and all(isinstance(label, str) for label in manifest.classes):
        texts.append(target)
    table = read_table(path, texts)
    if target not in table:
        columns = ", ".join(map(str, table.columns))
        raise ReportRefused(f"{path} has no column {target!r}, which --target names; its columns are {columns}")
    if not len(table):
        raise ReportRefused(f"{path} has a header and no rows; a report needs at least one")
    for feature in manifest.features:
        if feature.type in ("float", "integer") and feature.name in table and _is_mixed(table[feature.name]):
            table[feature.name] = table[feature.name].map(_number_or_text).astype(object)
    return table


def _is_mixed(column: pd.Series) -> bool:
    """Whether one cell that is no number has made text of them all, as a declared `N/A` does."""
    return not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column))


def _number_or_text(cell: Any) -> Any:
    return float(cell) if isinstance(cell, str) and _NUMBER.fullmatch(cell) else cell


def _write(made: PreproductionReport, options: argparse.Namespace) -> None:
    for path, text in ((options.out, made.html), (options.json, encode_report(made.report).decode())):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            terminal.say(f"{path} written")
    if options.out is None:
        terminal.say("for the whole report as a page, add --out report.html")
