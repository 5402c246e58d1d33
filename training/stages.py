"""What a long command is doing now: a spinner in a terminal, a line for each stage elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console


@contextmanager
def stages() -> Iterator[Callable[[str], None]]:
    """Within this block, call what it gives with a few words at the beginning of each stage."""
    if not sys.stdout.isatty():
        yield lambda words: print(f"  {words} …", flush=True)
        return
    console = Console()
    with console.status("  …") as status:
        began: list[tuple[str, float]] = []

        def tell(words: str) -> None:
            _conclude(console, began)
            began[:] = [(words, time.perf_counter())]
            status.update(f"  {words} …")

        yield tell
        _conclude(console, began)


def _conclude(console: Console, began: list[tuple[str, float]]) -> None:
    """Leave a line for the stage that is over."""
    for words, since in began:
        console.print(f"  {words}: {time.perf_counter() - since:.1f} s", markup=False, highlight=False)
