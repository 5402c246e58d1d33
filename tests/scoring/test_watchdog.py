"""Runs that take too long are told to end, once, and nobody else is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from scoring.watchdog import Watchdog


class FakeRun:
    """A run as the watchdog sees it."""

    def __init__(self) -> None:
        self.terminate = False


def until(condition: Callable[[], bool], patience_s: float = 10.0) -> None:
    end_s = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < end_s, "it did not come to pass"
        time.sleep(0.001)


def test_a_run_is_ended_at_its_own_limit_and_not_before() -> None:
    now_s = [100.0]
    watchdog = Watchdog(clock=lambda: now_s[0], tick_s=3600)
    short, long = FakeRun(), FakeRun()
    watchdog.watch(short, 5)
    watchdog.watch(long, 50)
    for now_s[0], expected in ((104.9, (False, False)), (105.0, (True, False)), (150.0, (True, True))):
        watchdog.end_overdue()
        assert (short.terminate, long.terminate) == expected


def test_a_run_that_has_ended_is_left_alone() -> None:
    now_s = [0.0]
    watchdog = Watchdog(clock=lambda: now_s[0], tick_s=3600)
    run = FakeRun()
    watchdog.watch(run, 5)
    watchdog.forget(run)
    now_s[0] = 100.0
    watchdog.end_overdue()
    assert not run.terminate


def test_all_runs_of_one_owner_can_be_ended_at_once() -> None:
    watchdog, mine, yours = Watchdog(tick_s=3600), FakeRun(), FakeRun()
    watchdog.watch(mine, 5, owner="me")
    watchdog.watch(yours, 5, owner="you")
    watchdog.end_runs_of("me")
    assert (mine.terminate, yours.terminate) == (True, False)


def test_the_runs_in_one_thread_are_ended_and_no_others() -> None:
    watchdog, mine, yours = Watchdog(), FakeRun(), FakeRun()
    watchdog.watch(mine, 3600)
    thread = threading.Thread(target=watchdog.watch, args=(yours, 3600))
    thread.start()
    thread.join()
    watchdog.end_runs_in(threading.get_ident())
    assert (mine.terminate, yours.terminate) == (True, False)


def test_the_thread_sleeps_while_nothing_runs_and_is_awake_for_the_next_run() -> None:
    watchdog = Watchdog(tick_s=0.001)
    for _ in range(3):
        run = FakeRun()
        watchdog.watch(run, 0.01)
        until(lambda run=run: run.terminate)  # type: ignore[misc]
        watchdog.forget(run)
        until(lambda: watchdog._asleep)


def test_one_thread_watches_runs_of_many() -> None:
    watchdog = Watchdog(tick_s=0.001)
    before = set(threading.enumerate())

    def runs() -> None:
        for _ in range(300):
            run = FakeRun()
            watchdog.watch(run, 3600)
            watchdog.forget(run)

    threads = [threading.Thread(target=runs, name="runs") for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([t for t in set(threading.enumerate()) - before if t.name == "watchdog"]) == 1
    assert watchdog._runs == {}
