"""That two arrays are equally long, in JSON Schema, which can say it of one length after the other only.

An id for each instance, a value for each row of a tensor: requests are full of such pairs, and a document that leaves
them out calls requests valid that are refused. Every length up to `LENGTHS` is spelled out, as what a request is *not*,
so that nothing that is taken is ever called invalid; of longer pairs the schema says nothing, and the texts do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]

LENGTHS = 16  # more than a generator of requests comes to, where two things are as long


@dataclass(frozen=True)
class Counted:
    """Something in an object that has a length: schemas of the object for at most, and at least, so many."""

    at_most: Callable[[int], Schema]
    at_least: Callable[[int], Schema]


def items_of(*path: str) -> Counted:
    """The array under a path of fields.

    >>> items_of("ids").at_most(1)
    {'required': ['ids'], 'properties': {'ids': {'type': 'array', 'maxItems': 1}}}
    """
    return Counted(
        lambda length: _under(path, {"type": "array", "maxItems": length}),
        lambda length: _under(path, {"type": "array", "minItems": length}),
    )


def equally_long(*pairs: tuple[Counted, Counted]) -> Schema:
    """Of each pair in an object, neither is longer than the other; what is not there has no length."""
    uneven = [
        {"allOf": [shorter.at_most(length), longer.at_least(length + 1)]}
        for one, other in pairs
        for shorter, longer in ((one, other), (other, one))
        for length in range(LENGTHS)
    ]
    return {"not": {"anyOf": uneven}}


def of_length(length: int) -> Schema:
    """Exactly so many items."""
    return {"minItems": length, "maxItems": length}


def _under(path: tuple[str, ...], schema: Schema) -> Schema:
    for name in reversed(path):
        schema = {"required": [name], "properties": {name: schema}}
    return schema
