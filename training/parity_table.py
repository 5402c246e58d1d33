"""`docs/parity.md`: which combinations of model and preparation are exported exactly, and why the others are refused.

Everything in the page comes from running every combination of `training.parity_cases` on the machine that writes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import version as installed

import joblib

from training.exactness import ABSOLUTE, RELATIVE
from training.neighbourhood import TIE_UNITS
from training.parity import ADVERSARIAL_ROWS
from training.parity_cases import FRESH_ROWS, PREPARATIONS, ROWS, TEST_ROWS, Case
from training.parity_proof import Proof, put_to_the_proof

LEAST_EXACT = 0.9
MARKS = {"exact": "=", "refused": "✗", "not fitted": "·", "silently inexact": "**!**"}


def prove_all(cases: Sequence[Case], workers: int) -> Iterator[Proof]:
    """Proofs in the order of the cases, as they come in."""
    # More threads of linear algebra in each worker would only get in each other's way.
    with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
        parallel = joblib.Parallel(n_jobs=workers, return_as="generator")
        yield from parallel(joblib.delayed(put_to_the_proof)(case) for case in cases)


def summary(proofs: Sequence[Proof]) -> str:
    """The counts, in one line."""
    fitted = [proof for proof in proofs if proof.verdict != "not fitted"]
    exact, refused, silent = (
        sum(proof.verdict == verdict for proof in fitted) for verdict in ("exact", "refused", "silently inexact")
    )
    share = exact / len(fitted) if fitted else 0.0
    return (
        f"{len(fitted)} combinations that scikit-learn can fit: {exact} exact ({share:.1%}), {refused} refused, "
        f"{silent} silently inexact"
    )


def holds(proofs: Sequence[Proof]) -> bool:
    """Whether nothing is silently inexact and at least nine in ten are exact."""
    fitted = [proof for proof in proofs if proof.verdict != "not fitted"]
    exact = sum(proof.verdict == "exact" for proof in fitted)
    return exact >= LEAST_EXACT * len(fitted) and not any(proof.verdict == "silently inexact" for proof in fitted)


def page(proofs: Sequence[Proof]) -> str:
    """The page in Markdown."""
    parts = [_head(proofs), *_tables(proofs), _refusals(proofs), _ties(proofs)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(proofs: Sequence[Proof]) -> str:
    libraries = ", ".join(f"{name} {installed(name)}" for name in ("scikit-learn", "skl2onnx", "onnx", "onnxruntime"))
    rows = sum(proof.parity.rows for proof in proofs if proof.parity)
    worst = max((proof.parity.largest_difference for proof in proofs if proof.parity), default=0.0)
    return f"""# What is exported exactly

Written by `make parity`. {libraries}.

**{summary(proofs)}.**

Each combination was fitted on {ROWS} made-up rows and exported. The graph was held against scikit-learn on
{TEST_ROWS} test rows and at least {ADVERSARIAL_ROWS:,} adversarial ones (edges of the training data and far beyond,
both sides of trees' splits, unknown categories, missing values), in one batch and row by row. Exact means that every
score is within {ABSOLUTE:g} + {RELATIVE:g} · |reference| and every label the same, but where scikit-learn's own top two
scores are within 1e-9. What is not exact is refused, and nothing is written. {rows:,} rows were compared; the largest
difference within reach of the training data was {worst:.1g}.

After that each exact graph was held against scikit-learn on {FRESH_ROWS:,} rows more, which neither the fit nor the
gate had seen. One that failed there would be silently inexact.

`=` exact, `✗` refused, `·` scikit-learn cannot fit it."""


def _tables(proofs: Sequence[Proof]) -> Iterator[str]:
    titles = {
        "two classes": "Two classes", "three classes": "Three classes", "outliers": "Outlier detectors",
        "numbers": "Regressors",
    }  # fmt: skip
    for target, title in titles.items():
        rows = [proof for proof in proofs if proof.case.target == target]
        if rows:
            yield f"## {title}\n\n{_table(rows)}"


def _table(proofs: Sequence[Proof]) -> str:
    marks = {(proof.case.model, proof.case.preparation): MARKS[proof.verdict] for proof in proofs}
    names = [name for name in PREPARATIONS if any(proof.case.preparation == name for proof in proofs)]
    lines = ["| | " + " | ".join(names) + " |", "|---|" + ":-:|" * len(names)]
    for model in dict.fromkeys(proof.case.model for proof in proofs):
        cells = " | ".join(marks.get((model, name), "") for name in names)
        lines.append(f"| {model} | {cells} |")
    return "\n".join(lines)


def _refusals(proofs: Sequence[Proof]) -> str:
    refused = [proof for proof in proofs if proof.verdict == "refused"]
    if not refused:
        return ""
    lines = [f"- {proof.case.name}: {_one_line(proof.reason)}" for proof in refused]
    return "## Refused, and why\n\n" + "\n".join(lines)


def _one_line(reason: str) -> str:
    """What the refusal says, without its table of rows."""
    paragraphs = reason.split("\n\n")
    first = paragraphs[0].split("; nothing was exported")[0].rstrip(".")
    return " ".join(". ".join([first, *paragraphs[2:]]).split())


def _ties(proofs: Sequence[Proof]) -> str:
    counts: dict[str, dict[str, int]] = {}
    for proof in proofs:
        if proof.parity and proof.parity.split_ties:
            of_model = counts.setdefault(proof.case.model, {})
            of_model[proof.case.preparation] = of_model.get(proof.case.preparation, 0) + proof.parity.split_ties
    if not counts:
        return ""
    names = [name for name in PREPARATIONS if any(name in of_model for of_model in counts.values())]
    lines = ["| | " + " | ".join(names) + " |", "|---|" + "--:|" * len(names)]
    lines += [
        f"| {model} | " + " | ".join(str(of_model.get(name, "")) for name in names) + " |"
        for model, of_model in counts.items()
    ]
    return f"""## Rows on a split to the last bit

A logarithm, a power or a matrix product has no promised last bit, in scikit-learn either. Behind one, a row can be
built whose value lies on a tree's split to that bit. For such adversarial rows scikit-learn gives the graph's answer to
a row that is at most {TIE_UNITS} units in the last place away. They are counted here, two and three classes together,
and for each model in its bundle's manifest (`split_ties`); why, says
[a decision](decisions/0009-splits-behind-rounded-arithmetic.md).

""" + "\n".join(lines)
