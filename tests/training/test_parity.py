"""The gate: what agrees, what does not, what is excused, and how a failure reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from tests.training.problems import Problem, fitted_logistic, fitted_ridge, numbers, values
from training.adversarial import EDGES, Takes, adversarial_rows
from training.answer import Answer
from training.columns import NumberColumn
from training.conversion import convert
from training.data import Columns, read_columns
from training.errors import ExportRefused, ParityError
from training.exactness import compare
from training.model_kind import ModelKind, model_kind
from training.parity import prove
from training.reference import Reference
from training.session import GraphSession


def regression(*scores: float, raised: bool = False) -> Answer:
    n = len(scores)
    return Answer(None, np.array(scores).reshape(n, 1), np.full(n, np.inf), np.full(n, raised))


def binary(label: int, probability: float, margin: float | None = None) -> Answer:
    scores = np.array([[1 - probability, probability]])
    gap = abs(2 * probability - 1) if margin is None else margin
    return Answer(np.array([label]), scores, np.array([gap]), np.array([False]))


@pytest.mark.parametrize(
    ("reference", "graph", "wrong"),
    [
        (0.0, 0.9e-9, False),
        (0.0, 1.1e-9, True),
        (1e6, 1e6 + 0.9, False),
        (1e6, 1e6 + 1.1, True),
        (-1e6, -1e6 - 0.9, False),
        (np.nan, np.inf, False),
        (np.inf, np.nan, False),
        (-np.inf, np.inf, False),
        (np.inf, 1.0, True),
        (1.0, np.nan, True),
        (1.0, -np.inf, True),
    ],
)
def test_scores_agree_within_the_stated_tolerance(reference: float, graph: float, wrong: bool) -> None:
    assert compare(regression(reference), regression(graph)).wrong.tolist() == [wrong]


def test_labels_may_differ_only_where_scikit_learn_is_undecided() -> None:
    assert compare(binary(1, 0.7), binary(0, 0.7)).wrong.tolist() == [True]
    assert compare(binary(1, 0.5, margin=2e-9), binary(0, 0.5)).wrong.tolist() == [True]
    assert compare(binary(1, 0.5, margin=0.5e-9), binary(0, 0.5)).wrong.tolist() == [False]


def test_no_rows_have_no_answers() -> None:
    problem = numbers()
    pipeline = fitted_logistic(problem)
    columns = read_columns(pipeline, problem.X_train, None)
    answer = Reference(pipeline, model_kind(pipeline), columns).predict(np.empty((0, 4)))
    assert (len(answer), answer.scores.shape) == (0, (0, 2))


def test_a_row_that_scikit_learn_refuses_is_not_compared() -> None:
    assert compare(regression(np.nan, raised=True), regression(3.0)).wrong.tolist() == [False]


def changed(graph: onnx.ModelProto, by: float) -> bytes:
    """The graph with the largest of its constant vectors of doubles moved."""
    constants = [c for c in graph.graph.initializer if c.data_type == onnx.TensorProto.DOUBLE]
    array = numpy_helper.to_array(constants[-1]) + by
    constants[-1].CopyFrom(numpy_helper.from_array(array, constants[-1].name))
    return bytes(graph.SerializeToString())


def proof(problem: Problem, pipeline: Any, by: float = 0.0) -> Any:
    kind, columns = model_kind(pipeline), read_columns(pipeline, problem.X_train, None)
    session = GraphSession(changed(convert(pipeline, kind, columns.vocabularies), by), kind)
    return prove(
        Reference(pipeline, kind, columns), session, problem.X_train, problem.X_test, columns, Takes(frozenset())
    )


def test_a_graph_whose_weights_are_off_is_refused_with_the_worst_rows() -> None:
    problem = values()
    pipeline = fitted_ridge(problem)
    assert proof(problem, pipeline).largest_difference < 1e-9
    with pytest.raises(ParityError) as caught:
        proof(problem, pipeline, by=0.01)
    lines = str(caught.value).splitlines()
    assert "rows differ from scikit-learn by more than 1e-09 + 1e-06 * |reference|" in lines[0]
    assert lines[2].split() == ["row", "scikit-learn", "ONNX", "difference", "values"]
    assert len(lines[3:11]) == 8
    assert all("x0=" in line for line in lines[3:11])


def test_a_difference_in_the_seventh_digit_is_found() -> None:
    problem = values()
    with pytest.raises(ParityError):
        proof(problem, fitted_ridge(problem), by=1e-3)


def test_a_graph_may_not_answer_where_scikit_learn_refuses_within_the_training_range() -> None:
    problem = numbers()
    X = np.abs(problem.X_train) + 0.1
    X[0] = 1e-9
    pipeline = make_pipeline(FunctionTransformer(np.log), LogisticRegression(max_iter=9_000)).fit(X, problem.y_train)
    kind, columns = model_kind(pipeline), read_columns(pipeline, X, None)
    graph = convert(pipeline, kind, [None] * 4).SerializeToString()
    reference, takes = Reference(pipeline, kind, columns), Takes(frozenset())
    proven = prove(reference, GraphSession(graph, kind), X, X, columns, takes)
    assert proven.no_reference > 30, "logarithms of numbers that are not positive"
    with pytest.raises(ParityError, match="refuses the row") as caught:
        prove(reference, Answering(graph, kind), X, X, columns, takes)
    assert "put a step before that takes all values" in str(caught.value)


class Answering(GraphSession):
    """A graph that has an answer to everything."""

    def _answer(self, outputs: list[Any]) -> Answer:
        return super()._answer([outputs[0], np.nan_to_num(outputs[1])])


def test_huge_rows_that_overflow_are_counted_and_do_not_fail() -> None:
    problem = numbers()
    parity = proof(problem, fitted_logistic(problem))
    assert parity.no_reference > 0
    assert parity.rows == len(problem.X_test) + parity.adversarial_rows
    assert parity.adversarial_rows >= 5_000


class Sums:
    """Stands in for a graph: features by weights that add up to nothing, added in an order of its own."""

    WEIGHTS = (0.1, 0.2, -0.3)

    def __init__(self, order: tuple[int, int, int], far_factor: float = 1.0) -> None:
        self._order = order
        self._far_factor = far_factor

    def predict(self, values: np.ndarray[Any, np.dtype[np.float64]]) -> Answer:
        first, second, third = (values[:, i] * self.WEIGHTS[i] for i in self._order)
        with np.errstate(all="ignore"):
            total = (first + second) + third
            total *= np.where(np.abs(values).max(axis=1) > 1e3, self._far_factor, 1.0)
        return Answer(None, total[:, None], np.full(len(values), np.inf), None)

    predict_singly = predict


class SumModel(BaseEstimator, RegressorMixin):  # type: ignore[misc]
    """scikit-learn's side of it, adding from left to right."""

    def predict(self, X: Any) -> Any:
        return Sums((0, 1, 2)).predict(np.asarray(X)).scores[:, 0]


