"""Figures equal scikit-learn's, and say why where there is none."""

from __future__ import annotations

import itertools
import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from evaluation.metrics import bundle_metrics, classification_metrics, regression_metrics
from scoring.bundle import Label

EXACT = 1e-12


def binary_problem(seed: int, n: int = 300) -> tuple[list[str], list[str], np.ndarray]:
    random = np.random.default_rng(seed)
    share = np.round(random.uniform(size=n), 2 if seed % 2 else 17)  # odd seeds: many ties
    truth = ["bad" if random.uniform() < p else "good" for p in share]
    return truth, ["bad" if p > 0.5 else "good" for p in share], np.column_stack([1 - share, share])


@pytest.mark.parametrize("seed", range(6))
def test_binary_figures_equal_scikit_learns(seed: int) -> None:
    truth, predicted, probabilities = binary_problem(seed)
    found = classification_metrics(
        truth, predicted, classes=["good", "bad"], positive="bad", probabilities=probabilities
    )
    y = np.array(truth) == "bad"
    p = np.array(predicted) == "bad"
    expected = {
        "accuracy": sk.accuracy_score(y, p),
        "balanced_accuracy": sk.balanced_accuracy_score(y, p),
        "precision": sk.precision_score(y, p),
        "recall": sk.recall_score(y, p),
        "fpr": 1 - sk.recall_score(~y, ~p),
        "f1": sk.f1_score(y, p),
        "mcc": sk.matthews_corrcoef(y, p),
        "roc_auc": sk.roc_auc_score(y, probabilities[:, 1]),
        "pr_auc": sk.average_precision_score(y, probabilities[:, 1]),
        "log_loss": sk.log_loss(y, probabilities),
        "brier": sk.brier_score_loss(y, probabilities[:, 1]),
    }
    for name, value in expected.items():
        assert found[name].value == pytest.approx(value, abs=EXACT), name


def test_the_positive_class_may_be_the_first_one() -> None:
    truth, predicted, probabilities = binary_problem(3)
    found = classification_metrics(
        truth, predicted, classes=["good", "bad"], positive="good", probabilities=probabilities
    )
    y = np.array(truth) == "good"
    assert found["recall"].value == pytest.approx(sk.recall_score(y, np.array(predicted) == "good"), abs=EXACT)
    assert found["roc_auc"].value == pytest.approx(sk.roc_auc_score(y, probabilities[:, 0]), abs=EXACT)
    assert found["brier"].value == pytest.approx(sk.brier_score_loss(y, probabilities[:, 0]), abs=EXACT)


def test_a_decision_function_ranks_without_probabilities() -> None:
    truth, predicted, probabilities = binary_problem(2)
    scores = np.log(probabilities[:, 1] / probabilities[:, 0]).clip(-50, 50)
    found = classification_metrics(truth, predicted, classes=["good", "bad"], positive="good", scores=scores)
    assert found["roc_auc"].value == pytest.approx(sk.roc_auc_score(np.array(truth) == "good", -scores), abs=EXACT)
    assert found["log_loss"].value is None
    assert found["log_loss"].status == "the model gives no probabilities"


@pytest.mark.parametrize(("seed", "size"), [(0, 3), (1, 4), (2, 12)])
def test_multiclass_figures_equal_scikit_learns(seed: int, size: int) -> None:
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.ones(size), size=500)
    truth = np.array([random.choice(size, p=row) for row in probabilities])
    predicted = probabilities.argmax(axis=1)
    classes = [f"class {i}" for i in range(size)]
    found = classification_metrics(
        [classes[i] for i in truth], [classes[i] for i in predicted], classes=classes, probabilities=probabilities
    )
    numbers = list(range(size))
    expected = {
        "accuracy": sk.accuracy_score(truth, predicted),
        "balanced_accuracy": sk.balanced_accuracy_score(truth, predicted),
        "precision_macro": sk.precision_score(truth, predicted, average="macro"),
        "recall_macro": sk.recall_score(truth, predicted, average="macro"),
        "fpr_macro": np.mean([1 - sk.recall_score(truth != i, predicted != i) for i in numbers]),
        "f1_macro": sk.f1_score(truth, predicted, average="macro"),
        "mcc": sk.matthews_corrcoef(truth, predicted),
        "roc_auc_macro": sk.roc_auc_score(truth, probabilities, multi_class="ovr", average="macro", labels=numbers),
        "pr_auc_macro": sk.average_precision_score(np.eye(size)[truth], probabilities, average="macro"),
        "log_loss": sk.log_loss(truth, probabilities, labels=numbers),
        "brier": sk.brier_score_loss(truth, probabilities, labels=numbers),
    }
    for index, label in enumerate(classes):
        expected[f"precision:{label}"] = sk.precision_score(truth == index, predicted == index)
        expected[f"recall:{label}"] = sk.recall_score(truth == index, predicted == index)
        expected[f"f1:{label}"] = sk.f1_score(truth == index, predicted == index)
        expected[f"fpr:{label}"] = 1 - sk.recall_score(truth != index, predicted != index)
        expected[f"roc_auc:{label}"] = sk.roc_auc_score(truth == index, probabilities[:, index])
        expected[f"pr_auc:{label}"] = sk.average_precision_score(truth == index, probabilities[:, index])
    for name, value in expected.items():
        assert found[name].value == pytest.approx(value, abs=EXACT), name
    assert set(found) == set(expected) | {"ece"}


