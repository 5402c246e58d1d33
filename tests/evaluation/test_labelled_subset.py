"""Whether labelled instances stand for all: noticed where they do not, quiet where they do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from evaluation.confidence import counted
from evaluation.label_join import Joined
from evaluation.labelled_pairs import pairs_of
from evaluation.labelled_subset import labelled_subset
from evaluation.performance import performance_section
from evaluation.profile import Distributions, Profile
from evaluation.report_format import LabelledSubset
from evaluation.thresholds import Thresholds
from scoring.bundle import Histogram, Metric, Task
from tests.evaluation.joined_pairs import CLASSES, classified, joined_of, manifest_of, predicted

START = "2026-11-23T"


def hours_of(counts: Sequence[int]) -> dict[str, list[Profile]]:
    """As many scored instances in each hour."""
    return {
        f"{START}{hour:02d}:00:00Z": [Profile(model="toy", version="1", role="champion", outcomes={"scored": count})]
        for hour, count in enumerate(counts)
    }


def binary_subset(labelled: np.ndarray, hour: np.ndarray, p: np.ndarray) -> LabelledSubset | None:
    """Of instances with probability `p` scored in `hour`, some of which are labelled."""
    shares, manifest = np.column_stack([1 - p, p]), manifest_of("binary")
    truth = np.zeros(int(labelled.sum()), np.int64)
    ts = [f"{START}{h:02d}:30:00" for h in hour[labelled]]
    rows = classified(shares[labelled], truth, CLASSES["binary"], ts=ts)
    found = Distributions(n=len(p), confidence=counted(shares.argmax(axis=1), shares))
    hours = hours_of(np.bincount(hour, minlength=24).tolist())
    return labelled_subset(pairs_of(rows, manifest), rows["ts"], manifest, found, hours)


def instances(seed: int, n: int = 1500) -> tuple[np.random.Generator, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    return draw, draw.integers(0, 24, size=n), draw.beta(1.5, 2.5, size=n)


def test_labels_at_random_are_like_the_others() -> None:
    levels = []
    for seed in range(6):
        draw, hour, p = instances(seed)
        found = binary_subset(draw.uniform(size=len(p)) < 0.3, hour, p)
        assert found is not None
        levels.append(found.level)
    assert levels == ["ok"] * 6


def test_labels_of_the_likely_alone_are_noticed() -> None:
    draw, hour, p = instances(1)
    found = binary_subset(draw.uniform(size=len(p)) < p, hour, p)
    assert found is not None
    answers, hours = found.checks
    assert (found.level, answers.level, hours.level) == ("warn", "warn", "ok")
    assert answers.title == "Probability of yes"
    assert (answers.effect or 0) > 0.2
    assert "of labelled and" in found.sentence
    assert found.labelled + found.unlabelled == len(p)


def test_labels_of_the_morning_alone_are_noticed() -> None:
    draw, hour, p = instances(2)
    found = binary_subset((hour < 12) & (draw.uniform(size=len(p)) < 0.5), hour, p)
    assert found is not None
    assert [check.level for check in found.checks] == ["ok", "warn"]
    assert "100 % of labelled" in found.sentence
    assert "were scored before 2026-11-23 11:59." in found.sentence


def test_a_small_difference_between_many_instances_is_no_warning() -> None:
    draw, hour, p = instances(3, 30_000)
    found = binary_subset(draw.uniform(size=len(p)) < 0.3 + 0.12 * p, hour, p)
    assert found is not None
    assert found.level == "ok"
    assert (found.checks[0].p or 1) < 0.001


def test_few_instances_prove_nothing_and_all_of_them_need_no_proof() -> None:
    _, hour, p = instances(4, 50)
    found = binary_subset(np.arange(50) < 20, hour, p)
    assert found is not None
    assert found.level == "no data"
    assert binary_subset(np.ones(50, bool), hour, p) is None


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_classes_and_values_are_compared_too(task: Task) -> None:
    draw, manifest = np.random.default_rng(5), manifest_of(task)
    if task == "regression":
        values = draw.normal(size=1000)
        rows = predicted(values[values > 0], values[values > 0])
        edges = np.linspace(-3, 3, 25)
        counts = [int((values < -3).sum()), *np.histogram(values, edges)[0].tolist(), int((values > 3).sum())]
        outputs = {"value": Histogram(edges=edges.tolist(), counts=counts)}
    else:
        said = draw.integers(0, 3, size=1000)
        rows = classified(np.eye(3)[said[said < 2]], said[said < 2], CLASSES[task])
        outputs = {"label": Histogram(categories=CLASSES[task], counts=np.bincount(said, minlength=3).tolist())}
    found = labelled_subset(
        pairs_of(rows, manifest),
        rows["ts"],
        manifest,
        Distributions(n=1000, outputs=outputs),
        hours_of([0] * 12 + [1000]),
    )
    assert found is not None
    answers = found.checks[0]
    assert answers.level == "warn"
    assert answers.title == ("Predicted value" if task == "regression" else "Predicted class")
    if task == "multiclass":
        assert answers.sentence.startswith("Predicted class: c for 0 % of labelled")


def rare(n: int = 1000) -> tuple[Joined, np.ndarray]:
    """5 % positive, and a model that never says so."""
    draw = np.random.default_rng(6)
    truth = (np.arange(n) < n // 20).astype(np.int64)
    p = draw.beta(1, 20, size=n).clip(0, 0.49)
    return joined_of({("1", "champion"): classified(np.column_stack([1 - p, p]), truth, CLASSES["binary"])}), p


def test_a_model_that_says_one_class_is_called_so_and_its_accuracy_misleading() -> None:
    joined, _ = rare()
    manifests = {"1": manifest_of("binary", metrics={"accuracy": Metric(value=0.95, n=500, low=0.93, high=0.97)})}
    found = performance_section(joined, manifests, "1", Thresholds())
    assert found.notes == [
        "It predicts a single class: every labelled instance was called no.",
        "Accuracy misleads here: 95.0 % is no better than always saying the commonest class, 95.0 %.",
    ]
    assert (found.majority_class, found.majority_baseline) == ("no", 0.95)
    assert [one.prevalence for one in found.classes] == [0.95, 0.05]
