"""An instance as its record stores it: valid UTF-8 JSON whatever the client sent.

Clean instances (known features, finite numbers) are stored as they are and never come here. For the others:

| received | stored |
|---|---|
| NaN, Infinity, -Infinity, a number beyond the range of a double | "NaN", "Infinity", "-Infinity" |
| a lone surrogate, U+D800 to U+DFFF | its escape as text, six characters: `\\ud800` (U+005C first) |
| a string of over 1,024 characters | {"prefix": its first 64, "length": characters, "sha256": of its UTF-8} |
| anything whose JSON is over 256 KiB after that | {"prefix": of the JSON, "length": bytes, "sha256": of the JSON} |

The escape of a surrogate is not unique, since a client may also send those six characters; the instance's
`artifacts` tell the two apart. The caller bounds the nesting, `scoring.json_body.DEPTH`.
"""

from __future__ import annotations

import hashlib
import math
from typing import Any

import msgspec

STRING_LIMIT = 1_024  # characters
INSTANCE_LIMIT = 256 * 1_024  # bytes of JSON; a record must fit into a frame of the log with room to spare
PREFIX = 64

_NUMBERS = frozenset((int, float, bool))
_TEXTS = frozenset((str,))


def storable(value: Any) -> Any:
    """A parsed JSON value as a record may hold it; see the table above.

    >>> storable({"a": float("nan"), "b": "x\\ud800", "c": [1, True, None]})
    {'a': 'NaN', 'b': 'x\\\\ud800', 'c': [1, True, None]}
    >>> storable("y" * 2000)["length"]
    2000
    """
    kept = _storable(value)
    encoded = msgspec.json.encode(kept)
    if len(encoded) <= INSTANCE_LIMIT:
        return kept
    return _digest(encoded[: PREFIX * 4].decode(errors="ignore"), len(encoded), encoded)


def too_large(value: Any) -> bool:
    """Whether an instance is over 256 KiB of JSON, so that its record could not keep it whole."""
    return _holds_too_many(value) or len(msgspec.json.encode(_storable(value))) > INSTANCE_LIMIT


def escape_surrogates(text: str) -> str:
    """Text without lone surrogates, each written as its six-character escape.

    >>> escape_surrogates("a\\udfff") == "a" + chr(92) + "udfff"
    True
    """
    return text if text.isascii() else text.encode(errors="backslashreplace").decode()


def _holds_too_many(value: Any) -> bool:
    """Whether there are so many values in arrays and objects that one byte and a comma for each are too much: a body
    may hold eight million, and they are looked at no further than that takes.

    >>> _holds_too_many([[0] * 70_000, [0] * 70_000]), _holds_too_many(["a" * INSTANCE_LIMIT])
    (True, False)
    """
    level, count = [value], 0
    while level:
        level = [item for item in level if type(item) is list or type(item) is dict]
        count += sum(map(len, level))
        if 2 * count > INSTANCE_LIMIT:
            return True
        level = [inner for item in level for inner in (item.values() if type(item) is dict else item)]
    return False


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool)):
        return _number(value)
    if isinstance(value, list):
        return value if not value or _are_plain(value) else [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_key(key): _storable(item) for key, item in value.items()}
    return value


def _are_plain(items: list[Any]) -> bool:
    """Whether nothing has to change: numbers that add up to a finite one, so that each is, or short texts in ASCII.
    Millions of them are looked at ten times as fast as one by one.

    >>> _are_plain([1, 2.5]), _are_plain([1, math.nan]), _are_plain([10**400]), _are_plain(["a"]), _are_plain([1, "a"])
    (True, False, False, True, False)
    """
    if _NUMBERS.issuperset(map(type, items)):
        try:
            return math.isfinite(sum(items, 0.0))
        except OverflowError:
            return False
    return _TEXTS.issuperset(map(type, items)) and all(map(str.isascii, items)) and max(map(len, items)) <= STRING_LIMIT


def _text(text: str) -> str | dict[str, Any]:
    escaped = escape_surrogates(text)
    if len(text) <= STRING_LIMIT:
        return escaped
    return _digest(escaped[:PREFIX], len(text), escaped.encode())


def _key(key: str) -> str:
    kept = escape_surrogates(key)
    return kept if len(kept) <= STRING_LIMIT else f"{kept[:PREFIX]}… ({len(key)} characters)"


def _number(number: float) -> float | str:
    try:
        size = float(number)
    except OverflowError:
        size = math.inf if number > 0 else -math.inf
    if math.isfinite(size):
        return number
    return "NaN" if math.isnan(size) else "Infinity" if size > 0 else "-Infinity"


def _digest(prefix: str, length: int, data: bytes) -> dict[str, Any]:
    return {"prefix": prefix, "length": length, "sha256": hashlib.sha256(data).hexdigest()}