@pytest.mark.parametrize("seed", range(4))
def test_regression_figures_equal_scikit_learns(seed: int) -> None:
    random = np.random.default_rng(seed)
    truth = random.normal(100, 40, size=200)
    predicted = truth + random.normal(3, 20, size=200)
    found = regression_metrics(truth, predicted)
    expected = {
        "rmse": sk.root_mean_squared_error(truth, predicted),
        "mae": sk.mean_absolute_error(truth, predicted),
        "mape": sk.mean_absolute_percentage_error(truth, predicted),
        "r2": sk.r2_score(truth, predicted),
        "bias": float(np.mean(predicted - truth)),
    }
    for name, value in expected.items():
        assert found[name].value == pytest.approx(value, rel=EXACT, abs=EXACT), name


def test_zero_targets_stay_out_of_mape_and_are_counted() -> None:
    found = regression_metrics([0.0, 0.0, 10.0, 20.0], [1.0, 0.0, 11.0, 20.0])
    assert found["mape"].value == pytest.approx(sk.mean_absolute_percentage_error([10, 20], [11, 20]), abs=EXACT)
    assert (found["mape"].n, found["mape"].status) == (2, "2 zero targets left out")
    assert found["smape"].value == pytest.approx((2.0 + 0.0 + 2 / 21 + 0.0) / 4, abs=EXACT)


def test_ece_is_the_mean_gap_between_probability_and_truth() -> None:
    probabilities = np.array([[0.95, 0.05], [0.3, 0.7], [0.28, 0.72], [0.0, 1.0]])
    found = classification_metrics(
        ["n", "n", "y", "y"], ["n", "y", "y", "y"], classes=["n", "y"], probabilities=probabilities
    )
    by_hand = (abs(0.05 - 0) + abs(0.7 + 0.72 - 1) + abs(1.0 - 1)) / 4
    assert found["ece"].value == pytest.approx(by_hand, abs=EXACT)


def test_a_truth_of_one_class_leaves_the_auc_undefined_and_says_why() -> None:
    found = classification_metrics(
        ["a", "a"], ["a", "b"], classes=["a", "b"], probabilities=np.array([[0.9, 0.1], [0.2, 0.8]])
    )
    for name in ("roc_auc", "pr_auc", "recall", "mcc", "balanced_accuracy"):
        assert found[name].value is None
        assert "undefined" in (found[name].status or "")
    assert found["accuracy"].value == 0.5
    assert found["log_loss"].value == pytest.approx(-(math.log(0.9) + math.log(0.2)) / 2, abs=EXACT)


def test_a_class_that_is_never_predicted_has_no_precision() -> None:
    found = classification_metrics(["a", "b"], ["a", "a"], classes=["a", "b"])
    assert found["precision"].value is None
    assert found["recall"].value == 0.0
    assert found["f1"].value == 0.0


@pytest.mark.parametrize("classes", [["a", "b"], ["a", "b", "c"]])
def test_no_instance_gives_no_figure(classes: list[Label]) -> None:
    found = classification_metrics([], [], classes=classes, probabilities=np.empty((0, len(classes))))
    assert all(figure.value is None and figure.status for figure in found.values())
    assert all(figure.value is None and figure.status for figure in regression_metrics([], []).values())


def test_one_instance_has_values_but_only_wilson_intervals() -> None:
    found = classification_metrics(["a"], ["a"], classes=["a", "b"], probabilities=np.array([[0.75, 0.25]]))
    assert found["accuracy"].value == 1.0
    assert found["accuracy"].low == pytest.approx(0.2065, abs=1e-4)
    assert found["brier"].value == 0.0625
    assert found["brier"].low is None
    alone = regression_metrics([3.0], [5.0])
    assert alone["rmse"].value == 2.0
    assert alone["r2"].value is None


def test_constant_targets_leave_r2_undefined() -> None:
    for truth in ([5.0, 5.0], [0.0, 1e-236]):  # the square of the second one's difference is no double but 0
        assert regression_metrics(truth, [5.0, 6.0])["r2"].status == "undefined: every target is the same"


