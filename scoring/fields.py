"""The fields of a request's JSON, checked for shape: objects, lists of instances, ids.

Whatever is amiss raises `BadRequest`, with a text that names the field, what was expected and what type was found, and
quotes nothing of the body: it reaches the log and the logs, and the body may hold values that must not.
"""

from __future__ import annotations

import re
from typing import Any

from audit.ids import new_id
from scoring.errors import BadRequest
from scoring.json_body import type_name

ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_WORD = re.compile(r"[A-Za-z_]{1,32}")
ID_RULE = "1 to 128 letters, digits, dots, underscores, colons or hyphens"


def object_fields(value: Any, known: frozenset[str], example: str) -> dict[str, Any]:
    """The body's fields if it is an object with no others than the known ones; raises `BadRequest`."""
    if type(value) is not dict:
        raise BadRequest(f"the body: expected an object such as {example}, found {type_name(value)}")
    if not known.issuperset(value):
        raise BadRequest(f"{_unknown(value, known)}; the fields are {', '.join(sorted(known))}")
    return value


def _unknown(fields: dict[str, Any], known: frozenset[str]) -> str:
    """The first unknown field, by its name if that is a word, such as a slip would be: an error quotes no more of a
    body, which may hold anything.

    >>> _unknown({"instances": [], "instance": []}, frozenset(["instances"])), _unknown({"4 111": 1}, frozenset())
    ("unknown field 'instance'", 'field 1 of the body is unknown')
    """
    place, name = next((place, name) for place, name in enumerate(fields, 1) if name not in known)
    return f"unknown field '{name}'" if _WORD.fullmatch(name) else f"field {place} of the body is unknown"


def non_empty_list(fields: dict[str, Any], name: str, most: int) -> list[Any]:
    """The array under a name, with at least one item and at most `most`; raises `BadRequest`."""
    if name not in fields:
        raise BadRequest(f"{name}: missing; expected an array of objects")
    return filled_list(name, fields[name], most, "an array of objects")


def filled_list(name: str, items: Any, most: int, expected: str) -> list[Any]:
    """A value if it is an array with at least one item and at most `most`; raises `BadRequest`."""
    if type(items) is not list:
        raise BadRequest(f"{name}: expected {expected}, found {type_name(items)}")
    check_count(name, len(items), most)
    return items


def check_count(name: str, count: int, most: int) -> None:
    """Whether there is at least one instance and at most `most`; raises `BadRequest`."""
    if not count:
        raise BadRequest(f"{name}: empty; send at least one", "no_instances")
    if count > most:
        raise BadRequest(f"{name}: {count:,} are more than {most:,}; send them in parts", "too_many_instances")


def request_id_field(fields: dict[str, Any], name: str = "request_id") -> str | None:
    """A request's own id, `None` if it has none; raises `BadRequest`."""
    given = fields.get(name)
    if given is None:
        return None
    _check_id(name, given)
    return str(given)


def ids_field(fields: dict[str, Any], expected: int) -> list[str] | None:
    """The instances' own ids, `None` if they have none; raises `BadRequest`."""
    given = fields.get("ids")
    if given is None:
        return None
    if type(given) is not list:
        raise BadRequest(f"ids: expected an array of strings, found {type_name(given)}", "malformed_id")
    check_ids("ids", given, expected)
    return given


def check_ids(field: str, given: list[Any], expected: int) -> None:
    """Whether there are as many ids as instances, and all are ids; raises `BadRequest` that names the first that is
    none."""
    if len(given) != expected:
        raise BadRequest(f"{field}: expected {expected:,}, one for each instance, found {len(given):,}", "malformed_id")
    for position, value in enumerate(given):
        if not is_id(value):
            _check_id(f"{field}[{position}]", value)


def is_id(value: Any) -> bool:
    """Whether a value can be an id.

    >>> is_id("a-17"), is_id("a 17"), is_id(17)
    (True, False, False)
    """
    return type(value) is str and ID.fullmatch(value) is not None


def usable_id(given: str | None) -> str:
    """An id from a header if it can be one, else a new one: a tracing header is no reason to refuse a request.

    >>> usable_id("trace-1")
    'trace-1'
    """
    return given if given is not None and is_id(given) else new_id()


def _check_id(field: str, value: Any) -> None:
    if type(value) is not str:
        raise BadRequest(f"{field}: expected a string, found {type_name(value)}", "malformed_id")
    if not is_id(value):
        raise BadRequest(f"{field}: expected {ID_RULE}, found {_unfit(value)}", "malformed_id")


def _unfit(text: str) -> str:
    """Why a text is no id.

    >>> _unfit("a b"), _unfit("")
    ('another at position 2', 'none')
    """
    if not text:
        return "none"
    place = next((place for place, character in enumerate(text, 1) if not ID.fullmatch(character)), None)
    return f"{len(text):,}" if place is None else f"another at position {place}"
