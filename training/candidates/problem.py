"""From what was given to what candidates are fitted on: rows to train on, rows to test on, and what was decided.

Every decision that a person might not expect becomes a note, which the terminal and the page show: rows without a
target, columns left out, fewer folds than asked for.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import train_test_split

from evaluation.pages.numbers import counted
from evaluation.pages.text import shown
from scoring.bundle import Label
from training.candidates.columns import Columns, choose_columns, plain
from training.candidates.table import kind_of, typed
from training.candidates.target import Target, Wanted, classes_target, labels_of, task_of
from training.errors import FitRefused

ROWS_AT_LEAST = 20
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """Features in their own types, the same as pipelines take them, and the target."""

    typed: pd.DataFrame
    X: pd.DataFrame
    y: npt.NDArray[Any]
    weights: Doubles | None = None

    def __len__(self) -> int:
        return len(self.y)


@dataclass(frozen=True)
class Problem:
    """Everything that candidates are compared on."""

    target: Target
    columns: Columns
    train: Rows
    test: Rows
    folds: int
    seed: int
    notes: tuple[str, ...] = field(default=())

    @cached_property
    def truth(self) -> npt.NDArray[Any]:
        """The training rows' class positions, or their values."""
        return self.truth_of(self.train)

    def truth_of(self, rows: Rows) -> npt.NDArray[Any]:
        """The same of any rows."""
        return rows.y if self.target.task == "regression" else self.target.positions(rows.y)

    @property
    def spread(self) -> float:
        """Standard deviation of a quantity among the training rows; 1 for classes and constants."""
        return (float(np.std(self.train.y)) or 1.0) if self.target.task == "regression" else 1.0


def read_problem(
    data: pd.DataFrame,
    target: str,
    *,
    test: pd.DataFrame | None = None,
    test_share: float = 0.25,
    task: Wanted | None = None,
    positive: str | Label | None = None,
    weights: str | None = None,
    drop: Collection[str] = (),
    keep: Collection[str] = (),
    folds: int = 5,
    seed: int = 0,
) -> Problem:
    """Check, split and decide; raises `FitRefused` with the name of the column and the fix."""
    notes: list[str] = []
    table = _with_target(data, target, weights, (*drop, *keep), notes, "the table")
    wanted = task_of(table[target], task)
    if wanted == "classification":
        labels_of(table[target])
    if test is None:
        table, held_out = _split(table, target, wanted, test_share, seed)
    else:
        held_out = _like(_with_target(test, target, None, (), notes, "the test table"), table, {weights, *drop})
    features = [name for name in table.columns if name not in {target, weights, *drop}]
    columns, left_out = choose_columns(table[features], held_out[features], keep)
    notes += [f"column {shown(name, 60)!r} is left out: it {shown(reason)}" for name, reason in left_out.items()]
    y_train, y_test = _target_values(table, held_out, target, wanted)
    goal = Target(target, "regression") if wanted == "regression" else classes_target(target, y_train, positive)
    _known_labels(goal, y_test)
    return Problem(
        target=goal,
        columns=columns,
        train=_rows(table, columns, y_train, _weights(table, weights)),
        test=_rows(held_out, columns, y_test, None),
        folds=_folds(goal, len(y_train), folds, notes),
        seed=seed,
        notes=tuple(notes),
    )


def _with_target(
    data: pd.DataFrame, target: str, weights: str | None, mentioned: Collection[str], notes: list[str], what: str
) -> pd.DataFrame:
    names = [str(name) for name in data.columns]
    for name in (target, *([weights] if weights else []), *mentioned):
        if name not in names:
            known = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
            raise FitRefused(f"{what} has no column {name!r}; its columns are {known}")
    if weights == target:
        raise FitRefused(f"weights: {target!r} is the target; name another column, or none")
    table = typed(data, what)
    there = table[target].notna()
    if not there.any():
        raise FitRefused(f"{what} has no row with a value of the target {target!r}")
    absent = int((~there).sum())
    if absent:
        notes.append(f"{counted(absent, 'row')} of {what} without a value of {shown(target, 60)!r} left out")
    return table[there]


