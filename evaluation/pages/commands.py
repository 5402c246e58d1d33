"""Commands to paste into a shell: one for each way to send a body, with an example that the document has for it.

The key stays out of them: they read it from `$KEY`, and the page says so.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """An operation, its references followed."""

    url: str  # of the service
    method: str
    path: str
    parameters: list[Document]
    contents: Document  # media types of its body
    needs_key: bool


def commands(call: Call) -> list[tuple[str, str]]:
    """What each is for, and the command."""
    asked = [
        f"curl {'' if call.method == 'get' else f'-X {call.method.upper()} '}{shlex.quote(call.url + _path(call))}"
    ]
    if call.needs_key:
        asked.append('-H "x-functions-key: $KEY"')
    if not call.contents:
        return [("", _lines(asked))]
    found: list[tuple[str, str]] = []
    for kind, content in call.contents.items():
        text = _text(content, example_of(call.parameters, "model"))
        if text is not None:
            found.append((f"as {kind}", _lines([*asked, f"-H {shlex.quote(f'content-type: {kind}')}", _data(text)])))
    return found[:1] + _compressed(call, asked) + found[1:] if found else [("", _lines(asked))]


def example_of(parameters: list[Document], name: str) -> str | None:
    """A parameter's example, or the first of its choices."""
    for one in parameters:
        if one.get("name") == name:
            choices = one.get("schema", {}).get("enum") or [None]
            found = one.get("example", choices[0])
            return None if found is None else str(found)
    return None


def _path(call: Call) -> str:
    path = call.path
    for one in call.parameters:
        if one.get("in") == "path":
            name = str(one["name"])
            path = path.replace("{" + name + "}", example_of(call.parameters, name) or name.upper())
    return path


def _compressed(call: Call, asked: list[str]) -> list[tuple[str, str]]:
    """The JSON once more, compressed on its way."""
    text = _text(call.contents.get("application/json", {}), example_of(call.parameters, "model"))
    if text is None:
        return []
    piped = [f"printf %s {shlex.quote(text)} | gzip | {asked[0]}", *asked[1:]]
    headers = ["-H 'content-type: application/json'", "-H 'content-encoding: gzip'", "--data-binary @-"]
    return [("compressed on its way", _lines([*piped, *headers]))]


def _text(content: Document, model: str | None) -> str | None:
    """The body of an example, the model's own if it has one."""
    examples: Document = content.get("x-examples") or {
        name: one.get("value") for name, one in content.get("examples", {}).items()
    }
    if "example" in content:
        examples = {"": content["example"]}
    if not examples:
        return None
    own = [name for name in examples if model is not None and name.partition(".")[0] == model]
    value = examples[own[0] if own else next(iter(examples))]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _data(text: str) -> str:
    """The body as an argument: `--data-binary` keeps a table's lines apart, and takes `@` for a file's name."""
    return f"--data-binary {shlex.quote(text)}" if "\n" in text else f"-d {shlex.quote(text)}"


def _lines(parts: list[str]) -> str:
    return " \\\n  ".join(parts)
