"""The comparison's page: the pick first, every candidate, self-contained, hostile names as text."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tests.browser.browser import open_browser
from tests.training.candidates.tables import HOSTILE, points, quantities
from training import fit
from training.candidates.fitting import Result
from training.candidates.page import comparison_page, write_page

RARE = ["logistic", "logistic-class-weights", "logistic-upsampling", "logistic-threshold", "svm-rbf-class-weights"]


def hostile() -> Result:
    """Two classes, one rare, with names that want to be markup, and a column too many."""
    table = points(240, rare=0.08).rename(columns={"a": HOSTILE, "b": "b\u202e"})
    table = table.assign(constant=f"{HOSTILE}{'x' * 500}").replace({"y": {"yes": f"yes{HOSTILE}"}})
    return fit(table, "y", name="m", export=False, folds=3, candidates=RARE)


@pytest.fixture(scope="module")
def result() -> Result:
    return hostile()


@pytest.fixture(scope="module")
def page(result: Result) -> str:
    return comparison_page(result.comparison, result.pick, name="payments", made="2026-11-24T12:00:00Z")


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page[page.index("<main") :]))


def test_the_pick_and_why_come_first(page: str, result: Result) -> None:
    text = words(page)
    pick = result.pick.judged.candidate.title
    assert text.index(pick) < text.index("has the highest balanced accuracy") < text.index("Every candidate")
    assert "picked by Balanced accuracy" in text
    assert "Not exported." in text
    assert "60 test rows that no candidate had seen" in text


def test_every_candidate_stands_beside_the_baseline_with_its_remarks(page: str, result: Result) -> None:
    text = words(page)
    table = text[text.index("Every candidate") :]
    for found in result.comparison.found:
        assert found.candidate.title in table
    for column in ("Accuracy", "Precision", "Recall", "F1", "ROC AUC", "Most predicted"):
        assert column in table
    assert "does not beat always answering no (92.2 %), but finds" in table
    assert page.count('<figure class="card">') == 4, "spread, threshold, ROC, precision and recall"
    assert page.count('class="confusion"') == 6
    assert "Every fit of every candidate converged." in text


def test_what_was_decided_about_the_data_is_told(page: str) -> None:
    text = words(page)
    assert "180 to train, 60 to test" in text
    assert "is left out: it is" in text
    assert "(1,0" not in text


def test_it_needs_nothing_but_itself_and_escapes_what_comes_from_outside(page: str) -> None:
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "\u202e" not in page
    assert not re.search(r"(src|href)=\"(?!#|data:)", page)


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (375, True)], ids=["desk, light", "phone, dark"])
def test_a_browser_shows_it_without_complaints(tmp_path: Path, page: str, width: int, dark: bool) -> None:
    path = tmp_path / "page.html"
    write_page(path, page)
    with open_browser() as browser:
        look = browser.look(path.as_uri(), width, 800, dark=dark)
    assert look.complaints() == []
    assert (look.requests, look.scripts) == ([], 0)
    assert HOSTILE in look.text


def test_a_quantity_has_no_classes_to_show() -> None:
    found = fit(quantities(), "y", name="q", export=False, folds=3, candidates=["ridge", "ridge-splines"])
    text = words(comparison_page(found.comparison, found.pick, name="q", made="2026-11-24T12:00:00Z"))
    assert "Always the mean" in text
    assert "RMSE" not in text[: text.index("Every candidate")] or "Root mean squared error" in text
    assert "Confusion" not in text
    assert "ROC" not in text


def test_a_page_is_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new" / "page.html"
    write_page(path, "first")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write_page(path, "second")
    assert [one.name for one in path.parent.iterdir()] == ["page.html"]
    assert path.read_text(encoding="utf-8") == "first"


def test_many_classes_stay_within_the_page() -> None:
    random = np.random.default_rng(0)
    table = points(300).assign(y=random.permutation([f"class {i}" for i in range(15)] * 20))
    found = fit(table, "y", name="q", export=False, folds=2, candidates=["logistic"])
    page = comparison_page(found.comparison, found.pick, name="q", made="2026-11-24T12:00:00Z")
    assert "The first 12 of 15 classes." in words(page)
