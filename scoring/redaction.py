"""What the log keeps of an instance when the bundle or serving.toml redacts some of its features.

| a value | what its record holds |
|---|---|
| of a feature with `drop` | nothing |
| of a feature with `hash` | {"hmac": 64 hex digits, "key": first 8 hex digits of the key's SHA-256}; null for null |
| under a name that is no feature, such as a misspelt one | nothing, not even the name |
| of the wrong type for its feature, of any feature: columns may have been shifted | nothing |
| an instance that is no object | nothing |
| any other | the value, as without redaction |

The record's `redacted` names what is not there in clear: the redacted features, those whose value was of the wrong
type, and `*` for unknown names or an instance that was no object. Of a body that is no request, neither its hash nor
the message is kept. A version of a model redacts what its own manifest says and what the champion's does, the stricter
of the two.

The HMAC is SHA-256's (RFC 2104) over the JSON of [feature, value] in one form: ASCII with escapes, no spaces, keys in
order, every number as the double that it is, written as Python does. So 41 and 41.0 are equal and "41" is another; who
has the key can check a guess with `python -m scoring redact`, and nobody else can.

    HMAC-SHA256(key, b'["age",41.0]')

Not promised: that nobody can tell anything of a value. Equal values have equal hashes under one key; the flags, the
distance and the model's answer depend on the value. A value that was sent under another feature's name, and is one
that this feature takes, is kept.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from audit.records import WHOLE_INSTANCE
from scoring.bundle import Feature
from scoring.verdict import Verdict

KEY_SETTING = "HYPERPLANE_REDACTION_KEY"
STRICTNESS = ("none", "hash", "drop")

Way = Literal["hash", "drop"]

_encoder = json.JSONEncoder(ensure_ascii=True, sort_keys=True, separators=(",", ":"))


class RedactionError(Exception):
    """A model whose records could not be redacted as they must be; the message names the fix."""


class Redactor:
    """Makes what may be stored out of a model's instances; used from any thread.

    >>> features = [Feature(name="age", type="float"), Feature(name="name", type="string", redaction="drop")]
    >>> redactor = Redactor(features, {"name": "drop"}, None)
    >>> redactor.kept({"age": 41, "name": "Ada", "nmae": "Ada"}, Verdict())
    ({'age': 41}, ['name', '*'])
    """

    def __init__(self, features: Sequence[Feature], ways: Mapping[str, Way], key: bytes | None) -> None:
        hashed = sorted(name for name, way in ways.items() if way == "hash")
        if hashed and key is None:
            raise RedactionError(
                f"feature {hashed[0]} is to be recorded as a keyed hash, and the setting {KEY_SETTING} is not there; "
                "`openssl rand -base64 32` prints a key for it"
            )
        self.ways = dict(ways)
        self._names = sorted(ways)
        self._known = frozenset(feature.name for feature in features)
        self._key = key or b""

    def kept(self, instance: Any, verdict: Verdict) -> tuple[Any, list[str]]:
        """What may be stored of an instance, and the names of what is not there in clear."""
        if type(instance) is not dict:
            return None, [*self._names, WHOLE_INSTANCE]
        stored: dict[str, Any] = {}
        left_out: list[str] = []
        for name, value in instance.items():
            way = self.ways.get(name)
            if way == "hash":
                stored[name] = None if value is None or value != value else digest(self._key, name, value)
            elif way is None and name in verdict.unread:
                left_out.append(name)
            elif way is None and name in self._known:
                stored[name] = value
        unknown = any(name not in self._known and name not in self.ways for name in instance)
        return stored, [*self._names, *left_out, *([WHOLE_INSTANCE] if unknown else [])]

    def hide_unknown(self, verdicts: Sequence[Verdict]) -> None:
        """Leave out the faults of unknown keys, which may be anything: neither log nor answer names them."""
        for verdict in verdicts:
            if verdict.faults:
                verdict.faults = {name: found for name, found in verdict.faults.items() if name in self._known}


def redactor_of(features: Sequence[Feature], champions: Mapping[str, Way], key: bytes | None) -> Redactor | None:
    """The redactor of a version, None if nothing is redacted; `champions` are the ways of the model's champion.

    Raises `RedactionError` if there is something to hash and no key.
    """
    ways = stricter(features, champions)
    return Redactor(features, ways, key) if ways else None


def stricter(features: Sequence[Feature], ways: Mapping[str, Way]) -> dict[str, Way]:
    """For each name the way that keeps less, of what its feature says and what `ways` do.

    >>> stricter([Feature(name="age", type="float", redaction="hash")], {"age": "drop", "job": "hash"})
    {'age': 'drop', 'job': 'hash'}
    """
    found = dict(ways)
    for feature in features:
        if feature.redaction != "none" and not is_looser(feature.redaction, found.get(feature.name, "none")):
            found[feature.name] = feature.redaction
    return found


def is_looser(way: str, other: str) -> bool:
    """Whether more is kept one way than the other.

    >>> is_looser("hash", "drop"), is_looser("drop", "hash"), is_looser("none", "none")
    (True, False, False)
    """
    return STRICTNESS.index(way) < STRICTNESS.index(other)


def digest(key: bytes, feature: str, value: Any) -> dict[str, str]:
    """What is recorded in the place of a value.

    >>> digest(b"k" * 32, "age", 41) == digest(b"k" * 32, "age", 41.0)
    True
    >>> digest(b"k" * 32, "age", 41) == digest(b"k" * 32, "age", "41")
    False
    """
    message = _encoder.encode([feature, _canonical(value)]).encode()
    return {"hmac": hmac.digest(key, message, "sha256").hex(), "key": hashlib.sha256(key).hexdigest()[:8]}


def _canonical(value: Any) -> Any:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    if isinstance(value, dict):
        return {name: _canonical(item) for name, item in value.items()}
    try:
        return float(value) + 0.0  # zero has one sign
    except OverflowError:
        return math.inf if value > 0 else -math.inf
