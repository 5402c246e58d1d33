"""The command line of training: `demo`, `export`, `fit`, `report` and `parity`.

Heavy imports happen inside the commands, so that `--help` and a mistyped option answer at once. Exit codes: 0 done,
1 refused (the reason is printed) or, of `report`, a verdict that alerts, 2 a wrong option, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from audit.settings import SettingsError
from scoring.bundle import Bundle, BundleError
from training.errors import TrainingError
from training.fit_options import FIT_HELP, add_fit

EXPORT_HELP: dict[str, Any] = {
    "help": "export a fitted pipeline of yours",
    "formatter_class": argparse.RawDescriptionHelpFormatter,
    "description": """\
Export a fitted scikit-learn pipeline to models/NAME/VERSION.

The graph is compared with scikit-learn on the test rows and 5,000 adversarial ones, and
nothing is written if they disagree. Files are CSV or Parquet (by their ending); columns are
numbers, booleans or text, and an empty cell is missing. All columns but the target, the
weights and those dropped must be those that the pipeline was fitted with, in its order.

A joblib file can run any code when it is loaded: export only files that you trust.""",
    "epilog": """\
example, in Python:
  pipeline = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())
  pipeline.fit(train.drop(columns="good"), train["good"])
  joblib.dump(pipeline, "credit.joblib")

and then:
  python -m training export --pipeline credit.joblib --train train.csv --test test.csv \\
      --target good --name credit --version 1

--policies is a file such as
  {"age": {"sentinels": [-999], "defaults": [0, 99], "missing": "abstain"},
   "name": {"redaction": "hash"}}
and says of a feature, where it differs from the default:
  missing    impute (if training had it missing: default), abstain, or reject
  outside    flag values outside the training range (default), or abstain
  sentinels  values that mean missing
  defaults   values that a system upstream fills in when it knows nothing, such as 0 or
             "unknown": scored, and flagged as known_default
  redaction  what the log keeps of it: none (all of it: default), hash (a keyed hash, see
             HYPERPLANE_REDACTION_KEY), or drop (nothing)
  unit       as --unit""",
}

REPORT_HELP: dict[str, Any] = {
    "help": "show on test rows what production will report",
    "formatter_class": argparse.RawDescriptionHelpFormatter,
    "description": """\
Make the preproduction report of a model: the page that production will show, from test rows.

The rows are sent through the code that scores in production, their truth as labels. Columns
other than the target are the model's features; rows that do not fit them are judged as in
production, not refused. An empty cell is missing. Limits of verdicts are the bundle's, or
those of HYPERPLANE_THRESHOLDS.""",
    "epilog": """\
example:
  python -m training report credit/3 --test test.csv --target good --out report.html

