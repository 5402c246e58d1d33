"""The options of `python -m training fit`, and the help that teaches them; imports nothing that costs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

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

candidates: logistic svm-rbf random-forest boosting, and logistic-X with X of interactions,
polynomial, splines, logs; of a quantity: linear ridge ridge-X svm-rbf random-forest
boosting. With a remedy: logistic-class-weights, random-forest-upsampling and the like; an
unknown name is answered with all that there are.

metrics: accuracy balanced_accuracy precision recall f1 mcc roc_auc pr_auc log_loss brier;
of a quantity: rmse mae mape smape r2""",
}


def add_fit(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """The options of `fit`."""
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
    data.add_argument(
        "--text",
        action="append",
        default=[],
        metavar="COLUMN",
        help="categories though written as numbers, as 01067; may be repeated",
    )
    data.add_argument("--drop", action="append", default=[], metavar="COLUMN", help="leave out; may be repeated")
    data.add_argument(
        "--keep", action="append", default=[], metavar="COLUMN", help="though it looks like an id; may be repeated"
    )
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
    return parser
