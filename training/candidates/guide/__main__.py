"""`python -m training.candidates.guide [FOLDER]`: runs the cases and writes the guide with its pictures.

Half a minute. The same seeds give the same document.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from training.candidates.comparison import Comparison, compare
from training.candidates.cross_validation import fitted_candidate
from training.candidates.guide import cases
from training.candidates.guide.boundary import boundary
from training.candidates.guide.text import NAME, REMEDIES, guide
from training.candidates.judging import Judged
from training.candidates.problem import read_problem

CURVED = ("logistic", "logistic-polynomial", "logistic-splines", "svm-rbf", "random-forest")
RARE = ("logistic", *REMEDIES, "svm-rbf-class-weights")

AROUND = ("logistic", "logistic-class-weights", "logistic-polynomial", "svm-rbf-class-weights", "one-class-svm")


def main() -> None:
    """Write the guide."""
    parser = argparse.ArgumentParser(prog="python -m training.candidates.guide", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("docs/guide"))
    folder: Path = parser.parse_args().folder
    for path, content in files(curved_rows=2_000, rare_rows=3_000).items():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content, encoding="utf-8")
        print(folder / path)


def files(curved_rows: int, rare_rows: int, folds: int = 5) -> dict[str, str]:
    """The document and its pictures, by name."""
    curved, curved_table = _case(cases.curved(curved_rows), "quality", "accuracy", CURVED, folds)
    rare, rare_table = _case(cases.rare(rare_rows), "fraud", "balanced_accuracy", RARE, folds)
    around, around_table = _case(cases.around(rare_rows), "failing", "balanced_accuracy", AROUND, folds)
    drawn = {f"curved-{name}.svg": _picture(curved, name, curved_table, "scrap") for name in CURVED}
    drawn |= {f"rare-{name}.svg": _picture(rare, name, rare_table, "yes") for name in ("logistic", *REMEDIES)}
    shown = ("logistic-class-weights", "svm-rbf-class-weights", "one-class-svm")
    drawn |= {f"around-{name}.svg": _picture(around, name, around_table, "yes") for name in shown}
    return {NAME: guide(curved, rare, around)} | drawn


def _case(
    table: pd.DataFrame, target: str, metric: str, candidates: tuple[str, ...], folds: int
) -> tuple[Comparison, pd.DataFrame]:
    problem = read_problem(table, target, seed=cases.SEED, folds=folds)
    return compare(problem, metric=metric, wanted=candidates), problem.train.X.assign(**{target: problem.train.y})


def _picture(comparison: Comparison, name: str, table: pd.DataFrame, wanted: str) -> str:
    one = next(found for found in comparison.found if found.candidate.name == name)
    fitted = fitted_candidate(one.candidate, comparison.problem, np.arange(len(table)), comparison.problem.folds)
    return boundary(fitted.pipeline, table, comparison.problem.target.name, wanted, _title(one))


def _title(one: Judged) -> str:
    return one.candidate.title


if __name__ == "__main__":
    main()
