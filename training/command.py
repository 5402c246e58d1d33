"""The command line of training: `demo`, `export` and `fit`.

Heavy imports happen inside the commands, so that `--help` and a mistyped option answer at once. Exit codes: 0 done,
1 refused (the reason is printed), 2 a wrong option, 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scoring.bundle import Bundle, BundleError
from training.errors import TrainingError

EXPORT_HELP: dict[str, Any] = {
    "help": "export a fitted pipeline of yours",
    "formatter_class": argparse.RawDescriptionHelpFormatter,
    "description": """\
Export a fitted scikit-learn pipeline to models/NAME/VERSION.

The graph is compared with scikit-learn on the test rows and 5,000 adversarial ones, and
nothing is written if they disagree. All columns but the target must be numbers; an empty
cell is missing. The columns must be those that the pipeline was fitted with.

A joblib file can run any code when it is loaded: export only files that you trust.""",
    "epilog": """\
example, in Python:
  pipeline = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression())
  pipeline.fit(train.drop(columns="good"), train["good"])
  joblib.dump(pipeline, "credit.joblib")

and then:
  python -m training export --pipeline credit.joblib --train train.csv --test test.csv \\
      --target good --name credit --version 1""",
}

FIT_HELP: dict[str, Any] = {
    "help": "compare candidates on a table, and export the best",
    "formatter_class": argparse.RawDescriptionHelpFormatter,
    "description": """\
Compare candidates on a CSV or Parquet file by cross-validation, pick one by the metric
asked for and say why, fit it on all training rows, and export it to models/NAME/VERSION.

Columns may be numbers, true/false or text; an empty cell is missing. Tried are linear
models, the same with features that make a problem linear (interactions, polynomial,
splines, logs), an SVM with RBF kernel, a random forest and boosted trees, beside always
answering the commonest class or the mean. When a class is rare (two classes: under 10 %),
remedies are tried too: class-weights, importance, upsampling, boosting, one-class-svm,
threshold.""",
    "epilog": """\
example:
  python -m training fit credit.csv --target good --name credit

what to look at first: the baseline's line. With 98 % of one class, always answering it is
right 98 times in 100; pick by what you need instead:
  python -m training fit payments.csv --target fraud --name fraud --positive yes \\
      --metric balanced_accuracy --comparison fraud.html

to try out without a bundle, some candidates only:
  python -m training fit credit.csv --target good --name credit --no-export \\
      --candidates logistic,logistic-splines,svm-rbf

