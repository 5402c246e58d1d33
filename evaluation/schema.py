"""The JSON Schema of report.json, generated from the structs that write it."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from evaluation.report_format import SCHEMA, Report


def report_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of `Report`.

    >>> report_schema()["title"]
    'Hyperplane report, format 1'
    """
    schema = msgspec.json.schema(Report)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Hyperplane report, format {SCHEMA}",
        **schema,
    }


def schema_text() -> str:
    """The schema as docs/report.schema.json holds it."""
    return json.dumps(report_schema(), indent=2, ensure_ascii=False) + "\n"
