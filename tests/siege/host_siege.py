"""The function host under siege: HTTP clients before it, a hostile line and misfortunes behind it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from audit.connect import open_stores
from audit.layout import hour_of
from audit.reader import hours
from audit.seal import seal_hour
from audit.settings import from_environ
from audit.store import Store
from infra.local.azurite import Azurite
from infra.local.local_host import LocalHost
from tests.audit.hostile_line import HostileLine
from tests.siege.clients import Crowd
from tests.siege.ledger import Siege
from tests.siege.misfortunes import Misfortune, befall, misfortunes

# Less patience than by default, so that clients hear of more trouble.
PATIENCE = {
    "HYPERPLANE_APPEND_TIMEOUT_SECONDS": "1",
    "HYPERPLANE_GIVE_UP_SECONDS": "1",
    "HYPERPLANE_RESOLVE_SECONDS": "2",
}
_CALM_S = 30.0  # within which the host must take records again

Watch = Callable[[int, int], None]


@dataclass(frozen=True)
class Plan:
    """How long, how many, and how bad it is."""

    seconds: float
    clients: int = 16
    seed: int = 1
    trouble: float = 0.15  # of the calls to the storage


def besiege_host(azurite: Azurite, models: Path, folder: Path, plan: Plan, watch: Watch | None = None) -> Siege:
    """Run it; all hours are sealed afterwards. `watch` is told (requests, rows) twice a second."""
    environment = {"HYPERPLANE_STORAGE": azurite.connection_string, "HYPERPLANE_MODELS": str(models), **PATIENCE}
    log = open_stores(from_environ(environment)).log
    with HostileLine(azurite.port, plan.seed, plan.trouble) as line:
        behind = azurite.connection_string.replace(f":{azurite.port}/", f":{line.port}/")
        with LocalHost(env=environment | {"HYPERPLANE_STORAGE": behind}, data=folder) as host:
            crowd = Crowd(host.url, host.key, plan.clients, plan.seed)
            met = asyncio.run(_siege(crowd, line, lambda blow: _strike(blow, host, line, log), plan, watch))
        line.settle()
    seal_all(log)
    return Siege(crowd.sent, met, crowd.unexpected)


def seal_all(log: Store) -> None:
    """Close every blob, however its writer ended."""
    for hour in hours(log):
        seal_hour(log, hour)


def _strike(misfortune: Misfortune, host: LocalHost, line: HostileLine, log: Store) -> None:
    if misfortune.kind == "killed with -9":
        host.kill()
        time.sleep(misfortune.lasts_s)
        host.start()
    elif misfortune.kind == "storage away":
        line.cut_off()
        time.sleep(misfortune.lasts_s)
        line.restore()
    else:
        seal_hour(log, hour_of(time.time()))


async def _siege(
    crowd: Crowd, line: HostileLine, strike: Callable[[Misfortune], None], plan: Plan, watch: Watch | None
) -> dict[str, int]:
    began_s = time.monotonic()
    over = asyncio.Event()
    load = asyncio.create_task(crowd.run(over.is_set))
    blows = asyncio.create_task(befall(misfortunes(plan.seconds, plan.seed), strike, began_s))
    while time.monotonic() < began_s + plan.seconds or not blows.done():
        await asyncio.sleep(0.1)
        if watch:
            watch(len(crowd.sent), crowd.rows_sent)
    met = dict(line.met) | dict(await blows)
    line.trouble = 0.0
    calm_s = time.monotonic()
    while crowd.last_success_s < calm_s and time.monotonic() < calm_s + _CALM_S:
        await asyncio.sleep(0.05)
    over.set()
    await load
    if crowd.last_success_s < calm_s:
        crowd.unexpected.append(f"no record was taken within {_CALM_S:g} s after all was well again")
    return met
