"""What clients were answered, and what the log holds of it: for each request id the same instances and errors.

instances + request errors = records of those kinds = sum of outcomes + request errors
"""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from audit.reader import records
from audit.store import Store

SCORING = ("/score", "/infer", "/invocations")


@dataclass
class Tally:
    """Answers by request id, counted as the records that they promise."""

    expected: dict[str, Counter[str]] = field(default_factory=dict)
    outcomes: Counter[str | None] = field(default_factory=Counter)

    def note(self, path: str, status: int, headers: dict[str, str], body: bytes) -> None:
        """Count one answer; routes that score nothing, and refusals that are no calls of a model, count nothing."""
        if not path.endswith(SCORING) or status not in {200, 400} or "x-request-id" not in headers:
            return
        noted = self.expected.setdefault(headers["x-request-id"], Counter())
        if status == 400:
            noted["request_error"] += 1
            return
        outcomes = outcomes_in(headers, body)
        noted["score"] += len(outcomes)
        self.outcomes.update(outcomes)

    def add(self, other: Tally) -> None:
        """Count what another has counted."""
        for request, counts in other.expected.items():
            self.expected.setdefault(request, Counter()).update(counts)
        self.outcomes.update(other.outcomes)

    @property
    def total(self) -> Counter[str]:
        """Records by kind, of all requests."""
        return sum(self.expected.values(), Counter())


def outcomes_in(headers: dict[str, str], body: bytes) -> list[str | None]:
    """The outcome of each instance in an answer; None where a client of the Open Inference Protocol did not ask."""
    length = headers.get("inference-header-content-length")
    answer: dict[str, Any] = json.loads(body[: int(length)] if length else body)
    if "results" in answer:
        return [result["outcome"] for result in answer["results"]]
    outputs = {output["name"]: output for output in answer["outputs"]}
    rows: int = answer["outputs"][0]["shape"][0]
    return list(outputs.get("outcome", {}).get("data") or [None] * rows)


def tally_of(archive: Path) -> Tally:
    """Every answer in an HTTP archive."""
    tally = Tally()
    for url, status, headers, body in _answers(archive):
        tally.note(urlsplit(url).path, status, headers, body)
    return tally


def recorded(log: Store, requests: dict[str, Any]) -> tuple[dict[str, Counter[str]], Counter[str]]:
    """Records by kind of each of these requests, and outcomes of all of them; challengers' records are beside them."""
    found: dict[str, Counter[str]] = {}
    outcomes: Counter[str] = Counter()
    for record, _ in records(log):
        mine = record.request in requests and record.kind in {"score", "request_error"}
        if mine and record.request is not None and record.role != "challenger":
            found.setdefault(record.request, Counter())[record.kind] += 1
            outcomes[record.outcome or record.kind] += 1
    return found, outcomes


def _answers(archive: Path) -> Iterator[tuple[str, int, dict[str, str], bytes]]:
    for entry in json.loads(archive.read_bytes())["log"]["entries"]:
        if entry["request"]["method"] == "POST":
            answer = entry["response"]
            headers = {header["name"].lower(): header["value"] for header in answer["headers"]}
            text, encoding = answer["content"].get("text", ""), answer["content"].get("encoding")
            body = base64.b64decode(text) if encoding == "base64" else text.encode()
            yield entry["request"]["url"], answer["status"], headers, body
