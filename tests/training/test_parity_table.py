"""A sample of `make parity`, combinations that must be exact, and docs/parity.md as the command writes it."""

from __future__ import annotations

import re
from importlib.metadata import version as installed
from pathlib import Path

import pytest

from training.parity_cases import MODELS, PREPARATIONS, Case, cases
from training.parity_proof import Proof, put_to_the_proof
from training.parity_table import holds, page, summary

PAGE = Path(__file__).parents[2] / "docs" / "parity.md"
SAMPLE = list(cases())[::86]
MUST_BE_EXACT = [
    Case("random forest", "impute, scale", "two classes"),
    Case("random forest", "bare, with gaps", "three classes"),
    Case("decision tree", "bare, with gaps", "two classes"),
    Case("extra trees", "bare, with gaps", "two classes"),
    Case("random forest regressor", "impute with indicator", "numbers"),
    Case("hist gradient boosting", "bare, with gaps", "two classes"),
    Case("hist gradient boosting", "bare, with categories", "three classes"),
    Case("hist gradient boosting regressor", "bare, with categories", "numbers"),
    Case("logistic regression", "impute with indicator", "two classes"),
    Case("stacking", "columns of all kinds", "two classes"),
]


@pytest.mark.parametrize("case", MUST_BE_EXACT, ids=lambda case: case.name)
def test_what_people_bring_most_is_exact_on_thousands_of_adversarial_rows(case: Case) -> None:
    proof = put_to_the_proof(case)
    assert proof.verdict == "exact", proof.reason
    assert proof.parity is not None
    assert proof.parity.adversarial_rows >= 5_000
    assert proof.parity.largest_difference < 1e-12
    assert proof.parity.split_ties == 0


@pytest.mark.parametrize("case", SAMPLE, ids=lambda case: case.name)
def test_no_combination_is_silently_inexact(case: Case) -> None:
    proof = put_to_the_proof(case)
    assert proof.verdict != "silently inexact"
    assert (proof.verdict in ("refused", "not fitted")) == bool(proof.reason)
    marks = row_of(PAGE.read_text(encoding="utf-8"), case)
    assert marks == {"exact": "=", "refused": "✗", "not fitted": "·"}[proof.verdict], "run make parity"


def row_of(text: str, case: Case) -> str:
    """The mark that the page has for a combination."""
    title = {"two classes": "Two classes", "three classes": "Three classes", "outliers": "Outlier detectors"}
    section = text.split(f"## {title.get(case.target, 'Regressors')}\n\n")[1].split("\n\n")[0].splitlines()
    names = [cell.strip() for cell in section[0].strip("|").split("|")]
    (line,) = [line for line in section if line.startswith(f"| {case.model} |")]
    return [cell.strip() for cell in line.strip("|").split("|")][names.index(case.preparation)]


def test_the_page_speaks_of_every_combination_and_of_the_installed_libraries() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for library in ("scikit-learn", "skl2onnx", "onnx", "onnxruntime"):
        assert f"{library} {installed(library)}" in text, "run make parity"
    marks = [row_of(text, case) for case in cases()]
    assert len(marks) == len(set(cases())) > 500
    fitted = [mark for mark in marks if mark != "·"]
    exact = fitted.count("=")
    counts = f"{len(fitted)} combinations that scikit-learn can fit: {exact} exact ({exact / len(fitted):.1%})"
    assert counts in text
    assert exact >= 0.9 * len(fitted)
    assert "0 silently inexact" in text
    assert len(re.findall("^- .*differ from scikit-learn|^- .*cannot", text, re.MULTILINE)) >= marks.count("✗")


def test_every_model_and_preparation_that_the_design_names_is_there() -> None:
    assert len(MODELS) >= 24
    assert len(PREPARATIONS) >= 13


def test_the_counts_leave_out_what_scikit_learn_cannot_fit_and_fail_on_one_that_is_silently_inexact() -> None:
    case = SAMPLE[0]
    proofs = [Proof(case, "exact")] * 18 + [Proof(case, "refused", "why")] * 2 + [Proof(case, "not fitted", "no")] * 9
    assert summary(proofs) == (
        "20 combinations that scikit-learn can fit: 18 exact (90.0%), 2 refused, 0 silently inexact"
    )
    assert holds(proofs)
    assert not holds([*proofs, Proof(case, "refused", "why")])
    assert not holds([*proofs, *[Proof(case, "exact")] * 20, Proof(case, "silently inexact")])


def test_the_page_gives_each_refusal_in_one_line() -> None:
    reason = "3 of 5 rows differ.\n\nrow  scikit-learn\n1    2\n\nReplace the step."
    text = page([Proof(SAMPLE[0], "refused", reason)])
    assert f"- {SAMPLE[0].name}: 3 of 5 rows differ. Replace the step." in text
