"""One combination put to the proof: fitted, converted, held against scikit-learn; exact, or refused with the reason.

After the gate has let a graph through, it is held against scikit-learn once more, on rows of the same population that
neither the fit nor the gate has seen. A graph that fails there would be silently inexact; there must be none.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np

from scoring.bundle import Parity
from training.conversion import convert
from training.data import read_columns, read_features
from training.errors import ExportRefused
from training.exactness import compare
from training.model_kind import model_kind
from training.parity import prove, what_it_takes
from training.parity_cases import FRESH_ROWS, ROWS, TEST_ROWS, Case
from training.reference import Reference
from training.session import GraphSession

Verdict = Literal["exact", "refused", "not fitted", "silently inexact"]


@dataclass(frozen=True)
class Proof:
    """What became of a combination."""

    case: Case
    verdict: Verdict
    reason: str = ""  # why it was refused, or why scikit-learn cannot fit it
    parity: Parity | None = None
    seconds: float = 0.0


def put_to_the_proof(case: Case) -> Proof:
    """Fit, convert and prove one combination."""
    started = time.perf_counter()
    X, y = case.data(ROWS + TEST_ROWS, seed=1)
    pipeline = case.pipeline()
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            pipeline.fit(X.iloc[:ROWS], None if case.target == "outliers" else y.iloc[:ROWS])
        except (ValueError, TypeError) as problem:
            return Proof(case, "not fitted", " ".join(str(problem).split())[:200])
    try:
        verdict, parity = _proven(case, pipeline)
    except ExportRefused as problem:
        return Proof(case, "refused", str(problem), seconds=time.perf_counter() - started)
    return Proof(case, verdict, parity=parity, seconds=time.perf_counter() - started)


def _proven(case: Case, pipeline: object) -> tuple[Verdict, Parity]:
    X, _ = case.data(ROWS + TEST_ROWS, seed=1)
    kind, columns = model_kind(pipeline), read_columns(pipeline, X.iloc[:ROWS], None)
    training, test = (read_features(part, columns, "X") for part in (X.iloc[:ROWS], X.iloc[ROWS:]))
    reference = Reference(pipeline, kind, columns)
    takes = what_it_takes(reference, training, columns)
    session = GraphSession(convert(pipeline, kind, columns.vocabularies).SerializeToString(), kind)
    parity = prove(reference, session, training, test, columns, takes)
    fresh, _ = case.data(FRESH_ROWS, seed=2)
    expected, answer = reference.of_rows(fresh, len(fresh)), session.predict(read_features(fresh, columns, "fresh"))
    assert expected is not None, "rows of the training population are taken"
    return ("silently inexact" if compare(expected, answer).wrong.any() else "exact"), parity
