"""One line of the process's log for each request: what an operator asks first, in a form that tools read as it is.

    {"function":"score","model":"credit","version":"1","protocol":"native","request_id":"…","status":200,
     "instances":3,"scored":2,"rejected":1,"decode_us":21,"judge_us":30,"infer_us":25,"encode_us":18,
     "log_wait_ms":8.2,"duration_ms":8.6,"bytes_in":812,"bytes_out":1204}

The message is one flat JSON object, because the Functions host carries nothing but a message's text into Application
Insights (https://github.com/Azure/azure-functions-python-worker/issues/788). The same fields stand in the log record
as attributes, `hyperplane.` before each name, where OpenTelemetry's handler finds them. A field that a request does not
have is left out.

Nothing in a line is a client's text: ids have passed their patterns, a model's name is one that is served, all other
words are ours. So no feature value, id of an instance, key, query or error text can be in one, and no line break.

The line must be written by the invocation, on its own thread: from other threads the worker of Python 3.13 loses lines
(https://github.com/Azure/azure-functions-python-worker/issues/1860).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import msgspec

LOGGER = "hyperplane.requests"
PREFIX = "hyperplane."
PROBES = frozenset(("live", "ready", "ping", "health", "model_ready", "version_ready"))  # functions

_BEFORE = (
    *("function", "model", "version", "protocol", "request_id", "trace_id"),
    *("status", "error", "reason", "instances"),
)
_OUTCOMES = ("scored", "abstained", "rejected", "failed", "recorded", "unmatched")
_STAGES = {stage: f"{stage}_us" for stage in ("start", "decode", "judge", "infer", "encode")}
FIELDS = (
    *_BEFORE,
    *_OUTCOMES,
    *_STAGES.values(),
    *("log_wait_ms", "duration_ms", "bytes_in", "bytes_out", "cold"),
)
_ATTRIBUTES = {name: PREFIX + name for name in FIELDS}

_logger = logging.getLogger(LOGGER)
_encoder = msgspec.json.Encoder()


class RequestFacts(msgspec.Struct):
    """What is known of a request so far; whoever learns a fact notes it, so that a failure keeps what came before."""

    function: str = ""
    request_id: str = ""
    trace_id: str | None = None
    bytes_in: int = 0
    model: str | None = None  # only one that is served
    version: str | None = None
    protocol: str | None = None
    instances: int | None = None  # or labels
    outcomes: Mapping[str, int] = {}  # instances, or labels, by outcome
    us: Mapping[str, int] = {}  # microseconds of each stage, as in the records
    log_wait_ms: float | None = None  # until the records were durable, or until that was given up
    cold: bool = False
    error: str | None = None  # the exception that an error's answer is made of
    reason: str | None = None  # of a body that is no request, in the log's fixed words
    status: int = 500
    duration_ms: float = 0.0
    bytes_out: int = 0


def log_request(facts: RequestFacts) -> None:
    """Write the line of a request that is answered; none for a probe that found all well."""
    if facts.function in PROBES and facts.status < 400:
        return
    level = level_of(facts)
    if _logger.isEnabledFor(level):
        fields = fields_of(facts)
        attributes = {_ATTRIBUTES[name]: value for name, value in fields.items()}
        # `_logger.log` does the same, but looks up the stack for a caller that is always this one.
        record = _logger.makeRecord(
            LOGGER, level, __file__, 0, message_of(fields), (), None, log_request.__name__, attributes
        )
        _logger.handle(record)


def level_of(facts: RequestFacts) -> int:
    """An error for what is ours to mend, a warning for what passes, information for all else.

    >>> level_of(RequestFacts("score", "r-1", status=503)) == logging.WARNING
    True
    """
    if facts.status == 503:
        return logging.WARNING
    return logging.ERROR if facts.status >= 500 or facts.outcomes.get("failed") else logging.INFO


def fields_of(facts: RequestFacts) -> dict[str, Any]:
    """The line's fields, flat, in the order of `FIELDS`; those that are absent, and counts of 0, left out."""
    fields = {name: value for name in _BEFORE if (value := getattr(facts, name)) is not None}
    if facts.outcomes:
        fields |= {outcome: count for outcome in _OUTCOMES if (count := facts.outcomes.get(outcome))}
    if facts.us:
        fields |= {name: facts.us[stage] for stage, name in _STAGES.items() if stage in facts.us}
    if facts.log_wait_ms is not None:
        fields["log_wait_ms"] = facts.log_wait_ms
    fields |= {"duration_ms": facts.duration_ms, "bytes_in": facts.bytes_in, "bytes_out": facts.bytes_out}
    if facts.cold:
        fields["cold"] = True
    return fields


def message_of(fields: Mapping[str, Any]) -> str:
    """The fields as one line of JSON in ASCII's printable characters.

    >>> message_of({"function": "score", "status": 200})
    '{"function":"score","status":200}'
    """
    return _encoder.encode(fields).decode()
