"""How a writer starts and ends."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from audit.errors import Unavailable
from audit.memory_store import MemoryStore
from audit.reader import read_blob
from audit.writer import LogWriter
from tests.audit.examples import ids, lines, only_name
from tests.audit.faulty_store import FaultyStore
from tests.audit.writers import GatedStore, wait_until, writer_on

ROOT = Path(__file__).parents[2]


def test_closing_commits_what_waits_and_refuses_what_comes_after() -> None:
    store = GatedStore()
    writer = writer_on(store)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(writer.commit_blocking, lines("a"), 10)
        assert store.waiting.wait(10)
        second = pool.submit(writer.commit_blocking, lines("b"), 10)
        closed = pool.submit(writer.close)
        store.gate.set()
        closed.result(10)
        assert first.result(10)
        waited = second.exception(10)
    assert waited is None or isinstance(waited, Unavailable)
    writer.close()
    assert not writer.healthy
    with pytest.raises(Unavailable, match="shutting down"):
        writer.commit_blocking(lines("c"), 10)
    assert ids(store) == (["a", "b"] if waited is None else ["a"])
    assert read_blob(store, only_name(store)).state == "closed"


def test_closing_while_the_store_is_down_ends_in_time() -> None:
    store = FaultyStore(MemoryStore())
    writer = writer_on(store, give_up_s=30, resolve_s=30)
    writer.commit_blocking(lines("a"), 10)
    store.outage = True
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(writer.commit_blocking, lines("b"), 20)
        wait_until(lambda: writer.last_error is not None, "the outage is noticed")
        began_s = time.monotonic()
        writer.close(timeout_s=5)
        assert time.monotonic() - began_s < 4
        assert isinstance(waiting.exception(10), Unavailable)


def test_a_writer_that_was_never_used_leaves_nothing_behind() -> None:
    store = MemoryStore()
    writer = writer_on(store)
    writer.close()
    assert list(store.list()) == []


def test_starting_early_opens_the_blob(closing: Callable[[LogWriter], LogWriter]) -> None:
    store = MemoryStore()
    closing(writer_on(store)).start()
    wait_until(lambda: len(list(store.list())) == 1, "a blob")
    wait_until(lambda: len(read_blob(store, only_name(store)).frames) == 1, "its first frame")
    assert read_blob(store, only_name(store)).frames[0].kind == "open"


FORKS = """
import os
from audit.errors import Unavailable
from audit.memory_store import MemoryStore
from audit.writer import LogWriter
writer = LogWriter(MemoryStore(), writer_id="parent", opening={})
writer.commit_blocking([b"{}"], 10)
child = os.fork()
if child == 0:
    try:
        writer.commit_blocking([b"{}"], 10)
    except Unavailable as refused:
        writer.close()
        os._exit(0 if "forked" in str(refused) else 3)
    os._exit(4)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
writer.commit_blocking([b"{}"], 10)
writer.close()
"""


def test_a_forked_process_is_refused_and_does_not_wait_for_a_thread_that_it_has_not() -> None:
    done = subprocess.run([sys.executable, "-c", FORKS], cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
