"""A recorded instance, back to what was judged: the inverse of `scoring.storable` for instances that were run.

| stored | received |
|---|---|
| "NaN" in a feature that the record's flags call missing | NaN, or a text that means missing: the same to the model |
| escapes of surrogates in a feature with the artifact `lone_surrogate` | lone surrogates: no known text has any |
| anything else | itself: a JSON number is read to the very double it was written from |

Infinities, texts over 1,024 characters and instances over 256 KiB are never run, so they need no way back. What comes
out is judged once more by the same code as at first, `scoring.judge`, and must be judged the same: `judged_otherwise`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from audit.records import Record
from scoring.artifacts import LONE_SURROGATE
from scoring.bundle import Manifest
from scoring.json_body import DEPTH, depth
from scoring.judge import Judge, Judged
from scoring.replay_result import CannotReplay
from scoring.verdict import Verdict

_NAN = "NaN"
_SHOWN = 10
_ESCAPE = re.compile(r"\\u(d[89a-f][0-9a-f]{2})")
_AS_STORED = re.compile(rf"{_ESCAPE.pattern}|… \(\d+ characters\)$")  # keys that `storable` may have made of others


class _Flags(msgspec.Struct):
    """What a record says of its instance, as far as it matters here."""

    missing: list[str] = []
    artifacts: dict[str, list[str]] = {}
    outside: dict[str, str] = {}


def judged_again(records: Sequence[Record], manifest: Manifest, judge: Judge) -> Judged:
    """The matrix of a run, rebuilt from the records of its rows in their order; raises `CannotReplay`."""
    judged = judge.judge([restored(record, manifest) for record in records])
    for record, verdict in zip(records, judged.verdicts, strict=True):
        _check_verdict(record, verdict)
    return judged


def check_redaction(record: Record, manifest: Manifest) -> None:
    """`CannotReplay` if the record does not hold in clear a feature that the model saw."""
    redacted = set(record.redacted)
    hidden = [feature.name for feature in manifest.features if feature.name in redacted]
    if hidden:
        named = ", ".join(hidden[:_SHOWN]) + (f" and {len(hidden) - _SHOWN} more" if len(hidden) > _SHOWN else "")
        raise CannotReplay("redacted", f"The log does not hold in clear what the model saw: {named}.", hidden)


def restored(record: Record, manifest: Manifest) -> dict[str, Any]:
    """The instance that was judged; raises `CannotReplay` if the record does not hold all of it."""
    check_redaction(record, manifest)
    x = record.x
    if type(x) is not dict:
        raise CannotReplay("input_cut", f"The record of row {record.row} does not hold the instance.")
    if depth(x) > DEPTH:
        raise _otherwise(record, f"its instance is nested deeper than {DEPTH} levels, which no request may be")
    flags, found = _flags(record), dict(x)
    for name in (feature.name for feature in manifest.features if feature.name in x):
        found[name] = _value(x[name], name in flags.missing, LONE_SURROGATE in flags.artifacts.get(name, ()))
        if type(found[name]) is dict or (manifest.criteria.extra_features == "ignore" and _AS_STORED.search(name)):
            raise CannotReplay("input_cut", f"The record of row {record.row} does not hold feature {name} whole.")
    return found


def _value(stored: Any, is_missing: bool, has_surrogate: bool) -> Any:
    if type(stored) is not str:
        return stored
    if is_missing and stored == _NAN:
        return math.nan
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), stored) if has_surrogate else stored


def _check_verdict(record: Record, verdict: Verdict) -> None:
    flags = _flags(record)
    if verdict.outcome is not None:
        raise _otherwise(record, f"{verdict.outcome} for {', '.join(verdict.reasons)}, while the model was run on it")
    for name in ("missing", "outside"):
        now, then = getattr(verdict, name), getattr(flags, name)
        if now != then:
            raise _otherwise(record, f"{name} is {now}, while the record says {then}")


def _flags(record: Record) -> _Flags:
    try:
        return msgspec.convert(record.flags, _Flags)
    except msgspec.ValidationError as problem:
        raise _otherwise(record, f"its flags are not ones that this code knows ({problem})") from problem


def _otherwise(record: Record, how: str) -> CannotReplay:
    return CannotReplay("judged_otherwise", f"Row {record.row} of the request is judged otherwise now: {how}.")
