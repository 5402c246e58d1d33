"""What a command leaves in a folder of the caller's: JSON for programs and a page for people, of one name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from evaluation import terminal


def write_output(folder: Path | None, name: str, data: bytes, page: Callable[[], str]) -> None:
    """`{name}.json` and `{name}.html`, if a folder was named; the page is drawn only then."""
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    json, html = folder / f"{name}.json", folder / f"{name}.html"
    json.write_bytes(data)
    html.write_text(page(), encoding="utf-8")
    terminal.say(f"evaluation: {json} and {html} written")
