"""What one challenger makes of a request that the champion has answered: its records, and nothing that is returned.

They hold the same instances under the same ids, request id and time as the champion's, with `role: "challenger"`, the
challenger's own version, bundle, runs and times. An instance that the challenger was not run on for lack of time has a
record without `x` and `run`: the champion's record of the same id holds the instance.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from audit.records import VERSION, Record, encode_record
from scoring.backlog import Waiting
from scoring.catalog import Served
from scoring.evidence import Call, score_lines
from scoring.inference import Run, infer
from scoring.judge import Judged
from scoring.low_priority import LowPriorityThread
from scoring.protocols.protocol import ScoreRequest
from scoring.score import Stopwatch


class Shadow(msgspec.Struct, frozen=True):
    """One challenger's records of one request."""

    lines: list[bytes]
    runs: Sequence[Run] = ()


def shadow(
    served: Served, waiting: Waiting, request: ScoreRequest, limit_s: float, runner: LowPriorityThread
) -> Shadow:
    """Judge, run and decide as for the champion, the run in a thread of its own. One that fails or is ended fails its
    instances."""
    watch = Stopwatch()
    judged = served.judged(request)
    watch.lap("judge")
    runs, us = runner.run(lambda: _infer(served, judged, limit_s))
    decisions = served.decider.decide(judged.verdicts, runs)
    call = challengers_call(served, waiting.call)
    return Shadow(score_lines(call, request, waiting.ids, judged.verdicts, decisions, watch.us | us), runs)


def failed(served: Served, waiting: Waiting, reason: Literal["model_error", "timeout"]) -> Shadow:
    """The records of instances that the challenger was not run on."""
    call, rows = challengers_call(served, waiting.call), len(waiting.ids)
    return Shadow([_line(call, instance_id, row, rows, reason) for row, instance_id in enumerate(waiting.ids)])


def challengers_call(served: Served, call: Call) -> Call:
    """The champion's call as one of this challenger."""
    return msgspec.structs.replace(
        call,
        version=served.version,
        bundle=served.bundle.sha256,
        champion=False,
        policies=served.policies,
        redactor=served.redactor,  # leaves out what the champion's does, too
    )


def _infer(served: Served, judged: Judged, limit_s: float) -> tuple[list[Run], dict[str, int]]:
    """The runs, and their time without that of changing threads."""
    watch = Stopwatch()
    runs = infer(served.model, judged, limit_s)
    watch.lap("infer")
    return runs, watch.us


def _line(call: Call, instance_id: str, row: int, rows: int, reason: str) -> bytes:
    return encode_record(
        Record(
            v=VERSION,
            kind="score",
            id=instance_id,
            ts=call.ts,
            model=call.model,
            writer=call.writer,
            request=call.request_id,
            row=row,
            rows=rows,
            version=call.version,
            bundle=call.bundle,
            role="challenger",
            outcome="failed",
            reasons=[reason],
        )
    )
