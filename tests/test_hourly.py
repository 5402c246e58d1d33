"""The timer, in a process of its own, past due and asked for: an hour of the past becomes a digest and a report."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from audit.connect import open_stores
from audit.digest_log import read_digest
from audit.known_ids import KnownIds
from audit.layout import hour_of
from audit.settings import from_environ
from audit.signing import LocalSigner, PublicKeys
from audit.store import Store
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


async def score_in_the_past(log: Store, models: Path) -> None:
    """Two requests scored two hours ago by a process that then died: its blob has no `close`."""

    def clock() -> float:
        return time.time() - TWO_HOURS_S

    writer = LogWriter(log, writer_id="20200101T000000-deadbeef", opening={"code": "test"}, clock=clock)
    service = Service(
        Catalog.load(models), writer, ScoringSettings(models=models), known_ids=KnownIds(log), clock=clock
    )
    for part in (demo_rows("wine")[:50], demo_rows("wine")[50:]):
        body = httpx.Request("POST", "http://local/", json={"instances": [row for row, _ in part]}).content
        await service.score("wine", None, Content(body))
    service.close()


def test_an_hour_that_is_over_is_sealed_compacted_profiled_and_reported(
    azurite: Azurite, demo_models: Path, tmp_path: Path, signing_key: Path
) -> None:
    environment = {
        "HYPERPLANE_STORAGE": azurite.connection_string,
        "HYPERPLANE_AUDIT_CONTAINER": "hourly-audit",
        "HYPERPLANE_DERIVED_CONTAINER": "hourly-derived",
        "HYPERPLANE_MODELS": str(demo_models),
    }
    hour = hour_of(time.time() - TWO_HOURS_S)
    asyncio.run(score_in_the_past(open_stores(from_environ(environment)).log, demo_models))
    miss_the_timer(tmp_path)
    with LocalHost(env=environment, data=tmp_path) as host:
        platform = Platform(host.url, host.key, environment)
        wait_for(lambda: runs(platform) == 1)
        assert "the hourly run is late" in host.log
        run_hourly(platform)  # it finds nothing to do and changes nothing
        (entry,) = platform.client.get("/models/wine/reports").json()["reports"]
        assert entry["calls"] == len(demo_rows("wine"))
        log, derived = platform.stores.log, platform.stores.derived
        audit = platform.client.get("/models/wine/reports/latest").json()["audit"]
        assert audit["integrity"]["blobs"]["verified"] == 1
        assert audit["integrity"]["digests"]["valid"] >= 1
        (blob,) = [info.name for info in log.list(f"log/v1/{hour}/")]
        assert b'"kind":"close"' in log.read(blob)[-600:]
        assert [info.name for info in derived.list("curated/model=wine/")]
        assert [info.name for info in derived.list("profiles/model=wine/")]
        keys = PublicKeys.of_pem(LocalSigner.of_file(signing_key).public_key_pem)
        assert not verify(log, keys=keys)
        check_digest(log, hour, signing_key, records=len(demo_rows("wine")))
        assert host.log.count(f'{{"event":"digest","hour":"{hour}"') == 1
        listed = platform.command("audit", "digests", "--json").stdout.splitlines()
        assert json.loads(listed[0])["hour"] == hour
        platform.close()


def check_digest(log: Store, hour: str, signing_key: Path, records: int) -> None:
    """The hour has a digest, signed by the key of the host's settings."""
    signed = read_digest(log, hour)
    assert signed is not None
    PublicKeys.of_pem(LocalSigner.of_file(signing_key).public_key_pem).check(
        signed.kid, signed.signed, signed.signature
    )
    assert [(blob.records, blob.closed) for blob in signed.digest.blobs] == [(records, True)]


def miss_the_timer(data: Path) -> None:
    """The host was down when the timer came due: it runs at the next start, past due."""
    due = datetime.fromtimestamp(time.time() - TWO_HOURS_S, UTC).replace(minute=5, second=0, microsecond=0)
    before = due - timedelta(hours=1)
    (data / "timers").mkdir()
    status = {"Last": before.isoformat(), "Next": due.isoformat(), "LastUpdated": before.isoformat()}
    (data / "timers" / "hourly.json").write_text(json.dumps(status))


def run_hourly(platform: Platform) -> None:
    """Run the timer now and wait until it has ended."""

    before = runs(platform)
    assert platform.client.post("/admin/functions/hourly", json={"input": ""}).status_code == 202
    wait_for(lambda: runs(platform) > before)


def runs(platform: Platform) -> int:
    """How often the timer has run since the host started; none of them failed."""
    timer = platform.client.get("/admin/host/status").json()["timers"]["hourly"]
    assert timer["failures"] == 0
    return int(timer["runs"])
