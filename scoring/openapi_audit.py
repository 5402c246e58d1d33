"""The routes of auditors in the OpenAPI document: spot checks, an instance's trail, notes, reports.

What a request must be is described as exactly as a JSON Schema can: times as they are most often written (others that
Python's `datetime.fromisoformat` reads are taken too), and `x-before` where one must be earlier than another.
"""

from __future__ import annotations

from typing import Any

import msgspec

from audit.integrity import Integrity
from audit.notes import AUTHOR_CHARACTERS, COMMENT_CHARACTERS, VERDICTS
from audit.record_words import REASONS
from audit.spot_check import DEFAULT_LIMIT, KINDS, MOST, MOST_SEED, OUTCOMES
from scoring.catalog import Catalog
from scoring.openapi_lengths import Schema
from scoring.openapi_operations import (
    KEYED,
    READING,
    SCORING,
    Operation,
    answer,
    body,
    format_parameter,
    media,
    missing_page,
    model_parameter,
    operation,
    path_parameter,
    query_parameter,
)
from scoring.openapi_schemas import REQUEST_ID, ref
from scoring.replay_result import REASONS as REPLAY_REASONS
from scoring.replay_result import Replay

_TEMPLATE = "#/components/schemas/{name}"
_TEXT: Schema = {"type": "string"}
_WHOLE: Schema = {"type": "integer", "minimum": 0}
_UNFIT = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
_UNFIT_IN_LINES = _UNFIT.replace(r"\x00-\x1f", r"\x00-\x08\x0b\x0c\x0e-\x1f")
_TURNING = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_NAME_CHARACTER = rf"[^{_UNFIT}{_TURNING}]"
_DAY = r"((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
_TIME_OF_DAY = r"(T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?Z?)?"
_WHEN = rf"^(|20[0-9]{{2}}-{_DAY}{_TIME_OF_DAY}|[0-9]{{1,4}}[mhd])$"


def audit_paths(catalog: Catalog) -> dict[str, Any]:
    """Paths and their operations."""
    model, report_id = model_parameter(catalog), path_parameter("id", "The report's id", example="latest")
    instance = path_parameter("id", "The instance's id", example="a-17")
    models = answer("Models, versions and latest verdicts", ref("Overview"), page=True)
    listed = answer("Reports, newest first", ref("ReportList"), page=True)
    report = answer("The report", {"type": "object"}, page=True)
    return {
        "/models": {"get": _page("models", "All models with their latest verdicts", models, (401, 503))},
        "/models/{model}/instances": _read([model], _spot_check()),
        "/models/{model}/instances/{id}": _read([model, instance], _trail()),
        "/models/{model}/instances/{id}/notes": {"parameters": [model, instance], "post": _note()},
        "/models/{model}/reports": _read([model], _page("reports", "A model's reports", listed, READING)),
        "/models/{model}/reports/latest": _read(
            [model], _page("latestReport", "A model's newest report", report, READING)
        ),
        "/models/{model}/reports/{id}": _read([model, report_id], _page("report", "One report", report, READING)),
    }


def audit_schemas() -> dict[str, Schema]:
    """Component schemas."""
    _, structs = msgspec.json.schema_components([Integrity, Replay], ref_template=_TEMPLATE)
    structs["Replay"]["properties"]["reason"]["description"] = "Of `cannot`: " + "; ".join(
        f"{word}: {meaning}" for word, meaning in REPLAY_REASONS.items()
    )
    place = {"record": ref("Record"), "blob": _TEXT, "sequence": _WHOLE, "line": _WHOLE}
    evidence = {**place, "verified": {"const": True}, "integrity": _maybe("Integrity")}
    asked = {"since": _TEXT, "until": {"type": ["string", "null"]}}
    seen = {"looked_at": _WHOLE, "matched": _WHOLE, "provisional": {"type": "boolean"}, "hours_left": _WHOLE}
    shown = _object({**place, "whole": {"type": "boolean"}})
    return {
        **structs,
        "Trail": _object(
            {"model": _TEXT, "id": _TEXT, "records": _list(_object(evidence, {"replay": _maybe("Replay")}))}
        ),
        "SpotCheck": _object(
            {"model": _TEXT, **asked, **_described(seen), "findings": _list(_TEXT), "records": _list(shown)},
            {"limit": _WHOLE, "sample": _WHOLE, "seed": _WHOLE},
        ),
        "NoteRequest": _note_request(),
        "NoteResponse": _object(
            {
                "model": _TEXT,
                "id": _TEXT,
                "request_id": _TEXT,
                "note": _object({"ts": _TEXT, "verdict": _TEXT, "author": _TEXT}, {"comment": _TEXT}),
                "receipt": _list(ref("Receipt")),
            }
        ),
    }


