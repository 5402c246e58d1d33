"""Storage behind a line that loses, cuts, delays, repeats and refuses: what clients were told is what the log holds."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from infra.local.azurite import Azurite
from infra.local.local_host import LocalHost
from tests.audit.hostile_line import HostileLine
from tests.clients import Answers
from tests.platform import Platform
from tests.test_outages import check_log, score_on, settings

SECONDS = float(os.environ.get("HOSTILE_SECONDS", "14"))
SEED = int(os.environ.get("HOSTILE_SEED", "1"))
TROUBLE = float(os.environ.get("HOSTILE_TROUBLE", "0.25"))


def test_what_clients_were_told_is_what_the_log_holds_whatever_the_line_does(
    azurite_of_its_own: Azurite, demo_models: Path, tmp_path: Path
) -> None:
    direct = settings(azurite_of_its_own, demo_models)
    with HostileLine(azurite_of_its_own.port, SEED, TROUBLE) as line:
        straight = direct["HYPERPLANE_STORAGE"]
        behind = direct | {
            "HYPERPLANE_STORAGE": straight.replace(f":{azurite_of_its_own.port}/", f":{line.port}/"),
            "HYPERPLANE_APPEND_TIMEOUT_SECONDS": "1",
            "HYPERPLANE_RESOLVE_SECONDS": "2",
        }
        with LocalHost(env=behind, data=tmp_path / "host") as host:
            answers, calm_s = asyncio.run(load(Platform(host.url, host.key, direct), line))
            assert set(answers.statuses) <= {200, 503}
            assert answers.unanswered == 0
            assert answers.last_success_s > calm_s, "it did not go on once the line was good again"
    assert line.met.total() - line.met["pass"] > SECONDS / 2, f"the line was too good: {line.met}"
    assert len(answers.acknowledged) > 50
    check_log(Platform(host.url, host.key, direct), answers)
    print(dict(line.met), dict(answers.statuses), f"{len(answers.unknown)} unknown")


async def load(platform: Platform, line: HostileLine) -> tuple[Answers, float]:
    """Score for the whole time, the line being good for the last seconds; also since when it was."""
    scoring = asyncio.create_task(score_on(platform, SECONDS))
    await asyncio.sleep(SECONDS - 3)
    line.trouble = 0.0
    calm_s = time.monotonic()
    return await scoring, calm_s
