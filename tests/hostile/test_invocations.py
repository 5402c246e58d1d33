"""Tables that no honest client of MLflow sends: ragged ones, endless ones, CSV that may be read in two ways."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.hostile.ledger import GOOD, INVOKE, Ledger
from tests.scoring.test_json_body import JSON

NAMES = list(GOOD)
HEADER = ",".join(NAMES)
LINE = ",".join(map(str, GOOD.values()))
REFUSED_CSV = {
    "nothing": "",
    "blank lines": "\n" * 1000,
    "a million blank lines": "\n" * 1_000_000,
    "a header alone": HEADER + "\n",
    "no header": LINE + "\n",
    "a header of quotes": '"' * 999 + "\n" + LINE,
    "a quote that is never closed": HEADER + '\n"' + LINE,
    "a text behind a quote": HEADER + '\n"a"b' + LINE,
    "one name twice": HEADER + ",alcohol\n" + LINE + ",1\n",
    "50,001 lines": HEADER + "\n" + "1\n" * 50_001,
}
TAKEN_CSV = {
    "a cell of 10 MB": f"{HEADER}\n{'9' * 10_000_000},{LINE.partition(',')[2]}\n",
    "a line of 100,000 cells": f"{HEADER}\n{',' * 100_000}\n",
    "a header of 50,000 names": HEADER + "".join(f",n{i}" for i in range(50_000)) + "\n" + LINE + "," * 50_000 + "\n",
    "ragged lines": f"{HEADER}\n1\n{LINE}\n{LINE},1\n",
    "lines that end in CR": f"{HEADER}\r{LINE}\r",
    "a byte order mark": f"\ufeff{HEADER}\n{LINE}\n",
    "NULs": f"{HEADER}\n\0,{LINE.partition(',')[2]}\n",
    "numbers that are none": f"{HEADER}\n" + "\n".join(f"{odd},{LINE.partition(',')[2]}" for odd in
        ["inf", "-1e400", "nan", "1_000", "٣", "0x10", "1e999999999", "9" * 5000, "=1+1", "true"]),
    "formulas": f'{HEADER}\n"=cmd|\'/C calc\'!A0",{LINE.partition(",")[2]}\n',
    "newlines in cells": f'{HEADER}\n"1\n2\r3",{LINE.partition(",")[2]}\n',
    "20,000 lines": HEADER + "\n" + "1\n" * 20_000,
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED_CSV)
def test_csv_that_is_no_table_is_refused_clearly(ledger: Ledger, name: str) -> None:
    answer = ledger.post(INVOKE, REFUSED_CSV[name].encode(), content_type="text/csv")
    assert answer.status_code == 400
    assert LINE[:20] not in answer.json()["error"]


@pytest.mark.parametrize("name", TAKEN_CSV)
def test_what_is_wrong_in_a_line_is_a_matter_of_its_instance(ledger: Ledger, name: str) -> None:
    answer = ledger.post(INVOKE, TAKEN_CSV[name].encode(), content_type="text/csv")
    assert answer.status_code == 200
    assert all(result["outcome"] == "scored" or result["reasons"] for result in answer.json()["results"])


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/csv; charset=utf-16", HEADER.encode("utf-16")),
        ("text/csv", HEADER.encode("utf-16")),
        ("text/csv", b"\xff\xfe\xfd"),
        ("text/csv; header=absent", LINE.encode()),
        ("application/json", HEADER.encode()),
        ("application/x-www-form-urlencoded", b"a=1"),
        ("multipart/form-data; boundary=x", b"--x--"),
        ("application/xml", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"),
        ("\xff", b"{}"),
        ("x" * 5000, b"{}"),
        (";" * 2000, b"{}"),
        ("text/csv" + ";a=b" * 2000, b""),
    ],
)
def test_other_kinds_of_content_are_refused_clearly(ledger: Ledger, kind: str, body: bytes) -> None:
    assert ledger.post(INVOKE, body, content_type=kind.encode("latin-1")).status_code == 400


REFUSED_JSON: dict[str, Any] = {
    "nothing of the four": {},
    "two of the four": {"instances": [1], "inputs": [1]},
    "an array": [1],
    "no rows": {"dataframe_records": []},
    "columns of different lengths": {"inputs": {"alcohol": [1, 2], "ash": [1]}},
    "columns and values": {"inputs": {"alcohol": [1], "ash": 1}},
    "one column's name twice": {"dataframe_split": {"columns": ["ash", "ash"], "data": [[1, 2]]}},
    "columns that are no names": {"dataframe_split": {"columns": [1, None], "data": [[1, 2]]}},
    "an index of another length": {"dataframe_split": {"columns": ["ash"], "data": [[1]], "index": [1, 2]}},
    "no data": {"dataframe_split": {"columns": ["ash"]}},
    "parameters": {"instances": [1], "params": {"temperature": 1}},
    "parameters that are none": {"instances": [1], "params": [1]},
    "too many ids": {"instances": [1], "ids": ["a", "b"]},
    "50,001 rows": {"instances": [1] * 50_001},
    "the frame as a text": {"dataframe_split": '{"columns": [], "data": []}'},
    "legacy: a bare frame": {"columns": ["ash"], "data": [[1]]},
}


@pytest.mark.parametrize("name", REFUSED_JSON)
def test_json_that_leaves_open_what_is_meant_is_refused_clearly(ledger: Ledger, name: str) -> None:
    assert ledger.post(INVOKE, json.dumps(REFUSED_JSON[name]).encode()).status_code == 400


CELLS = st.text(st.sampled_from('ab,"\n\r\0;\t1.e-é\ud7ff'), max_size=12) | st.sampled_from(
    ["inf", "1e400", "NaN", "NA"]
)
TABLES = st.lists(st.lists(CELLS, max_size=15), max_size=5)
FRAMES = st.fixed_dictionaries(
    {},
    optional={
        "columns": st.lists(st.sampled_from([*NAMES[:3], "x", 1]), max_size=4) | JSON,
        "data": st.lists(st.lists(JSON, max_size=4) | JSON, max_size=4) | JSON,
        "index": st.lists(st.integers(), max_size=4) | JSON,
    },
)
REQUESTS = st.fixed_dictionaries(
    {},
    optional={
        "dataframe_split": FRAMES | JSON,
        "dataframe_records": st.lists(JSON, max_size=4) | JSON,
        "instances": st.lists(JSON, max_size=4) | JSON,
        "inputs": st.dictionaries(st.sampled_from(NAMES), st.lists(JSON, max_size=3) | JSON, max_size=4) | JSON,
        "params": st.sampled_from([None, {}, {"a": 1}, []]),
        "ids": st.lists(st.sampled_from(["a", "b", "", 1]), max_size=3) | st.none(),
    },
)


@settings(max_examples=150)
@given(REQUESTS)
def test_any_drawn_request_gets_a_clear_answer(ledger: Ledger, request_: Any) -> None:
    ledger.post(INVOKE, json.dumps(request_).encode())


@settings(max_examples=150)
@given(TABLES | st.binary(max_size=100), st.sampled_from(["", HEADER + "\n", HEADER + "\r\n" + LINE + "\r"]))
def test_any_drawn_csv_gets_a_clear_answer(ledger: Ledger, drawn: Any, before: str) -> None:
    body = drawn if isinstance(drawn, bytes) else "\n".join(",".join(line) for line in drawn).encode()
    ledger.post(INVOKE, before.encode() + body, content_type="text/csv")
