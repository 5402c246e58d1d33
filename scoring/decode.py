"""A body of the native route to a request: instances, ids and the request's own id, checked for shape only.

What is wrong with one instance is a matter for `scoring.judge` and never fails its neighbours; only a body that is
no request at all raises `BadRequest`, with a text that names the field, what was expected and what was found.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from audit.ids import new_id
from scoring.errors import BadRequest, shown
from scoring.json_body import read_json, type_name

ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")
ID_RULE = "1 to 128 letters, digits, dots, underscores, colons or hyphens"

_FIELDS = frozenset(("instances", "ids", "request_id"))
_EXAMPLE = '{"instances": [{…}]}'


class ScoreRequest(msgspec.Struct, frozen=True):
    """A request whose shape is right. `ids` are the client's, if it sent some, as many as instances."""

    instances: list[Any]  # what the client sent, an object each if all is well
    ids: list[str] | None
    request_id: str | None
    plain: bool  # no NaN, infinity or lone surrogate anywhere: values can be stored as they are


def decode_score(body: bytes, max_instances: int = 50_000) -> ScoreRequest:
    """The request in a body; raises `BadRequest`.

    >>> decode_score(b'{"instances": [{"age": 41}], "ids": ["a-17"]}').ids
    ['a-17']
    >>> decode_score(b'{"instances": 3}')
    Traceback (most recent call last):
    scoring.errors.BadRequest: instances: expected an array of objects, found a number
    """
    value, plain = read_json(body)
    fields = object_fields(value, _FIELDS, _EXAMPLE)
    instances = non_empty_list(fields, "instances", max_instances)
    return ScoreRequest(
        instances=instances,
        ids=_ids(fields.get("ids"), len(instances)),
        request_id=request_id(fields.get("request_id")),
        plain=plain,
    )


def object_fields(value: Any, known: frozenset[str], example: str) -> dict[str, Any]:
    """The body's fields if it is an object with no others than the known ones; raises `BadRequest`."""
    if type(value) is not dict:
        raise BadRequest(f"the body: expected an object such as {example}, found {type_name(value)}")
    if not known.issuperset(value):
        unknown = next(key for key in value if key not in known)
        raise BadRequest(f"unknown field {shown(unknown)}; the fields are {', '.join(sorted(known))}")
    return value


def non_empty_list(fields: dict[str, Any], name: str, most: int) -> list[Any]:
    """The array under a name, with at least one item and at most `most`; raises `BadRequest`."""
    if name not in fields:
        raise BadRequest(f"{name}: missing; expected an array of objects")
    items = fields[name]
    if type(items) is not list:
        raise BadRequest(f"{name}: expected an array of objects, found {type_name(items)}")
    if not items:
        raise BadRequest(f"{name}: empty; send at least one", "no_instances")
    if len(items) > most:
        raise BadRequest(f"{name}: {len(items):,} are more than {most:,}; send them in parts", "too_many_instances")
    return items


def request_id(given: Any) -> str | None:
    """A request's own id, `None` if it has none; raises `BadRequest`."""
    if given is None:
        return None
    _check_id("request_id", given)
    return str(given)


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


def _ids(given: Any, expected: int) -> list[str] | None:
    if given is None:
        return None
    if type(given) is not list:
        raise BadRequest(f"ids: expected an array of strings, found {type_name(given)}", "malformed_id")
    if len(given) != expected:
        raise BadRequest(f"ids: {len(given):,} ids for {expected:,} instances; expected one each", "malformed_id")
    for position, value in enumerate(given):
        if not is_id(value):
            _check_id(f"ids[{position}]", value)
    return given


def _check_id(field: str, value: Any) -> None:
    if type(value) is not str:
        raise BadRequest(f"{field}: expected a string, found {type_name(value)}", "malformed_id")
    if not is_id(value):
        raise BadRequest(f"{field}: expected {ID_RULE}, found {shown(value)}", "malformed_id")
