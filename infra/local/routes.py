r"""Routes of HTTP triggers: the part of ASP.NET Core's route templates that function apps use, matched as Azure does.

A template is segments between slashes. A segment is text, compared without regard to case, or one parameter: `{p}`,
`{p?}` (may be absent), `{p=default}`, `{*p}` (the rest of the path, slashes included). A parameter may carry
constraints: `{id:int:min(1)}`, `{name:regex(^\w+$)}`; `{ignored:maxlength(0)?}` matches the root alone.

Azure tries routes *in the order of the functions' names*, not the more specific first
(https://github.com/Azure/azure-functions-host/issues/9876), and a method that does not fit is as good as no match.
`hidden` finds routes that can never be reached for that reason.

The path is decoded before it is matched, except `%2F`, and dot segments are resolved, as Kestrel does.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from infra.local.process import LocalError

Constraint = Callable[[str], bool]

_WHOLE = re.compile(r"\s*[+-]?\d+\s*", re.ASCII)
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*", re.ASCII | re.IGNORECASE)
_GUID = re.compile(r"\{?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\}?", re.IGNORECASE)
_CONSTRAINT = re.compile(r":(?P<name>\w+)(?P<call>\((?P<argument>.*?)\)(?=[:?=]|$))?", re.DOTALL)


@dataclass(frozen=True)
class Parameter:
    """One `{...}` segment."""

    name: str
    catch_all: bool = False
    optional: bool = False
    default: str | None = None
    constraints: tuple[Constraint, ...] = ()

    @property
    def may_be_absent(self) -> bool:
        """Whether a path may end before it."""
        return self.optional or self.catch_all or self.default is not None

    def accepts(self, text: str) -> bool:
        """Whether every constraint holds."""
        return all(holds(text) for holds in self.constraints)


@dataclass(frozen=True)
class Route:
    """A parsed template and the methods it answers to (empty: all)."""

    function: str
    template: str
    methods: frozenset[str]
    segments: tuple[str | Parameter, ...]

    def match(self, method: str, parts: Sequence[str]) -> dict[str, str] | None:
        """The parameters when path segments `parts` and the method fit, else None. Absent parameters are left out."""
        if self.methods and method not in self.methods:
            return None
        values: dict[str, str] = {}
        for index, segment in enumerate(self.segments):
            if isinstance(segment, str):
                if index >= len(parts) or parts[index].lower() != segment:
                    return None
            elif segment.catch_all:
                rest = "/".join(parts[index:]) or segment.default
                return self._with(values, segment, rest)
            elif index >= len(parts):
                if not segment.may_be_absent:
                    return None
                if segment.default is not None:
                    values[segment.name] = segment.default
            elif not parts[index] or not segment.accepts(parts[index]):
                return None
            else:
                values[segment.name] = parts[index]
        return values if len(parts) <= len(self.segments) else None

    @staticmethod
    def _with(values: dict[str, str], segment: Parameter, rest: str | None) -> dict[str, str] | None:
        if rest is None:
            return values
        return {**values, segment.name: rest} if segment.accepts(rest) else None


class Router:
    """All routes of an app, in the order in which Azure tries them."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self.routes = sorted(routes, key=lambda route: route.function.upper())

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The first route that fits the method and the decoded path (`decode`), with its parameters."""
        parts = split(path)
        for route in self.routes:
            values = route.match(method, parts)
            if values is not None:
                return route, values
        return None

    def hidden(self) -> list[tuple[Route, Route]]:
        """Pairs (hidden, hiding): a path of the first goes to the second, which Azure tries before it."""
        pairs: list[tuple[Route, Route]] = []
        for index, route in enumerate(self.routes):
            parts = [part if isinstance(part, str) else "x" for part in route.segments]
            methods = route.methods or {"GET"}
            if any(route.match(method, parts) is None for method in methods):
                continue  # a constraint refuses the sample value: nothing is known
            pairs += [
                (route, earlier)
                for earlier in self.routes[:index]
                if any(earlier.match(method, parts) is not None for method in methods)
            ]
        return pairs


def parse(function: str, template: str | None, methods: Sequence[str], prefix: str) -> Route:
    """The route of a function below the app's `prefix`; an empty template falls back to the function's name.

    Raises LocalError for a template that Azure refuses, or that this host does not know.
    """
    own = (template or "").strip("/") or function
    whole = f"{prefix.strip('/')}/{own}" if prefix.strip("/") else own
    try:
        segments = tuple(_segment(part) for part in _split_template(whole))
        _check(segments)
    except (ValueError, re.error) as error:
        raise LocalError(f"Function {function}: its route {own!r} cannot be used: {error}.") from error
    return Route(function, whole, frozenset(method.upper() for method in methods), segments)


def decode(raw: bytes) -> str | None:
    """A request's raw path, decoded but for `%2F`, dot segments resolved; None when it is malformed.

    >>> decode(b"/a%20b/../models/x%2Fy")
    '/models/x%2Fy'
    """
    if b"%" in raw:
        if b"%00" in raw:
            return None
        raw = b"".join(
            piece if piece.upper() == b"%2F" else unquote_to_bytes(piece) for piece in re.split(rb"(?i)(%2f)", raw)
        )
    try:
        path = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return _without_dots(path) if "/." in path else path


def split(path: str) -> list[str]:
    """The segments of a path; a trailing slash adds none."""
    parts = path.removeprefix("/").split("/")
    if parts[-1] == "":
        parts.pop()
    return parts


def _without_dots(path: str) -> str:
    kept: list[str] = []
    parts = path.split("/")
    for part in parts:
        if part == "..":
            if len(kept) > 1:
                kept.pop()
        elif part != ".":
            kept.append(part)
    return "/".join(kept) + ("/" if parts[-1] in {".", ".."} else "")


def _split_template(template: str) -> list[str]:
    """Split at the slashes that stand outside braces: a regular expression may contain some."""
    parts, depth = [""], 0
    for character in template:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == "/" and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    if depth != 0:
        raise ValueError("its braces do not match")
    return parts


def _segment(text: str) -> str | Parameter:
    if "{" not in text and "}" not in text:
        if not text:
            raise ValueError("it has an empty segment")
        if "?" in text:
            raise ValueError(f"the text {text!r} has a question mark")
        return text.lower()
    if not (text.startswith("{") and text.endswith("}")) or _closes_early(text):
        raise ValueError(f"segment {text!r} mixes text and parameters; give each parameter a segment of its own")
    return _parameter(text[1:-1].replace("{{", "{").replace("}}", "}"))


def _closes_early(text: str) -> bool:
    depth = 0
    for index, character in enumerate(text):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth == 0 and index < len(text) - 1:
            return True
    return False


def _parameter(text: str) -> Parameter:
    catch_all = text.startswith("*")
    body = text.lstrip("*")
    found = re.match(r"\w[\w-]*", body)
    if found is None:
        raise ValueError(f"parameter {text!r} has no name")
    name, rest = found.group(), body[found.end() :]
    constraints: list[Constraint] = []
    while match := _CONSTRAINT.match(rest):
        argument = match["argument"] if match["call"] else None
        constraints.append(_constraint(match["name"], argument))
        rest = rest[match.end() :]
    optional = rest == "?"
    default = rest[1:] if rest.startswith("=") else None
    if rest and not optional and default is None:
        raise ValueError(f"parameter {text!r} is malformed at {rest!r}")
    if catch_all and optional:
        raise ValueError(f"parameter {name!r} takes the rest of the path and cannot be optional too")
    return Parameter(name, catch_all, optional, default, tuple(constraints))


def _constraint(name: str, argument: str | None) -> Constraint:
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
    return lambda text: _WHOLE.fullmatch(text) is not None and -limit <= int(text) < limit


def _length(argument: str) -> Constraint:
    numbers = [int(part) for part in argument.split(",")]
    if len(numbers) > 2:
        raise ValueError("constraint 'length' takes one or two numbers")
    return lambda text: numbers[0] <= len(text) <= numbers[-1]


def _range(argument: str) -> Constraint:
    low, high = (int(part) for part in argument.split(","))
    whole = _is_whole(64)
    return lambda text: whole(text) and low <= int(text) <= high


def _minimum(argument: str) -> Constraint:
    return _range(f"{int(argument)},{2**63 - 1}")


def _maximum(argument: str) -> Constraint:
    return _range(f"{-(2**63)},{int(argument)}")


def _shortest(argument: str) -> Constraint:
    least = int(argument)
    return lambda text: len(text) >= least


def _longest(argument: str) -> Constraint:
    most = int(argument)
    return lambda text: len(text) <= most


def _regex(argument: str) -> Constraint:
    pattern = re.compile(argument, re.IGNORECASE)
    return lambda text: pattern.search(text) is not None


_PLAIN: dict[str, Constraint] = {
    "int": _is_whole(32),
    "long": _is_whole(64),
    "bool": lambda text: text.strip().lower() in {"true", "false"},
    "double": lambda text: _NUMBER.fullmatch(text) is not None,
    "float": lambda text: _NUMBER.fullmatch(text) is not None,
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


def _check(segments: tuple[str | Parameter, ...]) -> None:
    if segments[0] in {"admin", "runtime"}:
        raise ValueError(f"routes may not begin with '{segments[0]}', which is the platform's own")
    names: set[str] = set()
    for index, segment in enumerate(segments):
        last = index == len(segments) - 1
        if isinstance(segment, str):
            continue
        if segment.name.lower() in names:
            raise ValueError(f"parameter {segment.name!r} appears twice")
        names.add(segment.name.lower())
        if segment.catch_all and not last:
            raise ValueError(f"parameter {segment.name!r} takes the rest of the path, so it must come last")
