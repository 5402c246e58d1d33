"""The pages of the running service in headless Chromium, wide and narrow, light and dark: nothing to complain about.

With `PICTURES=1` in the environment the screens go to docs/images/, where the README shows them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.browser import Browser, open_browser
from tests.platform import DEMO_MODELS, Platform, demo_rows

IMAGES = Path(__file__).parents[2] / "docs" / "images"
SIZES = ((1280, 900, "wide"), (375, 800, "narrow"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as running:
        yield running


@pytest.fixture(scope="module")
def reported(platform: Platform) -> Platform:
    """The platform with some traffic on each model, and a report of it."""
    for model in DEMO_MODELS:
        rows = demo_rows(model)
        for start in range(0, len(rows), 50):
            part = rows[start : start + 50]
            ids = [f"page-{model}-{start + offset}" for offset in range(len(part))]
            body = {"instances": [row for row, _ in part], "ids": ids}
            assert platform.client.post(f"/models/{model}/score", json=body).status_code == 200
            field = "value" if model == "diabetes" else "label"
            labels = [{"id": name, field: label} for name, (_, label) in zip(ids, part, strict=True)]
            assert platform.client.post(f"/models/{model}/labels", json={"labels": labels}).status_code == 200
        assert platform.command("evaluation", "report", "--model", model, check=False).returncode in {0, 1}
    return platform


PAGES = {
    "home": "/",
    "home-anonymous": "/?",
    "docs": "/docs",
    "report": "/models/breast-cancer/reports/latest",
    "report-regression": "/models/diabetes/reports/latest",
    "report-multiclass": "/models/wine/reports/latest",
    "reports": "/models/wine/reports",
    "instance": "/models/breast-cancer/instances/page-breast-cancer-0",
    "instance-replayed": "/models/wine/instances/page-wine-0?replay=1",
    "spot-check": "/models/wine/instances?kind=score&sample=20&seed=17",
    "no-instance": "/models/wine/instances/nobody",
    "no-report": "/models/wine/reports/day-2020-01-01-20200102T000000Z",
}
KEPT = {"home", "report", "instance", "spot-check", "docs"}
NOT_FOUND = {"no-instance", "no-report"}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(("width", "height", "size"), SIZES, ids=[size for *_, size in SIZES])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_of_the_service_is_as_it_should_be(
    reported: Platform, browser: Browser, tmp_path: Path, name: str, width: int, height: int, size: str, dark: bool
) -> None:
    path = PAGES[name]
    url = reported.url + (path if path.endswith("?") else f"{path}{'&' if '?' in path else '?'}code={reported.key}")
    keep = os.environ.get("PICTURES") and not dark and name in KEPT
    picture = (IMAGES if keep else tmp_path) / f"{name}-{size}.png"
    picture.parent.mkdir(exist_ok=True)
    seen = browser.look(url, width, height, dark=dark, screenshot=picture, whole=False)
    assert seen.status == (404 if name in NOT_FOUND else 200)
    assert seen.scripts == 0
    problems = [one for one in seen.complaints() if not (name in NOT_FOUND and "404" in one)]
    assert not problems
    assert picture.stat().st_size > 1000


def test_without_a_key_the_home_page_shows_no_verdict(reported: Platform, browser: Browser) -> None:
    anonymous = browser.look(reported.url + "/", 1280, 900)
    with_key = browser.look(f"{reported.url}/?code={reported.key}", 1280, 900)
    assert "breast-cancer" in anonymous.text
    assert "Latest report" not in anonymous.text
    assert "Latest report" in with_key.text


def test_a_visitor_notes_what_was_found_without_a_script_and_sees_the_note(
    reported: Platform, browser: Browser
) -> None:
    url = f"{reported.url}/models/wine/instances/page-wine-1?code={reported.key}"
    comment = ("#comment", "The hue was read\ntwice. <b>")
    form = [("#author", "R. Okafor"), ('input[value="disputed"]', None), comment, ("form button", None)]
    seen = browser.look(url, 375, 800, form=form)
    assert seen.status == 200
    assert not seen.complaints()
    assert "Disputed by R. Okafor" in seen.text.replace("\n", " ")
    assert "The hue was read\ntwice. <b>" in seen.text


def test_a_visitor_draws_a_sample_by_the_form_and_follows_it_to_an_instance(
    reported: Platform, browser: Browser
) -> None:
    url = f"{reported.url}/models/wine/instances?kind=score&code={reported.key}"
    drawn = browser.look(url, 1280, 800, form=[("#sample", "4"), ("form button", None)])
    assert (drawn.status, drawn.complaints()) == (200, [])
    assert "4 records drawn at random" in drawn.text
    followed = browser.look(url, 1280, 800, form=[("tbody a", None)])
    assert followed.status == 200
    assert followed.title.startswith("Instance page-wine-")
