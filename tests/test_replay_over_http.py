"""What clients were answered over HTTP is replayed from the storage by the command, bit for bit."""

from __future__ import annotations

import json
import random

import pytest

from tests.platform import Platform, demo_rows


@pytest.mark.parametrize("model", ["breast-cancer", "wine", "diabetes"])
def test_answers_over_http_are_replayed_from_the_log(platform: Platform, model: str) -> None:
    rows = [instance for instance, _ in demo_rows(model)]
    draw = random.Random(5)
    told: dict[str, object] = {}
    for size in (1, 3, 200, 700):
        ids = [f"{model}-replay-{size}-{place}" for place in range(size)]
        answer = platform.client.post(
            f"/models/{model}/score", json={"instances": draw.choices(rows, k=size), "ids": ids}
        ).json()
        told |= {one["id"]: one for one in answer["results"] if one["outcome"] == "scored"}
    chosen = draw.sample(sorted(told), 60)
    done = platform.command("scoring", "replay", *chosen, "--json")
    replays = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(one["id"] for one in replays) == sorted(chosen)
    assert {one["verdict"] for one in replays} == {"equal"}
    for one in replays:
        answer = told[one["id"]]
        assert isinstance(answer, dict)
        assert all(answer[name] == value for name, value in one["replayed"]["y"].items())
    sampled = platform.command("scoring", "replay", "--sample", "200", "--model", model, "--seed", "3")
    assert sampled.stderr.startswith("200 replayed: 200 equal; drawn from")
