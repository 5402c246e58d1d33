"""The heads of digests as a log elsewhere has them.

Whoever holds the storage and the signing key can write a whole log anew, and everything inside will agree. These do not
then: the head of a digest stands for its hour and for all before it. (`audit.receipts` are the other thing that is kept
outside.)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Set
from itertools import islice
from typing import Any, BinaryIO, TypeGuard

import msgspec

from audit.digest import DIGEST, digest_name
from audit.digest_log import digest_hours, stored_sha256
from audit.finding import Finding
from audit.given_lines import BadLine, given_lines
from audit.layout import hour_start_s
from audit.store import Store

LONGEST_LINE_BYTES = 1 << 20
WITNESSES_TOLD = 1_000
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_EXPECTED = 'the head of a digest ({"hour":"2026/11/23/14","sha256":"…"}), as the timer logs it'
_TOO_LONG = "give the timer's lines alone: grep digest"
_OBJECT = re.compile(rb"\{[^{}]*\}")  # the timer's line holds no other object
_OBJECTS_TRIED = 20  # of a line: texts in braces may stand in front
_ASKED_FOR = 100  # hours: each by itself, since there may be years of digests
_MARKS = {"event", "hour", "sha256"}  # of a line that the timer wrote
_QUOTED = ((b'""', b'"'), (b'\\"', b'"'))  # within CSV, and within a text of JSON


class Witness(msgspec.Struct, frozen=True):
    """The head of a digest as it was logged elsewhere."""

    hour: str
    sha256: str


def read_witnesses(file: BinaryIO) -> list[Witness]:
    """Heads of digests from JSON lines; lines of other events are passed over. Raises `BadLine`, also for none.

    What a log writes around its lines, a time or a level, may stand before and behind the JSON, which may be quoted as
    a cell of CSV or a text of JSON: so Application Insights gives it.
    """
    found: dict[Witness, None] = {}
    for number, line in given_lines(file, LONGEST_LINE_BYTES, _TOO_LONG):
        value = _object(number, line)
        if value.get("event", "digest") != "digest":
            continue
        hour, sha256 = value.get("hour"), value.get("sha256")
        if not isinstance(hour, str) or hour_start_s(hour) is None or not _is_hash(sha256):
            raise BadLine(f"line {number}: expected {_EXPECTED}")
        found[Witness(hour, sha256)] = None
    if not found:
        raise BadLine(f"nothing in it; expected JSON lines, each {_EXPECTED}")
    return list(found)


def check_witnesses(store: Store, witnesses: Iterable[Witness]) -> Iterator[Finding]:
    """Every head that is not that of the digest stored here, up to a thousand. Raises `Unavailable`."""
    heads: dict[str, set[str]] = {}
    for witness in witnesses:
        heads.setdefault(witness.hour, set()).add(witness.sha256)
    wrong = _wrong(store, heads)
    yield from islice(wrong, WITNESSES_TOLD)
    left = sum(1 for _ in wrong)
    if left:
        more = f"{left + WITNESSES_TOLD:,} heads that witnesses saw are not here; the first {WITNESSES_TOLD:,} are told"
        yield Finding(DIGEST, "witness", more)


def _wrong(store: Store, heads: dict[str, set[str]]) -> Iterator[Finding]:
    there = _there(store, heads.keys())
    for hour in sorted(heads):
        stored = stored_sha256(store, hour) if hour in there else None
        has = "it is not there" if stored is None else f"the one here has {stored}"
        for seen in sorted(heads[hour] - {stored}):
            detail = f"a witness outside the container saw it with the SHA-256 {seen}; {has}"
            yield Finding(digest_name(hour), "witness", detail)


def _there(store: Store, hours: Set[str]) -> Set[str]:
    """Hours whose digest is to be read: all, or those there are if so many are named that a listing is cheaper."""
    return hours if len(hours) <= _ASKED_FOR else hours & set(digest_hours(store))


def _object(number: int, line: bytes) -> dict[str, Any]:
    """The JSON object of a line: the first that a witness may be, else the first of all."""
    found = [value for text in islice(_texts(line), _OBJECTS_TRIED) if isinstance(value := _parsed(text), dict)]
    if not found:
        raise BadLine(f"line {number} is no JSON object, with or without text around it; expected {_EXPECTED}")
    return next((value for value in found if not _MARKS.isdisjoint(value)), found[0])


def _texts(line: bytes) -> Iterator[bytes]:
    """What may be the object: the line itself, then whatever stands in braces, also if its quotes are quoted."""
    if line.startswith(b"{"):
        yield line
    for match in _OBJECT.finditer(line):
        yield match[0]
        for quoted, plain in _QUOTED:
            if quoted in match[0]:
                yield match[0].replace(quoted, plain)


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_hash(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and _HASH.fullmatch(value) is not None
