"""What clients were answered: checked for what holds of every answer, noted as records that the log must hold."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.fuzz.balance import Tally
from tests.platform import Platform, demo_rows

GOOD, _ = demo_rows("wine")[0]
ONE = json.dumps({"instances": [GOOD]}).encode()
SCORE = "/models/wine/score"
LABELS = "/models/wine/labels"
INFER = "/v2/models/wine/infer"
INVOKE = "/models/wine/invocations"
KINDS = {"application/json", "application/octet-stream"}


@dataclass
class Ledger:
    """The answers to hostile clients."""

    platform: Platform
    tally: Tally = field(default_factory=Tally)
    fuzzed: Tally = field(default_factory=Tally)  # answers to schemathesis, whose requests share ids with its labels
    labels: dict[str, int] = field(default_factory=dict)  # by request id
    ids: list[str] = field(default_factory=list)  # of instances

    def post(self, path: str, body: Any, **headers: Any) -> httpx.Response:
        """Post a body, check what holds for every answer, and note what the log must hold."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.note(path, self.platform.client.post(path, content=body, headers=named))

    def note(self, path: str, answer: httpx.Response) -> httpx.Response:
        """Check an answer and note it."""
        assert answer.status_code in {200, 400, 413}, (answer.status_code, answer.text[:200])
        assert answer.headers["content-type"] in KINDS
        assert self.platform.key.encode() not in answer.content
        assert b"Traceback" not in answer.content
        if answer.status_code != 200:
            assert list(answer.json()) == ["error"]
            assert len(answer.json()["error"]) < 400
        self.tally.note(path, answer.status_code, dict(answer.headers), answer.content)
        if answer.status_code == 200 and path == LABELS:
            self.labels[answer.headers["x-request-id"]] = len(answer.json()["results"])
        elif answer.status_code == 200:
            self.ids += ids_in(answer)
        return answer


def ids_in(answer: httpx.Response) -> list[str]:
    """The ids of the instances in an answer of any protocol, if it holds them."""
    if answer.headers["content-type"] != "application/json":
        return []
    content = answer.json()
    if "results" in content:
        return [result["id"] for result in content["results"]]
    return next((output["data"] for output in content["outputs"] if output["name"] == "instance_id"), [])


def expected_kinds(ledger: Ledger) -> dict[str, Counter[str]]:
    """Records by kind that the log must hold for each request id."""
    found = {request: Counter(counts) for request, counts in ledger.tally.expected.items()}
    for request, labels in ledger.labels.items():
        found.setdefault(request, Counter())["label"] += labels
    return found
