"""Storage that goes away and a host that is killed, with 16 clients at work: nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from audit.reader import records
from audit.verify import verify
from infra.local.azurite import Azurite
from infra.local.local_host import LocalHost
from tests.clients import Answers, after, hammer
from tests.platform import Platform, demo_rows

CLIENTS = 16
OUTAGE_SECONDS = float(os.environ.get("OUTAGE_SECONDS", "24"))  # the whole test, at least some 20
DOWN_SECONDS = 4.0  # a shorter outage is waited out and no client hears of it


def logged_ids(platform: Platform) -> Counter[str]:
    return Counter(record.id for record, _ in records(platform.stores.log) if record.kind == "score")


def test_three_outages_of_the_storage_cost_some_503s_and_no_record(
    azurite_of_its_own: Azurite, demo_models: Path, tmp_path: Path
) -> None:
    environment = settings(azurite_of_its_own, demo_models)
    with LocalHost(env=environment, data=tmp_path / "host") as host:
        platform = Platform(host.url, host.key, environment)
        before = host.process
        answers, back = asyncio.run(load_with_outages(platform, azurite_of_its_own))
        assert answers.statuses[503] > 0, "the outages were not seen by any client"
        assert set(answers.statuses) == {200, 503}
        assert answers.unanswered == 0
        assert answers.last_success_s > back, "it did not go on by itself after the last outage"
        assert host.process == before, "the host was restarted"
    check_log(platform, answers)


async def load_with_outages(platform: Platform, azurite: Azurite) -> tuple[Answers, float]:
    """Score while the storage is stopped three times, for longer than a request waits; also when it was last back."""
    over = asyncio.Event()
    load = asyncio.create_task(score_until(platform, over.is_set))
    for _ in range(3):
        await asyncio.sleep(max(1.0, (OUTAGE_SECONDS - 3 * (DOWN_SECONDS + 1)) / 4))
        await asyncio.to_thread(azurite.stop)
        await asyncio.sleep(DOWN_SECONDS)
        await asyncio.to_thread(azurite.start)
        back = time.monotonic()
    await asyncio.sleep(max(2.0, (OUTAGE_SECONDS - 3 * (DOWN_SECONDS + 1)) / 4))
    over.set()
    return await load, back


def test_a_host_that_is_killed_under_load_has_logged_every_answer_once(
    azurite_of_its_own: Azurite, demo_models: Path, tmp_path: Path
) -> None:
    environment = settings(azurite_of_its_own, demo_models)
    with LocalHost(env=environment, data=tmp_path / "host") as host:
        platform = Platform(host.url, host.key, environment)
        answers = asyncio.run(load_with_kill(platform, host))
        assert answers.unanswered > 0, "no client noticed that the host was killed"
    assert len(answers.acknowledged) > 100
    check_log(platform, answers)


async def load_with_kill(platform: Platform, host: LocalHost) -> Answers:
    load = asyncio.create_task(score_on(platform, 6.0))
    await asyncio.sleep(4.0)
    await asyncio.to_thread(host.kill)
    return await load


async def score_on(platform: Platform, seconds: float) -> Answers:
    return await score_until(platform, after(seconds))


async def score_until(platform: Platform, until: Callable[[], bool]) -> Answers:
    instance, _ = demo_rows("wine")[0]
    return await hammer(platform.url, platform.key, "wine", instance, clients=CLIENTS, until=until)


def settings(azurite: Azurite, models: Path) -> dict[str, str]:
    return {"HYPERPLANE_STORAGE": azurite.connection_string, "HYPERPLANE_MODELS": str(models)}


def check_log(platform: Platform, answers: Answers) -> None:
    found = logged_ids(platform)
    counts = f"{len(answers.acknowledged)} acknowledged, {len(found)} ids logged, {len(answers.unknown)} unknown"
    print(f"{dict(answers.statuses)}, {answers.unanswered} connections broke; {counts}")
    twice = [name for name, count in found.items() if count > 1]
    lost = set(answers.acknowledged) - set(found)
    assert not lost, f"{len(lost)} acknowledged, not logged: {sorted(lost)[:5]}"
    assert not twice, f"{len(twice)} logged twice: {sorted(twice)[:5]}"
    refused = set(found) - set(answers.acknowledged) - set(answers.unknown)
    assert not refused, f"{len(refused)} logged though the client was told they were not: {sorted(refused)[:5]}"
    assert not verify(platform.stores.log)
