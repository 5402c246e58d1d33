"""What scikit-learn answers to rows that nobody can tell from the compared ones: they differ in the last bits only.

With it a difference that is the graph's fault is told from one that is nobody's: see `training.parity`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training.answer import Answer
from training.data import Columns, Doubles
from training.exactness import ABSOLUTE, RELATIVE, Flags, compare
from training.reference import Reference

NUDGES, SLACK = 16, 16.0
TIE_NUDGES, TIE_UNITS = 64, 16


@dataclass(frozen=True)
class Neighbourhood:
    """What scikit-learn answers to rows that differ from the compared ones in the last bits only."""

    reference: Reference
    values: Doubles
    expected: Answer
    columns: Columns
    seed: int

    def ill_conditioned(self, answers: list[Answer], doubtful: Flags) -> Flags:
        """Which of the doubtful rows scikit-learn itself cannot answer to the precision asked for."""
        excused = np.zeros(len(self.values), dtype=np.bool_)
        at = np.flatnonzero(doubtful)
        if not len(at):
            return excused
        nearby = [self.expected.rows(at), *self._nudged(at, NUDGES, 1)]
        finite = np.all([np.isfinite(answer.scores).all(axis=1) for answer in nearby], axis=0)
        low = np.fmin.reduce([answer.scores for answer in nearby])
        high = np.fmax.reduce([answer.scores for answer in nearby])
        excused[at] = np.all([self._within(answer, at, nearby, high - low, finite) for answer in answers], axis=0)
        excused[at] |= self.reference.undefined(self.values[at])
        return excused

    def gives(self, answers: list[Answer], doubtful: Flags) -> Flags:
        """Which of the doubtful rows have a neighbour to which scikit-learn gives the graph's answer."""
        found = np.zeros(len(self.values), dtype=np.bool_)
        at = np.flatnonzero(doubtful)
        if not len(at):
            return found
        nearby = [self.expected.rows(at), *self._nudged(at, TIE_NUDGES, TIE_UNITS)]
        same = [[~compare(near, answer.rows(at)).wrong for near in nearby] for answer in answers]
        found[at] = np.all(np.any(same, axis=1), axis=0)
        return found

    def _within(
        self, answer: Answer, at: npt.NDArray[Any], nearby: list[Answer], spread: Doubles, finite: Flags
    ) -> Flags:
        delta = np.abs(answer.scores[at] - self.expected.scores[at])
        allowed = ABSOLUTE + RELATIVE * np.abs(self.expected.scores[at]) + SLACK * spread
        within = (delta <= allowed).all(axis=1) | ~finite
        if answer.labels is not None:
            within &= np.any([answer.labels[at] == near.labels for near in nearby], axis=0)
        return np.asarray(within)

    def _nudged(self, at: npt.NDArray[Any], times: int, units: int) -> list[Answer]:
        """Answers to rows whose numbers are moved by up to so many units in the last place, either way."""
        random = np.random.default_rng(self.seed)
        whole = np.array([kind == "integer" for kind in self.columns.types])
        movable = np.array([kind == "float" for kind in self.columns.types])
        movable = movable | (whole & (np.abs(self.values[at]) >= 2.0**53))  # from there on every double is whole
        found = []
        for _ in range(times):
            moved, steps = self.values[at], random.integers(-units, units + 1, size=movable.shape)
            if units == 1:
                steps = random.choice([-1, 1], size=steps.shape)
            with np.errstate(all="ignore"):
                for step in range(units):
                    toward = np.where(np.abs(steps) > step, np.copysign(np.inf, steps), moved)
                    moved = np.where(movable, np.nextafter(moved, toward), moved)
                found.append(self.reference.predict(moved))
        return found
