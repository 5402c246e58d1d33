"""API documentation from an OpenAPI 3.1 document: readable offline and without a script.

Shows each route with its parameters, bodies, answers and a command to copy, and each model's features with units and
ranges (`x-features` of its instance schema). Local references are followed; what cannot be resolved is shown by name.
"""

from __future__ import annotations

import json
from typing import Any

from evaluation.pages.commands import Call, commands
from evaluation.pages.render import render
from evaluation.pages.text import LongText, listed

METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
FIELDS = 60  # fields of a body that are listed
FEATURES = 500  # features of a model that are listed

Document = dict[str, Any]


def docs_page(openapi: Document, *, code: str | None = None, base_url: str = "http://localhost:7071") -> str:
    """The page; `base_url` goes into the commands, and `code` into links but never into a command."""
    routes = [
        route for path, item in openapi.get("paths", {}).items() for route in _routes(openapi, path, item, base_url)
    ]
    tags = [tag for tag in openapi.get("tags", []) if any(tag.get("name") in route["tags"] for route in routes)]
    named = {tag["name"] for tag in tags}
    if any(not named & set(route["tags"]) for route in routes):
        tags = [*tags, {"name": "", "description": "More"}]
    groups = [
        (tag, [r for r in routes if (tag["name"] in r["tags"] if tag["name"] else not named & set(r["tags"]))])
        for tag in tags
    ]
    return render(
        "docs.html.j2",
        served=True,
        code=code,
        info=openapi.get("info", {}),
        groups=groups,
        models=_models(openapi),
        shared=_shared(openapi),
        most_features=FEATURES,
    )


def _routes(openapi: Document, path: str, item: Document, base_url: str) -> list[Document]:
    shared = item.get("parameters", [])
    return [_route(openapi, method, path, item[method], shared, base_url) for method in METHODS if method in item]


def _route(
    openapi: Document, method: str, path: str, operation: Document, shared: list[Any], base_url: str
) -> Document:
    given = [*shared, *operation.get("parameters", [])]
    parameters = [_resolved(openapi, one) for one in given]
    body = _resolved(openapi, operation.get("requestBody", {}))
    needs_key = bool(operation.get("security", openapi.get("security", [])))
    call = Call(base_url, method, path, parameters, body.get("content", {}), needs_key)
    return {
        "method": method.upper(),
        "path": path,
        "anchor": f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '') or 'home'}",
        "summary": operation.get("summary", ""),
        "description": operation.get("description", ""),
        "tags": operation.get("tags", []),
        "parameters": [_resolved(openapi, one) for one in given if not _is_shared(one)],
        "needs_key": needs_key,
        "body": _body(openapi, body),
        "responses": [_response(openapi, status, one) for status, one in operation.get("responses", {}).items()],
        "commands": [(words, LongText(text)) for words, text in commands(call)],
    }


def _is_shared(parameter: Any) -> bool:
    """Whether a parameter is one of the document's own components, which are shown once for all routes."""
    return isinstance(parameter, dict) and str(parameter.get("$ref", "")).startswith("#/components/parameters/")


def _shared(openapi: Document) -> list[Document]:
    found = openapi.get("components", {}).get("parameters", {})
    return [one for one in found.values() if isinstance(one, dict)]


def _body(openapi: Document, body: Document) -> Document | None:
    if not body.get("content"):
        return None
    kind, content = next(iter(body["content"].items()))
    return {
        "kind": kind,
        "kinds": list(body["content"]),
        "description": body.get("description", ""),
        "examples": [(name, LongText(_json(value))) for name, value in _examples(openapi, content)[:6]],
        "fields": _fields(openapi, content.get("schema", {})),
    }


def _response(openapi: Document, status: str, response: Document) -> Document:
    response = _resolved(openapi, response)
    contents = response.get("content", {})
    fields = next((_fields(openapi, one.get("schema", {})) for one in contents.values()), [])
    examples = [pair for one in contents.values() for pair in _examples(openapi, one)]
    return {
        "status": status,
        "description": response.get("description", ""),
        "kinds": list(contents),
        "fields": fields,
        "examples": [(name, LongText(_json(value))) for name, value in examples[:2]],
    }


