"""The browser must see what a person would complain about, or the tests of the pages prove nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.browser.browser import Browser, BrowserError, Look, look, open_browser

PAGE = "<!doctype html><html lang=en><meta name=viewport content='width=device-width'><title>t</title>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


def seen(browser: Browser, folder: Path, body: str, width: int = 375, **options: bool) -> Look:
    page = folder / "page.html"
    page.write_text(PAGE + f"<main><h1>Title</h1>{body}</main>", encoding="utf-8")
    return browser.look(page.as_uri(), width, 600, dark=options.get("dark", False))


def test_a_page_that_is_as_it_should_be_has_nothing_against_it(browser: Browser, tmp_path: Path) -> None:
    plain = seen(browser, tmp_path, "<p>Ünïcode 日本</p>")
    assert plain.complaints() == []
    assert (plain.title, plain.requests, plain.scripts) == ("t", [], 0)
    assert "Ünïcode 日本" in plain.text


def test_an_element_wider_than_the_window_is_named(browser: Browser, tmp_path: Path) -> None:
    wide = seen(browser, tmp_path, '<p class="wide" style="width:500px">x</p>')
    assert "p.wide" in wide.overflow
    assert seen(browser, tmp_path, '<p class="wide" style="width:500px">x</p>', width=1280).overflow == []


def test_what_scrolls_inside_its_own_box_is_no_page_scroll(browser: Browser, tmp_path: Path) -> None:
    boxed = seen(browser, tmp_path, '<div style="overflow-x:auto" tabindex="0"><p style="width:900px">x</p></div>')
    assert boxed.overflow == []


def test_axe_findings_are_told_with_their_place(browser: Browser, tmp_path: Path) -> None:
    (found,) = seen(browser, tmp_path, '<img id="cat" src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">').violations
    assert found["id"] == "image-alt"
    assert "#cat" in found["where"][0]


def test_poor_contrast_is_found_only_in_the_scheme_that_has_it(browser: Browser, tmp_path: Path) -> None:
    style = "<style>body{background:#fff}@media (prefers-color-scheme:dark){p{color:#eee}}</style><p>words</p>"
    assert seen(browser, tmp_path, style).violations == []
    assert [v["id"] for v in seen(browser, tmp_path, style, dark=True).violations] == ["color-contrast"]


def test_a_page_is_looked_at_in_the_medium_and_the_scheme_asked_for(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "media.html"
    style = "@media screen {.p {display: none}} @media (prefers-color-scheme: light) {.d {display: none}}"
    page.write_text(f"<title>m</title><style>{style}</style><p class=p>paper</p><p class=d>dark</p>", encoding="utf-8")
    assert browser.look(page.as_uri(), 375, 500).text.split() == []
    assert browser.look(page.as_uri(), 375, 500, dark=True, media="print").text.split() == ["paper", "dark"]


def test_scripts_and_what_they_do_are_told(browser: Browser, tmp_path: Path) -> None:
    active = seen(browser, tmp_path, "<script>alert('hi');console.error('oh');missing()</script><p onclick='x()'>p</p>")
    assert active.dialogs == ["hi"]
    assert active.scripts == 2
    assert any("oh" in problem for problem in active.problems)
    assert any("missing is not defined" in problem for problem in active.problems)


def test_requests_to_elsewhere_are_told(browser: Browser, tmp_path: Path) -> None:
    other = (tmp_path / "other.css").as_uri()
    assert seen(browser, tmp_path, f'<link rel="stylesheet" href="{other}">').requests == [other]


def test_a_screenshot_is_of_the_whole_page_or_of_the_first_screen(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "tall.html"
    page.write_text(PAGE + "<main style='height:3000px'><h1>x</h1></main>", encoding="utf-8")
    heights = []
    for whole in (True, False):
        browser.look(page.as_uri(), 400, 600, screenshot=tmp_path / "shot.png", whole=whole)
        heights.append(int.from_bytes((tmp_path / "shot.png").read_bytes()[20:24]))
    assert heights[0] >= 3000
    assert heights[1] == 600


def test_the_status_of_an_http_page_is_told(browser: Browser) -> None:
    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = f"{PAGE}<main><h1>no key</h1></main>".encode()
            self.send_response(401)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            answered = browser.look(f"http://127.0.0.1:{server.server_port}/", 400, 600)
        finally:
            server.shutdown()
            thread.join()
    assert answered.status == 401
    assert "no key" in answered.text


def test_a_page_that_cannot_be_opened_is_an_error_and_the_browser_goes_on(browser: Browser, tmp_path: Path) -> None:
    with pytest.raises(BrowserError, match="ERR_FILE_NOT_FOUND"):
        browser.look((tmp_path / "nowhere.html").as_uri(), 400, 600)
    assert seen(browser, tmp_path, "<p>back</p>").complaints() == []


def test_nothing_is_left_running_when_the_block_ends(tmp_path: Path) -> None:
    with open_browser() as opened:
        running = descendants(opened.process.pid)
        assert any("chromium" in command for command in running.values())
    left = {pid: command for pid, command in running.items() if command and command_of(pid) == command}
    assert left == {}


def test_one_look_needs_no_browser_to_be_opened(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(PAGE + "<main><h1>once</h1></main>", encoding="utf-8")
    assert look(page.as_uri(), 375, 600, dark=True).complaints() == []


def descendants(pid: int) -> dict[int, str]:
    """Process ids below `pid` (and itself) with their commands."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended while we looked
        parents[int(entry.parent.name)] = int(after_name[1])
    found, added = {pid}, True
    while added:
        new = {child for child, parent in parents.items() if parent in found} - found
        found, added = found | new, bool(new)
    return {one: command_of(one) for one in found}


def command_of(pid: int) -> str:
    """A process' command line; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""
