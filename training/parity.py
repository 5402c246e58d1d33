"""The gate: the graph must predict what scikit-learn predicts, or nothing is exported.

Compared are the test rows and at least 5,000 adversarial ones (`training.adversarial`), in one batch and singly, as
ONNX Runtime runs them in production. The rule, for each score, probability or value, in double:

    |graph - reference| <= 1e-9 + 1e-6 * |reference|

and labels are equal, but where scikit-learn's own top two scores are within 1e-9 (counted as `label_ties`).

Two cases have no plain answer:

* scikit-learn raises for the row, or its answer is not finite (an overflow between two steps, the logarithm of
  nothing). If the row lies farther outside the training range than the range is wide, it is only counted: production
  flags it as outside. If it does not, the graph's answer must not be finite either: production calls such an answer
  `non_finite_output`. Which of NaN and infinity it is does not matter.
* The row lies farther outside the training range than the range is wide, and the rule fails. There sums may cancel,
  so that no digit of the reference is right. It counts as `ill_conditioned` if moving each feature of the row by at
  most one unit in the last place moves scikit-learn's own answer by a sixteenth of the difference or more (the graph
  is then as right as the reference is: it answers a row that cannot be told from this one). Within the range there is
  no such excuse: thresholds of trees lie there. Rows so far out that a nearest neighbours model finds its k-th and
  next neighbour equally far count here too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scoring.bundle import Parity
from training.adversarial import Rows, adversarial_rows
from training.answer import Answer
from training.data import Columns, Doubles
from training.errors import ParityError
from training.reference import Reference
from training.session import GraphSession

ABSOLUTE, RELATIVE, TIE = 1e-9, 1e-6, 1e-9
ADVERSARIAL_ROWS = 5_000
NUDGES, SLACK = 16, 16.0
SHOWN = 8

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


def prove(
    reference: Reference,
    session: GraphSession,
    training: Doubles,
    test: Doubles,
    columns: Columns,
    missing: frozenset[int],
    seed: int = 0,
) -> Parity:
    """Compare on test and adversarial rows; returns the figures for the manifest, or raises `ParityError`."""
    made = adversarial_rows(training, columns, missing, ADVERSARIAL_ROWS, seed)
    rows = Rows(np.concatenate([test, made.values]), [f"test row {i}" for i in range(len(test))] + made.origins)
    expected = reference.predict(rows.values)
    batch, single = session.predict(rows.values), session.predict_singly(rows.values)
    comparisons = [compare(expected, batch), compare(expected, single)]
    far = _far(rows.values, training)
    assert expected.raised is not None
    answered = np.isfinite(batch.scores).all(axis=1) | np.isfinite(single.scores).all(axis=1)
    unknown = (expected.raised | ~np.isfinite(expected.scores).all(axis=1)) & far
    wrong = (comparisons[0].wrong | comparisons[1].wrong | (expected.raised & answered)) & ~unknown
    excused = _ill_conditioned(reference, rows.values, expected, [batch, single], wrong & far, seed)
    if (wrong & ~excused).any():
        raise ParityError(_explain(rows, columns, expected, [batch, single], comparisons, wrong & ~excused))
    return Parity(
        rows=len(rows.values),
        adversarial_rows=len(made.values),
        largest_difference=float(max(c.difference[~far].max(initial=0.0) for c in comparisons)),
        label_ties=int(((comparisons[0].labels_differ | comparisons[1].labels_differ) & ~excused).sum()),
        takes_missing=bool(missing),
        ill_conditioned=int(excused.sum()),
        no_reference=int((expected.raised | unknown).sum()),
    )


def features_that_may_miss(reference: Reference, training: Doubles) -> frozenset[int]:
    """Positions of the features that the pipeline takes as missing, found by trying each of them alone."""
    tried = np.repeat(training[:1], training.shape[1], axis=0)
    tried = np.where(np.isnan(tried), 0.0, tried)
    np.fill_diagonal(tried, np.nan)
    answer = reference.predict(tried)
    assert answer.raised is not None
    takes = ~answer.raised & np.isfinite(answer.scores).all(axis=1)
    return frozenset(np.flatnonzero(takes).tolist())


def _far(values: Doubles, training: Doubles) -> Flags:
    """Rows with a value farther outside the training range than the range is wide."""
    with np.errstate(all="ignore"):
        lowest, highest = np.nanmin(training, axis=0), np.nanmax(training, axis=0)
        width = np.where(highest > lowest, highest - lowest, np.maximum(np.abs(highest), 1.0))
        beyond = (values < lowest - width) | (values > highest + width)
    return np.asarray(beyond.any(axis=1))


def _ill_conditioned(
    reference: Reference, values: Doubles, expected: Answer, answers: list[Answer], doubtful: Flags, seed: int
) -> Flags:
    """Which of the doubtful rows scikit-learn itself cannot answer to the precision asked for."""
    excused = np.zeros(len(values), dtype=np.bool_)
    at = np.flatnonzero(doubtful)
    if not len(at):
        return excused
    random = np.random.default_rng(seed)
    low, high = expected.scores[at].copy(), expected.scores[at].copy()
    labels = [] if expected.labels is None else [expected.labels[at]]
    finite = np.ones(len(at), dtype=np.bool_)
    for _ in range(NUDGES):
        toward = random.choice([-np.inf, np.inf], size=(len(at), values.shape[1]))
        with np.errstate(all="ignore"):
            nudged = reference.predict(np.nextafter(values[at], toward))
        finite &= np.isfinite(nudged.scores).all(axis=1)
        low, high = np.fmin(low, nudged.scores), np.fmax(high, nudged.scores)
        if nudged.labels is not None:
            labels.append(nudged.labels)
    for answer in answers:
        delta = np.abs(answer.scores[at] - expected.scores[at])
        allowed = ABSOLUTE + RELATIVE * np.abs(expected.scores[at]) + SLACK * (high - low)
        within = (delta <= allowed).all(axis=1) | ~finite
        if answer.labels is not None:
            within &= np.any([answer.labels[at] == given for given in labels], axis=0)
        excused[at] = within if answer is answers[0] else excused[at] & within
    excused[at] |= reference.undefined(values[at])
    return excused


def _explain(
    rows: Rows, columns: Columns, expected: Answer, answers: list[Answer], comparisons: list[Comparison], wrong: Flags
) -> str:
    """A table of the worst rows, worst first."""
    severity = np.maximum(*(np.where(c.labels_differ & ~c.ties, np.inf, c.excess) for c in comparisons))
    worst = [i for i in np.argsort(-severity, kind="stable") if wrong[i]][:SHOWN]
    lines = [("row", "scikit-learn", "ONNX", "difference", "values")]
    for i in worst:
        which = int(comparisons[1].excess[i] > comparisons[0].excess[i])
        lines.append(
            (rows.origins[i], _said(expected, i), _said(answers[which], i),
             f"{comparisons[which].difference[i]:.3g}", _values(rows.values[i], columns))
        )  # fmt: skip
    widths = [max(len(line[k]) for line in lines) for k in range(4)]
    table = "\n".join(
        "  ".join([*(cell.ljust(w) for cell, w in zip(line, widths, strict=False)), line[4]]) for line in lines
    )
    return (
        f"{int(wrong.sum())} of {len(rows.values)} rows differ from scikit-learn by more than "
        f"{ABSOLUTE:g} + {RELATIVE:g} * |reference|, or in their label; nothing was exported. The worst:\n\n{table}\n\n"
        "Replace the step that does not convert exactly; linear models, kernel machines, nearest neighbours and "
        "multilayer perceptrons after scaling do."
    )


def _said(answer: Answer, row: int) -> str:
    if answer.raised is not None and answer.raised[row]:
        return "refuses the row"
    scores = ", ".join(f"{score:.12g}" for score in answer.scores[row][:4])
    more = ", …" if answer.scores.shape[1] > 4 else ""
    return f"{scores}{more}" if answer.labels is None else f"class {answer.labels[row]} ({scores}{more})"


def _values(row: Doubles, columns: Columns) -> str:
    shown = ", ".join(f"{name}={value:.6g}" for name, value in zip(columns.names[:4], row[:4], strict=True))
    return shown + (", …" if len(row) > 4 else "")
