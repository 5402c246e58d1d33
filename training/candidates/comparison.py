"""The comparison of candidates: what was asked, what was found, what was picked, and how that does on the test rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from evaluation.measured import Measured
from training.candidates.catalogue import BASELINE, Candidate, candidates
from training.candidates.cross_validation import Indices, cross_validated, folds_of
from training.candidates.judging import Judged, judged, metric_of
from training.candidates.problem import Problem
from training.candidates.remedies import chosen_remedies
from training.candidates.selection import Selection, select


class Watch(Protocol):
    """Who is told how far the comparison has come."""

    def begin(self, fits: int) -> None:
        """So many fits are to come."""

    def fitted(self, candidate: Candidate) -> None:
        """One more of them is done."""

    def compared(self, found: Judged) -> None:
        """A candidate's folds are all done."""

    def say(self, message: str) -> None:
        """Something that a person should know now."""


class Silent:
    """Tells nobody."""

    def begin(self, fits: int) -> None:
        """Nothing."""

    def fitted(self, candidate: Candidate) -> None:
        """Nothing."""

    def compared(self, found: Judged) -> None:
        """Nothing."""

    def say(self, message: str) -> None:
        """Nothing."""


@dataclass(frozen=True)
class Comparison:
    """All candidates on one problem, judged on the same folds."""

    problem: Problem
    metric: str
    remedies: tuple[str, ...]
    folds: Indices
    found: tuple[Judged, ...]  # in the catalogue's order, the baseline first
    selection: Selection
    notes: tuple[str, ...]

    @property
    def baseline(self) -> Judged:
        """Always the commonest class, or the mean."""
        return next(one for one in self.found if one.candidate.name == BASELINE)


@dataclass(frozen=True)
class Pick:
    """The candidate that was fitted on all training rows, and its figures on the test rows."""

    judged: Judged
    convergence: tuple[str, ...]
    figures: dict[str, Measured]
    warnings: tuple[str, ...] = ()  # of the last fit and of predicting the test rows
    before: tuple[str, ...] = ()  # better candidates that could not be exported, and why
    bundle: Path | None = None


def compare(
    problem: Problem,
    *,
    metric: str | None = None,
    wanted: Sequence[str] | None = None,
    remedies: str | Sequence[str] = "auto",
    watch: Watch | None = None,
) -> Comparison:
    """Cross-validate every candidate and rank them."""
    told = watch or Silent()
    by = metric_of(metric, problem.target)
    tried = chosen_remedies(remedies, problem.target)
    chosen, not_tried = candidates(problem, by, wanted, tried)
    folds = folds_of(problem)
    told.begin(len(chosen) * problem.folds)
    found = [_one(candidate, problem, folds, by, told) for candidate in chosen]
    selection = select(found, by, problem.target)
    return Comparison(problem, by, tried, folds, tuple(found), selection, (*problem.notes, *not_tried))


def _one(candidate: Candidate, problem: Problem, folds: Indices, metric: str, watch: Watch) -> Judged:
    done: Callable[[], None] = lambda: watch.fitted(candidate)  # noqa: E731
    found = judged(cross_validated(candidate, problem, folds, done), problem, folds, metric)
    watch.compared(found)
    return found
