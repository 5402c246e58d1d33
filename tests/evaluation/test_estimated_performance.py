"""Performance without labels: right while probabilities come true as before, and seen to fail when they do not."""

from __future__ import annotations

import random as chance
from typing import Any

import numpy as np
import pytest

from audit.records import Record
from evaluation.confidence import Confidence, confidence_of, counted, merge_confidence
from evaluation.estimated_figures import estimated_figures
from evaluation.estimated_performance import estimate_section
from evaluation.labelled_pairs import measured_of, pairs_of
from evaluation.metrics import classification_of_indices
from evaluation.probability_calibration import calibration_of
from evaluation.report_format import Estimate
from evaluation.thresholds import Thresholds
from scoring.bundle import Baseline
from tests.evaluation.joined_pairs import CLASSES, baseline_of, classified, manifest_of
from tests.evaluation.workshop import score

BINARY = CLASSES["binary"]


def world(
    seed: int, n: int, *, warp: float = 1.0, shape: tuple[float, float] = (1.5, 2.5), concept: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """What a model says of n instances and what is true; `warp` over 1 makes it boast, `concept` moves the truth."""
    draw = np.random.default_rng(seed)
    p = draw.beta(*shape, size=n).clip(1e-9, 1 - 1e-9)
    odds = p / (1 - p)
    truth = draw.uniform(size=n) < odds * np.exp(concept) / (1 + odds * np.exp(concept))
    said = odds**warp / (1 + odds**warp)
    return np.column_stack([1 - said, said]), truth.astype(np.int64)


def estimate(
    before: tuple[np.ndarray, np.ndarray], now: tuple[np.ndarray, np.ndarray], labelled: int = 10**6
) -> Estimate:
    manifest = manifest_of("binary")
    pairs = pairs_of(classified(now[0][:labelled], now[1][:labelled], BINARY), manifest)
    found = estimate_section(
        counted(now[0].argmax(axis=1), now[0]),
        manifest,
        baseline_of(*before, BINARY),
        Thresholds(),
        pairs=pairs,
        measured=measured_of(pairs, manifest),
    )
    assert found is not None
    return found


@pytest.mark.parametrize("warp", [1.0, 2.0], ids=["calibrated", "boastful"])
def test_the_interval_holds_what_comes_true_though_other_instances_come(warp: float) -> None:
    held: dict[str, int] = {}
    for seed in range(15):
        calibration = calibration_of(baseline_of(*world(seed, 2000, warp=warp), BINARY), BINARY)
        shares, truth = world(1000 + seed, 800, warp=warp, shape=(1.0, 1.2))
        said = shares.argmax(axis=1)
        expected = estimated_figures(counted(said, shares), calibration, positive=1).figures
        realised = classification_of_indices(truth, said, classes=BINARY, probabilities=shares)
        for name, figure in expected.items():
            low, high, value = figure.low, figure.high, realised[name].value
            assert low is not None
            assert high is not None
            assert value is not None
            held[name] = held.get(name, 0) + (low <= value <= high)
    assert set(held) == {"accuracy", "roc_auc", "precision", "recall", "fpr", "f1"}
    assert min(held.values()) >= 12, held


def test_a_boastful_model_is_not_believed() -> None:
    before, now = world(1, 5000, warp=3.0), world(2, 5000, warp=3.0)
    found = {figure.name: figure for figure in estimate(before, now).figures}["accuracy"]
    at_its_word = float(now[0].max(axis=1).mean())
    assert found.value == pytest.approx(found.realised, abs=0.02)
    assert at_its_word > (found.value or 1) + 0.1


def test_labels_agree_where_the_world_is_as_before() -> None:
    found = estimate(world(1, 3000), world(2, 3000, shape=(1.0, 1.2)))
    assert (found.level, [figure.name for figure in found.figures if figure.disagrees]) == ("ok", [])
    assert "labels do not contradict the estimate" in found.sentence


def test_concept_drift_is_not_seen_by_the_estimate_and_the_labels_say_so() -> None:
    still, drifted = estimate(world(1, 3000), world(2, 3000)), estimate(world(1, 3000), world(2, 3000, concept=2.5))
    accuracy = [{f.name: f for f in found.figures}["accuracy"] for found in (still, drifted)]
    assert accuracy[1].value == pytest.approx(accuracy[0].value, abs=0.02)  # as if nothing had happened
    assert (accuracy[1].realised or 1) < (accuracy[0].realised or 0) - 0.1
    assert drifted.level == "warn"
    assert drifted.sentence.startswith("Labels disagree with the estimate: concept drift is likely.")


def test_a_few_labels_prove_nothing() -> None:
    found = estimate(world(1, 3000), world(2, 3000, concept=4.0), labelled=29)
    assert found.level == "no data"
    assert not any(figure.disagrees for figure in found.figures)


def test_without_a_label_there_is_an_estimate_all_the_same() -> None:
    shares, _ = world(2, 500)
    confidence = counted(shares.argmax(axis=1), shares)
    found = estimate_section(confidence, manifest_of("binary"), baseline_of(*world(1, 900), BINARY), Thresholds())
    assert found is not None
    assert (found.level, found.n, found.labelled) == ("no data", 500, 0)
    assert found.figures[0].value is not None
    assert found.figures[0].labelled is None


def test_expected_figures_are_sums_of_probabilities() -> None:
    shares, _ = world(3, 400)
    p, yes = shares[:, 1], shares.argmax(axis=1) == 1
    own = estimated_figures(counted(yes.astype(np.int64), shares), calibration_of(None, BINARY), positive=1)
    found = {name: figure.value for name, figure in own.figures.items()}
    hits, missed = p[yes].sum(), p[~yes].sum()
    assert found["accuracy"] == pytest.approx(np.where(yes, p, 1 - p).mean(), abs=1e-8)
    assert found["precision"] == pytest.approx(p[yes].mean(), abs=1e-8)
    assert found["recall"] == pytest.approx(hits / (hits + missed), abs=1e-8)
    assert found["f1"] == pytest.approx(2 * hits / (yes.sum() + hits + missed), abs=1e-8)
    before = p[:, np.newaxis] > p  # every pair, the exact expectation without bins
    exact = (p[:, np.newaxis] * (1 - p) * (before + 0.5 * (p[:, np.newaxis] == p))).sum() / (p.sum() * (1 - p).sum())
    assert abs((found["roc_auc"] or 0) - exact) <= own.binning < 0.01
    assert abs((found["roc_auc"] or 0) - exact) < 0.002


def test_rare_events_keep_their_ranking() -> None:
    shares, truth = world(4, 20_000, shape=(0.05, 8.0))
    found = {f.name: f for f in estimate(world(5, 20_000, shape=(0.05, 8.0)), (shares, truth)).figures}
    assert (shares[:, 1] < 0.01).mean() > 0.8
    assert found["roc_auc"].value == pytest.approx(found["roc_auc"].realised, abs=0.03)
    assert not found["accuracy"].disagrees


def test_of_several_classes_the_means_are_expected() -> None:
    draw, classes = np.random.default_rng(1), CLASSES["multiclass"]

    def sample(n: int, weights: list[float]) -> tuple[np.ndarray, np.ndarray]:
        shares = draw.dirichlet(weights, size=n)
        return shares, (draw.uniform(size=(n, 1)) > shares.cumsum(axis=1)).sum(axis=1).clip(0, 2)

    calibration = calibration_of(baseline_of(*sample(3000, [0.6, 0.5, 0.3]), classes), classes)
    shares, truth = sample(3000, [0.4, 0.8, 0.3])
    said = shares.argmax(axis=1)
    expected = estimated_figures(counted(said, shares), calibration).figures
    realised = classification_of_indices(truth, said, classes=classes, probabilities=shares)
    assert set(expected) == {"accuracy", "roc_auc_macro", "precision_macro", "recall_macro", "f1_macro"}
    for name, figure in expected.items():
        assert figure.value == pytest.approx(realised[name].value, abs=0.03), name


def test_merging_is_exact_and_knows_no_order() -> None:
    shares, _ = world(6, 300)
    said = shares.argmax(axis=1)
    parts: list[Confidence | None] = [counted(said[i : i + 7], shares[i : i + 7]) for i in range(0, 300, 7)]
    chance.Random(1).shuffle(parts)
    merged = merge_confidence([merge_confidence(parts[:20]), None, *parts[20:]])
    assert merged == counted(said, shares)
    assert merge_confidence([None, None]) is None
    with pytest.raises(ValueError, match="different classes"):
        merge_confidence([counted(said, shares), counted(np.zeros(1, np.int64), np.array([[0.2, 0.3, 0.5]]))])


def answered(label: Any, yes: Any, outcome: str = "scored") -> Record:
    return score("a", outcome=outcome, y={"label": label, "probabilities": {"no": 0.4, "yes": yes}})


@pytest.mark.parametrize("odd", [None, float("nan"), float("inf"), -0.1, 1.5, 10**400, [0.6], {}])
def test_whatever_stands_for_a_probability_is_left_out_alone(odd: Any) -> None:
    records = [answered("yes", 0.6), answered("yes", odd), answered("no", 0.6, outcome="abstained")]
    found = confidence_of(records, manifest_of("binary"))
    assert found is not None
    assert (found.n, found.left_out) == (1, 1)


@pytest.mark.parametrize("y", [None, {}, {"label": "maybe"}, {"label": ["yes"], "probabilities": {}}, {"label": "yes"}])
def test_so_is_an_answer_that_is_none(y: Any) -> None:
    found = confidence_of([score("a", y=y)], manifest_of("binary"))
    assert found is not None
    assert (found.n, found.left_out) == (0, 1)


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_a_model_that_is_always_sure_has_an_estimate(p: float) -> None:
    shares = np.column_stack([np.full(50, 1 - p), np.full(50, p)])
    found = estimated_figures(counted(shares.argmax(axis=1), shares), calibration_of(None, BINARY), positive=1).figures
    assert found["accuracy"].value == 1.0
    assert found["roc_auc"].value is None
    assert "undefined" in (found["roc_auc"].status or "")


def test_nothing_scored_is_no_data_and_a_regression_has_no_estimate() -> None:
    found = estimate_section(Confidence(), manifest_of("binary"), None, Thresholds())
    assert found is not None
    assert (found.level, found.figures) == ("no data", [])
    assert estimate_section(None, manifest_of("regression"), None, Thresholds()) is None


def test_a_forests_zero_is_not_never() -> None:
    """Of 1,000 test rows with probability 0, fifty came true."""
    shares = np.column_stack([np.ones(1000), np.zeros(1000)])
    truth = (np.arange(1000) < 50).astype(np.int64)
    baseline: Baseline = baseline_of(shares, truth, BINARY)
    found = estimated_figures(
        counted(np.zeros(500, np.int64), shares[:500]), calibration_of(baseline, BINARY), positive=1
    )
    assert found.figures["accuracy"].value == pytest.approx(0.95, abs=0.01)
