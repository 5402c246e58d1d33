"""Timers: in a process of their own, one run at a time, past due once after downtime, and run on demand."""

import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.local.local_host import LocalHost
from tests.infra.conftest import NEVER_SOON, SAMPLE_APP, is_alive, sample_settings, wait_until


class Ticking:
    """The sample app with its timer `tick` on a schedule of the test's choice."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.host: LocalHost | None = None

    def start(self, schedule: str = NEVER_SOON, **more: str) -> LocalHost:
        """Start, or start again with another schedule, on the same data."""
        self.stop()
        settings = sample_settings(self.data / "notes", schedule, **{"SAMPLE_TICK": "", "SAMPLE_TICK_S": "0", **more})
        self.host = LocalHost(app=SAMPLE_APP, data=self.data, env=settings).start()
        return self.host

    def stop(self) -> None:
        """Stop the host if it runs."""
        if self.host is not None:
            self.host.stop()

    @property
    def notes(self) -> list[str]:
        """The lines that `tick` wrote."""
        path = self.data / "notes"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [line for line in lines if line.startswith("tick")]

    @property
    def state(self) -> dict[str, Any]:
        """What the status says of `tick`."""
        assert self.host is not None
        status = httpx.get(self.host.url + "/admin/host/status", headers={"x-functions-key": self.host.key})
        return dict(status.json()["timers"]["tick"])

    def run_now(self) -> int:
        """Ask for a run."""
        assert self.host is not None
        url = self.host.url + "/admin/functions/tick"
        return httpx.post(url, json={"input": ""}, headers={"x-functions-key": self.host.key}).status_code


@pytest.fixture
def ticking(tmp_path: Path) -> Iterator[Ticking]:
    """A sample app that is stopped at the end."""
    found = Ticking(tmp_path / "data")
    yield found
    found.stop()


def test_a_timer_comes_due_by_its_schedule_in_a_process_of_its_own(ticking: Ticking) -> None:
    host = ticking.start("* * * * * *")
    wait_until(lambda: ticking.notes.count("tick ended") >= 2, "two runs")
    processes = {line.split()[2] for line in ticking.notes if line.startswith("tick began")}
    assert len(processes) == 1
    assert host.process is not None
    assert processes.isdisjoint({str(host.process.pid), str(os.getpid())})
    assert "past_due=True" not in " ".join(ticking.notes)


def test_runs_of_a_timer_do_not_overlap(ticking: Ticking) -> None:
    ticking.start("* * * * * *", SAMPLE_TICK_S="1.3")
    wait_until(lambda: ticking.state["running"], "a run to begin")
    assert [ticking.run_now() for _ in range(2)] == [202, 202]
    wait_until(lambda: ticking.notes.count("tick ended") >= 4, "four runs")
    kinds = [line.split()[1] for line in ticking.notes]
    assert kinds == (["began", "ended"] * len(kinds))[: len(kinds)]


def test_a_run_on_demand_leaves_the_schedule_as_it_is(ticking: Ticking) -> None:
    ticking.start()
    before = ticking.state
    assert ticking.run_now() == 202
    wait_until(lambda: ticking.state["runs"] == 1, "the run")
    assert ticking.notes[-1] == "tick ended"
    assert "past_due=False" in ticking.notes[0]
    assert {**ticking.state, "runs": 0} == before


def test_a_run_on_startup_gets_the_platforms_payload(ticking: Ticking) -> None:
    ticking.start()
    path = ticking.data / "notes"
    wait_until(lambda: path.exists() and "yearly" in path.read_text(), "the run on startup")
    line = next(line for line in path.read_text().splitlines() if line.startswith("yearly"))
    assert line.endswith(" False {}")


def test_after_downtime_a_timer_runs_once_as_past_due(ticking: Ticking) -> None:
    ticking.start("0 0 * * * *")
    ticking.stop()
    status = json.loads((ticking.data / "timers" / "tick.json").read_text())
    assert datetime.fromisoformat(status["Next"]) > datetime.now(UTC)
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    missed = {"Last": hour - timedelta(hours=9), "Next": hour - timedelta(hours=8), "LastUpdated": hour}
    content = json.dumps({name: moment.isoformat() for name, moment in missed.items()})
    (ticking.data / "timers" / "tick.json").write_text(content)
    ticking.start("0 0 * * * *")
    wait_until(lambda: ticking.state["runs"] == 1, "the run that is past due")
    assert [line.split()[-1] for line in ticking.notes if "began" in line] == ["past_due=True"]
    ticking.start("0 0 * * * *")
    ticking.run_now()  # it comes after a run that is past due, if there were one
    wait_until(lambda: ticking.state["runs"] >= 1, "the run on demand")
    assert [line.split()[-1] for line in ticking.notes if "began" in line] == ["past_due=True", "past_due=False"]


def test_a_run_that_the_hosts_end_cut_short_is_past_due_at_the_next_start(ticking: Ticking) -> None:
    ticking.start("0 0 * * * *")
    ticking.stop()
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    moments = {"Last": hour - timedelta(hours=2), "Next": hour - timedelta(hours=1), "LastUpdated": hour}
    content = json.dumps({name: moment.isoformat() for name, moment in moments.items()})
    (ticking.data / "timers" / "tick.json").write_text(content)
    host = ticking.start("0 0 * * * *", SAMPLE_TICK_S="30")
    wait_until(lambda: bool(ticking.notes), "the run to begin")
    timer_process = int(ticking.notes[0].split()[2])
    host.kill()
    wait_until(lambda: not is_alive(timer_process), "the timer's process to end with its host")
    assert "tick ended" not in ticking.notes
    ticking.start("0 0 * * * *")
    wait_until(lambda: "tick ended" in ticking.notes, "the run that was cut short")
    assert ticking.notes[-2].endswith("past_due=True")


def test_a_timer_that_fails_is_logged_and_runs_again(ticking: Ticking) -> None:
    host = ticking.start("* * * * * *", SAMPLE_TICK="raise")
    wait_until(lambda: ticking.state["failures"] >= 2, "two failures")
    assert "Timer tick failed: RuntimeError('told to fail')" in host.log
    assert "in told" in host.log, "the traceback is to be there too"


def test_a_timer_whose_process_dies_is_logged_and_gets_another(ticking: Ticking) -> None:
    host = ticking.start(SAMPLE_TICK_S="60")
    ticking.run_now()
    wait_until(lambda: bool(ticking.notes), "the run to begin")
    first = int(ticking.notes[0].split()[2])
    os.kill(first, 9)
    wait_until(lambda: ticking.state["failures"] == 1, "the failure to be noticed")
    assert "its process ended before the run did" in host.log
    ticking.run_now()
    wait_until(lambda: len(ticking.notes) == 2, "the next run to begin")
    assert int(ticking.notes[1].split()[2]) != first


def test_a_run_that_goes_on_does_not_hold_up_the_hosts_end(ticking: Ticking) -> None:
    host = ticking.start(SAMPLE_TICK_S="60")
    ticking.run_now()
    wait_until(lambda: bool(ticking.notes), "the run to begin")
    timer_process = int(ticking.notes[0].split()[2])
    began = time.monotonic()
    assert host.stop() == 0
    assert time.monotonic() - began < 12
    assert not is_alive(timer_process)


def test_scoring_functions_and_timers_share_no_memory(ticking: Ticking) -> None:
    host = ticking.start()
    ticking.run_now()
    wait_until(lambda: ticking.state["runs"] == 1, "the run")
    seen = httpx.get(host.url + "/sync/x", headers={"x-functions-key": host.key}).json()
    assert str(seen["process"]) not in {line.split()[2] for line in ticking.notes if "began" in line}
