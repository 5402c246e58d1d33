"""What clients were answered over HTTP is replayed from the storage by the command, bit for bit."""

from __future__ import annotations

import json
import random
from typing import Any

from tests.platform import DEMO_MODELS, Platform, demo_rows


def test_answers_over_http_are_replayed_from_the_log(platform: Platform) -> None:
    draw = random.Random(5)
    told: dict[str, dict[str, Any]] = {}
    for model in DEMO_MODELS:
        rows = [instance for instance, _ in demo_rows(model)]
        for size in (1, 3, 200, 700):
            ids = [f"{model}-replay-{size}-{place}" for place in range(size)]
            body = {"instances": draw.choices(rows, k=size), "ids": ids}
            answer = platform.client.post(f"/models/{model}/score", json=body).json()
            told |= {one["id"]: one for one in answer["results"] if one["outcome"] == "scored"}
    done = platform.command("scoring", "replay", "--sample", "2000", "--since", "10m", "--seed", "3", "--json")
    replays = [json.loads(line) for line in done.stdout.splitlines()]
    assert {one["verdict"] for one in replays} == {"equal"}
    assert done.stderr.startswith("2,000 replayed: 2,000 equal; drawn from"), done.stderr
    ours = [one for one in replays if one["id"] in told]
    assert {one["model"] for one in ours} == set(DEMO_MODELS)
    for one in ours:
        assert all(told[one["id"]][name] == value for name, value in one["replayed"]["y"].items())