def _examples(openapi: Document, content: Document) -> list[tuple[str, Any]]:
    """Named examples of a body, its only one, or its schema's."""
    if content.get("examples"):
        return [(name, _resolved(openapi, one).get("value")) for name, one in content["examples"].items()]
    if "example" in content:
        return [("", content["example"])]
    schema = _resolved(openapi, content.get("schema", {}))
    return [("", value) for value in schema.get("examples", [])[:1]]


def _fields(openapi: Document, schema: Document) -> list[Document]:
    """The properties of an object (of a list: of its items), one level deep."""
    schema = _resolved(openapi, schema)
    if schema.get("type") == "array":
        schema = _resolved(openapi, schema.get("items", {}))
    if "anyOf" in schema and "properties" not in schema:
        schema = _either(openapi, schema["anyOf"])
    required = schema.get("required", [])
    fields = []
    for name, field in list(schema.get("properties", {}).items())[:FIELDS]:
        resolved = _resolved(openapi, field)
        words = field.get("description") or resolved.get("description", "")
        fields.append({"name": name, "type": _type(openapi, field), "required": name in required, "words": words})
    return fields


def _either(openapi: Document, choices: list[Any]) -> Document:
    """One schema for several: the fields of all, required where all of them do."""
    resolved = [_resolved(openapi, one) for one in choices]
    fields: Document = {}
    for one in resolved:
        for name, field in one.get("properties", {}).items():
            known = fields.get(name)
            fields[name] = (
                field if known in (None, field) else {**known, "anyOf": [*known.get("anyOf", [known]), field]}
            )
    required = [name for name in fields if all(name in one.get("required", []) for one in resolved)]
    return {"properties": fields, "required": required}


def _type(openapi: Document, schema: Document) -> str:
    """A schema's type in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return " or ".join(dict.fromkeys(_type(openapi, one) for one in schema[choice]))
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(value) for value in schema["enum"][:12])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_type(openapi, schema.get('items', {}))}"
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _resolved(openapi: Document, value: Any) -> Document:
    """The object that a local reference points to, through at most eight others; else the value itself."""
    for _ in range(8):
        reference = value.get("$ref") if isinstance(value, dict) else None
        if not isinstance(reference, str) or not reference.startswith("#/"):
            break
        found: Any = openapi
        for part in reference[2:].split("/"):
            found = found.get(part.replace("~1", "/").replace("~0", "~"), {}) if isinstance(found, dict) else {}
        value = found
    return value if isinstance(value, dict) else {}


def _models(openapi: Document) -> list[Document]:
    """Every schema with `x-features`, by the name of its model."""
    schemas = openapi.get("components", {}).get("schemas", {})
    found = []
    for name, schema in schemas.items():
        if isinstance(schema, dict) and isinstance(schema.get("x-features"), list):
            example = next(iter(schema.get("examples", [])), None)
            features = [_feature(feature) for feature in schema["x-features"]]
            text = LongText(_json(example)) if example is not None else None
            found.append(
                {
                    "name": name.removeprefix("instance."),
                    "features": features,
                    "some_categories": any(feature["categories"] for feature in features),
                    "some_declared": any(feature["declared"] for feature in features),
                    "example": text,
                }
            )
    return found


def _feature(feature: Document) -> Document:
    return {
        "name": str(feature.get("name", "")),
        "type": str(feature.get("type", "")),
        "unit": feature.get("unit"),
        "minimum": feature.get("minimum"),
        "maximum": feature.get("maximum"),
        "categories": _categories(feature),
        "missing": str(feature.get("missing", "")),
        "outside": str(feature.get("outside", "")),
        "declared": _declared(feature),
    }


def _declared(feature: Document) -> list[str]:
    """What its owner says of its values: which mean missing or nothing known, and whether the log holds them."""
    found = []
    for words, field in (("missing", "sentinels"), ("default", "defaults")):
        values = feature.get(field)
        found += [f"{words}: {one}" for one in listed(values)] if isinstance(values, list) else []
    return found + ([f"redacted: {feature['redaction']}"] if feature.get("redaction") else [])


def _categories(feature: Document) -> list[str]:
    """What `x-features` lists of them, and how many it leaves out itself."""
    given, more = feature.get("categories"), feature.get("more_categories")
    if not isinstance(given, list):
        return []
    return listed(given, total=len(given) + (more if isinstance(more, int) else 0))


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)
