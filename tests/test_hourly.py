"""The timer, run through the host's admin endpoint in a process of its own: an hour of the past becomes a report."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from audit.known_ids import KnownIds
from audit.layout import hour_of
from audit.verify import verify
from audit.writer import LogWriter
from infra.local.azurite import Azurite
from infra.local.local_host import LocalHost
from scoring.catalog import Catalog
from scoring.content import Content
from scoring.service import Service
from scoring.settings import ScoringSettings
from tests.platform import Platform, demo_rows

TWO_HOURS_S = 7200.0


def wait_for[T](what: Callable[[], T | None], seconds: float = 60.0) -> T:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.1)
    raise AssertionError("it did not come to pass")


async def score_in_the_past(platform: Platform, models: Path) -> None:
    """Two requests scored two hours ago by a process that then died: its blob has no `close`."""

    def clock() -> float:
        return time.time() - TWO_HOURS_S

    log = platform.stores.log
    writer = LogWriter(log, writer_id="20200101T000000-deadbeef", opening={"code": "test"}, clock=clock)
    service = Service(
        Catalog.load(models), writer, ScoringSettings(models=models), known_ids=KnownIds(log), clock=clock
    )
    for part in (demo_rows("wine")[:50], demo_rows("wine")[50:]):
        body = httpx.Request("POST", "http://local/", json={"instances": [row for row, _ in part]}).content
        await service.score("wine", None, Content(body))
    service.close()


def test_an_hour_that_is_over_is_sealed_compacted_profiled_and_reported(
    azurite: Azurite, demo_models: Path, tmp_path: Path
) -> None:
    environment = {
        "HYPERPLANE_STORAGE": azurite.connection_string,
        "HYPERPLANE_AUDIT_CONTAINER": "hourly-audit",
        "HYPERPLANE_DERIVED_CONTAINER": "hourly-derived",
        "HYPERPLANE_MODELS": str(demo_models),
    }
    hour = hour_of(time.time() - TWO_HOURS_S)
    with LocalHost(env=environment, data=tmp_path) as host:
        platform = Platform(host.url, host.key, environment)
        asyncio.run(score_in_the_past(platform, demo_models))
        assert platform.client.get("/models/wine/reports").json()["reports"] == []
        for _ in range(2):  # the second run finds nothing to do and changes nothing
            run_hourly(platform)
        (entry,) = platform.client.get("/models/wine/reports").json()["reports"]
        assert entry["calls"] == len(demo_rows("wine"))
        log, derived = platform.stores.log, platform.stores.derived
        (blob,) = [info.name for info in log.list(f"log/v1/{hour}/")]
        assert b'"kind":"close"' in log.read(blob)[-600:]
        assert [info.name for info in derived.list("curated/model=wine/")]
        assert [info.name for info in derived.list("profiles/model=wine/")]
        assert not verify(log)
        platform.close()


def run_hourly(platform: Platform) -> None:
    """Run the timer now and wait until it has ended."""

    def runs() -> int:
        timers = platform.client.get("/admin/host/status").json()["timers"]
        return int(timers["hourly"]["runs"])

    before = runs()
    assert platform.client.post("/admin/functions/hourly", json={"input": ""}).status_code == 202
    wait_for(lambda: runs() > before)
    assert platform.client.get("/admin/host/status").json()["timers"]["hourly"]["failures"] == 0
