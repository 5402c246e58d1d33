"""Reports by id: the newest is the latest, and no name from outside becomes a path."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from audit.memory_store import MemoryStore
from evaluation.report_format import Report, decode_report, encode_report
from evaluation.report_store import latest, list_reports, read_report, read_report_json, write_report
from evaluation.windows import day_window, hour_window, is_report_id, report_id
from tests.evaluation.example_report import empty_report, example_report
from tests.evaluation.workshop import NOON


def at(report: Report, as_of: str) -> Report:
    return msgspec.structs.replace(report, as_of=as_of, id=report_id(report.window, as_of))


def test_the_newest_report_is_the_latest_whatever_the_order_of_writing(derived: MemoryStore) -> None:
    newer, older = (at(example_report(), f"2026-11-24T{hour}:00:00.000000Z") for hour in ("05", "03"))
    write_report(derived, newer, "<p>newer</p>")
    write_report(derived, older, None)
    entry = latest(derived, "breast-cancer")
    assert entry is not None
    assert entry.id == newer.id
    assert [found.id for found in list_reports(derived, "breast-cancer")] == [newer.id, older.id]
    assert [found.id for found in list_reports(derived, "breast-cancer", limit=1)] == [newer.id]
    assert read_report(derived, "breast-cancer") == newer
    assert read_report(derived, "breast-cancer", older.id) == older


def test_no_report_is_none_and_no_error(derived: MemoryStore) -> None:
    assert latest(derived, "wine") is None
    assert list_reports(derived, "wine") == []
    assert read_report(derived, "wine") is None


@pytest.mark.parametrize(
    "id", ["../../latest", "", "latest.json", "day-2026-11-23-20261123T1300Z/..", "day-*", "x" * 300]
)
def test_an_id_that_is_none_is_not_looked_for(derived: MemoryStore, id: str) -> None:
    assert not is_report_id(id)
    assert read_report_json(derived, "wine", id) is None


@pytest.mark.parametrize("model", ["../wine", "", "wine/..", "a b"])
def test_a_model_that_is_none_is_not_looked_for(derived: MemoryStore, model: str) -> None:
    assert latest(derived, model) is None
    assert list_reports(derived, model) == []
    assert read_report_json(derived, model) is None


@pytest.mark.parametrize("window", [day_window(NOON), hour_window(NOON)])
@pytest.mark.parametrize("as_of", ["2026-11-24T00:00:00.000000Z", "2026-11-24T00:00:00.123456Z"])
def test_ids_that_we_make_are_ids(window: object, as_of: str) -> None:
    assert is_report_id(report_id(window, as_of))  # type: ignore[arg-type]


def test_a_report_of_another_format_is_refused_by_its_number() -> None:
    data = encode_report(empty_report()).replace(b'"schema": 1', b'"schema": 2', 1)
    with pytest.raises(ValueError, match="schema 2"):
        decode_report(data)


def test_reading_reports_loads_nothing_heavy() -> None:
    heavy = ["pandas", "sklearn", "scipy", "pyarrow", "matplotlib", "numpy", "jinja2"]
    code = f"import sys, evaluation.report_store; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
