"""Records in files for other programs: all that match, as they were recorded, whole or not at all."""

from __future__ import annotations

import csv
import errno
import gc
import io
import json
import math
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.aside import aside
from audit.browse import Found
from audit.compact import COLUMNS, ROWS_A_GROUP
from audit.export import SCHEMA, Format, escaped, export, unescaped
from audit.reader import Position, records
from audit.records import Record
from tests.audit.examples import log_of, score

PLACE = Position("log/v1/2026/11/23/12/w-0.jsonl", 1, 0)


def exported(found: Sequence[Found], kind: Format, **options: Any) -> bytes:
    sink = io.BytesIO()
    assert export(found, lambda: sink, kind, **options) == len(found)
    return sink.getvalue()


def rows(found: Sequence[Found], **options: Any) -> list[dict[str, str]]:
    text = exported(found, "csv", **options).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_every_record_is_a_row_in_each_format() -> None:
    found = list(records(log_of(["a", "b"], ["c"])))
    table = pq.read_table(io.BytesIO(exported(found, "parquet")))
    assert table.schema.equals(SCHEMA)
    assert table.column_names == ["model", *COLUMNS.names, "note"]
    assert table["id"].to_pylist() == ["a", "b", "c"]
    assert [row["id"] for row in rows(found)] == ["a", "b", "c"]
    lines = [json.loads(line) for line in exported(found, "jsonl").splitlines()]
    assert [line["record"] for line in lines] == [msgspec.to_builtins(record) for record, _ in found]
    assert lines[2]["position"] == {"blob": found[2][1].blob, "sequence": 2, "line": 0}


def test_csv_cells_are_written_as_the_page_says() -> None:
    record = score(
        "a",
        reasons=["one", 'two"'],
        flags={"missing": ["x"]},
        x={"café": 1},
        run=("r", 3, 5),
        y={"label": "bad", "probabilities": {"bad": 0.75, "good": "NaN"}, "ts": "2026-11-23T14:05:06Z"},
        cold=True,
    )
    (row,) = rows([(record, PLACE)])
    assert row["ts"] == "2026-11-23T12:00:00.000000Z"
    assert (row["reasons"], row["flags"], row["x"]) == ('["one","two\\""]', '{"missing":["x"]}', '{"café":1}')
    assert (row["run_id"], row["run_position"], row["run_size"]) == ("r", "3", "5")
    assert (row["label"], row["probabilities"]) == ('"bad"', '{"bad": 0.75, "good": "NaN"}')
    assert (row["truth_ts"], row["cold"], row["value"], row["note"]) == ("2026-11-23T14:05:06.000000Z", "true", "", "")
    assert exported([(record, PLACE)], "csv").endswith(b"\r\n")


def test_numbers_without_an_end_and_notes() -> None:
    values = [math.nan, math.inf, -math.inf, -1.5, 1e-300]
    found = [(score(str(value), y={"value": str(value)}), PLACE) for value in values]
    assert [row["value"] for row in rows(found)] == ["NaN", "Infinity", "-Infinity", "-1.5", "1e-300"]
    note = score("a", kind="note", y={"verdict": "disputed", "comment": "=1+1"})
    (row,) = rows([(note, PLACE)])
    assert json.loads(row["note"]) == {"verdict": "disputed", "comment": "=1+1"}


@pytest.mark.parametrize(
    "text", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'=1", "-", "--1", "=HYPERLINK(1)"]
)
def test_no_cell_is_run_by_a_spreadsheet(text: str) -> None:
    found = [(score(text, outcome=text, reasons=[text]), PLACE)]
    (row,) = rows(found)
    assert row["id"] == row["outcome"] == f"'{text}"
    assert unescaped(row["id"]) == text
    assert row["reasons"][0] == "["
    (row,) = rows(found, escape=False)
    assert row["id"] == text


