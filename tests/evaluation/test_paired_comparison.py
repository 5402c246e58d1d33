"""Two models on the same instances: tests that equal SciPy's, and no winner where there is none."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from evaluation.paired_comparison import champion_against_others, corrected, paired_comparison
from evaluation.report_format import PairedComparison, PairedTest
from scoring.bundle import Task
from tests.evaluation.joined_pairs import CLASSES, classified, joined_of, manifest_of, predicted

ONE, OTHER = ("1", "champion"), ("2", "challenger")
Shares = np.ndarray


def two_classifiers(seed: int, n: int, noise: float, task: Task = "binary") -> tuple[Shares, Shares, np.ndarray]:
    """Probabilities of a model and of one that adds noise to its log odds, and the truth."""
    draw, size = np.random.default_rng(seed), len(CLASSES[task])
    odds = draw.normal(size=(n, size)) * 1.5
    one = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
    truth = (draw.uniform(size=(n, 1)) > one.cumsum(axis=1)).sum(axis=1).clip(0, size - 1)
    changed = odds + draw.normal(scale=noise, size=odds.shape) if noise else odds
    return one, np.exp(changed) / np.exp(changed).sum(axis=1, keepdims=True), truth


def compared(one: Shares, other: Shares, truth: np.ndarray, task: Task = "binary") -> PairedComparison:
    tables = {ONE: classified(one, truth, CLASSES[task]), OTHER: classified(other, truth, CLASSES[task]).iloc[::-1]}
    return paired_comparison(joined_of(tables), {"1": manifest_of(task), "2": manifest_of(task, "2")}, ONE, OTHER)


def by_name(comparison: PairedComparison) -> dict[str, PairedTest]:
    return {test.name: test for test in comparison.tests}


@pytest.mark.parametrize("seed", range(3))
def test_accuracy_is_compared_by_mcnemars_exact_test(seed: int) -> None:
    one, other, truth = two_classifiers(seed, 300, noise=1.0)
    found = compared(one, other, truth)
    first, second = one.argmax(axis=1) == truth, other.argmax(axis=1) == truth
    only_one, only_other = int((first & ~second).sum()), int((~first & second).sum())
    assert (found.only_one_right, found.only_other_right, found.n) == (only_one, only_other, 300)
    test = by_name(found)["accuracy"]
    assert test.p == pytest.approx(stats.binomtest(only_one, only_one + only_other, 0.5).pvalue, abs=1e-12)
    assert test.difference == pytest.approx(second.mean() - first.mean(), abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_log_loss_is_compared_by_students_t(seed: int) -> None:
    one, other, truth = two_classifiers(seed, 200, noise=1.0)
    losses = [-np.log(shares[np.arange(200), truth]) for shares in (one, other)]
    expected, test = stats.ttest_rel(losses[1], losses[0]), by_name(compared(one, other, truth))["log_loss"]
    assert test.p == pytest.approx(expected.pvalue, rel=1e-9)
    assert (test.low, test.high) == pytest.approx(tuple(expected.confidence_interval()), rel=1e-9)
    assert test.other == pytest.approx(sk.log_loss(truth, other), abs=1e-12)


def test_the_auc_is_compared_by_delongs_test_for_correlated_curves() -> None:
    one, other, truth = two_classifiers(7, 200, noise=0.4)
    positive = truth == 1
    placed = []  # each positive among the negatives, each negative among the positives: pair by pair
    for shares in (one, other):
        above = shares[positive, 1][:, np.newaxis] > shares[~positive, 1]
        placed.append((above.mean(axis=1), above.mean(axis=0)))
    apart = placed[1][0] - placed[0][0], placed[1][1] - placed[0][1]
    error = np.sqrt(apart[0].var(ddof=1) / len(apart[0]) + apart[1].var(ddof=1) / len(apart[1]))
    test = by_name(compared(one, other, truth))["roc_auc"]
    assert test.difference == pytest.approx(apart[0].mean(), abs=1e-12)
    assert 0.001 < (test.p or 0) == pytest.approx(2 * stats.t.sf(abs(apart[0].mean()) / error, 199), rel=0.03)


def test_the_same_answers_are_no_difference() -> None:
    one, _, truth = two_classifiers(1, 100, noise=0)
    found = compared(one, one, truth)
    assert [(test.p, test.difference, test.winner) for test in found.tests] == [(1.0, 0.0, None)] * 3
    assert found.sentence == (
        "Neither champion 1 nor challenger 2 is better beyond chance on the same 100 labelled instances."
    )


def test_a_model_that_is_worse_is_called_worse_and_one_that_is_better_better() -> None:
    one, other, truth = two_classifiers(2, 2000, noise=2.5)
    assert {test.winner for test in compared(one, other, truth).tests} == {"one"}
    turned = compared(other, one, truth)
    assert {test.winner for test in turned.tests} == {"other"}
    assert turned.sentence.startswith("Challenger 2 is better than champion 1 in accuracy (")
    assert "and log loss (" in turned.sentence


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_two_equally_good_models_are_rarely_told_apart(task: Task) -> None:
    apart = 0
    for seed in range(12):
        one, _, truth = two_classifiers(seed, 100, 0, task)
        draw = np.random.default_rng(seed)
        halves = [one + draw.dirichlet(np.full(one.shape[1], 3.0), size=len(one)) for _ in range(2)]
        found = compared(halves[0] / 2, halves[1] / 2, truth, task)
        assert len(found.tests) == 3
        apart += any(test.winner for test in found.tests)
    assert apart <= 3  # 0.6 expected of 12 at 5 %


def test_errors_of_a_regression_are_compared_in_pairs() -> None:
    draw = np.random.default_rng(1)
    truth = draw.normal(100, 30, size=400)
    shared = draw.normal(0, 20, size=400)  # what both find hard, far larger than what they differ in
    one, other = truth + shared, truth + 0.9 * shared + draw.normal(0, 1, size=400)
    tables = {ONE: predicted(one, truth), OTHER: predicted(other, truth)}
    manifests = {"1": manifest_of("regression"), "2": manifest_of("regression", "2")}
    found = paired_comparison(joined_of(tables), manifests, ONE, OTHER)
    assert {test.name: test.winner for test in found.tests} == {"rmse": "other", "mae": "other"}
    expected = stats.ttest_rel(np.abs(other - truth), np.abs(one - truth))
    assert by_name(found)["mae"].p == pytest.approx(expected.pvalue, rel=1e-9)
    rmse = by_name(found)["rmse"]
    assert rmse.difference == pytest.approx(
        sk.root_mean_squared_error(truth, other) - sk.root_mean_squared_error(truth, one), abs=1e-9
    )
    assert (rmse.low or 0) < (rmse.difference or 0) < (rmse.high or 0) < 0


def test_only_instances_that_both_scored_count() -> None:
    one, other, truth = two_classifiers(3, 100, noise=1.0)
    tables = {ONE: classified(one, truth, CLASSES["binary"]), OTHER: classified(other, truth, CLASSES["binary"], 60)}
    manifests = {"1": manifest_of("binary"), "2": manifest_of("binary", "2")}
    assert paired_comparison(joined_of(tables), manifests, ONE, OTHER).n == 40
    apart = {ONE: tables[ONE], OTHER: classified(other, truth, CLASSES["binary"], 100)}
    found = paired_comparison(joined_of(apart), manifests, ONE, OTHER)
    assert (found.n, found.tests) == (0, [])
    assert found.sentence == "champion 1 and challenger 2 share no labelled instance."
    assert champion_against_others(joined_of(apart), manifests, "1") == []


def test_without_the_other_or_its_bundle_there_is_nothing_to_compare() -> None:
    one, _, truth = two_classifiers(3, 10, 0)
    joined = joined_of({ONE: classified(one, truth, CLASSES["binary"])})
    assert paired_comparison(joined, {"1": manifest_of("binary")}, ONE, OTHER).n == 0
    assert champion_against_others(joined_of({}), {}, "1") == []
    both = joined_of({ONE: classified(one, truth, CLASSES["binary"]), OTHER: predicted(truth, truth)})
    assert paired_comparison(both, {"1": manifest_of("binary"), "2": manifest_of("regression", "2")}, ONE, OTHER).n == 0


def test_many_challengers_make_every_p_larger() -> None:
    one, other, truth = two_classifiers(4, 400, noise=1.0)
    tables = {ONE: classified(one, truth, CLASSES["binary"])}
    tables |= {(str(v), "challenger"): classified(other, truth, CLASSES["binary"]) for v in range(2, 6)}
    manifests = {str(v): manifest_of("binary", str(v)) for v in range(1, 6)}
    found = champion_against_others(joined_of(tables), manifests, "1")
    assert [comparison.tested for comparison in found] == [12] * 4
    alone = paired_comparison(joined_of(tables), manifests, ONE, OTHER)
    for test, lone in zip(found[0].tests, alone.tests, strict=True):
        assert test.p_corrected == pytest.approx(min(1.0, (lone.p or 0) * 12))
    assert corrected([]) == []


def test_classes_that_differ_leave_the_auc_and_a_few_instances_too() -> None:
    one, other, truth = two_classifiers(5, 12, noise=1.0)
    test = by_name(compared(one, other, truth))["roc_auc"]
    assert (test.p, test.one) == (None, None)
    assert "10 instances of each class" in (test.status or "")
    alone = compared(one[:1], other[:1], truth[:1])
    assert by_name(alone)["log_loss"].status == "it needs two instances"
    assert by_name(alone)["accuracy"].p == 1.0


def test_errors_too_large_to_square_have_a_status() -> None:
    huge = np.array([1e300, -1e300, 1.0])
    tables = {ONE: predicted(huge, -huge), OTHER: predicted(huge, huge)}
    manifests = {"1": manifest_of("regression"), "2": manifest_of("regression", "2")}
    tests = by_name(paired_comparison(joined_of(tables), manifests, ONE, OTHER))
    assert "too large" in (tests["rmse"].status or "")
    assert tests["mae"].status is not None or tests["mae"].p is not None


def test_another_positive_class_leaves_the_auc_untested() -> None:
    one, other, truth = two_classifiers(6, 100, noise=1.0)
    joined = joined_of({key: classified(x, truth, CLASSES["binary"]) for key, x in ((ONE, one), (OTHER, other))})
    manifests = {"1": manifest_of("binary"), "2": msgspec.structs.replace(manifest_of("binary", "2"), positive="no")}
    test = by_name(paired_comparison(joined, manifests, ONE, OTHER))["roc_auc"]
    assert test.status == "the two do not have the same classes"
