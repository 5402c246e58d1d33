"""What clients were told about each record that they sent, and what each kind of answer promises."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal

from audit.appender import Receipt
from audit.records import Record

Told = Literal["acknowledged", "outcome unknown", "refused", "no answer", "never connected", "handed over"]


@dataclass(frozen=True)
class Promise:
    """How often a record may be in the log, at least and at most, and how a client tells this answer."""

    least: int
    most: int
    answer: str


PROMISES: dict[Told, Promise] = {
    "acknowledged": Promise(1, 1, "200, with a receipt"),
    "outcome unknown": Promise(0, 1, "503, worded so"),
    "refused": Promise(0, 0, "any other 503"),
    "no answer": Promise(0, 1, "the connection broke"),
    "never connected": Promise(0, 0, "the connection was refused"),
    "handed over": Promise(0, 1, "none: `commit_later`"),
}


_ANSWER = {"label", "probabilities", "score", "value"}


@dataclass(frozen=True, slots=True)
class Sent:
    """One request. `answers` are fingerprints of what came back for each id, where anything did."""

    ids: tuple[str, ...]
    told: Told
    wait_s: float
    receipts: tuple[Receipt, ...] = ()
    answers: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Siege:
    """What was sent, what was met on the way, and what came back that should never come."""

    sent: list[Sent]
    met: dict[str, int]
    unexpected: list[str]


def fingerprint_of_result(result: dict[str, Any]) -> bytes:
    """Of one instance in an answer of the native protocol: its outcome, reasons, flags and prediction."""
    answer = {name: value for name, value in result.items() if name in _ANSWER}
    return _fingerprint(result["outcome"], result["reasons"], result["flags"], answer)


def fingerprint_of_record(record: Record) -> bytes:
    """The same, of its record: equal if and only if the log says what the client was told."""
    flags = {name: flag for name, flag in record.flags.items() if name != "cluster"}
    return _fingerprint(record.outcome, record.reasons, flags, record.y if record.outcome == "scored" else {})


def _fingerprint(
    outcome: str | None, reasons: list[str], flags: dict[str, Any], answer: dict[str, Any] | None
) -> bytes:
    odd = {name: flag for name, flag in flags.items() if flag not in ([], {}, None)}
    text = json.dumps([outcome, reasons, odd, answer], sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=12).digest()