metrics: accuracy balanced_accuracy precision recall f1 mcc roc_auc pr_auc log_loss brier;
of a quantity: rmse mae mape smape r2""",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except (TrainingError, BundleError, OSError) as problem:
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
    _add_fit(commands.add_parser("fit", **FIT_HELP))
    return parser


def _add_export(parser: argparse.ArgumentParser) -> None:
    needed = parser.add_argument_group("what to export")
    needed.add_argument("--pipeline", type=Path, required=True, metavar="FILE", help="joblib file; it can run any code")
    needed.add_argument("--train", type=Path, required=True, metavar="CSV", help="rows that the pipeline was fitted on")
    needed.add_argument("--test", type=Path, required=True, metavar="CSV", help="rows that it has not seen")
    needed.add_argument("--target", required=True, metavar="COLUMN", help="column that it predicts")
    needed.add_argument("--name", required=True, help="the model's name in URLs: letters, digits, . _ -")
    needed.add_argument("--version", required=True, help="must be new; versions are never overwritten")
    parser.add_argument("--out", type=Path, default=Path("models"), help="folder of bundles (default: models)")
    about = parser.add_argument_group("what reports and clients are told")
    about.add_argument("--positive", metavar="LABEL", help="of two classes, the one that AUC, TPR and FPR speak of")
    about.add_argument("--weights", metavar="COLUMN", help="column of the weights that it was fitted with")
    about.add_argument("--unit", action="append", default=[], metavar="FEATURE=UNIT", help="may be repeated")
    about.add_argument("--target-unit", metavar="UNIT")
    about.add_argument("--p99-ms", type=float, metavar="MS", help="a request may take so long, 99 times in 100")
    about.add_argument("--cold-start-ms", type=float, metavar="MS", help="start to first answer may take so long")
    about.add_argument("--description", default="", metavar="TEXT", help="first paragraph of the model card")
    about.add_argument("--source", metavar="TEXT", help="where the data come from (default: the files' names)")
    about.add_argument("--private", action="store_true", help="leave the sample of training rows out of the bundle")
    parser.set_defaults(run=_export)


def _add_fit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("data", type=Path, metavar="FILE", help="CSV or Parquet file of rows with the target")
    parser.add_argument("--target", required=True, metavar="COLUMN", help="column to predict")
    parser.add_argument("--name", required=True, help="the model's name in URLs: letters, digits, . _ -")
    parser.add_argument("--version", default="1", help="must be new; versions are never overwritten (default: 1)")
    parser.add_argument("--out", type=Path, default=Path("models"), help="folder of bundles (default: models)")
    parser.add_argument("--no-export", dest="export", action="store_false", help="compare only")
    parser.add_argument("--comparison", type=Path, metavar="HTML", help="page to write (NAME-VERSION-candidates.html)")
    data = parser.add_argument_group("the data")
    data.add_argument("--test", type=Path, metavar="FILE", help="rows to test the pick on")
    data.add_argument("--test-share", type=float, default=0.25, metavar="SHARE", help="without --test (default: 0.25)")
    data.add_argument("--drop", action="append", default=[], metavar="COLUMN", help="leave out; may be repeated")
    data.add_argument("--keep", action="append", default=[], metavar="COLUMN", help="though it looks like an id")
    data.add_argument("--weights", metavar="COLUMN", help="column of weights for fitting")
    data.add_argument("--task", choices=["classification", "regression"], help="when the target does not tell")
    data.add_argument("--positive", metavar="LABEL", help="of two classes, the one that precision and recall speak of")
    data.add_argument("--private", action="store_true", help="leave the sample of training rows out of the bundle")
    how = parser.add_argument_group("the comparison")
    how.add_argument("--metric", help="pick by it (accuracy; balanced_accuracy with a rare class; rmse)")
    how.add_argument("--candidates", metavar="A,B", help="try these only")
    how.add_argument("--remedies", metavar="A,B", help="for rare classes: auto, all, none or names (default: auto)")
    how.add_argument("--folds", type=int, default=5, help="default: 5")
    how.add_argument("--seed", type=int, default=0, help="of folds, test rows and models (default: 0)")
    parser.set_defaults(run=_fit)


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

    bundle = export_from_files(options)
    print(f"  {bundle.folder}: {_summary(bundle)}")
    for note in bundle.manifest.convergence:
        print(f"  not converged: {note}")
    print(f"  read {bundle.folder / 'card.md'}")
    return 0


def _demo(options: argparse.Namespace) -> int:
    print(f"Demo models in {options.out}: loading scikit-learn …", flush=True)
    from training.demo import export_demos

    started = time.perf_counter()
    for name, bundle, made in export_demos(options.out):
        done = f"made in {time.perf_counter() - started:.1f} s" if made else "is there already"
        print(f"  {name:<14} {done:<17} {_summary(bundle)}", flush=True)
        started = time.perf_counter()
    return 0


def _summary(bundle: Bundle) -> str:
    manifest = bundle.manifest
    figure = "rmse" if manifest.task == "regression" else "accuracy"
    measured = manifest.metrics.get(figure)
    quality = f", {figure} {measured.value:.4g} on {measured.n} test rows" if measured else ""
    return f"{manifest.task}{quality}; equal to scikit-learn on {manifest.parity.rows:,} rows"
