"""Every instance ends in exactly one outcome."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from scoring.bundle import Criteria
from scoring.inference import Run
from scoring.model import Answers
from scoring.outcome import Decider, Decision
from scoring.verdict import Verdict
from tests.scoring.bundles import manifest, regressor_manifest


def classified(*rows: list[float], **criteria: Any) -> list[Decision]:
    described = manifest(criteria=Criteria(**criteria), convergence=["did not converge"])
    probabilities = np.array(rows, dtype=float)
    answers = Answers(label_index=np.nan_to_num(probabilities).argmax(axis=1), probabilities=probabilities)
    return Decider(described).decide([Verdict() for _ in rows], [Run(range(len(rows)), "r", answers)])


def valued(*values: float, **criteria: Any) -> list[Decision]:
    described = regressor_manifest(criteria=Criteria(**criteria))
    run = Run(range(len(values)), "r", Answers(value=np.array(values)))
    return Decider(described).decide([Verdict() for _ in values], [run])


def test_a_sensible_answer_is_scored_with_label_and_probabilities() -> None:
    (decision,) = classified([0.25, 0.75])
    assert decision == Decision(
        "scored", [], {"label": "good", "probabilities": {"bad": 0.25, "good": 0.75}}, ("r", 0, 1)
    )


@pytest.mark.parametrize("classes", [[0, 1], [True, False], [1.5, 2.5], ["é", "\u0000"]])
def test_labels_keep_their_json_type_and_key_probabilities_as_text(classes: list[Any]) -> None:
    answers = Answers(label_index=np.array([1]), probabilities=np.array([[0.0, 1.0]]))
    (decision,) = Decider(manifest(classes=classes)).decide([Verdict()], [Run([0], "r", answers)])
    assert decision.answer is not None
    assert decision.answer["label"] is classes[1]
    assert all(isinstance(key, str) for key in decision.answer["probabilities"])


def test_a_classifier_without_probabilities_gives_its_score() -> None:
    answers = Answers(label_index=np.array([0]), score=np.array([-0.5]))
    (decision,) = Decider(manifest()).decide([Verdict()], [Run([0], "r", answers)])
    assert decision.answer == {"label": "bad", "score": -0.5}


def test_a_low_probability_abstains_and_the_record_keeps_the_answer() -> None:
    sure, unsure = classified([0.3, 0.7], [0.31, 0.69], minimum_probability=0.7)
    assert (sure.outcome, unsure.outcome, unsure.reasons) == ("scored", "abstained", ["low_confidence"])
    assert unsure.answer is not None


@pytest.mark.parametrize(
    ("value", "outcome"), [(0.0, "scored"), (10.0, "scored"), (-1e-9, "abstained"), (11, "abstained")]
)
def test_a_value_outside_the_allowed_range_abstains(value: float, outcome: str) -> None:
    (decision,) = valued(value, output_minimum=0.0, output_maximum=10.0)
    assert decision.outcome == outcome
    assert decision.reasons == ([] if outcome == "scored" else ["output_out_of_range"])


def test_one_bound_alone_is_enough() -> None:
    assert [decision.outcome for decision in valued(-1e300, 11.0, output_maximum=10.0)] == ["scored", "abstained"]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_an_answer_that_is_no_number_fails_its_row_alone(bad: float) -> None:
    broken, sound = valued(bad, 1.0, output_maximum=10.0)
    assert (broken.outcome, broken.reasons, broken.answer) == ("failed", ["non_finite_output"], None)
    assert sound.outcome == "scored"
    broken, sound = classified([bad, 0.5], [0.5, 0.5])
    assert (broken.outcome, sound.outcome) == ("failed", "scored")


def test_a_fit_that_had_not_converged_may_abstain_always() -> None:
    (decision,) = classified([0.5, 0.5], minimum_probability=0.9, not_converged="abstain")
    assert (decision.outcome, decision.reasons) == ("abstained", ["low_confidence", "not_converged"])
    assert classified([0.5, 0.5])[0].outcome == "scored"


@pytest.mark.parametrize("reason", ["model_error", "timeout"])
def test_a_run_that_failed_fails_what_was_run_and_nothing_else(reason: Any) -> None:
    refused = Verdict(outcome="rejected", reasons=["wrong_type"])
    decisions = Decider(manifest()).decide([Verdict(), refused, Verdict()], [Run([0, 2], "r", reason=reason)])
    assert [(decision.outcome, decision.reasons, decision.run) for decision in decisions] == [
        ("failed", [reason], ("r", 0, 2)), ("rejected", ["wrong_type"], None), ("failed", [reason], ("r", 1, 2)),
    ]  # fmt: skip


def test_each_run_is_decided_for_itself_and_counts_its_own_instances() -> None:
    refused = Verdict(outcome="abstained", reasons=["missing_required"])
    runs = [
        Run([1, 3], "r", Answers(value=np.array([1.0, 2.0]))),
        Run([4], "s", Answers(value=np.array([3.0]))),
        Run([5], None, reason="timeout"),
    ]
    verdicts = [refused, Verdict(), refused, Verdict(), Verdict(), Verdict()]
    decisions = Decider(regressor_manifest()).decide(verdicts, runs)
    assert [(decision.outcome, decision.run) for decision in decisions] == [
        ("abstained", None), ("scored", ("r", 0, 2)), ("abstained", None), ("scored", ("r", 1, 2)),
        ("scored", ("s", 0, 1)), ("failed", None),
    ]  # fmt: skip
    assert [decisions[row].answer for row in (3, 4, 5)] == [{"value": 2.0}, {"value": 3.0}, None]
