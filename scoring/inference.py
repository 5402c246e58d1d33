"""The model's answers for a request's instances, in runs of bounded size and time.

A run holds at most `MOST_ROWS` rows, because a graph may need memory for each (k-nearest neighbours: rows times
training rows), and because a run can be ended between nodes, which must not be far apart. Cutting 10,000 rows of the
demo models into runs of 512 costs 0.4 to 0.8 ms of the 200 ms that such a request takes. Each run has an id of its own,
for a row's bits depend on the batch it was run in, and replay rebuilds that batch.

A request's runs share one limit: it is what the client waits for. Once it is over, what is left is not begun.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec
import numpy as np

from audit.ids import new_id
from scoring.judge import Judged
from scoring.model import Answers, Model, ModelError, RunTimeout

MOST_ROWS = 512


class Run(msgspec.Struct, frozen=True):
    """One run: on which of the request's instances, in which order, and what came of it."""

    rows: Sequence[int]  # positions in the request
    id: str | None  # None: it was not begun, for lack of time
    answers: Answers | None = None
    reason: Literal["model_error", "timeout"] | None = None  # why there are no answers
    error: str | None = None  # the same for the process's log; holds no values


def infer(
    model: Model, judged: Judged, limit_s: float | None = None, clock: Callable[[], float] = time.monotonic
) -> list[Run]:
    """The runs on all accepted instances; never raises `ModelError`. `limit_s`: by default the model's own limit."""
    limit_s = model.run_timeout_s if limit_s is None else limit_s
    accepted = [row for row, verdict in enumerate(judged.verdicts) if verdict.outcome is None]
    if len(accepted) <= MOST_ROWS:
        return [_run(model, judged, accepted, limit_s)] if accepted else []
    end_s = clock() + limit_s
    parts = (accepted[start : start + MOST_ROWS] for start in range(0, len(accepted), MOST_ROWS))
    return [_run(model, judged, part, end_s - clock()) for part in parts]


def _run(model: Model, judged: Judged, rows: Sequence[int], limit_s: float) -> Run:
    if limit_s <= 0:
        return Run(rows, None, reason="timeout")
    run_id = new_id()
    everything = len(rows) == len(judged.verdicts)
    matrix = judged.matrix if everything else np.take(judged.matrix, rows, axis=0)
    try:
        return Run(rows, run_id, model.run(matrix, limit_s))
    except RunTimeout as problem:
        return Run(rows, run_id, reason="timeout", error=str(problem))
    except ModelError as problem:
        return Run(rows, run_id, reason="model_error", error=str(problem))
