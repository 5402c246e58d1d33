"""The steps of scoring one row, each as a call of its own on the values that the step before gave it."""

from __future__ import annotations

import time
from collections.abc import Callable

from audit.ids import new_id
from audit.records import timestamp
from audit.writer import Receipt
from scoring.catalog import Served
from scoring.content import Content
from scoring.evidence import score_lines
from scoring.inference import infer
from scoring.protocols.protocol import Findings, Terms
from scoring.protocols.registry import PROTOCOLS
from scoring.score import Arrival, score_body

Repeated = Callable[[int], None]
_RECEIPTS = [Receipt("log/v1/2026/11/23/14/20261123T140506-3f9c2a71-0.jsonl", 12, "ab" * 32)]


def score_steps(served: Served, body: bytes) -> dict[str, Repeated]:
    """Steps by name, in the order of a request."""
    content, native, terms = Content(body, "application/json"), PROTOCOLS["native"], Terms(served.manifest, 1)
    scored = score_body(served, Arrival(content, time.time(), "request-1", "writer", 1, len(body)))
    instances, ids = scored.request.instances, ["instance-1"]
    judged = served.judge.judge(instances)
    runs = infer(served.model, judged)
    findings = Findings(served.manifest, None, "request-1", ids, scored.decisions, judged.verdicts)
    return {
        "decode": repeated(lambda: native.decode(content, terms)),
        "ids, time": repeated(lambda: (new_id(), new_id(), timestamp(1_795_000_000.5))),
        "judge": repeated(lambda: served.judge.judge(instances)),
        "infer": repeated(lambda: infer(served.model, judged)),
        "decide": repeated(lambda: served.decider.decide(judged.verdicts, runs)),
        "encode": repeated(lambda: native.encode(findings)),
        "records": repeated(
            lambda: score_lines(scored.call, scored.request, ids, judged.verdicts, scored.decisions, scored.us)
        ),
        "reply": repeated(lambda: scored.answer.reply(_RECEIPTS)),
    }


def repeated(step: Callable[[], object]) -> Repeated:
    """The step as many times as asked."""

    def call(times: int) -> None:
        for _ in range(times):
            step()

    return call
