r"""Constraints in route templates, as `int` in `{id:int}`: what ASP.NET Core calls them, and when they hold.

https://learn.microsoft.com/aspnet/core/fundamentals/routing#route-constraints. Those that take no argument: int, long,
bool, double, float, guid, alpha, required. With one: length, minlength, maxlength, min, max, range, regex.
"""

import re
from collections.abc import Callable

Constraint = Callable[[str], bool]

_WHOLE = re.compile(r"\s*[+-]?\d+\s*", re.ASCII)
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*", re.ASCII | re.IGNORECASE)
_GUID = re.compile(r"\{?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\}?", re.IGNORECASE)


def constraint(name: str, argument: str | None) -> Constraint:
    """The constraint of that name. Raises ValueError for one that is unknown, or with a wrong argument.

    >>> constraint("maxlength", "3")("abcd")
    False
    """
    plain = _PLAIN.get(name.lower())
    if plain is not None and argument is None:
        return plain
    with_argument = _WITH_ARGUMENT.get(name.lower())
    if with_argument is not None and argument is not None:
        return with_argument(argument)
    if plain is not None or with_argument is not None:
        raise ValueError(f"constraint {name!r} {'takes no' if plain else 'needs an'} argument")
    known = ", ".join(sorted([*_PLAIN, *_WITH_ARGUMENT]))
    raise ValueError(f"constraint {name!r} is unknown here (known: {known})")


def _is_whole(bits: int) -> Constraint:
    limit = 2 ** (bits - 1)
    return lambda text: len(text) < 40 and _WHOLE.fullmatch(text) is not None and -limit <= int(text) < limit


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def _length(argument: str) -> Constraint:
    least, most = _bounds(argument) if "," in argument else (_whole(argument),) * 2
    return lambda text: least <= len(text) <= most


def _range(argument: str) -> Constraint:
    return _between(*_bounds(argument))


def _minimum(argument: str) -> Constraint:
    return _between(_whole(argument), 2**63 - 1)


def _maximum(argument: str) -> Constraint:
    return _between(-(2**63), _whole(argument))


def _shortest(argument: str) -> Constraint:
    least = _whole(argument)
    return lambda text: len(text) >= least


def _longest(argument: str) -> Constraint:
    most = _whole(argument)
    return lambda text: len(text) <= most


def _regex(argument: str) -> Constraint:
    pattern = re.compile(argument, re.IGNORECASE)
    return lambda text: pattern.search(text) is not None


def _between(low: int, high: int) -> Constraint:
    is_long = _is_whole(64)
    return lambda text: is_long(text) and low <= int(text) <= high


def _bounds(argument: str) -> tuple[int, int]:
    low, _, high = argument.partition(",")
    return _whole(low), _whole(high)


def _whole(text: str) -> int:
    if not _is_whole(64)(text):
        raise ValueError(f"{text!r} in a constraint must be a whole number")
    return int(text)


_PLAIN: dict[str, Constraint] = {
    "int": _is_whole(32),
    "long": _is_whole(64),
    "bool": lambda text: text.strip().lower() in {"true", "false"},
    "double": _is_number,
    "float": _is_number,
    "guid": lambda text: _GUID.fullmatch(text) is not None,
    "alpha": lambda text: re.fullmatch(r"[a-zA-Z]*", text) is not None,
    "required": lambda text: text != "",
}
_WITH_ARGUMENT: dict[str, Callable[[str], Constraint]] = {
    "length": _length,
    "minlength": _shortest,
    "maxlength": _longest,
    "min": _minimum,
    "max": _maximum,
    "range": _range,
    "regex": _regex,
}
