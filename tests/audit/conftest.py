"""What the tests of the log share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from audit.writer import LogWriter


@pytest.fixture
def closing() -> Iterator[Callable[[LogWriter], LogWriter]]:
    """Closes the writers given to it, whatever the test's end."""
    writers: list[LogWriter] = []

    def keep(writer: LogWriter) -> LogWriter:
        writers.append(writer)
        return writer

    yield keep
    for writer in writers:
        writer.close()
