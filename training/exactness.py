"""The rule by which a graph's answer is scikit-learn's: for each score, probability or value, in double,

    |graph - reference| <= 1e-9 + 1e-6 * |reference|

and the same label, but where scikit-learn's own top two scores are within 1e-9. Where scikit-learn has no finite
answer, the graph must have none; which of NaN and infinity it is does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.answer import Answer
from training.data import Doubles

ABSOLUTE, RELATIVE, TIE = 1e-9, 1e-6, 1e-9

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Comparison:
    """Row by row: by how much the scores differ, by how much they may, and whether the labels do."""

    difference: Doubles  # largest of the row's scores; infinite where only one side is finite
    excess: Doubles  # difference ÷ what is allowed, the largest of the row's scores
    labels_differ: Flags
    ties: Flags

    @property
    def wrong(self) -> Flags:
        """Rows that break the rule."""
        return (self.excess > 1) | (self.labels_differ & ~self.ties)


def compare(reference: Answer, graph: Answer) -> Comparison:
    """Hold `graph` against `reference`; rows that scikit-learn refused agree with anything."""
    finite = np.isfinite(reference.scores)
    both = finite & np.isfinite(graph.scores)
    agree = both | (~finite & ~np.isfinite(graph.scores))
    with np.errstate(all="ignore"):
        delta = np.where(both, np.abs(graph.scores - reference.scores), np.where(agree, 0.0, np.inf))
        allowed = ABSOLUTE + RELATIVE * np.abs(np.where(finite, reference.scores, 0.0))
        excess = (delta / allowed).max(axis=1)
    raised = np.zeros(len(reference), dtype=np.bool_) if reference.raised is None else reference.raised
    labels_differ = np.zeros(len(reference), dtype=np.bool_)
    if reference.labels is not None and graph.labels is not None:
        labels_differ = (reference.labels != graph.labels) & finite.all(axis=1)
    ties = np.zeros(len(reference), dtype=np.bool_) if reference.margin is None else reference.margin < TIE
    return Comparison(np.where(raised, 0.0, delta.max(axis=1)), np.where(raised, 0.0, excess), labels_differ, ties)
