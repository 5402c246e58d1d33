"""One record: the unit of evidence. The log is a sequence of these, one JSON line each.

Fields that a kind does not use are left out of the line. Version 1 of the format:

| field | kinds | what |
|---|---|---|
| `v` | all | 1 |
| `kind` | all | `score`, `request_error`, `label`, `note` |
| `id` | all | the instance's id; for `request_error` an id of its own |
| `ts` | all | server time, RFC 3339 in UTC with microseconds: `2026-11-23T14:05:06.123456Z` |
| `request` | all | request id; a batch's records share it; a note that a command wrote has none |
| `row` | score, label | position in the request, from 0 |
| `rows` | score, label | number of instances in the request |
| `run` | score | `[run id, position in it, its size]`; absent when the model was not run on this instance |
| `model`, `version` | all | names; a label and a note have no version |
| `bundle` | score | SHA-256 of the bundle's manifest, which holds the hashes of its other files |
| `policies` | score | 16 hex digits, by which policies beside the bundle's it was judged; absent without any |
| `role` | score | `champion` or `challenger` |
| `outcome` | score | `scored`, `abstained`, `rejected`, `failed` |
| `outcome` | label | `recorded`, `unmatched` (no such instance known yet), `rejected` (never counts) |
| `reasons` | score, label, request_error | why, in the fixed words of the API |
| `flags` | score | `missing`, `artifacts`, `outside`, `faults`, `distance`, `cluster` as in the API, none empty |
| `x` | score | the instance as received; numbers that JSON cannot hold are "NaN", "Infinity", "-Infinity" |
| | | no `x` in a challenger's record of what it was not run on, for lack of time: the champion's record has it |
| `x` | request_error | `size` and `sha256` of the body, and `message`, what the client was told; redacted: `size` |
| `redacted` | score, request_error | what `x` does not hold in clear: names of features, `*` for the rest; see below |
| `y` | score | `{"label", "probabilities"}`, `{"label", "score"}` or `{"value"}` |
| `y` | label | `{"label"}` or `{"value"}`, and `ts`, when the truth was known, if the client said so |
| `y` | note | `{"verdict", "author"}`, and `comment` if there is one; see audit/notes.py |
| `us` | score, request_error | microseconds of each stage: `decode`, `judge`, `infer`, `encode`; cold also `start` |
| `cold` | score | true in the first request of a process; `us.start` is then process start to encoded results |
| `writer` | all | the process that wrote it |

The `open` frame of a writer's blobs holds the policies themselves, as JSON under `policies/{model}/{16 digits}`, which
are the first of the JSON's SHA-256. A redacted value is left out of `x`, or stands there as `{"hmac": 64 hex digits,
"key": the first 8 hex digits of the SHA-256 of the HMAC's key}`; null is null.
"""

from __future__ import annotations

import functools
import math
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

Kind = Literal["score", "request_error", "label", "note"]
VERSION = 1
WHOLE_INSTANCE = "*"  # in the place of a feature's name, in `flags` and `redacted`


class Record(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One JSON line of the log. Fields that are null or empty are left out; audit/records.py tells of each."""

    v: int
    kind: Kind
    id: str
    ts: str
    model: str
    writer: str
    request: str | None = None
    row: int | None = None
    rows: int | None = None
    run: tuple[str, int, int] | None = None
    version: str | None = None
    bundle: str | None = None
    policies: str | None = None
    role: Literal["champion", "challenger"] | None = None
    outcome: str | None = None
    reasons: list[str] = []
    flags: dict[str, Any] = {}
    x: Any = None
    redacted: list[str] = []
    y: dict[str, Any] | None = None
    us: dict[str, int] = {}
    cold: bool = False


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Record)


def encode_record(record: Record) -> bytes:
    """The record as one JSON line without its newline. `x` must hold no NaN or infinity: msgspec writes null."""
    return _encoder.encode(record)


def encoded_text(text: str) -> bytes:
    """A text as it stands in a line that `encode_record` wrote; for what is no Unicode, bytes that no line holds.

    >>> encoded_text("ü"), encoded_text("\\udc80")
    (b'"\\xc3\\xbc"', b'\\xff')
    """
    try:
        return _encoder.encode(text)
    except UnicodeEncodeError:  # half a surrogate pair, as a terminal's stray bytes become
        return b"\xff"


def decode_record(line: bytes) -> Record:
    """The record in a line of the log; raises `msgspec.DecodeError` (or its subclass `ValidationError`)."""
    return _decoder.decode(line)


def timestamp(unix_s: float) -> str:
    """Unix seconds as the `ts` text, always with six decimals so that texts sort as times do.

    >>> timestamp(0)
    '1970-01-01T00:00:00.000000Z'
    """
    second = math.floor(unix_s)
    microseconds = round((unix_s - second) * 1e6)
    if microseconds == 1_000_000:
        second, microseconds = second + 1, 0
    return f"{_second_text(second)}.{microseconds:06}Z"


@functools.lru_cache(maxsize=4)
def _second_text(unix_s: int) -> str:
    """A whole second; the records of one second, thousands on a busy day, write it once."""
    return datetime.fromtimestamp(unix_s, UTC).replace(tzinfo=None).isoformat()


def unix_s(ts: str) -> float:
    """The inverse of `timestamp`.

    >>> unix_s("1970-01-01T00:00:01.500000Z")
    1.5
    """
    return datetime.fromisoformat(ts).timestamp()
