"""Work for which others need not wait is done in a thread that gives way to them."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from scoring.low_priority import LowPriorityThread


def test_work_is_done_in_one_thread_of_its_own_and_its_result_comes_back() -> None:
    thread = LowPriorityThread("low")
    assert [thread.run(lambda: threading.current_thread().name) for _ in range(2)] == ["low", "low"]
    assert thread.run(threading.get_ident) == thread.run(threading.get_ident) != threading.get_ident()
    thread.end()


def test_what_the_work_raises_is_raised_and_the_thread_goes_on() -> None:
    thread = LowPriorityThread("low")
    with pytest.raises(ZeroDivisionError):
        thread.run(lambda: 1 // 0)
    assert thread.run(lambda: 7) == 7
    thread.end()


@pytest.mark.skipif(sys.platform != "linux", reason="only on Linux has a thread a priority of its own")
def test_the_thread_alone_has_a_low_priority() -> None:
    def priority() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before, thread = priority(), LowPriorityThread("low")
    assert thread.run(priority) == 19
    assert priority() == before
    thread.end()
