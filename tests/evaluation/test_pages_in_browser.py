"""Every page in a real browser: desk and phone, light and dark, as a visitor meets it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.browser import Browser, open_browser
from tests.evaluation.example_pages import pages

PAGES = pages()
WINDOWS = [(1280, False), (1280, True), (375, False), (375, True)]
IDS = ["desk, light", "desk, dark", "phone, light", "phone, dark"]
VARIANTS = ["report of many classes, served", "report of a regression", "report without labels"]
VARIANTS += ["reports, three weeks", "side by side", "side by side with hostile values"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.mark.parametrize(("width", "dark"), WINDOWS, ids=IDS)
@pytest.mark.parametrize("name", [name for name in PAGES if name not in VARIANTS])
def test_a_page_is_accessible_never_scrolls_sideways_and_loads_nothing(
    browser: Browser, tmp_path: Path, name: str, width: int, dark: bool
) -> None:
    assert_as_it_should_be(browser, tmp_path, name, width, dark)


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (375, True)], ids=["desk, light", "phone, dark"])
@pytest.mark.parametrize("name", VARIANTS)
def test_so_is_a_report_on_every_kind_of_model(
    browser: Browser, tmp_path: Path, name: str, width: int, dark: bool
) -> None:
    assert_as_it_should_be(browser, tmp_path, name, width, dark)


@pytest.mark.parametrize("name", [name for name in PAGES if "hostile" in name])
def test_escaping_alone_keeps_hostile_values_from_doing_anything(browser: Browser, tmp_path: Path, name: str) -> None:
    bare = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", PAGES[name])
    assert bare != PAGES[name]
    page = tmp_path / "page.html"
    page.write_text(bare, encoding="utf-8")
    look = browser.look(page.as_uri(), 1280, 800)
    assert (look.dialogs, look.problems, look.requests, look.scripts) == ([], [], [], 0)
    assert "<script>alert('x')" in look.text


@pytest.mark.parametrize("name", ["report of a classifier", "instance", "docs"])
def test_a_page_prints_without_losing_its_right_side(browser: Browser, tmp_path: Path, name: str) -> None:
    page = tmp_path / "page.html"
    page.write_text(PAGES[name], encoding="utf-8")
    look = browser.look(page.as_uri(), 794, 1123, media="print", dark=True)  # A4 at 96 dots an inch
    assert look.complaints() == []


def assert_as_it_should_be(browser: Browser, folder: Path, name: str, width: int, dark: bool) -> None:
    page = folder / "page.html"
    page.write_text(PAGES[name], encoding="utf-8")
    look = browser.look(page.as_uri(), width, 800, dark=dark)
    assert look.complaints() == []
    assert look.requests == []
    assert look.scripts == 0
