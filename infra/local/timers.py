"""Timer triggers: each runs on its schedule in a process of its own, one run at a time.

A thread per timer waits until it is due and hands the run to the timer's process (`timer_worker`), which loads
function_app anew: in Azure a timer has an instance of its own and shares neither memory nor the interpreter with the
functions that answer requests. The process starts with the first run, stays for a minute, and ends with the host.
"""

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from infra.local import ncrontab
from infra.local.process import start_child, stop_child
from infra.local.timer_state import (
    Status,
    check_past_due,
    first_status,
    is_frequent,
    read_status,
    status_after_run,
    status_json,
    write_status,
)
from infra.local.worker import Function

logger = logging.getLogger("host")

IDLE_S = 60.0
STOP_GRACE_S = 5.0
_LONGEST_WAIT_S = 20.0  # look at the clock again: it may have been set, or the machine may have slept


def utc_now() -> datetime:
    """The time now, aware."""
    return datetime.now(UTC)


class Timer:
    """One timer function: `start`, then `close`."""

    def __init__(self, function: Function, app: Path, data: Path, clock: Callable[[], datetime] = utc_now) -> None:
        self.name = function.name
        self.schedule = ncrontab.parse(str(function.trigger.get("schedule", "")))
        self._on_startup = bool(function.trigger.get("runOnStartup"))
        self._clock = clock
        now = clock()
        self._status = first_status(self.schedule, now)
        remembers = function.trigger.get("useMonitor") is not False and not is_frequent(self.schedule, now)
        self._file = data / "timers" / f"{function.name}.json" if remembers else None
        self._process = TimerProcess(function.name, app)
        self._wake = threading.Condition()
        self._asked = 0
        self._closing = False
        self._running = False
        self._runs = self._failures = 0
        self._thread = threading.Thread(target=self._live, name=f"timer {function.name}", daemon=True)

    def start(self) -> None:
        """Begin to wait; a missed occurrence, or a run on startup, runs at once."""
        self._thread.start()

    def run_now(self) -> None:
        """Ask for a run beside the schedule; it waits for one that is going on."""
        with self._wake:
            self._asked += 1
            self._wake.notify_all()

    def close(self) -> None:
        """End the timer and its process; a run that is going on gets a few seconds."""
        with self._wake:
            self._closing = True
            self._wake.notify_all()
        self._process.close()
        if self._thread.is_alive():
            self._thread.join()
        self._process.forget()

    def state(self) -> dict[str, object]:
        """For operators: when it is next due, whether it runs now, how many runs it had and how many failed."""
        with self._wake:
            return {
                "schedule": self.schedule.expression,
                "next": self._status.next.isoformat(),
                "last": status_json(self._status)["Last"],
                "running": self._running,
                "runs": self._runs,
                "failures": self._failures,
            }

    def _live(self) -> None:
        past_due = False
        if self._file is not None:
            self._status, past_due = check_past_due(self.schedule, read_status(self._file), self._clock())
            write_status(self._file, self._status)
        if past_due or self._on_startup:
            self._run_on_schedule(past_due=past_due, early=True)
        while (due := self._wait()) is not None:
            if due:
                self._run_on_schedule(past_due=False, early=False)
            else:
                self._run(past_due=False)

    def _wait(self) -> bool | None:
        """True when it is due, False when somebody asked for a run, None to end."""
        idle_s = 0.0
        while True:
            with self._wake:
                if self._closing:
                    return None
                if self._asked:
                    self._asked -= 1
                    return False
                left_s = (self._status.next - self._clock()).total_seconds()
                if left_s <= 0:
                    return True
                pause_s = min(left_s, _LONGEST_WAIT_S)
                self._wake.wait(pause_s)
            idle_s += pause_s
            if idle_s >= IDLE_S:
                self._process.stop()

    def _run_on_schedule(self, *, past_due: bool, early: bool) -> None:
        invoked = self._clock()
        cut_short = self._run(past_due=past_due)
        with self._wake:
            self._status = status_after_run(self.schedule, self._status, invoked, on_schedule=not early)
        if self._file is not None and not cut_short:
            write_status(self._file, self._status)

    def _run(self, *, past_due: bool) -> bool:
        """Run once; whether the end of the host cut it short, so that it is past due at the next start."""
        with self._wake:
            self._running = True
        error = self._process.run(timer_payload(self._status if self._file else None, past_due))
        with self._wake:
            self._running = False
            self._runs += 1
            self._failures += error is not None
            cut_short = error is not None and self._closing
        if error is not None and not cut_short:
            logger.error("Timer %s failed: %s", self.name, error)
        return cut_short


class TimerProcess:
    """The process of one timer, started when a run needs it."""

    def __init__(self, name: str, app: Path) -> None:
        self._name = name
        self._app = app
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._replies = -1
        self._closed = False

    def run(self, payload: dict[str, object]) -> str | None:
        """Run the timer once and wait for its end; an error text when it failed or its process died."""
        with self._lock:
            if self._closed:
                return "the host is stopping"
            if self._child is None or self._child.poll() is not None:
                self.forget()
                try:
                    self._begin_child()
                except OSError as trouble:
                    return f"its process did not start: {trouble}"
            child, replies = self._child, self._replies
        assert child is not None
        assert child.stdin is not None
        try:
            child.stdin.write(json.dumps(payload).encode() + b"\n")
            child.stdin.flush()
            reply = _read_line(replies)
        except (OSError, ValueError):  # ValueError: `close` shut the pipe meanwhile
            reply = b""
        if not reply:
            return "its process ended before the run did; its own messages are above"
        error = json.loads(reply)["error"]
        return None if error is None else str(error)

    def stop(self) -> None:
        """End the process if there is one; the next run starts another. Not while `run` waits."""
        with self._lock:
            self._end_child()
            self.forget()

    def close(self) -> None:
        """End the process for good; a `run` that waits for it returns."""
        with self._lock:
            self._closed = True
            self._end_child()

    def forget(self) -> None:
        """Let go of an ended process and its pipe. Only when no `run` reads from the pipe."""
        if self._child is not None:
            self._end_child()
            self._child = None
            os.close(self._replies)

    def _begin_child(self) -> None:
        replies, theirs = os.pipe()
        command = [sys.executable, "-m", "infra.local.timer_worker"]
        arguments = ["--app", str(self._app), "--function", self._name, "--replies", str(theirs)]
        root = Path(__file__).parents[2]
        try:
            self._child = start_child([*command, *arguments], folder=root, keep_open=[theirs])
            self._replies = replies
        except OSError:
            os.close(replies)
            raise
        finally:
            os.close(theirs)

    def _end_child(self) -> None:
        if self._child is not None:
            stop_child(self._child, f"Timer {self._name}", STOP_GRACE_S)


def close_all(timers: Sequence[Timer]) -> None:
    """Close timers at the same time, so that the grace for runs that go on counts once."""
    threads = [threading.Thread(target=timer.close) for timer in timers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def timer_payload(status: Status | None, past_due: bool) -> dict[str, object]:
    """What the platform hands to a timer function."""
    return {
        "Schedule": {"AdjustForDST": True},
        "ScheduleStatus": None if status is None else status_json(status),
        "IsPastDue": past_due,
    }


def _read_line(descriptor: int) -> bytes:
    line = b""
    while not line.endswith(b"\n"):
        chunk = os.read(descriptor, 65536)
        if not chunk:
            return b""
        line += chunk
    return line
