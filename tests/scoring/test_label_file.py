"""Ground truth from files: every row is judged as over HTTP, what cannot be read says where and how to mend it."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.connect import Stores, open_stores
from audit.errors import Unavailable
from audit.memory_store import MemoryStore
from audit.reader import read_blob, records
from audit.records import Record, encode_record, timestamp
from audit.settings import from_environ
from audit.verify import verify
from audit.writer import LogWriter, new_writer_id
from infra.local.azurite import Azurite
from scoring import bulk_labels
from scoring.__main__ import main
from scoring.label_csv import LONGEST_ROW, CsvLabels, number
from scoring.label_file import open_labels
from scoring.label_rows import LabelFileError, Wanted
from tests.scoring.bundles import manifest, regression, regressor_manifest, write_bundle

ENVIRON = {
    "HYPERPLANE_STORAGE": "AccountName=a;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:9/a",
    "HYPERPLANE_GIVE_UP_SECONDS": "0.05",
    "HYPERPLANE_RESOLVE_SECONDS": "0.05",
}
CLASS, VALUE = Wanted("label"), Wanted("value")


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def summary(self) -> dict[str, Any]:
        return json.loads(self.out)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Command:
    """The command, on a log in memory in which credit scored a, b and c."""

    store: MemoryStore
    folder: Path
    run: Callable[..., Done]

    def __call__(self, data: bytes | str, *arguments: str, name: str = "truth.csv") -> Done:
        path = self.folder / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return self.run(str(path), *arguments)

    def labels(self) -> list[Record]:
        return [record for record, _ in records(self.store) if record.kind == "label"]


@pytest.fixture
def label(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    store, models = MemoryStore(), tmp_path / "models"
    write_bundle(models, manifest())
    write_bundle(models, manifest(name="digit", classes=[0, 1]))
    write_bundle(models, regressor_manifest(), regression(2))
    writer = LogWriter(store, writer_id=new_writer_id(), opening={})
    for model in ("credit", "digit", "amount"):
        writer.commit_blocking([score(name, model, writer.writer_id) for name in ("a", "b", "c")], 10)
    writer.close()
    monkeypatch.setattr("scoring.commands.label.open_stores", lambda settings: Stores(store, MemoryStore()))

    def run(*arguments: str) -> Done:
        given = arguments if "--model" in arguments else (*arguments, "--model", "credit")
        try:
            code = main(["label", *given], ENVIRON | {"HYPERPLANE_MODELS": str(models)})
        except SystemExit as end:  # argparse
            code = int(end.code or 0)
        return Done(code, *capsys.readouterr())

    return Command(store, tmp_path, run)


def score(name: str, model: str, writer: str) -> bytes:
    return encode_record(
        Record(
            v=1,
            kind="score",
            id=name,
            ts=timestamp(1_795_435_200),
            model=model,
            writer=writer,
            role="champion",
            outcome="scored",
        )
    )


def parquet(**columns: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def of_parquet(path: Path, wanted: Wanted = CLASS, **columns: Any) -> list[Any]:
    file = path / "truth.parquet"
    file.write_bytes(parquet(**columns))
    with open_labels(str(file), wanted) as rows:
        return [row.given for row in rows]


def of_csv(data: bytes | str, wanted: Wanted = CLASS) -> list[Any]:
    stream = io.BytesIO(data if isinstance(data, bytes) else data.encode())
    return [row.given for row in CsvLabels(stream, wanted)]


# ------------------------------------------------------------------------------------------------------- the command


def test_each_row_is_judged_recorded_and_counted(label: Command) -> None:
    done = label("id,label,ts\na,bad,2026-11-23T14:05:06+02:00\nlater,good,\nb,worse,\n,bad,\nc,good,yesterday\n")
    assert done.code == 1
    recorded = label.labels()
    assert [(record.outcome, record.reasons, record.y) for record in recorded] == [
        ("recorded", [], {"label": "bad", "ts": "2026-11-23T12:05:06.000000Z"}),
        ("unmatched", [], {"label": "good"}),
        ("rejected", ["unknown_class"], {"label": "worse"}),
        ("rejected", ["malformed_id"], {"label": "bad"}),
        ("rejected", ["malformed_ts"], {"label": "good", "ts": "yesterday"}),
    ]
    assert [(record.row, record.rows) for record in recorded] == [(row, 5) for row in range(5)]
    assert len({record.request for record in recorded}) == 1
    for text in ("rows", "recorded", "unmatched", "3 (line 4)", "'worse'", "one of bad, good", "RFC 3339", "nothing"):
        assert text in done.out
    assert verify(label.store) == []


def test_a_program_gets_the_same_as_json(label: Command) -> None:
    done = label("id,label\na,bad\nb,worse\n", "--json")
    assert (done.code, done.err) == (1, "")
    assert done.summary == {
        "model": "credit", "version": "1", "dry_run": False, "finished": True, "problem": None,
        "rows": 2, "recorded": 1, "unmatched": 0, "rejected": 1, "reasons": {"unknown_class": 1},
        "rejected_rows": [
            {"row": 2, "line": 3, "column": "label", "holds": "'worse'", "reason": "unknown_class",
             "fix": "give one of bad, good"}
        ],
    }  # fmt: skip


def test_all_well_exits_0_and_says_which_columns_were_left_alone(label: Command) -> None:
    done = label("loan,outcome,note\na,bad,x\n", "--id-column", "loan", "--label-column", "outcome")
    assert (done.code, "note" in done.err) == (0, True)
    assert [record.id for record in label.labels()] == ["a"]


def test_a_dry_run_records_nothing_and_tells_the_same(label: Command) -> None:
    before = {info.name: info.size_bytes for info in label.store.list()}
    done = label("id,label\na,bad\nx,good\nb,worse\n", "--dry-run")
    assert done.code == 1
    assert "would be recorded" in done.out
    assert "nothing was recorded" in done.err
    assert {info.name: info.size_bytes for info in label.store.list()} == before


def test_classes_that_are_numbers_stand_in_csv_as_texts(label: Command) -> None:
    assert label("id,label\na,1\nb,0\nc,1.0\n", "--model", "digit").code == 1
    assert [record.y for record in label.labels()] == [{"label": 1}, {"label": 0}, {"label": "1.0"}]


def test_values_of_a_regression(label: Command) -> None:
    done = label('id,value\na,-1.5e3\nb,"1,234.5"\nc,\na,inf\n', "--model", "amount")
    assert [record.y for record in label.labels()] == [
        {"value": -1500.0}, {"value": "1,234.5"}, None, {"value": "Infinity"},
    ]  # fmt: skip
    assert "without separators of thousands" in done.out


def test_a_row_of_another_width_is_rejected_whole(label: Command) -> None:
    done = label("id,label\na,bad\nb\na,good,more\nc,good\n")
    assert [record.reasons for record in label.labels()] == [[], ["wrong_type"], ["wrong_type"], []]
    assert "as many cells as the header" in done.out


def test_only_the_first_rejected_rows_are_named(label: Command) -> None:
    done = label("id,label\n" + "a,worse\n" * 25, "--json")
    assert [told["row"] for told in done.summary["rejected_rows"]] == list(range(1, 21))
    assert "and 5 more rejected rows" in label("id,label\n" + "a,worse\n" * 25, "--dry-run").out


def test_hostile_cells_and_columns_do_nothing_to_a_terminal(label: Command) -> None:
    hostile = "\x1b[2J\x9b31m\u202e[bold red]evil[/]"
    done = label(f"id,label,{hostile}\n{hostile},{hostile},x\n{'y' * 5000},{'z' * 5000},x\n")
    assert done.code == 1
    assert "evil" in done.out
    assert (done.out + done.err).replace("\n", "").isprintable()
    assert max(map(len, done.out.splitlines())) < 400
    with_nothing = label(f"{hostile}\nx\n")
    assert with_nothing.code == 2
    assert with_nothing.err.strip().isprintable()


def test_a_file_with_a_header_only_is_done_at_once(label: Command) -> None:
    done = label("id,label\n")
    assert (done.code, "no rows" in done.err, label.labels()) == (0, True, [])


@pytest.mark.parametrize(
    ("data", "name", "says"),
    [
        (b"", "truth.csv", "it is empty"),
        (b"\n\n", "truth.csv", "it is empty"),
        (b"ID,label\na,bad\n", "truth.csv", "no column 'id'; the columns are 'ID', 'label'"),
        (b"id,label,id\na,bad,b\n", "truth.csv", "2 columns named 'id'"),
        (b"id,value\na,1\n", "truth.csv", "no column 'label'"),
        (b"id;label\na;bad\n", "truth.csv", "separated by semicolons, as it seems: save it with commas"),
        (b'"id";"label"\n"a";"bad"\n', "truth.csv", "separated by semicolons"),
        (b"id\tlabel\tts\na\tbad\t\n", "truth.csv", "separated by tabs"),
        ("id,label\na,bad\n".encode("utf-16"), "truth.csv", "UTF-16"),
        ("id,label\na,b\xe4d\n".encode("latin-1"), "truth.csv", "after line 0 it is not UTF-8"),
        (b"", "truth.parquet", "it is no Parquet file"),
        (b"PAR1 and nothing more PAR1", "truth.parquet", "it is no Parquet file"),
        (b"id,label\na,bad\n", "truth.csv.gz", "the compressed file breaks off or is damaged"),
        (b"id,label\na,bad\n", "truth.txt", "must end in .csv"),
        (b"id,label\na," + b"x" * LONGEST_ROW, "truth.csv", "the row that begins on line 2 is too long"),
        (b"id,label\n,\n\n,\n" + b'a,"' + b"x\n" * 600_000, "truth.csv", "line 5 is too long"),
    ],
)
def test_a_file_that_is_none_is_refused_in_one_line(label: Command, data: bytes, name: str, says: str) -> None:
    done = label(data, name=name)
    assert (done.code, says in done.err) == (2, True), done.err
    assert "Traceback" not in done.err
    assert label.labels() == []


def test_no_file_a_folder_no_model_and_a_broken_bundle(label: Command, tmp_path: Path) -> None:
    assert "No such file" in label.run(str(tmp_path / "none.csv")).err
    (tmp_path / "folder.csv").mkdir()
    assert "Is a directory" in label.run(str(tmp_path / "folder.csv")).err
    assert "there are: amount, credit, digit" in label("id,label\na,bad\n", "--model", "wine").err
    (tmp_path / "models" / "credit" / "1" / "model.onnx").write_bytes(b"changed")
    done = label("id,label\na,bad\n")
    assert (done.code, "model.onnx" in done.err) == (2, True)


def test_the_champion_of_serving_toml_judges(label: Command, tmp_path: Path) -> None:
    write_bundle(tmp_path / "models", manifest(version="2", classes=["no", "yes"]))
    assert label("id,label\na,yes\n").code == 0
    serving = tmp_path / "models" / "serving.toml"
    serving.write_text('[models.credit]\nchampion = "1"\n')
    assert label("id,label\na,yes\n").code == 1
    serving.write_text('[models.credit]\nchampion = "9"\n')
    assert "version 9" in label("id,label\na,yes\n").err
    serving.write_text("not toml")
    assert label("id,label\na,yes\n").code == 2


def test_a_log_in_memory_is_refused(label: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["label", "x.csv", "--model", "credit"], {"HYPERPLANE_STORAGE": "memory://"}) == 2
    assert "memory://" in capsys.readouterr().err


def test_standard_input_is_csv(label: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"id,label\r\na,bad\r\n")))
    assert label.run("-").code == 0
    assert [record.id for record in label.labels()] == ["a"]


# ------------------------------------------------------------------------------------------------------ interrupted


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_labels, "CHUNK_ROWS", 10)


def many(rows: int) -> str:
    return "id,label\n" + "".join(f"i-{row},bad\n" for row in range(1, rows + 1))


@pytest.mark.usefixtures("small_chunks")
def test_when_the_log_stops_it_says_where_to_go_on(label: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    append, calls = label.store.append, []

    def failing(name: str, data: bytes, at: int) -> None:
        calls.append(name)
        if len(calls) > 3:  # an `open` frame and two chunks
            raise Unavailable("the storage cannot be reached")
        append(name, data, at)

    with monkeypatch.context() as patch:
        patch.setattr(label.store, "append", failing)
        done = label(many(45))
    assert done.code == 2
    assert "go on with --from-row 21" in done.err
    assert "does no harm" in done.err
    assert len(label.labels()) == 20
    done = label(many(45), "--from-row", "21", "--json")
    assert (done.code, done.summary["rows"]) == (0, 25)
    assert sorted(record.id for record in label.labels()) == sorted(f"i-{row}" for row in range(1, 46))


@pytest.mark.usefixtures("small_chunks")
def test_an_interrupt_says_where_to_go_on(label: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    known = bulk_labels.BulkLabels._record

    def interrupted(self: bulk_labels.BulkLabels, rows: Any) -> None:
        if rows[0].number > 30:
            raise KeyboardInterrupt
        known(self, rows)

    monkeypatch.setattr(bulk_labels.BulkLabels, "_record", interrupted)
    done = label(many(45), "--json")
    assert (done.code, done.summary["finished"], done.summary["next_row"]) == (130, False, 31)
    assert len(label.labels()) == 30


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("kind", ["csv", "gz"])
def test_a_file_that_breaks_off_is_recorded_up_to_there(label: Command, kind: str) -> None:
    if kind == "csv":
        done = label(many(15) + 'x,"bad\ny,good\n')
        assert "begins on line 17 has a double quote that is never closed" in done.err
    else:
        done = label(gzip.compress(many(3000).encode())[:-2000], name="truth.csv.gz")
        assert "breaks off" in done.err
    assert done.code == 2
    whole = [record.id for record in label.labels()]
    assert whole == [f"i-{row}" for row in range(1, len(whole) + 1)]
    assert f"--from-row {len(whole) + 1}" in done.err


def test_damaged_parquet_says_after_which_row(label: Command) -> None:
    data = bytearray(parquet(id=[f"i-{row}" for row in range(20_000)], label=["bad"] * 20_000))
    middle = len(data) // 3
    data[middle : middle + 2000] = bytes(2000)
    done = label(bytes(data), name="truth.parquet")
    assert (done.code, "damaged" in done.err) == (2, True), done.err


def test_the_whole_file_again_does_no_harm(label: Command) -> None:
    from evaluation.label_join import join
    from evaluation.records_table import INSTANCE_COLUMNS, LABEL_COLUMNS, concatenated, tables_of_lines

    for _ in range(2):
        assert label("id,label\na,bad\nb,good\n").code == 0
    lines = [encode_record(record) for record, _ in records(label.store)]
    instances, labels = tables_of_lines(lines, "credit")
    import numpy as np

    joined = join(
        concatenated([instances], INSTANCE_COLUMNS), concatenated([labels], LABEL_COLUMNS), np.datetime64(0, "us")
    )
    assert (joined.arrival.labels, joined.arrival.matched, joined.arrival.corrected) == (4, 2, 0)


def test_a_row_number_beyond_the_file_is_said(label: Command) -> None:
    for data, name, there in (
        (b"id,label\na,bad\n", "truth.csv", "1 row"),
        (b"id,label\n", "truth.csv", "no rows"),
        (parquet(id=["a", "b"], label=["bad", "bad"]), "truth.parquet", "2 rows"),
    ):
        done = label(data, "--from-row", "9", name=name)
        assert (done.code, f"--from-row 9: the file has {there}" in done.err) == (2, True), done.err
        assert "go on with --from-row" not in done.err
    assert label("id,label\na,bad\n", "--from-row", "0").code == 2
    assert label.labels() == []


# --------------------------------------------------------------------------------------------------------------- CSV


@pytest.mark.parametrize(
    "data",
    [
        b"id,label,ts\na,bad,\n",
        b"\xef\xbb\xbfid,label,ts\r\na,bad,\r\n",
        b"id,label,ts\ra,bad,\r",
        b'"id","label","ts"\n"a","bad",""',
        b"\n\nid,label,ts\n\n,,\na,bad,\n,,\n\n",
        b"x,ts,label,x,id\n1,,bad,2,a\n",
    ],
)
def test_csv_is_read_as_people_write_it(data: bytes) -> None:
    assert of_csv(data) == [{"id": "a", "label": "bad", "ts": None}]


def test_rows_are_named_by_the_line_on_which_they_begin() -> None:
    rows = list(CsvLabels(io.BytesIO(b'id,label,note\na,bad,"two\nlines"\n\nb,good,\n'), CLASS))
    assert [(row.number, row.line) for row in rows] == [(1, 2), (2, 5)]


def test_a_bad_quote_is_named_and_what_came_before_is_read() -> None:
    rows = iter(CsvLabels(io.BytesIO(b'id,label\na,bad\nb,"go"od\n'), CLASS))
    assert next(rows).given == {"id": "a", "label": "bad"}
    with pytest.raises(LabelFileError, match="line 3 is no CSV"):
        next(rows)


CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=20))
def test_what_a_csv_writer_writes_is_read_as_it_was(rows: list[tuple[str, str, str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([("id", "label", "ts"), *rows])
    expected = [
        {name: cell or None for name, cell in zip(("id", "label", "ts"), row, strict=True)} for row in rows if any(row)
    ]
    assert of_csv(text.getvalue()) == expected


@given(st.binary(max_size=200))
def test_no_bytes_lead_to_another_error(data: bytes) -> None:
    for head in (b"", b"id,label\n"):
        with contextlib.suppress(LabelFileError):
            of_csv(head + data)


@given(st.floats(allow_nan=False))
def test_every_number_that_is_written_is_read(value: float) -> None:
    assert number(repr(value)) == value


@pytest.mark.parametrize("cell", ["1,5", "1 000", "1_000", "0x10", "٣", "", "1e", "--1", "true", "1.2.3"])
def test_what_is_no_number_stays_text(cell: str) -> None:
    assert number(cell) == cell


# ----------------------------------------------------------------------------------------------------------- Parquet

NOON = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (pa.array(["x", None]), ["x", None]),
        (pa.array(["x", None], pa.large_string()), ["x", None]),
        (pa.array(["x", None], pa.string_view()), ["x", None]),
        (pa.array(["x", None]).dictionary_encode(), ["x", None]),
        (pa.array([True, None]), [True, None]),
        (pa.array([1, None], pa.uint8()), [1, None]),
        (pa.array([1, None]).dictionary_encode(), [1, None]),
        (pa.array([1.0, float("nan")]), [1.0, float("nan")]),
        (pa.array([Decimal("1.00"), Decimal("0.5")]), [1, 0.5]),
        (pa.nulls(2), [None, None]),
    ],
)
def test_labels_of_every_type(tmp_path: Path, column: Any, values: list[Any]) -> None:
    rows = of_parquet(tmp_path, id=pa.array(["a", "b"]), label=column)
    assert repr([row["label"] for row in rows]) == repr(values)


def test_ids_may_be_whole_numbers_and_values_of_many_types(tmp_path: Path) -> None:
    rows = of_parquet(tmp_path, VALUE, id=pa.array([17, None]), value=pa.array([1.5, 2], pa.float32()))
    assert rows == [{"id": "17", "value": 1.5}, {"id": None, "value": 2.0}]


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_times_with_a_zone_are_taken_in_any_unit(tmp_path: Path, unit: str) -> None:
    local = NOON.astimezone(timezone(timedelta(hours=2)))
    times = pa.array([local, None], pa.timestamp("us", "Europe/Berlin")).cast(
        pa.timestamp(unit, "Europe/Berlin"), safe=False
    )
    rows = of_parquet(tmp_path, id=["a", "b"], label=["bad", "bad"], ts=times)
    expected = NOON.replace(microsecond=123000) if unit == "ms" else NOON
    assert [row["ts"] for row in rows] == [expected.isoformat(), None]


def test_a_time_beyond_the_calendar_is_left_to_the_judge(tmp_path: Path) -> None:
    times = pa.array([10**15], pa.timestamp("ms", "UTC"))
    assert of_parquet(tmp_path, id=["a"], label=["bad"], ts=times)[0]["ts"] == str(10**15)


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"id": [1.0], "label": ["bad"]}, "column 'id' holds 'double'; ids are text or whole numbers"),
        ({"id": [b"a"], "label": ["bad"]}, "column 'id' holds 'binary'"),
        ({"id": ["a"], "label": [["bad"]]}, "column 'label' holds"),
        ({"id": ["a"], "label": ["bad"], "ts": [NOON.replace(tzinfo=None)]}, "with a time zone"),
        ({"id": ["a"], "label": ["bad"], "ts": [NOON.date()]}, "with a time zone"),
        ({"id": ["a"], "label": ["bad"], "ts": [1_700_000_000]}, "with a time zone"),
        ({"id": ["a"], "value": [1]}, "no column 'label'; the columns are 'id', 'value'"),
    ],
)
def test_types_that_hold_no_label_are_refused_before_a_row_is_read(label: Command, columns: Any, says: str) -> None:
    done = label(parquet(**columns), name="truth.parquet")
    assert (done.code, says in done.err) == (2, True), done.err


def test_texts_are_no_values_and_booleans_are_none(label: Command) -> None:
    for values in (["1"], [True]):
        done = label(parquet(id=["a"], value=values), "--model", "amount", name="truth.parquet")
        assert (done.code, "values are numbers" in done.err) == (2, True)


def test_columns_of_one_name_and_texts_that_are_no_utf8(label: Command, tmp_path: Path) -> None:
    stored = pa.array([b"\xff\xfe", b"bad"]).view(pa.string())
    assert of_parquet(tmp_path, id=["a", "b"], label=stored)[0]["label"] == "\\xff\\xfe"
    sink = io.BytesIO()
    pq.write_table(
        pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"]), pa.array(["bad"])], ["id", "id", "label"]), sink
    )
    assert "2 columns named 'id'" in label(sink.getvalue(), name="truth.parquet").err


def test_parquet_rows_are_recorded_as_csv_ones_are(label: Command) -> None:
    rows = {"id": ["a", "x", "b"], "label": ["bad", "good", "worse"]}
    done = label(parquet(**rows), "--json", name="truth.parquet")
    assert [done.summary[name] for name in ("rows", "recorded", "unmatched", "rejected")] == [3, 1, 1, 1]
    assert done.summary["rejected_rows"][0]["line"] is None


def test_an_empty_parquet_file_has_no_rows(label: Command) -> None:
    done = label(parquet(id=pa.array([], pa.string()), label=pa.array([], pa.string())), name="truth.parquet")
    assert (done.code, "no rows" in done.err) == (0, True)


def test_the_command_needs_no_pyarrow_for_csv_and_a_redaction_needs_neither() -> None:
    code = (
        "import sys, scoring.__main__; print(sorted({'pyarrow', 'pandas', 'onnxruntime', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def reading(path: Path) -> Iterator[Any]:
    with open_labels(str(path), CLASS) as rows:
        yield from rows


def test_many_rows_take_the_memory_of_a_few(tmp_path: Path) -> None:
    import tracemalloc

    path = tmp_path / "truth.csv"
    path.write_bytes(b"id,label\n" + b"i-1234567,bad\n" * 60_000)
    tracemalloc.start()
    try:
        assert sum(1 for _ in reading(path)) == 60_000
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_the_guides_example_is_judged_as_the_guide_says(label: Command, tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "scoring.md").read_text(encoding="utf-8")
    shell = guide.split("## Labels from a file")[1].split("```sh\n")[1].split("```")[0]
    (written,) = re.findall(r"printf '(.*)' > truth\.csv", shell)
    write_bundle(
        tmp_path / "models", manifest(name="wine", task="multiclass", classes=["class_0", "class_1", "class_2"])
    )
    done = label(written.replace("\\n", "\n"), "--model", "wine", "--dry-run", "--json")
    assert [done.summary[name] for name in ("rows", "unmatched", "rejected")] == [2, 1, 1]
    offered = label.run("--help").out
    for option in set(re.findall(r"(--[a-z-]+)", shell)):
        assert option in offered


def test_the_command_beside_a_real_storage(label: Command, azurite: Azurite, tmp_path: Path) -> None:
    """A process of its own, and an interrupt while it runs: what it says is durable is in the log."""
    environ = {
        "HYPERPLANE_STORAGE": azurite.connection_string,
        "HYPERPLANE_AUDIT_CONTAINER": f"labels-{uuid.uuid4().hex}",
        "HYPERPLANE_MODELS": str(tmp_path / "models"),
    }
    store = open_stores(from_environ(environ)).log
    (tmp_path / "truth.csv").write_text(many(60_000))
    command = [sys.executable, "-m", "scoring", "label", str(tmp_path / "truth.csv"), "--model", "credit", "--json"]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=root, env=os.environ | environ, stdout=subprocess.PIPE, text=True) as process:
        while not any(info.size_bytes > 100_000 for info in store.list("log/")) and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        told = json.loads(process.communicate(timeout=60)[0])
    rows = [int(record.id.removeprefix("i-")) for record, _ in records(store)]
    assert rows == list(range(1, len(rows) + 1))
    assert len(rows) >= told["rows"]
    if not told["finished"]:
        assert process.returncode == 130
        assert told["next_row"] == told["rows"] + 1
    assert all(read_blob(store, info.name).finding is None for info in store.list("log/"))
