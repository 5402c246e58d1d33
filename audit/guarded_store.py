"""A store that raises nothing but the log's own errors, whatever the one beneath it lets through.

An exception that nobody foresaw may have come after the bytes were sent, so it counts as a lost reply: `Ambiguous`. The
writer then settles it as it settles every lost reply, where otherwise its thread would end or a record be lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from audit.errors import Ambiguous, AuditError
from audit.store import Store


class GuardedStore:
    """The calls that a writer makes of a store; they raise the log's errors only."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, name: str) -> None:
        with _unexpected(name):
            self._store.create(name)

    def append(self, name: str, data: bytes, at: int) -> None:
        with _unexpected(name):
            self._store.append(name, data, at)

    def read(self, name: str, start: int, length: int) -> bytes:
        with _unexpected(name):
            return self._store.read(name, start, length)

    def size(self, name: str) -> int:
        with _unexpected(name):
            return self._store.size(name)


@contextmanager
def _unexpected(name: str) -> Iterator[None]:
    try:
        yield
    except AuditError:
        raise
    except Exception as problem:
        raise Ambiguous(f"{name}: unexpected {type(problem).__name__}: {problem}") from problem