def numeric(names: Iterable[str]) -> Columns:
    """Columns of floats in an array."""
    return Columns(tuple(NumberColumn(name, "float") for name in names), None)


def proof_of_sums(graph: Sums) -> Any:
    X = np.random.default_rng(0).normal(size=(60, 3))
    columns = numeric("abc")
    kind = ModelKind("regression", (), "value")
    session: Any = graph
    return prove(Reference(SumModel(), kind, columns), session, X, X, columns, Takes(frozenset()))


def test_sums_that_cancel_far_outside_are_counted_as_ill_conditioned() -> None:
    assert proof_of_sums(Sums((0, 1, 2))).ill_conditioned == 0
    reordered = proof_of_sums(Sums((2, 1, 0)))
    assert 0 < reordered.ill_conditioned < 100
    assert reordered.largest_difference < 1e-12


def test_being_far_outside_alone_excuses_nothing() -> None:
    with pytest.raises(ParityError):
        proof_of_sums(Sums((0, 1, 2), far_factor=1.0001))


def test_adversarial_rows_reach_every_edge_of_every_feature() -> None:
    X = np.random.default_rng(0).normal(size=(50, 3))
    columns = Columns((*numeric("ab").columns, NumberColumn("c", "boolean")), None)
    X[:, 2] = X[:, 2] > 0
    rows = adversarial_rows(SumModel(), X, columns, Takes(frozenset({0, 2})), 5_000, seed=0)
    assert len(rows.values) == len(rows.origins) >= 5_000
    assert {f"{name} at {edge}" for name in "abc" for edge in EDGES} <= set(rows.origins)
    a, c = rows.values[:, 0], rows.values[:, 2]
    low, high = X[:, 0].min(), X[:, 0].max()
    for edge in (low, high, np.nextafter(low, -np.inf), np.nextafter(high, np.inf), 5e-324, 1.7e308, -1.7e308):
        assert (a == edge).any(), edge
    assert np.signbit(a[a == 0.0]).any()
    assert set(c[~np.isnan(c)].tolist()) == {0.0, 1.0}
    assert not np.isnan(rows.values[:, 1]).any()
    assert (np.isnan(a) & np.isnan(c)).any()
    assert (np.isnan(a) & ~np.isnan(c)).any()


def test_adversarial_rows_are_the_same_each_time_and_bounded_for_wide_data() -> None:
    X = np.random.default_rng(0).normal(size=(20, 400))
    columns = numeric([f"x{i}" for i in range(400)])
    first, again = (adversarial_rows(SumModel(), X, columns, Takes(frozenset()), 5_000, seed=3) for _ in range(2))
    assert np.array_equal(first.values, again.values)
    assert 5_000 <= len(first.values) < 8_000


def test_releases_of_onnx_runtime_with_wrong_labels_are_refused() -> None:
    problem = numbers()
    pipeline = fitted_logistic(problem)
    kind = model_kind(pipeline)
    graph = convert(pipeline, kind, [None] * 4).SerializeToString()
    for release in ("1.26.0", "1.27.1", "1.27"):
        with pytest.raises(ExportRefused, match="wrong labels"):
            GraphSession(graph, kind, version=release)
    GraphSession(graph, kind, version="1.28.0")
