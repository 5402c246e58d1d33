"""Whether the data belong to the pipeline: what the exporter refuses before and after it has made the graph.

Columns from which nothing can have been learnt, data of other types than at the fit, values that the pipeline raises
for, and pipelines that look at something else than the values. Each refusal names the column or the row, and the fix.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from training.adversarial import Takes
from training.answer import Answer
from training.data import Columns, Data, Doubles
from training.errors import ExportRefused
from training.exactness import compare
from training.reference import REFUSALS, Reference


def check_columns(train: Data, columns: Columns, *, allow_constant: bool) -> None:
    """Refuse columns from which nothing can have been learnt."""
    for i, column in enumerate(train.values.T):
        missing = np.isnan(column)
        if missing.all():
            raise ExportRefused(
                f"column {columns.names[i]!r} is missing in every training row; leave it out of the pipeline"
            )
        if not allow_constant and not missing.any() and (column == column[0]).all():
            raise ExportRefused(
                f"column {columns.names[i]!r} holds {columns.said(i, float(column[0]))} in all {len(train)} training "
                "rows, so that the model cannot have learnt from it, and production could not judge it: leave it out "
                "of the pipeline, or pass allow_constant=True (--allow-constant)"
            )


def check_types(pipeline: Any, train: Data, columns: Columns) -> None:
    """Refuse data on which the pipeline raises though nothing is missing: they are not of the types of the fit."""
    complete = np.flatnonzero(~np.isnan(train.values).any(axis=1))[:100]
    if not len(complete):
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            answer = np.asarray(pipeline.predict(columns.rows(train.values[complete])))
        except REFUSALS as problem:
            raise ExportRefused(
                f"the pipeline raises for rows of X_train in which nothing is missing: {type(problem).__name__}: "
                f"{problem}. Pass the data in the types in which it was fitted (of a CSV file, --text COLUMN for codes "
                "that look like numbers; Parquet keeps types)"
            ) from problem
    if answer.ndim > 1 and answer.shape[1] > 1:
        raise ExportRefused(
            f"the pipeline predicts {answer.shape[1]} targets (multi-label, multi-output), which is not supported; "
            "export one pipeline for each target"
        )


def check_gaps(train: Data, test: Data, columns: Columns, takes: Takes) -> None:
    """Refuse missing values that the pipeline itself refuses."""
    for what, data in (("X_train", train), ("X_test", test)):
        for i in np.flatnonzero(np.isnan(data.values).any(axis=0)):
            if int(i) not in takes.missing:
                raise ExportRefused(
                    f"{what}, column {columns.names[i]!r} has missing values, which the pipeline does not take; "
                    "put a SimpleImputer before the model, or leave those rows out"
                )


def check_answers(reference: Reference, X_test: Any, values: Doubles, rows: npt.NDArray[np.intp]) -> None:
    """Refuse those of the test rows to which the pipeline has no answer, or another than to our reading of them."""
    if not len(rows):
        return
    read = check_every_answer(reference, X_test, values, rows, "X_test")
    own = reference.of_rows(_rows(X_test, rows), len(rows))
    if own is None:
        return
    wrong = rows[compare(own, read).wrong]
    if len(wrong):
        raise ExportRefused(
            f"the pipeline answers row {wrong[0]} of X_test otherwise than the same values in plain columns of numbers "
            "and text; it looks at something that a client cannot send (the index, or a type of its own)"
        )


def check_every_answer(reference: Reference, X: Any, values: Doubles, rows: npt.NDArray[np.intp], what: str) -> Answer:
    """The pipeline's answers to these rows; refuses rows without a finite one, in the pipeline's own words."""
    answer = reference.predict(values[rows])
    without = rows[~np.isfinite(answer.scores).all(axis=1)]
    if len(without):
        raise ExportRefused(
            f"the pipeline has no answer to row {without[0]} of {what}: "
            f"{reference.refusal(_rows(X, without[:1]))}. So it is with {len(without)} of {len(rows)} rows: leave them "
            "out, or fit a pipeline that takes them (handle_unknown='ignore' in an encoder, np.log1p instead of np.log)"
        )
    return answer


def _rows(X: Any, at: npt.NDArray[np.intp]) -> Any:
    return X.iloc[at] if isinstance(X, pd.DataFrame) else np.asarray(X)[at]