def test_numbers_too_large_to_square_give_a_status() -> None:
    found = regression_metrics([1e300, -1e300], [-1e300, 1e300])
    assert found["rmse"].value is None
    assert "too large" in (found["rmse"].status or "")
    assert found["mae"].value == 2e300


@pytest.mark.parametrize("classes", [[0, 1], [False, True], ["0", "1"], [0.5, 1.5]])
def test_labels_may_be_texts_numbers_or_booleans(classes: list[Label]) -> None:
    truth = [classes[0], classes[1], classes[1]]
    found = classification_metrics(truth, truth, classes=classes)
    assert found["accuracy"].value == 1.0
    as_numpy = classification_metrics(np.array(truth), np.array(truth), classes=np.array(classes))  # type: ignore[arg-type]
    assert as_numpy == found


def test_an_unknown_label_or_a_wrong_shape_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'c' is none of the classes"):
        classification_metrics(["c"], ["a"], classes=["a", "b"])
    with pytest.raises(ValueError, match="shape"):
        classification_metrics(["a"], ["a"], classes=["a", "b"], probabilities=np.array([[1.0]]))
    with pytest.raises(ValueError, match="finite"):
        regression_metrics([1.0], [float("nan")])


def test_probabilities_that_do_not_sum_to_one_warn_nobody() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = classification_metrics(
            ["a", "b"], ["a", "b"], classes=["a", "b"], probabilities=np.array([[0.9, 0.3], [0.2, 0.7]])
        )
    assert found["roc_auc"].value == 1.0


def test_figures_become_a_bundles_metrics() -> None:
    metrics = bundle_metrics(classification_metrics(["a", "a", "b"], ["a", "b", "b"], classes=["a", "b"]))
    assert metrics["accuracy"].value == pytest.approx(2 / 3)
    assert metrics["accuracy"].low is not None
    assert "roc_auc" not in metrics


@settings(max_examples=60, deadline=None)
@given(
    pairs=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), min_size=1, max_size=40),
    size=st.sampled_from([2, 3]),
)
def test_whatever_the_labels_intervals_hold_their_values(pairs: list[tuple[str, str]], size: int) -> None:
    classes: list[Label] = [*"abc"[:size]]
    kept = [(t, p) for t, p in pairs if t in classes and p in classes]
    found = classification_metrics([t for t, _ in kept], [p for _, p in kept], classes=classes)
    for name, figure in found.items():
        if figure.value is not None and figure.low is not None and figure.high is not None:
            assert figure.low - 1e-9 <= figure.value <= figure.high + 1e-9, name
        assert figure.value is not None or figure.status, name


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-1e150, 1e150), st.floats(-1e150, 1e150)), max_size=30))
def test_whatever_the_numbers_regression_never_warns(pairs: list[tuple[float, float]]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = regression_metrics([t for t, _ in pairs], [p for _, p in pairs])
    for figure in found.values():
        assert figure.value is None or math.isfinite(figure.value)
        assert figure.value is not None or figure.status


def test_the_same_input_gives_the_same_interval() -> None:
    truth, predicted, probabilities = binary_problem(1)
    first, second = (
        classification_metrics(truth, predicted, classes=["good", "bad"], probabilities=probabilities) for _ in range(2)
    )
    assert first == second


def test_fifty_classes_at_most_have_figures_of_their_own() -> None:
    classes: list[Label] = list(range(60))
    labels = list(itertools.chain(classes, classes))
    found = classification_metrics(labels, labels, classes=classes)
    assert sum(name.startswith("recall:") for name in found) == 50
    assert found["accuracy"].value == 1.0


def problems(size: int) -> st.SearchStrategy[tuple[list[int], list[list[float]]]]:
    """Up to 30 labelled instances of `size` classes: one row, one class, ties, probabilities of 0 and 1."""
    share = st.sampled_from([0.0, 0.1, 1 / 3, 0.5, 1.0]) | st.floats(0, 1)
    row = st.lists(share, min_size=size, max_size=size)
    rows = st.integers(1, 30).flatmap(
        lambda n: st.tuples(
            st.lists(st.integers(0, size - 1), min_size=n, max_size=n), st.lists(row, min_size=n, max_size=n)
        )
    )
    return rows.map(lambda made: (made[0], [scaled(values) for values in made[1]]))


def scaled(row: list[float]) -> list[float]:
    total = sum(row)
    return [value / total for value in row] if total > 1e-9 else [1.0] + [0.0] * (len(row) - 1)


@pytest.mark.parametrize("size", [2, 3])
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_whatever_the_instances_defined_figures_equal_scikit_learns(size: int, data: st.DataObject) -> None:
    truth, rows = data.draw(problems(size))
    shares = np.array(rows)
    y, p, numbers = np.array(truth), shares.argmax(axis=1), list(range(size))
    found = classification_metrics(truth, p.tolist(), classes=list(numbers), probabilities=shares)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = {
            "accuracy": sk.accuracy_score(y, p),
            "mcc": sk.matthews_corrcoef(y, p),
            "log_loss": sk.log_loss(y, shares, labels=numbers),
        }
        if size == 2:
            expected |= {
                "balanced_accuracy": sk.balanced_accuracy_score(y, p),
                "precision": sk.precision_score(y, p, zero_division=0),
                "recall": sk.recall_score(y, p, zero_division=0),
                "f1": sk.f1_score(y, p, zero_division=0),
                "brier": sk.brier_score_loss(y, shares[:, 1], pos_label=1),
            }
            if len(set(truth)) == 2:
                expected["roc_auc"] = sk.roc_auc_score(y, shares[:, 1])
                expected["pr_auc"] = sk.average_precision_score(y, shares[:, 1])
        else:
            expected |= {
                "precision_macro": sk.precision_score(y, p, labels=numbers, average="macro", zero_division=0),
                "recall_macro": sk.recall_score(y, p, labels=numbers, average="macro", zero_division=0),
                "f1_macro": sk.f1_score(y, p, labels=numbers, average="macro", zero_division=0),
            }
    for name, value in expected.items():
        if found[name].value is not None:
            assert found[name].value == pytest.approx(value, abs=1e-9), name
    for name, figure in found.items():
        assert figure.value is not None or figure.status, name
        stays_within_its_bounds(name, figure.value, figure.low, figure.high)


BOUNDS = {"mcc": (-1.0, 1.0), "log_loss": (0.0, math.inf), "r2": (-math.inf, 1.0), "bias": (-math.inf, math.inf)}
BOUNDS |= dict.fromkeys(("rmse", "mae", "mape"), (0.0, math.inf)) | {"smape": (0.0, 2.0), "brier": (0.0, 2.0)}


def stays_within_its_bounds(name: str, value: float | None, low: float | None, high: float | None) -> None:
    if low is None or high is None or value is None:
        return
    least, most = BOUNDS.get(name.partition(":")[0], (0.0, 1.0))
    assert least <= low <= high <= most, (name, low, high)
    if name != "ece":  # its interval leaves out the bias that the figure has
        assert low - 1e-9 * abs(low) <= value <= high + 1e-9 * abs(high), (name, low, value, high)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-1e160, 1e160), st.floats(-1e160, 1e160)), min_size=1, max_size=12))
