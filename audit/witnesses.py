"""What was kept outside the container: the receipts of clients, and the heads of digests in a log elsewhere.

Whoever holds the storage and the signing key can write a whole log anew, and everything inside will agree. These do not
then: a receipt names a frame's head, and the head of a digest stands for its hour and for all before it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeGuard

import msgspec

from audit.appender import Receipt
from audit.digest import digest_name
from audit.digest_log import stored_sha256
from audit.finding import Finding
from audit.layout import hour_start_s
from audit.store import Store

_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_RECEIPTS = "a receipt (blob, sequence, head), or an answer of the API with its `receipt`"
_HEADS = 'the head of a digest ({"hour":"2026/11/23/14","sha256":"…"}), as the timer logs it'


class BadWitness(ValueError):
    """A line of a witness that cannot be read; the message names the line and what is expected."""


class Witness(msgspec.Struct, frozen=True):
    """The head of a digest as it was logged elsewhere."""

    hour: str
    sha256: str


def read_receipts(lines: Iterable[bytes]) -> list[Receipt]:
    """Receipts from JSON lines. Raises `BadWitness`, also when there are none."""
    found = [receipt for number, value in _objects(lines, _RECEIPTS) for receipt in _receipts(number, value)]
    if not found:
        raise BadWitness(f"nothing in it; expected JSON lines, each {_RECEIPTS}")
    return found


def read_witnesses(lines: Iterable[bytes]) -> list[Witness]:
    """Heads of digests from JSON lines; lines of other events are passed over. Raises `BadWitness`, also for none.

    What a log writes in front of its lines, a time or a level, may stand before the JSON.
    """
    found = []
    for number, value in _objects((line[max(line.find(b"{"), 0) :] for line in lines), _HEADS):
        if value.get("event", "digest") != "digest":
            continue
        hour, sha256 = value.get("hour"), value.get("sha256")
        if not isinstance(hour, str) or hour_start_s(hour) is None or not _is_hash(sha256):
            raise BadWitness(f"line {number}: expected {_HEADS}")
        found.append(Witness(hour, sha256))
    if not found:
        raise BadWitness(f"nothing in it; expected JSON lines, each {_HEADS}")
    return found


def check_witnesses(store: Store, witnesses: Iterable[Witness]) -> Iterator[Finding]:
    """Every head that is not that of the digest stored here. Raises `Unavailable`."""
    for witness in sorted(set(witnesses), key=lambda one: (one.hour, one.sha256)):
        stored = stored_sha256(store, witness.hour)
        if stored != witness.sha256:
            has = "it is not there" if stored is None else f"the one here has {stored}"
            detail = f"a witness outside the container saw it with the SHA-256 {witness.sha256}; {has}"
            yield Finding(digest_name(witness.hour), "witness", detail)


def _objects(lines: Iterable[bytes], expected: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            raise BadWitness(f"line {number} is no JSON; expected {expected}") from None
        if not isinstance(value, dict):
            raise BadWitness(f"line {number} is no JSON object; expected {expected}")
        yield number, value


def _receipts(number: int, value: dict[str, Any]) -> Iterator[Receipt]:
    """One receipt, or those of an answer: `receipt`, in Open Inference's a text of JSON among its `parameters`."""
    listed = value.get("receipt", value)
    parameters = value.get("parameters")
    if isinstance(parameters, dict) and isinstance(parameters.get("receipt"), str):
        listed = _parsed(parameters["receipt"])
    for one in listed if isinstance(listed, list) else [listed]:
        try:
            receipt = msgspec.convert(one, Receipt)
        except msgspec.ValidationError as problem:
            raise BadWitness(f"line {number}: {problem}; expected {_RECEIPTS}") from None
        if not _is_hash(receipt.head) or receipt.sequence < 0:
            raise BadWitness(f"line {number}: no receipt has such a head or sequence; expected {_RECEIPTS}")
        yield receipt


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _is_hash(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and _HASH.fullmatch(value) is not None
