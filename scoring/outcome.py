"""Every instance ends in exactly one outcome: scored, abstained, rejected or failed.

Judging has refused some instances already; this takes the model's answers for the others and decides what they are
worth. No score is a guess: only a `scored` instance gets a prediction in the response. When the model answered and a
criterion of the manifest then made it abstain, the record alone keeps the answer, for those who tune the criterion.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from scoring.bundle import Manifest, class_key
from scoring.inference import Run
from scoring.model import Answers
from scoring.verdict import Verdict

REASONS = ("low_confidence", "output_out_of_range", "not_converged", "model_error", "non_finite_output", "timeout")
Outcome = Literal["scored", "abstained", "rejected", "failed"]
Mask = npt.NDArray[np.bool_]
Answer = dict[str, Any]  # {"label", "probabilities"}, {"label", "score"} or {"value"}


class Decision(msgspec.Struct, gc=False):
    """An instance's end: its outcome, why, the model's answer if there is a sensible one, and its place in a run."""

    outcome: Outcome
    reasons: list[str]
    answer: Answer | None = None
    run: tuple[str, int, int] | None = None  # the run's id, position in it, its size; None if there was no run on this


class Decider:
    """Turns answers into decisions by one manifest's classes and criteria."""

    def __init__(self, manifest: Manifest) -> None:
        self._criteria = manifest.criteria
        self._classes = manifest.classes
        self._keys = [class_key(label) for label in manifest.classes]
        abstains = manifest.criteria.not_converged == "abstain" and bool(manifest.convergence)
        self._always = ["not_converged"] if abstains else []

    def decide(self, verdicts: Sequence[Verdict], runs: Sequence[Run]) -> list[Decision]:
        """A decision for each verdict. A run that failed fails its own instances and none of the others."""
        decisions: list[Decision | None] = [None] * len(verdicts)
        for run in runs:
            size = len(run.rows)
            for place, (row, decision) in enumerate(zip(run.rows, self._decided(run), strict=True)):
                decision.run = None if run.id is None else (run.id, place, size)
                decisions[row] = decision
        return [
            _refused(verdict) if decision is None else decision
            for verdict, decision in zip(verdicts, decisions, strict=True)
        ]

    def _decided(self, run: Run) -> list[Decision]:
        if run.answers is not None:
            return self._answered(run.answers)
        assert run.reason is not None, "a run without answers has a reason"
        return [Decision("failed", [run.reason]) for _ in run.rows]

    def _answered(self, answers: Answers) -> list[Decision]:
        """Decisions of the instances that were run, in the order of the run."""
        given = self._answers(answers)
        doubts = self._doubts(answers)
        if not doubts and not self._always and _seem_finite(answers):
            return [Decision("scored", [], answer) for answer in given]
        finite = _finite(answers)
        return [
            self._judged_answer(answer, bool(finite[row]), [word for word, mask in doubts if mask[row]])
            for row, answer in enumerate(given)
        ]

    def _judged_answer(self, answer: Answer, finite: bool, doubts: list[str]) -> Decision:
        if not finite:
            return Decision("failed", ["non_finite_output"])
        reasons = doubts + self._always
        return Decision("abstained" if reasons else "scored", reasons, answer)

    def _answers(self, answers: Answers) -> list[Answer]:
        if answers.value is not None:
            return [{"value": value} for value in answers.value.tolist()]
        assert answers.label_index is not None, "Model refuses a classifier without it"
        labels = [self._classes[index] for index in answers.label_index.tolist()]
        if answers.probabilities is not None:
            keys = self._keys
            return [
                {"label": label, "probabilities": dict(zip(keys, row, strict=True))}
                for label, row in zip(labels, answers.probabilities.tolist(), strict=True)
            ]
        if answers.score is not None:
            return [
                {"label": label, "score": score} for label, score in zip(labels, answers.score.tolist(), strict=True)
            ]
        return [{"label": label} for label in labels]

    def _doubts(self, answers: Answers) -> list[tuple[str, Mask]]:
        """The criteria that some row does not meet, each with the rows."""
        criteria, found = self._criteria, []
        if criteria.minimum_probability is not None and answers.probabilities is not None:
            found.append(("low_confidence", answers.probabilities.max(axis=1) < criteria.minimum_probability))
        if answers.value is not None:
            low = -np.inf if criteria.output_minimum is None else criteria.output_minimum
            high = np.inf if criteria.output_maximum is None else criteria.output_maximum
            found.append(("output_out_of_range", (answers.value < low) | (answers.value > high)))
        return [(word, mask) for word, mask in found if mask.any()]


def _seem_finite(answers: Answers) -> bool:
    """Whether the outputs add up to a finite number, so that each is one. A few sums are cheaper than numpy's calls;
    where finite numbers overflow when added, `_finite` looks at each."""
    if answers.probabilities is not None:
        return math.isfinite(sum(map(sum, answers.probabilities.tolist())))
    output = answers.score if answers.value is None else answers.value
    return output is None or math.isfinite(sum(output.tolist()))


def _finite(answers: Answers) -> Mask:
    """The rows all of whose outputs are finite numbers."""
    if answers.value is not None:
        return np.isfinite(answers.value)
    if answers.probabilities is not None:
        return np.isfinite(answers.probabilities).all(axis=1)
    if answers.score is not None:
        return np.isfinite(answers.score)
    assert answers.label_index is not None, "Model refuses a classifier without it"
    return np.ones(len(answers.label_index), dtype=np.bool_)


def _refused(verdict: Verdict) -> Decision:
    assert verdict.outcome is not None, "an accepted instance has a decision already"
    return Decision(verdict.outcome, verdict.reasons)
