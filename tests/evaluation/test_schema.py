"""The JSON Schema in docs is the one that the structs make, and reports obey it."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import msgspec
import pytest

from evaluation.report_format import Report, encode_report
from evaluation.schema import report_schema, schema_text
from tests.evaluation.example_report import empty_report, example_report

ROOT = Path(__file__).parent.parent.parent


def test_the_schema_in_docs_is_current() -> None:
    stored = (ROOT / "docs" / "report.schema.json").read_text(encoding="utf-8")
    assert stored == schema_text(), "run: python -m evaluation schema > docs/report.schema.json"


@pytest.mark.parametrize(
    "report",
    [empty_report(), example_report(hostile=True), *(example_report(task) for task in ("multiclass", "regression"))],
)
def test_reports_obey_it(report: Report) -> None:
    found = jsonschema.Draft202012Validator(report_schema()).iter_errors(msgspec.json.decode(encode_report(report)))
    assert [error.message for error in found] == []


def test_a_level_that_does_not_exist_is_refused() -> None:
    data = msgspec.json.decode(encode_report(empty_report()))
    data["verdict"]["level"] = "fine"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, report_schema())
