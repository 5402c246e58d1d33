"""One process's start: requests that come too early wait, and a start that failed is told to each of them."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from audit.errors import Ambiguous, Unavailable
from audit.memory_store import MemoryStore
from audit.settings import SettingsError
from scoring.catalog import Catalog
from scoring.errors import NotStarted
from scoring.startup import Startup
from scoring.storage_check import StorageCheck
from scoring.watchdog import WATCHDOG
from tests.scoring.bundles import looping, manifest, regression, regressor_manifest, write_bundle
from tests.scoring.test_watchdog import until


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    write_bundle(tmp_path, manifest())
    return {"HYPERPLANE_STORAGE": "memory://", "HYPERPLANE_MODELS": str(tmp_path)}


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The models are not loaded before this is set."""
    go_on = threading.Event()
    load = Catalog.load

    def waiting(models: Path, redaction_key: bytes | None, run_timeout_s: float) -> Catalog:
        assert go_on.wait(20)
        return load(models, redaction_key, run_timeout_s)

    monkeypatch.setattr(Catalog, "load", waiting)
    yield go_on
    go_on.set()


def test_a_thread_that_computes_gives_the_interpreter_away_ten_times_as_soon_as_by_default(
    environ: dict[str, str],
) -> None:
    before_s = sys.getswitchinterval()
    try:
        sys.setswitchinterval(0.005)
        Startup(environ).close()
        assert sys.getswitchinterval() == pytest.approx(0.0005)
    finally:
        sys.setswitchinterval(before_s)


def test_requests_that_come_too_early_wait_and_one_that_gives_up_harms_no_other(
    environ: dict[str, str], held: threading.Event
) -> None:
    startup = Startup(environ)

    async def early() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(startup.service(), 0.01)
        waiting = asyncio.create_task(startup.service())
        await asyncio.sleep(0)
        held.set()
        assert (await asyncio.wait_for(waiting, 20)).ready().ready
        assert await startup.service() is await startup.service()

    asyncio.run(early())
    startup.close()


def test_a_start_that_failed_is_told_to_every_request_and_logged_once(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> Any:
        raise MemoryError("no room")

    monkeypatch.setattr(Catalog, "load", broken)
    startup = Startup(environ)
    for _ in range(2):
        with pytest.raises(NotStarted, match="the log of the process says why"):
            asyncio.run(startup.service())
    assert caplog.text.count("MemoryError: no room") == 1
    startup.close()


class Storage(MemoryStore):
    """A store that counts what it is asked, and can be down."""

    asked = 0
    problem: Exception | None = None

    def size(self, name: str) -> int:
        self.asked += 1
        if self.problem is not None:
            raise self.problem
        return super().size(name)


@pytest.mark.parametrize("problem", [Unavailable("down"), Ambiguous("lost"), SettingsError("HYPERPLANE_STORAGE: no")])
def test_the_storage_is_asked_at_most_once_in_a_while_and_its_return_is_seen_soon(problem: Exception) -> None:
    now, storage = [0.0], Storage()
    check = StorageCheck(storage, clock=lambda: now[0])
    assert [check.reachable() for _ in range(100)] == [True] * 100
    assert storage.asked == 1
    storage.problem = problem
    now[0] = 4.9
    assert check.reachable()
    now[0] = 5.1
    assert [check.reachable() for _ in range(100)] == [False] * 100
    assert storage.asked == 2
    storage.problem = None
    now[0] = 5.7
    assert check.reachable()


def test_readiness_sees_that_the_storage_is_down_though_nobody_sends_scores(environ: dict[str, str]) -> None:
    startup = Startup(environ)
    storage = Storage()
    startup._storage = StorageCheck(storage)
    storage.problem = Unavailable("https://account.blob.core.windows.net is down")
    state = asyncio.run(startup.readiness())
    assert (state.ready, state.problems) == (False, {"log": "the storage of the audit log cannot be reached"})
    startup.close()


def test_a_process_may_end_while_it_starts(environ: dict[str, str], held: threading.Event) -> None:
    startup = Startup(environ)
    startup.close()
    assert not startup._service.done(), "it waited for the models before it ended"


def test_a_process_that_ends_while_a_model_hangs_in_its_first_run_ends_that_run(tmp_path: Path) -> None:
    write_bundle(tmp_path / "models", regressor_manifest(), regression(2))
    write_bundle(tmp_path / "models", regressor_manifest(name="hangs"), looping(beyond=-1.0))
    startup = Startup({"HYPERPLANE_STORAGE": "memory://", "HYPERPLANE_MODELS": str(tmp_path / "models")})
    until(lambda: startup._loader.ident in [thread for _, _, thread in WATCHDOG._runs.values()])
    startup.close()
    assert not startup._loader.is_alive()


def test_a_missing_setting_stops_the_process_before_anything_is_started() -> None:
    with pytest.raises(SettingsError, match="HYPERPLANE_STORAGE is not set"):
        Startup({})
