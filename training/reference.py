"""scikit-learn's own answers: the reference that the graph is held against."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.pipeline import Pipeline

from training.answer import Answer
from training.converters.ensembles import threshold_of
from training.data import Columns, Doubles
from training.model_kind import ModelKind
from training.neighbour_ties import neighbours_tied

REFUSALS = (Exception,)  # a step of somebody's own may raise anything


class Reference:
    """A pipeline that predicts rows of doubles; rows that it refuses are marked, not raised."""

    def __init__(self, pipeline: Any, kind: ModelKind, columns: Columns) -> None:
        self.pipeline, self._kind, self._columns = pipeline, kind, columns

    def predict(self, values: Doubles) -> Answer:
        """Answers for all rows. Where the pipeline raises, scores are NaN, the label is -1 and `raised` is true."""
        if not len(values):
            return self._refused().rows(np.empty(0, dtype=np.intp))
        # One row that is refused fails its whole batch. Mostly it is rows of huge values, so these go together, last.
        order = np.argsort(np.abs(np.nan_to_num(values, nan=0.0)).max(axis=1), kind="stable")
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            answer = self._predict(values[order])
        return answer.rows(np.argsort(order))

    def of_rows(self, rows: Any, count: int) -> Answer | None:
        """Answers for rows as the pipeline's owner has them; None if it raises for any of them."""
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                return self._answer(rows, count)
            except REFUSALS:
                return None

    def refusal(self, row: Any) -> str:
        """What the pipeline says to a row that it does not answer."""
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            try:
                self._answer(row, 1)
            except REFUSALS as problem:
                return f"{type(problem).__name__}: {' '.join(str(problem).split())[:300]}"
        return "its answer is not finite"

    def undefined(self, values: Doubles) -> npt.NDArray[np.bool_]:
        """Rows to which the model has no definite answer, because neighbours are equally far."""
        return neighbours_tied(self.pipeline, self._columns.rows(values), len(values))

    def _predict(self, values: Doubles) -> Answer:
        """The whole batch at once; if it is refused, its halves, down to the rows at fault."""
        try:
            return self._answer(self._columns.rows(values), len(values))
        except REFUSALS:
            if len(values) == 1:
                return self._refused()
        middle = len(values) // 2
        return _joined(self._predict(values[:middle]), self._predict(values[middle:]))

    def _answer(self, rows: Any, count: int) -> Answer:
        raised = np.zeros(count, dtype=np.bool_)
        predicted = np.asarray(self.pipeline.predict(rows))
        if self._kind.task == "regression":
            return Answer(None, predicted.astype(np.float64).reshape(count, 1), np.full(count, np.inf), raised)
        classes = np.asarray(self._kind.classes if self._kind.outliers else self.pipeline.classes_)
        labels = np.argmax(predicted[:, None] == classes[None, :], axis=1).astype(np.int64)
        if self._kind.answer == "probabilities":
            scores = np.asarray(self.pipeline.predict_proba(rows), dtype=np.float64)
            margin = _margin(scores)
            if hasattr(self.pipeline, "decision_function"):
                margin = np.minimum(margin, _margin(np.asarray(self.pipeline.decision_function(rows))))
            return Answer(labels, scores, np.minimum(margin, self._threshold_margin(rows, scores)), raised)
        decision = np.asarray(self.pipeline.decision_function(rows), dtype=np.float64)
        best = decision if decision.ndim == 1 else decision.max(axis=1)
        margin = np.minimum(_margin(decision), self._threshold_margin(rows, None))
        return Answer(labels, best.reshape(count, 1), margin, raised)

    def _threshold_margin(self, rows: Any, probabilities: Doubles | None) -> Doubles | float:
        """How far the score is from a threshold that decides in place of the largest score."""
        final = self.pipeline.steps[-1][1] if isinstance(self.pipeline, Pipeline) else self.pipeline
        if not isinstance(final, FixedThresholdClassifier | TunedThresholdClassifierCV):
            return np.inf
        method, threshold, position = threshold_of(final)
        if method == "predict_proba" and probabilities is not None:
            return np.abs(probabilities[:, position] - threshold)
        decision = np.asarray(self.pipeline.decision_function(rows), dtype=np.float64)
        return np.abs((decision if position else -decision) - threshold)

    def _refused(self) -> Answer:
        width = len(self._kind.classes) if self._kind.answer == "probabilities" else 1
        labels = None if self._kind.task == "regression" else np.array([-1], dtype=np.int64)
        return Answer(labels, np.full((1, width), np.nan), np.full(1, np.inf), np.ones(1, dtype=np.bool_))


def _margin(scores: npt.NDArray[Any]) -> Doubles:
    """How far the best score is from the second; for one score a row, how far it is from 0."""
    if scores.ndim == 1:
        return np.abs(scores).astype(np.float64)
    ordered = np.sort(scores, axis=1)
    return np.asarray(ordered[:, -1] - ordered[:, -2], dtype=np.float64)


def _joined(first: Answer, second: Answer) -> Answer:
    labels = None if first.labels is None or second.labels is None else np.concatenate([first.labels, second.labels])
    assert first.margin is not None
    assert second.margin is not None
    assert first.raised is not None
    assert second.raised is not None
    return Answer(
        labels,
        np.concatenate([first.scores, second.scores]),
        np.concatenate([first.margin, second.margin]),
        np.concatenate([first.raised, second.raised]),
    )
