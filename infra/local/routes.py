r"""Routes of HTTP triggers: the part of ASP.NET Core's route templates that function apps use, matched as Azure does.

A template is segments between slashes. A segment is text, compared without regard to case, or one parameter: `{p}`,
`{p?}` (may be absent), `{p=default}`, `{*p}` (the rest of the path, slashes included). A parameter may carry
constraints: `{id:int:min(1)}`, `{name:regex(^\w+$)}`; `{ignored:maxlength(0)?}` matches the root alone.

Azure tries routes *in the order of the functions' names*, not the more specific first
(https://github.com/Azure/azure-functions-host/issues/9876), and a method that does not fit is as good as no match.
`hidden` finds routes that can never be reached for that reason.

The path is decoded before it is matched, except `%2F`, and dot segments are resolved, as Kestrel does.
"""

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from infra.local.process import LocalError
from infra.local.route_constraints import Constraint, constraint

_SLASH = re.compile("(%2f)", re.IGNORECASE)
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
        _refuse_reserved(own.lower())
        segments = tuple(_segment(part) for part in _split_template(whole))
        _check(segments)
    except (ValueError, re.error) as error:
        raise LocalError(f"Function {function}: its route {own!r} cannot be used: {error}.") from error
    return Route(function, whole, frozenset(method.upper() for method in methods), segments)


def decode(raw: bytes) -> str | None:
    """A request's raw path, decoded but for `%2F` and what is no UTF-8, dot segments resolved; None when malformed.

    >>> decode(b"/a%20b/../models/x%2Fy")
    '/models/x%2Fy'
    """
    if not raw.isascii() or b"%00" in raw:
        return None
    path = raw.decode("ascii")
    if "%" in path:
        path = "".join(piece if piece.upper() == "%2F" else _unquote(piece) for piece in _SLASH.split(path))
    return _without_dots(path) if "/." in path else path


def split(path: str) -> list[str]:
    """The segments of a path; a trailing slash adds none."""
    parts = path.removeprefix("/").split("/")
    if parts[-1] == "":
        parts.pop()
    return parts


def _unquote(text: str) -> str:
    return unquote_to_bytes(text).decode("utf-8", errors="percent")


def _stay_quoted(error: UnicodeError) -> tuple[str, int]:
    """Error handler of `decode`: bytes that are no UTF-8 stay as they were, percent-encoded."""
    assert isinstance(error, UnicodeDecodeError)
    return "".join(f"%{byte:02X}" for byte in error.object[error.start : error.end]), error.end


codecs.register_error("percent", _stay_quoted)


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
        constraints.append(constraint(match["name"], argument))
        rest = rest[match.end() :]
    optional = rest == "?"
    default = rest[1:] if rest.startswith("=") else None
    if rest and not optional and default is None:
        raise ValueError(f"parameter {text!r} is malformed at {rest!r}")
    if catch_all and optional:
        raise ValueError(f"parameter {name!r} takes the rest of the path and cannot be optional too")
    return Parameter(name, catch_all, optional, default, tuple(constraints))


def _refuse_reserved(own: str) -> None:
    for word in ("admin", "runtime"):
        if own.startswith(word):
            raise ValueError(f"routes may not begin with {word!r}, not even in a longer word: Azure keeps it")


def _check(segments: tuple[str | Parameter, ...]) -> None:
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