def _spot_check() -> Operation:
    shown = answer("Records, newest first, and what was looked at", ref("SpotCheck"), page=True)
    found = _page("instances", "Spot checks: the newest records that match, or a sample", shown, KEYED)
    found["description"] = (
        f"Without `since`, the 24 hours before `until` or before now. With `sample`, a uniform random sample in place "
        f"of the newest: each record's lot is the SHA-256 of `seed:blob:sequence:line`, and the lowest are drawn, so "
        f"one seed draws the same again. An empty value is none. Of a record that is too large for a list, `whole` is "
        f"false, and `x` and `flags` are left out. {_HOURS_LEFT}"
    )
    found["parameters"] += [
        query_parameter("kind", "Of this kind", {"type": "string", "enum": [*KINDS, ""]}),
        query_parameter(
            "outcome", "Of scores and labels: with this outcome", {"type": "string", "enum": [*OUTCOMES, ""]}
        ),
        query_parameter("reason", "With this reason", {"type": "string", "enum": [*REASONS, ""]}),
        query_parameter("since", "From then on: a UTC date or time, or an age", _when("24h")) | {"x-before": "until"},
        query_parameter("until", "Before then", _when("10m")),
        query_parameter("limit", f"At most so many of the newest, {DEFAULT_LIMIT} by default", _count(1, MOST)),
        query_parameter("sample", "Draw so many at random instead", _count(1, MOST)),
        query_parameter("seed", "Draw the same sample again", _count(0, MOST_SEED)),
    ]
    return found


def _trail() -> Operation:
    words = "The instance's records, oldest first, how far the digests vouch for each, and replays if asked for"
    found = _page("instance", "One instance's audit trail", answer(words, ref("Trail"), page=True), KEYED)
    found["parameters"].append(
        query_parameter("replay", "`1`: run each scored record's model again", {"type": "string", "enum": ["1", ""]})
    )
    return found


def _note() -> Operation:
    told = answer("The note is durable", ref("NoteResponse"))
    found = operation("note", "Note what an auditor found about an instance", told, SCORING, "audit")
    found["description"] = (
        "A note is a record of the log: it can be neither changed nor taken back, only answered by another. The "
        "author's name is taken as given. An instance without a record is a 404, and nothing is recorded."
    )
    sent = body(ref("NoteRequest"), {"a note": _EXAMPLE})
    form = {name: schema for name, schema in _note_fields().items() if name != "request_id"}
    sent["content"]["application/x-www-form-urlencoded"] = media(_closed(form), {})
    found["requestBody"] = sent
    found["responses"]["303"] = {
        "description": "A form's note is durable; the instance's page shows it",
        "headers": {"Location": {"description": "The page's address", "required": True, "schema": _TEXT}},
    }
    for status, words in _REFUSED.items():
        found["responses"][str(status)] = missing_page(words)
    return found


_EXAMPLE = {"author": "R. Okafor", "verdict": "confirmed", "comment": "The values are those of the form."}
_HOURS_LEFT = "`hours_left` is how many older hours there was no time to look at: ask for a shorter time."
_REFUSED = {
    400: "The body is no note, and nothing was recorded; the text names the field",
    404: "There is no such model, or the log has no record of the instance; nothing was recorded",
    413: "The body is over 64 KiB; nothing was recorded",
}


def _page(name: str, summary: str, shown: Operation, errors: tuple[int, ...]) -> Operation:
    """An operation that answers browsers with a page, when nothing is found too."""
    found = operation(name, summary, shown, errors, "audit")
    found["parameters"] = [*found["parameters"], format_parameter()]
    if 404 in errors:
        found["responses"]["404"] = missing_page("There is no such model, instance or report")
    if 400 in errors:
        found["responses"]["400"] = missing_page("A parameter is not what it must be; the text names it")
    return found


def _read(parameters: list[Operation], found: Operation) -> dict[str, Any]:
    return {"parameters": parameters, "get": found}


def _note_request() -> Schema:
    return _closed(_note_fields())


def _note_fields() -> dict[str, Schema]:
    meanings = "; ".join(f"{word}: {meaning}" for word, meaning in VERDICTS.items())
    return {
        "author": {
            "type": "string",
            "minLength": 1,
            "maxLength": AUTHOR_CHARACTERS,
            "pattern": f"^{_NAME_CHARACTER}*{_NAME_CHARACTER.replace('[^', '[^ ')}{_NAME_CHARACTER}*$",
            "description": "Who looked at it, on one line; nobody checks the name",
        },
        "verdict": {"type": "string", "enum": list(VERDICTS), "description": meanings},
        "comment": {
            "type": ["string", "null"],
            "maxLength": COMMENT_CHARACTERS,
            "pattern": f"^[^{_UNFIT_IN_LINES}]*$",
            "description": "What was found, with line ends if need be",
        },
        "request_id": REQUEST_ID,
    }


def _closed(fields: dict[str, Schema]) -> Schema:
    required = ["author", "verdict"]
    return {"type": "object", "required": required, "additionalProperties": False, "properties": fields}


def _described(seen: dict[str, Schema]) -> dict[str, Schema]:
    words = {
        "looked_at": "Records of any kind that were read",
        "matched": "Of these, how many match",
        "provisional": "Whether some of these hours are still being written",
        "hours_left": "Older hours that there was no time to read",
    }
    return {name: schema | {"description": words[name]} for name, schema in seen.items()}


def _when(example: str) -> Schema:
    return {"type": "string", "pattern": _WHEN, "examples": [example]}


def _count(least: int, most: int) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": most}


def _maybe(name: str) -> Schema:
    return {"anyOf": [ref(name), {"type": "null"}]}


def _object(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    return {"type": "object", "required": list(required), "properties": required | (optional or {})}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}
