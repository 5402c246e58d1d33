"""Bytes of a request to JSON values, quickly where the body is clean and patiently where it is not.

msgspec reads clean JSON about four times as fast as the standard library, but refuses a whole body for one `NaN`,
`1e400` or lone surrogate. Such bodies are read once more by the standard library, which accepts them: NaN then is a
missing value, infinity and overflow are `not_finite`, a lone surrogate is an artifact, each a matter of one instance
and not of its neighbours. Of a duplicate key the last one wins, in both readers. A UTF-8 byte order mark is skipped.

Whatever the bytes are, the result is a value or a `BadRequest`, never another exception. Its text quotes nothing of the
body: it reaches the log and the logs, and the body may hold values that must not.
"""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec

from scoring.errors import BadRequest
from scoring.large_json import LARGE_BYTES, decode_in_parts

DEPTH = 64  # levels of arrays and objects; a request needs three
_FLOAT_DIGITS = 310  # an integer with more digits is beyond the range of a double
_GZIP = b"\x1f\x8b"

_decoder = msgspec.json.Decoder()


def read_json(body: bytes) -> tuple[Any, bool]:
    """The value in a body, and whether it is plain: no NaN, infinity or lone surrogate in it.

    Raises `BadRequest` with reason `not_json` or `too_deep`.

    >>> read_json(b'{"a": 1}')
    ({'a': 1}, True)
    >>> read_json(b'[NaN, 1e400]')
    ([nan, inf], False)
    """
    try:
        value, plain = decode_in_parts(body) if len(body) >= LARGE_BYTES else _decoder.decode(body), True
    except RecursionError:
        raise _too_deep() from None
    except ValueError:  # msgspec's own errors and UnicodeDecodeError are ValueErrors
        value, plain = _read_patiently(body), False
    if _may_be_deep(body, value) and depth(value) > DEPTH:
        raise _too_deep()
    return value, plain


def depth(value: Any) -> int:
    """How deep arrays and objects are nested, counted without recursion; 0 for a bare value.

    >>> depth(1), depth([]), depth({"a": [1, [2]]})
    (0, 1, 3)
    """
    level, found = [value], 0
    while True:
        level = [item for item in level if type(item) is list or type(item) is dict]
        if not level:
            return found
        found += 1
        level = [inner for item in level for inner in (item.values() if type(item) is dict else item)]


def type_name(value: Any) -> str:
    """What a parsed value is, in the words of JSON and with an article.

    >>> type_name(None), type_name([]), type_name("a")
    ('null', 'an array', 'a string')
    """
    if value is None:
        return "null"
    names = {bool: "a boolean", str: "a string", list: "an array", dict: "an object"}
    return names.get(type(value), "a number")


def _read_patiently(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8-sig"), parse_int=_integer)
    except UnicodeDecodeError as problem:
        where = f"the body is not UTF-8: byte {problem.start} cannot be read"
        raise BadRequest(_encoding(body) or where, "not_json") from None
    except json.JSONDecodeError as problem:
        raise BadRequest(_encoding(body) or _where(problem), "not_json") from None
    except RecursionError:
        raise _too_deep() from None


def _encoding(body: bytes) -> str | None:
    """What to say of a body that is compressed or in another encoding than UTF-8."""
    if body.startswith(_GZIP):
        return "the body is compressed with gzip; say so in the header Content-Encoding: gzip"
    encoding = json.detect_encoding(body)
    return None if encoding.startswith("utf-8") else f"the body seems to be {encoding.upper()}; send it as UTF-8"


def _where(problem: json.JSONDecodeError) -> str:
    if not problem.doc.strip():
        return 'the body is empty; send JSON such as {"instances": [{…}]}'
    return f"the body is not JSON: {_fault(problem.msg)} at line {problem.lineno}, column {problem.colno}"


def _fault(message: str) -> str:
    """The reader's own words, without the character that a few of them quote after a colon."""
    return message.partition(":")[0].removesuffix(" at")


def _integer(digits: str) -> float:
    """An integer of any length; Python reads no more than 4,300 digits, a double holds no more than 309."""
    if len(digits) > _FLOAT_DIGITS:
        return -math.inf if digits.startswith("-") else math.inf
    return int(digits)


def _may_be_deep(body: bytes, value: Any) -> bool:
    """Whether there are enough brackets for DEPTH levels, beyond the one that each item of a top-level list has.

    Counting bytes is much cheaper than walking the values, and brackets inside strings only cost a needless walk.
    """
    brackets = body.count(b"[") + body.count(b"{")
    if brackets <= DEPTH:
        return False
    lists = [item for item in value.values() if isinstance(item, list)] if isinstance(value, dict) else []
    flat = sum(type(item) is dict or type(item) is list for items in lists for item in items)
    return brackets - flat > DEPTH


def _too_deep() -> BadRequest:
    return BadRequest(f"the body is nested deeper than {DEPTH} levels; an instance is one flat object", "too_deep")