@given(st.text())
def test_an_apostrophe_can_always_be_taken_away_again(text: str) -> None:
    assert unescaped(escaped(text)) == text


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
RECORDS = st.builds(
    Record,
    v=st.just(1),
    kind=st.sampled_from(["score", "label", "note", "request_error"]),
    id=TEXTS,
    ts=st.just("2026-11-23T12:00:00.000000Z"),
    model=TEXTS,
    writer=TEXTS,
    request=TEXTS | st.none(),
    row=st.integers(0, 2**63 - 1) | st.none(),
    outcome=TEXTS | st.none(),
    reasons=st.lists(TEXTS, max_size=3),
    x=st.dictionaries(TEXTS, TEXTS | st.floats(allow_nan=False, allow_infinity=False), max_size=3),
    y=st.none() | st.fixed_dictionaries({"label": TEXTS | st.integers(-9, 9) | st.booleans()}),
)


@settings(max_examples=50)
@given(st.lists(RECORDS, min_size=1, max_size=5))
def test_csv_holds_what_was_recorded(found: list[Record]) -> None:
    for record, row in zip(found, rows([(record, PLACE) for record in found]), strict=True):
        for name in ("model", "kind", "id", "writer", "request", "outcome"):
            assert unescaped(row[name]) == (getattr(record, name) or "")
        assert row["row"] == ("" if record.row is None else str(record.row))
        assert json.loads(row["reasons"]) == record.reasons
        assert json.loads(row["x"]) == record.x
        label = (record.y or {}).get("label")
        assert (json.loads(row["label"]) if row["label"] else None) == label


def many(count: int) -> Iterator[Found]:
    for number in range(count):
        yield score(f"i-{number}", x={"a": number, "b": "x" * 50}), PLACE


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_memory_is_that_of_a_chunk(kind: Format, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.export.ROWS_A_GROUP", 200)

    class Sink(io.RawIOBase):
        size = 0

        def writable(self) -> bool:
            return True

        def write(self, data: Any) -> int:
            self.size += len(data)
            return len(data)

    def peak(count: int) -> int:
        sink = Sink()
        tracemalloc.start()
        try:
            assert export(many(count), lambda: sink, kind) == count  # type: ignore[arg-type, return-value]
            assert sink.size > count
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(1)  # imports
    assert peak(2_000) < 1.5 * peak(400)


def test_a_chunk_is_a_row_group() -> None:
    file = pq.ParquetFile(io.BytesIO(exported(list(many(ROWS_A_GROUP + 1)), "parquet")))
    assert [file.metadata.row_group(number).num_rows for number in range(2)] == [ROWS_A_GROUP, 1]


def test_nothing_is_opened_for_no_record() -> None:
    def never() -> Any:
        raise AssertionError

    assert export([], never, "csv") == 0


# ------------------------------------------------------------------------------------------ a file whole or not at all


def test_an_export_that_fails_leaves_standard_output_open_for_who_ends_the_command() -> None:
    class Full(io.BytesIO):
        def write(self, data: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    out = Full()
    with pytest.raises(OSError, match="No space"):
        export(records(log_of(["a"])), lambda: out, "csv")
    gc.collect()
    assert not out.closed


def test_a_file_is_there_when_it_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with aside(path, overwrite=False) as file:
        file.open().write(b"whole")
        assert not path.exists()
        assert file.keep() == 5
    assert path.read_bytes() == b"whole"
    assert [each.name for each in tmp_path.iterdir()] == ["a.csv"]


def test_a_file_that_was_not_finished_leaves_no_trace(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"old")
    with suppress(RuntimeError), aside(tmp_path / "a.csv", overwrite=True) as file:
        file.open().write(b"half")
        raise RuntimeError
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("a.csv", b"old")]


def test_a_name_that_was_taken_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with aside(path, overwrite=False) as file:
        file.open().write(b"mine")
        path.write_bytes(b"theirs")
        with pytest.raises(FileExistsError):
            file.keep()
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("a.csv", b"theirs")]
