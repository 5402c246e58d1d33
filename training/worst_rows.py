"""How a graph that is not exact is refused: the worst rows, worst first, and what to do about them."""

from __future__ import annotations

import numpy as np

from training.adversarial import Rows
from training.answer import Answer
from training.data import Columns, Doubles
from training.exactness import ABSOLUTE, RELATIVE, Comparison, Flags
from training.reference import Reference
from training.rounding import splits_on_rounded_values

SHOWN = 8


def explain(
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


def advice(reference: Reference, values: Doubles, expected: Answer, wrong: Flags) -> str:
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
