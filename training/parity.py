"""The gate: the graph must predict what scikit-learn predicts, or nothing is exported.

Compared are the test rows and at least 5,000 adversarial ones (`training.adversarial`), in one batch and singly (of
very many test rows 10,000), as ONNX Runtime runs them in production. The rule, in double, for each score, probability
or value:

    |graph - reference| <= 1e-9 + 1e-6 * |reference|

and labels are equal, but where scikit-learn's own top two scores are within 1e-9 (counted as `label_ties`).

Three cases have no plain answer:

* scikit-learn raises for the row, or its answer is not finite (an overflow between two steps, the logarithm of
  nothing). If the row lies farther outside the training range than the range is wide, it is only counted: production
  flags it as outside. If it does not, the graph's answer must not be finite either: production calls such an answer
  `non_finite_output`. Which of NaN and infinity it is does not matter.
* The row lies farther outside the training range than the range is wide, and the rule fails. There sums may cancel,
  so that no digit of the reference is right. It counts as `ill_conditioned` if moving each feature of the row by at
  most one unit in the last place moves scikit-learn's own answer by a sixteenth of the difference or more (the graph
  is then as right as the reference is: it answers a row that cannot be told from this one). Rows so far out that a
  nearest neighbours model finds its k-th and next neighbour equally far count here too.
* A tree stands behind arithmetic whose last bit nobody promises (`training.rounding`), and the row lies on one of its
  splits to the last bits. It counts as `split_ties` if scikit-learn gives the graph's answer, by the same rule, to a
  row of which no feature is more than 16 units in the last place away. Within the range there is no other excuse,
  and none at all for trees behind scalers, imputers and encoders.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from scoring.bundle import Parity
from training.adversarial import Rows, Takes, adversarial_rows
from training.answer import Answer
from training.data import Columns, Doubles
from training.errors import ParityError
from training.exactness import Flags, compare
from training.neighbourhood import Neighbourhood
from training.reference import Reference
from training.rounding import splits_on_rounded_values
from training.session import GraphSession
from training.worst_rows import advice, explain

ADVERSARIAL_ROWS = 5_000
SINGLE_TEST_ROWS = 10_000  # of the test rows, so many are run alone too; the adversarial ones all are


def prove(
    reference: Reference,
    session: GraphSession,
    training: Doubles,
    test: Doubles,
    columns: Columns,
    takes: Takes,
    seed: int = 0,
) -> Parity:
    """Compare on test and adversarial rows; returns the figures for the manifest, or raises `ParityError`."""
    made = adversarial_rows(reference.pipeline, training, columns, takes, ADVERSARIAL_ROWS, seed)
    rows = Rows(np.concatenate([test, made.values]), [f"test row {i}" for i in range(len(test))] + made.origins)
    expected = reference.predict(rows.values)
    batch = session.predict(rows.values)
    single = _singly(session, rows.values, batch, len(test), seed)
    comparisons = [compare(expected, batch), compare(expected, single)]
    far = _far(rows.values, training, columns)
    assert expected.raised is not None
    answered = np.isfinite(batch.scores).all(axis=1) | np.isfinite(single.scores).all(axis=1)
    unknown = (expected.raised | ~np.isfinite(expected.scores).all(axis=1)) & far
    wrong = (comparisons[0].wrong | comparisons[1].wrong | (expected.raised & answered)) & ~unknown
    neighbourhood = Neighbourhood(reference, rows.values, expected, columns, seed)
    excused = neighbourhood.ill_conditioned([batch, single], wrong & far)
    ties = np.zeros(len(rows.values), dtype=np.bool_)
    if splits_on_rounded_values(reference.pipeline):
        ties = neighbourhood.gives([batch, single], wrong & ~excused & ~expected.raised)
    failed = wrong & ~excused & ~ties
    if failed.any():
        raise ParityError(
            explain(
                rows,
                columns,
                expected,
                [batch, single],
                comparisons,
                failed,
                advice(reference, rows.values, expected, failed),
            )
        )
    return Parity(
        rows=len(rows.values),
        adversarial_rows=len(made.values),
        largest_difference=float(max(c.difference[~far & ~ties].max(initial=0.0) for c in comparisons)),
        label_ties=int(((comparisons[0].labels_differ | comparisons[1].labels_differ) & ~excused & ~ties).sum()),
        takes_missing=bool(takes.missing),
        ill_conditioned=int(excused.sum()),
        no_reference=int((expected.raised | unknown).sum()),
        split_ties=int(ties.sum()),
    )


def _singly(session: GraphSession, values: Doubles, batch: Answer, tests: int, seed: int) -> Answer:
    """Every adversarial row alone, and as many of the test rows as there is time for; the others as in the batch."""
    alone = np.arange(len(values))
    if tests > SINGLE_TEST_ROWS:
        chosen = np.random.default_rng(seed).choice(tests, SINGLE_TEST_ROWS, replace=False)
        alone = np.concatenate([np.sort(chosen), np.arange(tests, len(values))])
    answer = session.predict_singly(values[alone])
    labels, scores = None if batch.labels is None else batch.labels.copy(), batch.scores.copy()
    scores[alone] = answer.scores
    if labels is not None and answer.labels is not None:
        labels[alone] = answer.labels
    return Answer(labels, scores)


def what_it_takes(reference: Reference, training: Doubles, columns: Columns) -> Takes:
    """The features that the pipeline takes as missing or unknown, found by trying each of them alone."""
    everywhere = np.arange(training.shape[1])
    return Takes(
        missing=_taken(reference, training, everywhere, np.nan),
        unseen=_taken(reference, training, np.flatnonzero(columns.is_text), -1.0),
    )


def _taken(reference: Reference, training: Doubles, features: npt.NDArray[Any], value: float) -> frozenset[int]:
    """Which of the features may have this value, in a row that is complete otherwise."""
    complete = training[np.argmin(np.isnan(training).sum(axis=1))]
    tried = np.repeat(np.where(np.isnan(complete), 0.0, complete)[None, :], len(features), axis=0)
    tried[np.arange(len(features)), features] = value
    if not len(features):
        return frozenset()
    answer = reference.predict(tried)
    assert answer.raised is not None
    takes = ~answer.raised & np.isfinite(answer.scores).all(axis=1)
    return frozenset(features[takes].tolist())


def _far(values: Doubles, training: Doubles, columns: Columns) -> Flags:
    """Rows with a number farther outside the training range than the range is wide."""
    with np.errstate(all="ignore"):
        lowest, highest = np.nanmin(training, axis=0), np.nanmax(training, axis=0)
        width = np.where(highest > lowest, highest - lowest, np.maximum(np.abs(highest), 1.0))
        beyond = (values < lowest - width) | (values > highest + width)
    return np.asarray((beyond & ~columns.is_text).any(axis=1))
