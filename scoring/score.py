"""From a body to results and records, in one thread and without waiting for anything.

    decode -> judge -> infer -> decide and encode -> records

`scoring.service` decides in which thread this runs and commits the records. Stages are timed in microseconds, and the
times go into the records themselves; the time to write the records is thus in none of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from audit.ids import new_id
from audit.records import timestamp
from scoring.catalog import Served
from scoring.content import Content
from scoring.content_coding import decoded
from scoring.errors import BadRequest
from scoring.evidence import Call, request_error_line, score_lines
from scoring.fields import usable_id
from scoring.inference import Run, infer
from scoring.outcome import Decision
from scoring.process_start import process_age_s
from scoring.protocols.protocol import Answer, Findings, ScoreRequest, Terms
from scoring.protocols.registry import PROTOCOLS, ProtocolName


class Arrival(msgspec.Struct, frozen=True):
    """A body as it came in, and what is known besides."""

    content: Content
    received_s: float  # Unix time
    request_id: str | None  # of the header x-request-id; the body's own has precedence
    writer_id: str
    max_instances: int
    max_body_bytes: int  # of the body, and of what it is when decompressed
    cold: bool = False  # the first of its process


class Scored(msgspec.Struct, frozen=True):
    """Everything but the receipts."""

    call: Call
    request: ScoreRequest
    ids: list[str]
    decisions: list[Decision]
    answer: Answer
    lines: list[bytes]
    size_bytes: int  # of the lines, each with its end
    us: dict[str, int]  # microseconds of each stage, as in the records
    runs: list[Run]


class Refused(Exception):
    """A body that is no request: the client's error, and the record to make durable before the client hears of it."""

    def __init__(self, problem: BadRequest, line: bytes, us: dict[str, int]) -> None:
        super().__init__(str(problem))
        self.problem = problem
        self.line = line
        self.us = us


def score_body(
    served: Served, arrival: Arrival, protocol: ProtocolName = "native", limit_s: float | None = None
) -> Scored:
    """Score every instance in a body; raises `Refused` if it is no request, `BodyTooLarge` if it is a large one
    compressed. `limit_s`: for the model, by default what serving.toml says."""
    watch, speaks = Stopwatch(), PROTOCOLS[protocol]
    try:
        content = decoded(arrival.content, arrival.max_body_bytes)
        request = speaks.decode(content, Terms(served.manifest, arrival.max_instances))
    except BadRequest as problem:
        watch.lap("decode")
        line = request_error_line(_call(served, arrival, None), arrival.content.body, problem, watch.us)
        raise Refused(problem, line, watch.us) from problem
    call = _call(served, arrival, request.request_id)
    ids = request.ids or [new_id() for _ in request.instances]
    watch.lap("decode")
    judged = served.judged(request)
    watch.lap("judge")
    runs = infer(served.model, judged, limit_s)
    watch.lap("infer")
    decisions = served.decider.decide(judged.verdicts, runs)
    findings = Findings(served.manifest, request.wishes, call.request_id, ids, decisions, judged.verdicts)
    answer = speaks.encode(findings)
    watch.lap("encode")
    if arrival.cold:
        watch.us["start"] = round(process_age_s() * 1e6)
    lines = score_lines(call, request, ids, judged.verdicts, decisions, watch.us)
    size_bytes = sum(map(len, lines)) + len(lines)
    return Scored(call, request, ids, decisions, answer, lines, size_bytes, watch.us, runs)


class Stopwatch:
    """Microseconds of each stage since the one before.

    >>> ticks = iter([0, 5_000, 7_500])
    >>> watch = Stopwatch(lambda: next(ticks))
    >>> watch.lap("decode"); watch.lap("judge"); watch.us
    {'decode': 5, 'judge': 2}
    """

    def __init__(self, clock_ns: Callable[[], int] = time.perf_counter_ns) -> None:
        self.us: dict[str, int] = {}
        self._clock_ns = clock_ns
        self._last_ns = clock_ns()

    def lap(self, stage: str) -> None:
        """End a stage."""
        now_ns = self._clock_ns()
        self.us[stage] = (now_ns - self._last_ns) // 1000
        self._last_ns = now_ns


def _call(served: Served, arrival: Arrival, own_id: str | None) -> Call:
    return Call(
        model=served.name,
        version=served.version,
        bundle=served.bundle.sha256,
        champion=served.champion,
        request_id=own_id or usable_id(arrival.request_id),
        ts=timestamp(arrival.received_s),
        writer=arrival.writer_id,
        policies=served.policies,
        redactor=served.redactor,
    )
