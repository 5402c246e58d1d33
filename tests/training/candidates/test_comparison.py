"""Candidates on the same folds: what they are fitted on, what is said of them, and which one is picked."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, root_mean_squared_error
from sklearn.pipeline import make_pipeline

from tests.training.candidates.tables import compared, people, points, problem, quantities
from training.candidates import remedies
from training.candidates.anomaly import AnomalyClassifier
from training.candidates.catalogue import Candidate, candidates
from training.candidates.comparison import Comparison, compare
from training.candidates.cross_validation import cross_validated, fitted_candidate, folds_of
from training.candidates.judging import judged
from training.candidates.problem import Problem
from training.candidates.remedies import chosen_remedies
from training.candidates.selection import select
from training.errors import FitRefused


class Remembering(DummyClassifier):  # type: ignore[misc]
    """A classifier that tells which rows, by the number in their first column, it was fitted on and asked about."""

    fitted: ClassVar[list[list[int]]] = []
    asked: ClassVar[list[list[int]]] = []

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        Remembering.fitted.append(sorted(X["number"].astype(int)))
        return super().fit(X, y, sample_weight)

    def predict(self, X: Any) -> Any:
        Remembering.asked.append(sorted(X["number"].astype(int)))
        return super().predict(X)


def remembering(sampling: remedies.Sampling) -> Candidate:
    Remembering.fitted, Remembering.asked = [], []
    return Candidate("remembering", "Remembering", 1, lambda: make_pipeline(Remembering()), None, sampling)


def numbered(rare: float) -> Problem:
    table = points(rare=rare)
    return problem(table.assign(number=np.arange(120)), keep=["number"])


class TestUpsampling:
    def test_repeats_rows_of_the_training_folds_and_never_one_that_is_judged(self) -> None:
        given = numbered(rare=0.1)
        found = cross_validated(remembering(remedies.upsampled), given, folds_of(given))
        assert found.failed is None
        every = set(given.train.X["number"].astype(int))
        assert len(Remembering.fitted) == len(Remembering.asked) == 3
        for fitted, asked in zip(Remembering.fitted, Remembering.asked, strict=True):
            assert len(fitted) > len(set(fitted)), "rare rows are drawn again"
            assert not set(fitted) & set(asked), "a row that is judged was fitted on"
            assert set(fitted) | set(asked) == every
            assert len(asked) == len(set(asked)), "rows that are judged stay as they came"

    def test_makes_the_classes_equally_common(self) -> None:
        given = numbered(rare=0.1)
        draw = remedies.upsampled(given.truth, None, np.random.default_rng(0))
        assert len(set(np.bincount(given.truth[draw.rows]))) == 1
        assert set(draw.rows) == set(range(len(given.train)))

    def test_takes_the_weights_along(self) -> None:
        weights = np.array([1.0, 2.0, 3.0, 4.0])
        draw = remedies.upsampled(np.array([0, 0, 0, 1]), weights, np.random.default_rng(0))
        assert draw.weights is not None
        assert draw.weights.tolist() == [1.0, 2.0, 3.0, 4.0, 4.0, 4.0]


class TestWeights:
    def test_of_a_column_and_of_importance_multiply(self) -> None:
        draw = remedies.importance_weighted(np.array([0, 0, 0, 1]), np.array([1.0, 1, 2, 5]), np.random.default_rng(0))
        assert draw.weights is not None
        common, rare = np.sqrt(4 / 6), np.sqrt(4 / 2)
        assert draw.weights.tolist() == pytest.approx([common, common, 2 * common, 5 * rare])

    def test_reach_the_model_and_what_is_exported(self) -> None:
        given = problem(points().assign(w=np.linspace(0.1, 5, 120)), weights="w")
        (_, logistic), _ = candidates(given, "accuracy", ["logistic"], ())
        rows = np.arange(len(given.train))
        fitted = fitted_candidate(logistic, given, rows, 0)
        assert fitted.weights is not None
        assert fitted.weights.tolist() == np.asarray(given.train.weights).tolist()
        unweighted = fitted_candidate(logistic, replace(given, train=replace(given.train, weights=None)), rows, 0)
        assert not np.allclose(fitted.pipeline[-1].coef_, unweighted.pipeline[-1].coef_)

    def test_leave_out_what_cannot_take_them(self) -> None:
        given = problem(points(rare=0.08).assign(w=1.0), weights="w")
        chosen, told = candidates(given, "accuracy", None, remedies.NAMES)
        assert "logistic-threshold" not in {one.name for one in chosen}
        assert any("tunes a threshold without weights only" in words for words in told)
        with pytest.raises(FitRefused, match="logistic-threshold cannot be tried"):
            candidates(given, "accuracy", ["logistic-threshold"], ())


def test_every_training_row_is_judged_once_in_folds_of_equal_proportions() -> None:
    given = problem(points(rare=0.1))
    folds = folds_of(given)
    assert sorted(set(folds)) == [0, 1, 2]
    assert [int((given.train.y[folds == fold] == "yes").sum()) for fold in range(3)] == [3, 3, 3]


def test_figures_are_those_of_predictions_for_unseen_rows() -> None:
    comparison = compared(points(), "logistic", metric="balanced_accuracy")
    logistic, given = comparison.found[1], comparison.problem
    expected = []
    for fold in range(3):
        fitted = fitted_candidate(logistic.candidate, given, np.flatnonzero(comparison.folds != fold), fold)
        judged_rows = comparison.folds == fold
        predicted = fitted.pipeline.predict(given.train.X[judged_rows])
        expected.append(balanced_accuracy_score(given.train.y[judged_rows], predicted))
    assert logistic.by_fold == pytest.approx(expected, abs=1e-12)
    assert logistic.score == pytest.approx(np.mean(expected))
    assert logistic.error == pytest.approx(np.std(expected, ddof=1) / np.sqrt(3))


def test_a_quantity_is_compared_with_its_mean_and_curves_need_features() -> None:
    comparison = compared(quantities(), "linear", "ridge-polynomial", "svm-rbf")
    scores = {one.candidate.name: one.score or 0.0 for one in comparison.found}
    assert scores["ridge-polynomial"] < scores["svm-rbf"] < scores["linear"]
    assert comparison.selection.sentence.startswith("Ridge regression, polynomial has the lowest root mean squared")
    values = comparison.baseline.out_of_fold.predictions.values
    rmse = comparison.baseline.figures["rmse"].value
    assert rmse == pytest.approx(root_mean_squared_error(comparison.problem.train.y, values))


def test_every_kind_of_column_goes_through_every_kind_of_candidate() -> None:
    names = ("logistic", "logistic-polynomial", "logistic-splines", "logistic-logs", "svm-rbf", "boosting")
    comparison = compared(people(), *names, target="good")
    assert [one.out_of_fold.failed for one in comparison.found] == [None] * 7
    assert all((one.score or 0) > 0.6 for one in comparison.found[1:])


def test_many_categories_are_encoded_in_few_columns() -> None:
    random = np.random.default_rng(0)
    town = random.choice([f"town {i}" for i in range(60)], 240)
    table = points(240).assign(town=town)
    comparison = compared(table, "logistic", "boosting")
    assert [one.out_of_fold.failed for one in comparison.found] == [None] * 3
    fitted = fitted_candidate(comparison.found[1].candidate, comparison.problem, np.arange(180), 0)
    assert fitted.pipeline[-1].n_features_in_ == 3


class TestWhatIsSaid:
    def test_of_a_model_that_predicts_one_class_only(self) -> None:
        comparison = compared(points(rare=0.05).assign(a=0.1, b=np.arange(120) % 7), "logistic")
        assert comparison.found[1].remarks == ("predicts one class only: no",)
        assert comparison.found[1].most_predicted == ("no", 1.0)
        assert "No candidate beats always answering no" in comparison.selection.sentence

    def test_of_a_model_that_does_not_beat_the_commonest_answer_but_finds_the_rare(self) -> None:
        table = points(400, rare=0.05)
        remark = compared(table, "logistic-class-weights").found[1].remarks[0]
        assert remark.startswith("does not beat always answering no (95.0 %), but finds ")

    def test_of_a_regression_that_is_no_better_than_the_mean(self) -> None:
        table = quantities().assign(y=np.random.default_rng(1).normal(size=120))
        remark = compared(table, "ridge-polynomial").found[1].remarks[0]
        assert remark.startswith("does not beat always answering the mean")

    def test_of_fits_that_did_not_converge_fold_by_fold(self) -> None:
        given = problem(points())
        lazy = Candidate("lazy", "Lazy", 1, lambda: make_pipeline(LogisticRegression(max_iter=1)))
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            found = cross_validated(lazy, given, folds_of(given))
        assert found.failed is None
        assert any("failed to converge" in note and note.endswith("(in 3 of 3 folds)") for note in found.convergence)

    def test_not_of_boosting_whose_iterations_are_its_trees(self) -> None:
        assert compared(points(), "boosting").found[1].out_of_fold.convergence == ()

    def test_of_a_candidate_that_raises_without_losing_the_others(self) -> None:
        given = problem(points())
        broken = Candidate("broken", "Broken", 1, lambda: make_pipeline(LogisticRegression(C=-1)))
        found = judged(cross_validated(broken, given, folds_of(given)), given, folds_of(given), "accuracy")
        assert found.score is None
        assert found.remarks[0].startswith("could not be fitted: InvalidParameterError: The 'C' parameter")
        with pytest.raises(FitRefused, match="no candidate can be judged by Accuracy: Broken could not be fitted"):
            select([found], "accuracy", given.target)

    def test_of_a_model_without_the_probabilities_that_the_metric_needs(self) -> None:
        comparison = compared(points(), "logistic", "svm-rbf-class-weights", metric="log_loss")
        without = comparison.found[2]
        assert without.score is None
        assert without.remarks[0] == "has no Log loss: the model gives no probabilities"
        assert [one.candidate.name for one in comparison.selection.ranked] == ["logistic"]


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return compared(points(), "logistic", "logistic-polynomial")


class TestThePick:
    def scored(self, comparison: Comparison, *by_fold: tuple[float, ...]) -> Any:
        found = [replace(one, by_fold=values) for one, values in zip(comparison.found, by_fold, strict=True)]
        return select(found, "accuracy", comparison.problem.target)

    def test_is_the_best_and_names_the_runner_up_and_a_simpler_one_that_is_near(self, comparison: Comparison) -> None:
        selection = self.scored(comparison, (0.5, 0.5), (0.80, 0.82), (0.80, 0.84))
        assert selection.ranked[0].candidate.name == "logistic-polynomial"
        assert selection.sentence == (
            "Logistic regression, polynomial has the highest accuracy, 0.820 ± 0.020 (mean and standard error over 2 "
            "folds, from 0.800 to 0.840); the runner-up is logistic regression, 0.810 ± 0.010; a simpler one is within "
            "one standard error of it: logistic regression, 0.810 ± 0.010."
        )

    def test_says_when_nothing_simpler_is_near(self, comparison: Comparison) -> None:
        selection = self.scored(comparison, (0.5, 0.5), (0.60, 0.62), (0.80, 0.84))
        assert "no simpler one is within one standard error of it." in selection.sentence

    def test_of_equals_is_the_simpler(self, comparison: Comparison) -> None:
        selection = self.scored(comparison, (0.5, 0.5), (0.8, 0.8), (0.8, 0.8))
        assert selection.ranked[0].candidate.name == "logistic"

    def test_says_when_nothing_beats_the_commonest_answer(self, comparison: Comparison) -> None:
        selection = self.scored(comparison, (0.98, 0.98), (0.8, 0.8), (0.7, 0.7))
        assert "No candidate beats always answering" in selection.sentence
        assert "do not put this into production" in selection.sentence


class TestTheCatalogue:
    def names(self, table: pd.DataFrame, tried: str = "auto", **options: Any) -> list[str]:
        given = problem(table, **options)
        chosen, _ = candidates(given, "accuracy", None, chosen_remedies(tried, given.target))
        return [one.name for one in chosen]

    def test_tries_remedies_when_a_class_is_rare_or_they_are_asked_for(self) -> None:
        plain = ["baseline", "logistic", "logistic-interactions", "logistic-polynomial", "logistic-splines"]
        plain += ["svm-rbf", "boosting", "random-forest"]
        assert self.names(points(rare=0.3)) == plain
        rare = self.names(points(rare=0.08))
        assert {"logistic-class-weights", "logistic-importance", "random-forest-upsampling"} < set(rare)
        assert {"boosting-class-weights", "one-class-svm", "logistic-threshold"} < set(rare)
        assert self.names(points(rare=0.08), "none") == plain
        assert self.names(points(rare=0.3), "upsampling") == [*plain, "logistic-upsampling", "random-forest-upsampling"]

    def test_leaves_remedies_for_two_classes_out_for_three(self) -> None:
        three = points().assign(y=["a"] * 5 + ["b", "c"] * 57 + ["b"])
        assert "logistic-class-weights" in self.names(three)
        assert not {"one-class-svm", "logistic-threshold"} & set(self.names(three))
        with pytest.raises(FitRefused, match="threshold is for two classes"):
            self.names(three, "threshold")

    def test_refuses_names_that_it_does_not_know(self) -> None:
        with pytest.raises(FitRefused, match="there is no 'perceptron' here, but baseline, logistic"):
            compared(points(), "perceptron")
        with pytest.raises(FitRefused, match="remedies: there is no 'prayer', but auto, all, none, class-weights"):
            compare(problem(points()), remedies="prayer")
        with pytest.raises(FitRefused, match="are for classes, and 'y' is a quantity"):
            compare(problem(quantities()), remedies="upsampling")
        with pytest.raises(FitRefused, match="metric 'rmse': for this target there are accuracy"):
            compare(problem(points()), metric="rmse")

    def test_says_what_it_does_not_try(self) -> None:
        _, told = candidates(problem(points()), "accuracy", None, ())
        assert told == ["Logistic regression, logs not tried: no column is skewed to the right and never negative"]


@pytest.mark.parametrize("rare", ["yes", "fraud"], ids=["second", "first"])
def test_a_tuned_threshold_finds_the_rare_that_one_half_misses(rare: str) -> None:
    table = points(300, rare=0.06).replace({"y": {"yes": rare}})
    comparison = compared(table, "logistic", "logistic-threshold", metric="balanced_accuracy")
    assert comparison.problem.target.positive == rare
    before, after = comparison.found[1:]
    assert (after.figures["recall"].value or 0) > (before.figures["recall"].value or 0) + 0.3
    assert len(after.out_of_fold.thresholds) == 3
    assert max(after.out_of_fold.thresholds) < 0.5


class TestAnomalies:
    @pytest.mark.parametrize("common", ["a", "b"])
    def test_are_what_the_detector_did_not_learn(self, common: str) -> None:
        from sklearn.svm import OneClassSVM

        random = np.random.default_rng(0)
        X = np.concatenate([random.normal(size=(100, 2)), random.normal(size=(10, 2)) + 8])
        y = np.array([common] * 100 + [{"a": "b", "b": "a"}[common]] * 10)
        found = AnomalyClassifier(OneClassSVM(nu=0.1), common=common).fit(X, y)
        assert (found.predict(X)[100:] != common).all()
        assert (found.predict(X)[:100] == common).mean() > 0.8
        assert np.array_equal(found.classes_[(found.decision_function(X) > 0).astype(int)], found.predict(X))

    def test_need_two_classes(self) -> None:
        from sklearn.svm import OneClassSVM

        with pytest.raises(ValueError, match="two classes are needed, one of them 'a'"):
            AnomalyClassifier(OneClassSVM(), common="a").fit(np.zeros((3, 1)), ["b", "c", "d"])


def test_the_same_seed_gives_the_same_figures() -> None:
    make: Callable[[], Comparison] = lambda: compared(points(rare=0.1), "random-forest", "logistic-upsampling")  # noqa: E731
    first, second = make(), make()
    assert [one.by_fold for one in first.found] == [one.by_fold for one in second.found]
