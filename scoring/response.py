"""What a client gets back for a scoring request, in the shape of the native route."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from audit.writer import Receipt
from scoring.bundle import Label
from scoring.outcome import Decision, Outcome
from scoring.verdict import Verdict

_encoder = msgspec.json.Encoder()


class Flags(msgspec.Struct, gc=False):
    """What was odd about an instance; each is empty when there is nothing to tell."""

    missing: list[str]
    artifacts: dict[str, list[str]]
    outside: dict[str, str]
    distance: float | None
    faults: dict[str, list[str]] | msgspec.UnsetType = msgspec.UNSET  # of a rejected one, where its reasons lie


class Result(msgspec.Struct, gc=False, kw_only=True):
    """One instance's result; only a scored one has a label (with probabilities or a score) or a value."""

    id: str
    outcome: Outcome
    label: Label | msgspec.UnsetType = msgspec.UNSET
    probabilities: dict[str, float] | msgspec.UnsetType = msgspec.UNSET
    score: float | msgspec.UnsetType = msgspec.UNSET
    value: float | msgspec.UnsetType = msgspec.UNSET
    reasons: list[str]
    flags: Flags


def results(ids: Sequence[str], decisions: Sequence[Decision], verdicts: Sequence[Verdict]) -> list[Result]:
    """The results of a request's instances, in its order."""
    return [
        _result(instance_id, decision, verdict)
        for instance_id, decision, verdict in zip(ids, decisions, verdicts, strict=True)
    ]


def encode_results(found: Sequence[Result]) -> bytes:
    """The JSON array of results."""
    return _encoder.encode(found)


def encode_body(head: Mapping[str, Any], encoded_results: bytes, receipts: Sequence[Receipt]) -> bytes:
    """The whole JSON: the head's fields, then the results as encoded before, then the receipts.

    Results are encoded before their records are written, so that `us.encode` can be in the records, and receipts come
    after; hence the splice.

    >>> encode_body({"model": "credit"}, b"[]", [])
    b'{"model":"credit","results":[],"receipt":[]}'
    """
    return b"".join(
        (_encoder.encode(head)[:-1], b',"results":', encoded_results, b',"receipt":', _encoder.encode(receipts), b"}")
    )


def _result(instance_id: str, decision: Decision, verdict: Verdict) -> Result:
    flags = Flags(
        verdict.missing, verdict.artifacts, verdict.outside, verdict.distance, verdict.faults or msgspec.UNSET
    )
    result = Result(id=instance_id, outcome=decision.outcome, reasons=decision.reasons, flags=flags)
    if decision.outcome == "scored" and decision.answer is not None:
        for name, value in decision.answer.items():
            setattr(result, name, value)
    return result