def _split(
    table: pd.DataFrame, target: str, wanted: Wanted, test_share: float, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    if not 0 < test_share < 1:
        raise FitRefused(f"test_share {test_share:g}: a share between 0 and 1, such as 0.25")
    if len(table) < ROWS_AT_LEAST:
        raise FitRefused(
            f"{counted(len(table), 'row')} with a target are too few to compare models; {ROWS_AT_LEAST} at least"
        )
    stratify = table[target].astype(str) if wanted == "classification" else None
    if stratify is not None:
        counts = stratify.value_counts()
        if counts.min() < 4:
            raise FitRefused(
                f"class {shown(str(counts.index[-1]), 60)!r} of target {target!r} has "
                f"{counted(int(counts.min()), 'row')}; each class needs 4 at least, to train, judge and test: "
                "collect more, join it with another, or leave it out"
            )
        if test_share * len(table) < len(counts) or (1 - test_share) * len(table) < 2 * len(counts):
            raise FitRefused(f"test_share {test_share:g} leaves too few rows for {len(counts)} classes; choose another")
    train, test = train_test_split(table, test_size=test_share, random_state=seed, stratify=stratify)
    return train.sort_index(), test.sort_index()


def _like(test: pd.DataFrame, train: pd.DataFrame, optional: Collection[str | None]) -> pd.DataFrame:
    """The test table with the training table's columns; refuses a column of another kind."""
    missing = [name for name in train.columns if name not in test and name not in optional]
    if missing:
        raise FitRefused(f"the test table lacks {', '.join(map(repr, missing[:10]))}, which the training table has")
    for name in train.columns:
        if name in test:
            kinds = {kind_of(train[name]), kind_of(test[name])} - {"empty"}
            if len(kinds) > 1 and kinds != {"integer", "float"}:
                raise FitRefused(
                    f"column {name!r} is {kind_of(train[name])} in the training table and {kind_of(test[name])} "
                    "in the test table; make them the same"
                )
    return test[[name for name in train.columns if name in test]]


def _target_values(
    train: pd.DataFrame, test: pd.DataFrame, target: str, wanted: Wanted
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    if wanted == "regression":
        y_train, y_test = (table[target].to_numpy(np.float64) for table in (train, test))
        if not np.ptp(y_train):
            raise FitRefused(f"target {target!r} is {y_train[0]:g} in every training row; there is nothing to predict")
        return y_train, y_test
    return labels_of(train[target]), labels_of(test[target])


def _known_labels(target: Target, y_test: npt.NDArray[Any]) -> None:
    if target.classes:
        unknown = sorted({repr(label) for label in y_test.tolist() if label not in target.classes})
        if unknown:
            raise FitRefused(
                f"the test table has labels of {target.name!r} that no training row has: {', '.join(unknown[:5])}"
            )


def _rows(table: pd.DataFrame, columns: Columns, y: npt.NDArray[Any], weights: Doubles | None) -> Rows:
    own = table[columns.names].reset_index(drop=True)
    return Rows(own, plain(own, columns), y, weights)


def _weights(table: pd.DataFrame, name: str | None) -> Doubles | None:
    if name is None:
        return None
    if kind_of(table[name]) not in ("float", "integer"):
        raise FitRefused(f"weights: column {name!r} is {kind_of(table[name])}; weights are numbers")
    values = table[name].to_numpy(np.float64, na_value=np.nan)
    if np.isnan(values).any() or (values < 0).any() or not values.any():
        raise FitRefused(f"weights: column {name!r} must have a number of at least 0 in every row, and not only zeros")
    return values


def _folds(target: Target, rows: int, wanted: int, notes: list[str]) -> int:
    """As many as asked for, but never more than the rarest class has rows."""
    if wanted < 2:
        raise FitRefused(f"folds {wanted}: two at least")
    most = min(target.counts, default=rows)
    if most < 2:
        raise FitRefused(
            f"class {shown(str(target.rarest), 60)!r} of target {target.name!r} has {counted(most, 'training row')}; "
            "two at least are needed to fit on one and judge on the other"
        )
    if wanted > most:
        notes.append(
            f"{most} folds instead of {wanted}: "
            + (f"class {shown(str(target.rarest), 40)!r} has {most} training rows" if target.counts else f"{rows} rows")
        )
    return min(wanted, most)
