from __future__ import annotations

import io
import math
from datetime import UTC, datetime
from typing import Any

import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import compact
from audit.compact import COLUMNS, compact_blob, part_name
from audit.memory_store import MemoryStore
from audit.reader import read_blob
from audit.records import Record, encode_record
from tests.audit.examples import HOUR, NOON_S, WRITER, appender, copy_with, ids, log_of, only_name, score


def log_with(*records: Record, close: bool = True) -> MemoryStore:
    store = MemoryStore()
    writer = appender(store)
    writer.append([encode_record(record) for record in records])
    if close:
        writer.leave()
    return store


def rows(store: MemoryStore, model: str = "wine") -> list[dict[str, Any]]:
    data = compact_blob(read_blob(store, only_name(store)))[model]
    table = pq.read_table(io.BytesIO(data))
    assert table.schema.equals(COLUMNS)
    found: list[dict[str, Any]] = table.to_pylist()
    return found


def test_every_field_has_its_column() -> None:
    record = score(
        "a",
        at_s=NOON_S + 0.123456,
        request="r",
        row=2,
        rows=5,
        run=("run-1", 3, 4),
        version="1",
        bundle="b" * 64,
        role="champion",
        policies="0123456789abcdef",
        redacted=["name"],
        reasons=["outside_range"],
        flags={"outside": {"age": "above"}},
        x={"age": 1e300, "name": "ü", "missing": None, "odd": "NaN"},
        y={"label": "good", "probabilities": {"good": 0.75, "bad": 0.25}},
        us={"decode": 1, "judge": 2, "infer": 3, "encode": 4, "start": 5},
        cold=True,
    )
    (row,) = rows(log_with(record))
    assert row == {
        "kind": "score", "id": "a", "ts": datetime.fromtimestamp(NOON_S + 0.123456, UTC),
        "request": "r", "row": 2, "rows": 5, "run_id": "run-1", "run_position": 3, "run_size": 4,
        "version": "1", "bundle": "b" * 64, "policies": "0123456789abcdef", "role": "champion", "outcome": "scored",
        "reasons": ["outside_range"], "redacted": ["name"],
        "flags": '{"outside":{"age":"above"}}', "x": '{"age":1e300,"name":"ü","missing":null,"odd":"NaN"}',
        "label": '"good"', "value": None, "score": None,
        "probabilities": [("good", 0.75), ("bad", 0.25)], "truth_ts": None,
        "us_decode": 1, "us_judge": 2, "us_infer": 3, "us_encode": 4, "us_start": 5, "cold": True,
        "writer": WRITER, "blob": f"log/v1/{HOUR}/{WRITER}-0.jsonl", "sequence": 1, "line": 0,
    }  # fmt: skip


def test_labels_values_and_scores() -> None:
    number, corrected, margin, text, truth = rows(
        log_with(
            score("a", y={"value": 3}),
            score("b", y={"value": "NaN"}),
            score("c", y={"label": True, "score": -1.5}),
            score("d", y={"label": "1"}),
            score("e", kind="label", x=None, y={"label": 1, "ts": "2026-11-22T10:00:00+02:00"}),
        )
    )
    assert number["value"] == 3.0
    assert math.isnan(corrected["value"])
    assert (margin["label"], margin["score"]) == ("true", -1.5)
    assert (text["label"], truth["label"]) == ('"1"', "1"), "a text and a number stay apart"
    assert truth["truth_ts"] == datetime(2026, 11, 22, 8, tzinfo=UTC)
    assert (truth["kind"], truth["x"]) == ("label", None)


def test_each_model_has_a_part_and_no_other() -> None:
    store = log_with(score("a"), score("b", model="diabetes"), score("c"))
    parts = compact_blob(read_blob(store, only_name(store)))
    assert list(parts) == ["diabetes", "wine"]
    assert [row["id"] for row in rows(store)] == ["a", "c"]
    assert [row["line"] for row in rows(store)] == [0, 2]


def test_a_blob_without_records_gives_no_part() -> None:
    store = log_of(["a"])
    name = only_name(store)
    opening = store.read(name, 0, read_blob(store, name).frames[0].end)
    empty = copy_with(store, {name: opening})
    assert compact_blob(read_blob(empty, only_name(empty))) == {}


def test_the_same_blob_gives_the_same_bytes() -> None:
    store = log_with(*(score(f"id-{n}", x={"a": n / 7}) for n in range(500)))
    reading = read_blob(store, only_name(store))
    assert compact_blob(reading) == compact_blob(read_blob(store, only_name(store)))


def test_many_records_make_several_row_groups_in_order(monkeypatch: Any) -> None:
    monkeypatch.setattr(compact, "ROWS_A_GROUP", 64)
    store = log_with(*(score(f"id-{n}", model="wine" if n % 3 else "diabetes") for n in range(300)))
    data = compact_blob(read_blob(store, only_name(store)))
    table = pq.read_table(io.BytesIO(data["wine"]))
    assert table.column("id").to_pylist() == [f"id-{n}" for n in range(300) if n % 3]
    assert pq.ParquetFile(io.BytesIO(data["wine"])).num_row_groups == 5


def test_a_hostile_model_name_stays_in_its_folder() -> None:
    blob = f"log/v1/{HOUR}/{WRITER}-0.jsonl"
    for model in ("../../log", "a/b", "x=y", "%2e", "ü", "a b", "\n"):
        name = part_name(blob, model)
        assert name.startswith("curated/model=")
        assert name.count("/") == 4
        assert "\n" not in name


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
RESULTS = st.dictionaries(st.sampled_from(["label", "value", "score", "probabilities", "ts", "other"]), JSON)


@settings(max_examples=30)
@given(st.text(max_size=20), JSON, RESULTS, st.text(max_size=12), st.integers(-(2**70), 2**70))
def test_whatever_a_record_holds_it_has_its_row(name: str, x: Any, y: dict[str, Any], ts: str, number: int) -> None:
    record = score(name, x=x, y=y, row=number, us={"infer": number})
    record.ts = ts
    store = log_with(record)
    kept = ids(store)
    parts = compact_blob(read_blob(store, only_name(store)))
    assert [row["id"] for row in rows(store)] == kept if kept else parts == {}
