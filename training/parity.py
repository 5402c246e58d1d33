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

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from scoring.bundle import Parity
from training.adversarial import Rows, Takes, adversarial_rows
from training.answer import Answer
from training.data import Columns, Doubles
from training.errors import ParityError
from training.reference import Reference
from training.rounding import splits_on_rounded_values
from training.session import GraphSession

ABSOLUTE, RELATIVE, TIE = 1e-9, 1e-6, 1e-9
ADVERSARIAL_ROWS = 5_000
SINGLE_TEST_ROWS = 10_000  # of the test rows, so many are run alone too; the adversarial ones all are
NUDGES, SLACK = 16, 16.0
TIE_NUDGES, TIE_UNITS = 64, 16
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
    neighbourhood = _Neighbourhood(reference, rows.values, expected, columns, seed)
    excused = neighbourhood.ill_conditioned([batch, single], wrong & far)
    ties = np.zeros(len(rows.values), dtype=np.bool_)
    if splits_on_rounded_values(reference.pipeline):
        ties = neighbourhood.gives([batch, single], wrong & ~excused & ~expected.raised)
    failed = wrong & ~excused & ~ties
    if failed.any():
        raise ParityError(
            _explain(
                rows,
                columns,
                expected,
                [batch, single],
                comparisons,
                failed,
                _advice(reference, rows.values, expected, failed),
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


@dataclass(frozen=True)
class _Neighbourhood:
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


def _explain(
    rows: Rows,
    columns: Columns,
    expected: Answer,
    answers: list[Answer],
    comparisons: list[Comparison],
    wrong: Flags,
    advice: str,
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
        f"{advice}"
    )


def _said(answer: Answer, row: int) -> str:
    if answer.raised is not None and answer.raised[row]:
        return "refuses the row"
    scores = ", ".join(f"{score:.12g}" for score in answer.scores[row][:4])
    more = ", …" if answer.scores.shape[1] > 4 else ""
    return f"{scores}{more}" if answer.labels is None else f"class {answer.labels[row]} ({scores}{more})"


def _values(row: Doubles, columns: Columns) -> str:
    said = [columns.said(i, value) for i, value in enumerate(row[:4])]
    return ", ".join(f"{name}={text}" for name, text in zip(columns.names[:4], said, strict=True)) + (
        ", …" if len(row) > 4 else ""
    )


def _advice(reference: Reference, values: Doubles, expected: Answer, wrong: Flags) -> str:
    """What the one who exports can do about it."""
    if reference.undefined(values[wrong]).all():
        return (
            "In all of these rows the k-th nearest neighbour is as far as the next, and scikit-learn leaves the choice "
            "to the order of the training rows. Give the model features in which training rows do not coincide, or use "
            "another model."
        )
    if expected.raised is not None and (expected.raised & wrong).any():
        return (
            "scikit-learn refuses some of these rows, within the training range, and the graph answers them: put a "
            "step before that takes all values (an imputer, np.log1p instead of np.log)."
        )
    if splits_on_rounded_values(reference.pipeline):
        return (
            "Trees stand behind a step whose last bit scikit-learn does not promise (a spline, a logarithm, a matrix "
            "product), and these rows lie on splits to that bit. Give the trees their columns as they are, or scaled; "
            "they do not need such a step."
        )
    return (
        "Replace the step that does not convert exactly. docs/parity.md lists the combinations of steps and models "
        "that do."
    )
