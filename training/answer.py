"""What a model says about rows, whoever computes it: scikit-learn (`reference`) or the graph (`session`)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.data import Doubles


@dataclass(frozen=True)
class Answer:
    """Answers for n rows."""

    labels: npt.NDArray[np.int64] | None  # position in the classes; None for regression
    scores: Doubles  # n × classes of probabilities, or n × 1 of the score or value
    margin: Doubles | None = None  # reference only: how far the top two scores are apart
    raised: npt.NDArray[np.bool_] | None = None  # reference only: scikit-learn refused the row

    def __len__(self) -> int:
        return len(self.scores)

    def rows(self, at: npt.NDArray[np.intp]) -> Answer:
        """The answers for some of the rows."""
        return Answer(
            labels=None if self.labels is None else self.labels[at],
            scores=self.scores[at],
            margin=None if self.margin is None else self.margin[at],
            raised=None if self.raised is None else self.raised[at],
        )
