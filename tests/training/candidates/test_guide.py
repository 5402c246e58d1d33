"""The guide's claims hold on a smaller run of the same code, and the stored guide is one of its making."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from training.candidates.comparison import Comparison, compare
from training.candidates.guide import cases
from training.candidates.guide.__main__ import files
from training.candidates.guide.text import NAME
from training.candidates.problem import read_problem

GUIDE = Path(__file__).parents[3] / "docs" / "guide"


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return files(curved_rows=600, rare_rows=1_000, folds=2)


def figure(text: str, candidate: str, column: str, section: str) -> float:
    """A figure out of a section's table."""
    body = text[text.index(section) :]
    rows = [re.split(r" *\| *", line.strip("| \n")) for line in body.splitlines() if line.startswith("| ")]
    table = [row for row in rows if "![" not in row[0]]
    place = next(i for i, name in enumerate(table[0]) if name.partition(",")[0] == column)
    row = next(row for row in table if row[0] == candidate)
    return float(row[place].partition(" ")[0].replace("–", "nan"))


def test_a_straight_line_is_right_nine_times_in_ten_and_features_bring_it_level(made: dict[str, str]) -> None:
    for text in (made[NAME], (GUIDE / NAME).read_text(encoding="utf-8")):
        accuracy = {
            name: figure(text, name, "Accuracy", "## A straight line")
            for name in (
                "Logistic regression", "SVM, RBF kernel", "Random forest", "Logistic regression, polynomial",
                "Logistic regression, splines",
            )
        }  # fmt: skip
        line = accuracy.pop("Logistic regression")
        assert 0.90 <= line <= 0.95
        assert min(accuracy.values()) > line + 0.02
        best = max(accuracy.values())
        assert accuracy["Logistic regression, polynomial"] > best - 0.015
        assert accuracy["Logistic regression, splines"] > best - 0.015


def test_accuracy_hides_that_nothing_is_found_and_remedies_find_it(made: dict[str, str]) -> None:
    section = "## Right 98 times"
    for text in (made[NAME], (GUIDE / NAME).read_text(encoding="utf-8")):
        before = "Logistic regression"
        assert figure(text, before, "Accuracy", section) >= 0.975
        assert figure(text, before, "Recall", section) == 0
        assert figure(text, before, "ROC AUC", section) > 0.85
        recalls = {
            remedy: figure(text, f"Logistic regression, {remedy}", "Recall", section)
            for remedy in ("class weights", "importance weights", "rare class upsampled", "tuned threshold")
        }
        assert recalls.pop("importance weights") > 0.1
        assert min(recalls.values()) > 0.6
        assert figure(text, "Boosted trees, class weights", "Recall", section) > 0


def test_anomaly_detection_finds_what_lies_all_around(made: dict[str, str]) -> None:
    section = "## Rare, and each in its own way"
    for text in (made[NAME], (GUIDE / NAME).read_text(encoding="utf-8")):
        detector = "One-class SVM, learns the common class"
        linear = "Logistic regression, class weights"
        assert figure(text, detector, "Balanced accuracy", section) > 0.8
        assert figure(text, linear, "Balanced accuracy", section) < 0.7
        assert figure(text, detector, "Recall", section) > figure(text, linear, "Recall", section) + 0.2


def test_the_stored_guide_has_the_same_words_and_all_its_pictures(made: dict[str, str]) -> None:
    assert sorted(path.name for path in GUIDE.iterdir()) == sorted(made)
    stored, fresh = ((GUIDE / NAME).read_text(encoding="utf-8"), made[NAME])
    for pattern in (r"^#.*", r"!\[[^\]]*\]\([^)]*\)", r"^\*\*[A-Z][^*]*\*\*"):
        assert re.findall(pattern, stored, re.MULTILINE) == re.findall(pattern, fresh, re.MULTILINE)
    assert set(re.findall(r"\(([a-z-]+\.svg)\)", stored)) == {name for name in made if name.endswith(".svg")}


def test_every_picture_is_an_svg_file_of_its_own_for_light_and_dark(made: dict[str, str]) -> None:
    for name, content in made.items():
        if name.endswith(".svg"):
            root = ElementTree.fromstring(content)
            assert root.tag == "{http://www.w3.org/2000/svg}svg"
            assert "prefers-color-scheme: dark" in content
            assert len(content) < 80_000


def test_the_same_seed_gives_the_same_case() -> None:
    assert cases.rare(200).equals(cases.rare(200))
    assert (cases.around(1000)["failing"] == "yes").sum() == 20

    def line() -> Comparison:
        return compare(read_problem(cases.curved(200), "quality"), wanted=["logistic"])

    assert line().found[1].by_fold == line().found[1].by_fold