def test_whatever_the_numbers_intervals_of_a_regression_stay_within_bounds(pairs: list[tuple[float, float]]) -> None:
    for name, figure in regression_metrics([t for t, _ in pairs], [p for _, p in pairs]).items():
        stays_within_its_bounds(name, figure.value, figure.low, figure.high)


def test_brier_scores_near_zero_have_intervals_above_zero() -> None:
    share = np.array([0.01] * 29 + [0.6])
    found = classification_metrics(
        ["n"] * 29 + ["y"], ["n"] * 29 + ["y"], classes=["n", "y"], probabilities=np.column_stack([1 - share, share])
    )["brier"]
    assert found.low is not None
    assert found.value is not None
    assert 0 < found.low < found.value


def test_where_every_loss_is_the_same_no_interval_is_told() -> None:
    found = regression_metrics([1.0, 2.0, 3.0], [2.0, 3.0, 4.0])
    assert (found["mae"].value, found["mae"].low) == (1.0, None)
    assert found["mae"].status == "no interval: the instances do not tell how wide"


def test_a_table_without_errors_is_no_proof_that_there_will_be_none() -> None:
    found = classification_metrics(["a"] * 15 + ["b"] * 15, ["a"] * 15 + ["b"] * 15, classes=["a", "b"])
    for name in ("f1", "mcc", "balanced_accuracy"):
        assert found[name].value == found[name].high == pytest.approx(1.0)
        assert 0.75 < (found[name].low or 1) < 0.97, name


def test_a_perfect_prediction_correlates_with_the_truth_by_1_and_not_a_bit_more() -> None:
    found = classification_metrics([1, 0, 1, 0, 1], [1, 0, 1, 0, 1], classes=[0, 1])["mcc"]
    assert found.value is not None
    assert 1 - 1e-12 < found.value <= (found.high or 0) <= 1.0


@pytest.mark.parametrize("size", [2, 3])
def test_all_wrong_is_zero_and_not_undefined(size: int) -> None:
    truth = list(range(size)) * 5
    found = classification_metrics(truth, [(t + 1) % size for t in truth], classes=list(range(size)))
    assert found["accuracy"].value == 0.0
    assert found["f1" if size == 2 else "f1_macro"].value == 0.0
    assert (found["mcc"].value or 0) < 0
