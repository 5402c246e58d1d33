"""A little real traffic for `make run`: the rows that each bundle keeps as its sample, sent as a client would.

Most go as they are, in batches of mixed sizes and one by one; one in twenty lacks a value, has one of a wrong type or
one far from what training had. Two thirds are then labelled with the truth that the sample holds. Last comes one
request of three rows, one good, one with a missing value, one with a wrong type. The draw is seeded by the model's
name: the same rows on every machine.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pandas as pd

BATCHES = (1, 1, 1, 5, 20, 50)
SPOILED_SHARE = 0.05
LABELLED_SHARE = 2 / 3


@dataclass
class Traffic:
    """What was sent to one model and what came back."""

    model: str
    version: str
    first: dict[str, Any]  # the first instance, unspoiled, for a curl line
    requests: int = 0
    labels: int = 0
    ids: list[str] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        outcomes = ", ".join(f"{count} {name}" for name, count in sorted(self.outcomes.items()))
        total = sum(self.outcomes.values())
        return f"{self.model}: {total} rows in {self.requests} requests ({outcomes}); {self.labels} labelled"


def send_sample(client: httpx.Client, bundle: Path) -> Traffic | None:
    """Score and label a bundle's sample over HTTP; None for a bundle that keeps none. Raises `httpx.HTTPError`."""
    if not (bundle / "sample.parquet").is_file():
        return None
    manifest = json.loads((bundle / "manifest.json").read_bytes())
    rows = sample_rows(bundle, manifest)
    traffic = Traffic(manifest["name"], manifest["version"], rows[0][0])
    draw = random.Random(traffic.model)  # noqa: S311  nothing secret
    truth_field = "value" if manifest["task"] == "regression" else "label"
    truths = []
    for batch in batches(rows, draw):
        ids = _score(
            client, traffic, [spoiled(row, draw) if draw.random() < SPOILED_SHARE else row for row, _ in batch]
        )
        known = [(name, truth) for name, (_, truth) in zip(ids, batch, strict=True) if draw.random() < LABELLED_SHARE]
        truths += [{"id": name, truth_field: truth} for name, truth in known]
    if truths:
        client.post(f"/models/{traffic.model}/labels", json={"labels": truths}).raise_for_status()
    traffic.labels = len(truths)
    _score(client, traffic, one_of_each(traffic.first, required_feature(manifest, traffic.first)))
    return traffic


def _score(client: httpx.Client, traffic: Traffic, instances: list[dict[str, Any]]) -> list[str]:
    answer = client.post(f"/models/{traffic.model}/score", json={"instances": instances}).raise_for_status().json()
    traffic.requests += 1
    traffic.outcomes.update(result["outcome"] for result in answer["results"])
    ids = [result["id"] for result in answer["results"]]
    traffic.ids += ids
    return ids


def sample_rows(bundle: Path, manifest: dict[str, Any]) -> list[tuple[dict[str, Any], Any]]:
    """(instance, truth) of each row of `sample.parquet`; a missing value is left out of its instance."""
    names = [feature["name"] for feature in manifest["features"]]
    frame = pd.read_parquet(bundle / "sample.parquet")
    table = json.loads(frame.to_json(orient="records", double_precision=15))
    return [
        ({name: row[name] for name in names if row[name] is not None}, row[manifest.get("target", "target")])
        for row in table
    ]


def batches(rows: list[Any], draw: random.Random) -> Iterator[list[Any]]:
    """The rows in parts of mixed sizes, the first a single row."""
    start, size = 0, 1
    while start < len(rows):
        yield rows[start : start + size]
        start += size
        size = draw.choice(BATCHES)


def required_feature(manifest: dict[str, Any], row: dict[str, Any]) -> str:
    """A feature of the row that was never missing in training, so that the model cannot do without; else its first."""
    never = [feature["name"] for feature in manifest["features"] if not feature.get("missing_in_training")]
    return next((name for name in never if name in row), next(iter(row)))


def one_of_each(row: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The row as it is, without the named value, and with one of a wrong type: a text, or a number for a text."""
    wrong = 0 if isinstance(row[name], str) else "n/a"
    return [row, {key: value for key, value in row.items() if key != name}, row | {name: wrong}]


def spoiled(row: dict[str, Any], draw: random.Random) -> dict[str, Any]:
    """The same row with one value missing, of a wrong type, or far from all that training had."""
    name = draw.choice(list(row))
    _, without, with_wrong_type = one_of_each(row, name)
    far = "nobody has ever seen this" if isinstance(row[name], str) else 1e12
    return draw.choice([without, with_wrong_type, row | {name: far}])