exit codes: 0 nothing alerts, 1 a verdict alerts or there can be no report, 2 a wrong option.""",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except (TrainingError, BundleError, SettingsError, OSError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped by Ctrl-C; no unfinished bundle is left", file=sys.stderr)
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Before production: make model bundles, with proof that they predict what scikit-learn does.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    demo = commands.add_parser("demo", help="train and export the three demo models")
    demo.add_argument("--out", type=Path, default=Path("models"), help="folder of bundles (default: models)")
    demo.set_defaults(run=_demo)
    _add_export(commands.add_parser("export", **EXPORT_HELP))
    add_fit(commands.add_parser("fit", **FIT_HELP)).set_defaults(run=_fit)
    parity = commands.add_parser(
        "parity",
        help="prove every combination of docs/parity.md again and write the page",
        description="Fit, export and prove every combination of model and preparation; takes some minutes. "
        "Exit code 1 if fewer than nine in ten are exact, or if any is silently inexact.",
    )
    parity.add_argument("--out", type=Path, default=Path("docs/parity.md"), help="page (default: docs/parity.md)")
    parity.add_argument("--only", default="", metavar="TEXT", help="combinations whose name holds this; writes no page")
    parity.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="processes (default: one for each core)"
    )
    parity.set_defaults(run=_parity)
    _add_report(commands.add_parser("report", **REPORT_HELP))
    return parser


def _add_export(parser: argparse.ArgumentParser) -> None:
    needed = parser.add_argument_group("what to export")
    needed.add_argument("--pipeline", type=Path, required=True, metavar="FILE", help="joblib file; it can run any code")
    needed.add_argument(
        "--train", type=Path, required=True, metavar="FILE", help="rows that the pipeline was fitted on"
    )
    needed.add_argument("--test", type=Path, required=True, metavar="FILE", help="rows that it has not seen")
    needed.add_argument("--target", required=True, metavar="COLUMN", help="column that it predicts")
    needed.add_argument("--name", required=True, help="the model's name in URLs: letters, digits, . _ -")
    needed.add_argument("--version", required=True, help="must be new; versions are never overwritten")
    parser.add_argument("--out", type=Path, default=Path("models"), help="folder of bundles (default: models)")
    about = parser.add_argument_group("what reports and clients are told")
    about.add_argument("--positive", metavar="LABEL", help="of two classes, the one that AUC, TPR and FPR speak of")
    about.add_argument("--weights", metavar="COLUMN", help="column of the weights that it was fitted with")
    about.add_argument("--unit", action="append", default=[], metavar="FEATURE=UNIT", help="may be repeated")
    about.add_argument("--policies", type=Path, metavar="JSON", help="file: how production judges features, see below")
    about.add_argument("--target-unit", metavar="UNIT", help="of a quantity that is predicted")
    about.add_argument("--p99-ms", type=float, metavar="MS", help="a request may take so long, 99 times in 100")
    about.add_argument("--cold-start-ms", type=float, metavar="MS", help="start to first answer may take so long")
    about.add_argument("--description", default="", metavar="TEXT", help="first paragraph of the model card")
    about.add_argument("--source", metavar="TEXT", help="where the data come from (default: the files' names)")
    about.add_argument("--private", action="store_true", help="leave the sample of training rows out of the bundle")
    about.add_argument("--report", type=Path, metavar="HTML", help="page on the test rows, as production will report")
    needed.add_argument(
        "--text",
        action="append",
        default=[],
        metavar="COLUMN",
        help="categories though written as numbers, as 01067; may be repeated",
    )
    needed.add_argument("--drop", action="append", default=[], metavar="COLUMN", help="leave out; may be repeated")
    parser.add_argument("--allow-constant", action="store_true", help="let columns pass that hold one value only")
    parser.set_defaults(run=_export)


def _add_report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL[/VERSION]", help="without a version, the newest")
    parser.add_argument(
        "--test", type=Path, required=True, metavar="FILE", help="rows that it was not fitted on, CSV or Parquet"
    )
    parser.add_argument("--target", required=True, metavar="COLUMN", help="column of the truth")
    parser.add_argument("--drop", action="append", default=[], metavar="COLUMN", help="no feature; may be repeated")
    parser.add_argument("--models", type=Path, default=Path("models"), help="folder of bundles (default: models)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the page here, one HTML file")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write report.json here")
    parser.set_defaults(run=_report)


def _fit(options: argparse.Namespace) -> int:
    print(f"Comparing candidates for {options.name}: loading scikit-learn …", flush=True)
    from training.fit_command import fit_from_files

    bundle = fit_from_files(options).bundle
    if bundle is not None:
        print(f"{bundle.folder}: {_summary(bundle)}; read {bundle.folder / 'card.md'}")
    return 0


def _export(options: argparse.Namespace) -> int:
    print(f"Exporting {options.name}/{options.version}: loading scikit-learn …", flush=True)
    from training.export_command import export_from_files
    from training.stages import stages

    with stages() as tell:
        bundle = export_from_files(options, tell)
    print(f"  {bundle.folder}: {_summary(bundle)}")
    for note in bundle.manifest.convergence:
        print(f"  not converged: {note}")
    print(f"  read {bundle.folder / 'card.md'}")
    return 0


def _report(options: argparse.Namespace) -> int:
    from training.report_command import report_on_file

    return 1 if report_on_file(options).verdict.level == "alert" else 0


def _demo(options: argparse.Namespace) -> int:
    print(f"Demo models in {options.out}: loading scikit-learn …", flush=True)
    from training.demo import export_demos

    started = time.perf_counter()
    for name, bundle, made in export_demos(options.out):
        done = f"made in {time.perf_counter() - started:.1f} s" if made else "is there already"
        print(f"  {name:<14} {done:<17} {_summary(bundle)}", flush=True)
        started = time.perf_counter()
    return 0


def _parity(options: argparse.Namespace) -> int:
    print("Loading scikit-learn …", flush=True)
    from training.parity_command import write_parity

    return write_parity(options.out, options.only, options.workers)


def _summary(bundle: Bundle) -> str:
    manifest = bundle.manifest
    figure = "rmse" if manifest.task == "regression" else "accuracy"
    measured = manifest.metrics.get(figure)
    quality = f", {figure} {measured.value:.4g} on {measured.n} test rows" if measured else ""
    return f"{manifest.task}{quality}; equal to scikit-learn on {manifest.parity.rows:,} rows"
