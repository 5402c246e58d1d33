"""The records of a request as lines of the log: one for each instance, or one for a body that was no request."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from audit.ids import new_id
from audit.records import VERSION, Record, encode_record
from scoring.errors import BadRequest
from scoring.outcome import Decision
from scoring.protocols.protocol import ScoreRequest
from scoring.storable import escape_surrogates, storable
from scoring.verdict import Verdict


class Call(msgspec.Struct, frozen=True):
    """What all records of a request have in common."""

    model: str
    version: str
    bundle: str  # SHA-256 of the manifest
    champion: bool
    request_id: str
    ts: str
    writer: str


def score_lines(
    call: Call,
    request: ScoreRequest,
    ids: Sequence[str],
    verdicts: Sequence[Verdict],
    decisions: Sequence[Decision],
    us: dict[str, int],
) -> list[bytes]:
    """A line for each instance, in the order of the request."""
    cold = "start" in us
    return [
        encode_record(
            Record(
                v=VERSION,
                kind="score",
                id=ids[row],
                ts=call.ts,
                model=call.model,
                writer=call.writer,
                request=call.request_id,
                row=row,
                rows=len(ids),
                run=decision.run,
                version=call.version,
                bundle=call.bundle,
                role="champion" if call.champion else "challenger",
                outcome=decision.outcome,
                reasons=decision.reasons,
                flags=_flags(verdict),
                x=instance if verdict.clean and request.plain else storable(instance),
                y=decision.answer,
                us=us,
                cold=cold,
            )
        )
        for row, (instance, verdict, decision) in enumerate(zip(request.instances, verdicts, decisions, strict=True))
    ]


def request_error_line(call: Call, body: bytes, problem: BadRequest, us: dict[str, int]) -> bytes:
    """The line for a body that could not be read; its bytes are not kept, only their size and hash."""
    return encode_record(
        Record(
            v=VERSION,
            kind="request_error",
            id=new_id(),
            ts=call.ts,
            model=call.model,
            writer=call.writer,
            request=call.request_id,
            version=call.version,
            reasons=[problem.reason],
            x={
                "size": len(body),
                "sha256": hashlib.sha256(body).hexdigest(),
                "message": escape_surrogates(str(problem)),
            },
            us=us,
        )
    )


def _flags(verdict: Verdict) -> dict[str, Any]:
    flags: dict[str, Any] = {}
    if verdict.missing:
        flags["missing"] = verdict.missing
    if verdict.artifacts:
        flags["artifacts"] = verdict.artifacts
    if verdict.outside:
        flags["outside"] = verdict.outside
    if verdict.distance is not None:
        flags["distance"], flags["cluster"] = verdict.distance, verdict.cluster
    return flags
