"""One caller's lines on their way into the log, and how the caller hears of them."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
from collections.abc import Iterable, Sequence

from audit.appender import Receipt
from audit.errors import AuditError
from audit.frames import MAX_BODY_BYTES

type _Future = asyncio.Future[list[Receipt]] | concurrent.futures.Future[list[Receipt]]
_log = logging.getLogger(__name__)


class Commit:
    """One caller's lines and the future that it waits for; `loop` is the future's, `None` for a waiting thread."""

    __slots__ = ("future", "lines", "loop", "receipts", "sent", "since_s", "size_bytes")

    def __init__(
        self, lines: Sequence[bytes], size_bytes: int, future: _Future, loop: asyncio.AbstractEventLoop | None
    ) -> None:
        self.lines = lines
        self.future = future
        self.loop = loop
        self.size_bytes = size_bytes  # of what is still to be sent
        self.sent = 0  # lines
        self.receipts: list[Receipt] = []
        self.since_s = 0.0  # when it was put into the queue


def checked_size(lines: Sequence[bytes]) -> int:
    """Bytes of the lines in a frame; `ValueError` for a line that can be in none."""
    size_bytes = 0
    for line in lines:
        if b"\n" in line:
            raise ValueError("a record holds a newline; records are one line each")
        if len(line) >= MAX_BODY_BYTES:
            raise ValueError(f"a record of {len(line)} bytes does not fit a frame of {MAX_BODY_BYTES}")
        size_bytes += len(line) + 1
    return size_bytes


def answer(commits: Iterable[Commit], error: AuditError | None = None) -> None:
    """Give every commit its receipts, or an error of its own; one wake-up for each event loop, however many commits."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Commit]] = {}
    for commit in commits:
        if commit.loop is None:
            _settle([commit], error)
        else:
            by_loop.setdefault(commit.loop, []).append(commit)
    for loop, waiting in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, waiting, error)
        except RuntimeError:
            _log.warning("%d commits were answered after their event loop had closed", len(waiting))


def _settle(commits: list[Commit], error: AuditError | None) -> None:
    for commit in commits:
        if commit.future.done():  # the caller was cancelled, or went away
            continue
        if error is None:
            commit.future.set_result(commit.receipts)
        else:
            commit.future.set_exception(type(error)(*error.args))
