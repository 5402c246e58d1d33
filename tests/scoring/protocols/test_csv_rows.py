"""CSV becomes the instances that its writer had, and what cannot be read is one row's fault or a clear refusal."""

from __future__ import annotations

import csv
import io
import math
import time
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.bundle import Feature
from scoring.errors import BadRequest
from scoring.protocols.csv_rows import read_csv

AGE = Feature(name="age", type="float")
YEARS = Feature(name="years", type="integer")
MEMBER = Feature(name="member", type="boolean")
JOB = Feature(name="job", type="string")
FEATURES = [AGE, YEARS, MEMBER, JOB]
NAMES = [feature.name for feature in FEATURES]

TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
ROWS = st.lists(
    st.tuples(
        st.none() | st.floats(allow_nan=False, allow_infinity=False),
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.booleans(),
        st.none() | TEXTS,
    ),
    min_size=1,
    max_size=6,
)


def instances(text: str | bytes, features: list[Feature] = FEATURES, most: int = 50_000) -> list[Any]:
    """The instances in a body."""
    return read_csv(text if isinstance(text, bytes) else text.encode(), features, most)[0]


def cell(text: str, feature: Feature) -> Any:
    """What a cell becomes, quoted so that it may hold anything."""
    quoted = '"' + text.replace('"', '""') + '"'
    (instance,) = instances(f"{feature.name}\n{quoted}\n", [feature])
    return instance[feature.name]


def refusal(body: bytes) -> str | None:
    """The reason for which a body is refused, None if there are instances in it."""
    try:
        assert instances(body)
    except BadRequest as problem:
        return problem.reason
    return None


@given(ROWS, st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_what_pythons_csv_writes_is_read_back(rows: list[tuple[Any, ...]], ends: str, quoting: Any) -> None:
    written = io.StringIO()
    writer = csv.writer(written, lineterminator=ends, quoting=quoting)
    writer.writerows([NAMES, *rows])
    assert instances(written.getvalue()) == [dict(zip(NAMES, row, strict=True)) for row in rows]


@given(ROWS, st.booleans())
def test_what_pandas_writes_is_read_back_with_its_index_or_without(rows: list[tuple[Any, ...]], index: bool) -> None:
    frame = pd.DataFrame(rows, columns=NAMES, dtype=object)
    assert instances(frame.to_csv(index=index)) == [dict(zip(NAMES, row, strict=True)) for row in rows]


def test_numpy_types_of_a_frame_come_back_as_json_has_them() -> None:
    frame = pd.DataFrame({"age": [1.5, math.nan], "years": [3, 4], "member": [True, False], "job": ["cook", "clerk"]})
    assert instances(frame.to_csv(index=False)) == [
        {"age": 1.5, "years": 3, "member": True, "job": "cook"},
        {"age": None, "years": 4, "member": False, "job": "clerk"},
    ]


@given(st.binary(max_size=80) | st.text('age,"\n\r 1\0é', max_size=40).map(lambda text: ("age\n" + text).encode()))
def test_any_bytes_are_instances_or_a_bad_request(body: bytes) -> None:
    assert refusal(body) in (None, "not_csv", "wrong_shape", "no_instances")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.5", 1.5), (" -2e3\t", -2000.0), ("+.5", 0.5), ("007", 7.0), ("1e400", math.inf), ("-Infinity", -math.inf),
        ("inf", math.inf), ("9" * 5000, math.inf), ("", None), (" ", None), ("NaN", None), ("nan", None), ("NA", None),
        ("null", None), ("None", None), ("#N/A", None), ("1_000", "1_000"), ("١", "١"), ("1,5", "1,5"), ("1\0", "1\0"),
        ("0x10", "0x10"), ("true", "true"), ("forty", "forty"), ("1 2", "1 2"), ("[1]", "[1]"), ('"1"', '"1"'),
    ],
)  # fmt: skip
def test_a_cell_of_a_float_feature(text: str, expected: Any) -> None:
    assert cell(text, AGE) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("7", 7), ("7.0", 7.0), ("7.5", 7.5), ("-9223372036854775809", -(2**63) - 1), ("1e2", 100.0), ("", None),
     ("9" * 5000, math.inf), ("1_0", "1_0"), ("seven", "seven"), ("null", None)],
)  # fmt: skip
def test_a_cell_of_an_integer_feature(text: str, expected: Any) -> None:
    assert repr(cell(text, YEARS)) == repr(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("true", True), ("True", True), ("TRUE", True), ("1", True), ("false", False), (" False ", False), ("0", False),
     ("tRue", "tRue"), ("yes", "yes"), ("2", "2"), ("1.0", "1.0"), ("", None), ("NA", None)],
)  # fmt: skip
def test_a_cell_of_a_boolean_feature(text: str, expected: Any) -> None:
    assert repr(cell(text, MEMBER)) == repr(expected)


@pytest.mark.parametrize("text", ["NA", "nan", "1.5", "true", " cook ", "a\r\nb", 'say "hi"', "x,y", "\ufeff", "\0"])
def test_a_cell_of_a_string_feature_stays_as_it_is(text: str) -> None:
    assert cell(text, JOB) == text


def test_a_declared_sentinel_stays_text_even_where_it_reads_as_a_number() -> None:
    age = Feature(name="age", type="integer", sentinels=["-1", "N/A", -999])
    assert [cell(text, age) for text in ("-1", "N/A", "-999", "41")] == ["-1", "N/A", -999, 41]


def test_several_values_in_one_cell_never_pass_for_several_cells() -> None:
    assert instances('age\n"1,2"\n3\n', [AGE]) == [{"age": "1,2"}, {"age": 3.0}]
    assert instances('age,job\n"1,2",x\n,y\n', [AGE, JOB])[0]["age"] == "1,2"
    assert instances('age\n"1],[2"\n', [AGE]) == [{"age": "1],[2"}]


def test_columns_come_in_any_order_and_unknown_ones_are_kept_for_judging() -> None:
    assert instances("extra,job,age\n1,cook,41\n,clerk,\n") == [
        {"extra": "1", "job": "cook", "age": 41.0},
        {"extra": None, "job": "clerk", "age": None},
    ]


def test_names_are_exact() -> None:
    assert instances("age, years\n1,2\n") == [{"age": 1.0, " years": "2"}]


def test_an_unnamed_column_is_the_index_only_where_it_comes_first_and_no_feature_is_called_so() -> None:
    assert instances(",age\n0,41\n") == [{"age": 41.0}]
    assert instances("age,\n41,0\n") == [{"age": 41.0, "": "0"}]
    assert instances(",age\n0,41\n", [AGE, Feature(name="", type="integer")]) == [{"": 0, "age": 41.0}]


def test_a_byte_order_mark_blank_lines_and_a_missing_last_line_end_are_no_matter() -> None:
    assert instances(b"\xef\xbb\xbf\r\nage\r\n\r\n1\r\n\r\n2") == [{"age": 1.0}, {"age": 2.0}]


def test_a_quoted_empty_cell_of_a_single_column_is_a_missing_value_and_no_blank_line() -> None:
    assert instances(pd.DataFrame({"age": [1.0, None]}).to_csv(index=False)) == [{"age": 1.0}, {"age": None}]


def test_a_line_of_another_length_stays_an_array_and_its_neighbours_are_read() -> None:
    assert instances("age,job\n1,cook\n2\n3,clerk,4\n5,chef\n") == [
        {"age": 1.0, "job": "cook"}, ["2"], ["3", "clerk", "4"], {"age": 5.0, "job": "chef"},
    ]  # fmt: skip
    assert instances("age,job\n1\n") == [["1"]]


def test_only_a_body_without_infinity_is_plain() -> None:
    assert read_csv(b"age\n1\nNaN\n", [AGE])[1]
    assert not read_csv(b"age\n1\n-inf\n", [AGE])[1]
    assert not read_csv(b"age\n1e999\n", [AGE])[1]


def test_a_cell_of_ten_megabytes_is_one_instances_fault() -> None:
    found = instances("age,job\n1," + "x" * 10_000_000 + "\n2,cook\n")
    assert [len(instance["job"]) for instance in found] == [10_000_000, 4]


@pytest.mark.parametrize(
    ("body", "reason", "words"),
    [
        (b"", "wrong_shape", "the body is empty; send a line with the features' names .age, years, member, job"),
        (b"\n\n", "wrong_shape", "the body is empty"),
        (b"age,job\n", "no_instances", "ends after the line of names; send at least one line of values"),
        (b"41,7,true,cook\n42,8,true,cook\n", "wrong_shape", "names none of the features .age, .*: send their names"),
        (b"age;job\n1;cook\n", "wrong_shape", "names none of the features .*separated by commas"),
        (b"age,job,age\n1,cook,2\n", "wrong_shape", "columns 1 and 3 have one name; leave one of them out"),
        (b"age\n" + b"1\n" * 6, "too_many_instances", "more than 5 instances; send them in parts"),
        (b"age\n" + b"\n" * 6, "not_csv", "more than 5 blank lines"),
        (b'age,job\n1,cook\n2,"cle\nrk\n', "not_csv", "line 3: its quote is never closed"),
        (b'age,job\n1,"x"y\n', "not_csv", "line 2: after a closing quote a comma or the line's end must come"),
        (b"age\n\xff\n", "not_csv", "not UTF-8: byte 4 cannot be read; save it as UTF-8"),
        ("age\n1\n".encode("utf-16"), "not_csv", "not UTF-8: byte 0"),
        ("age\n1\n".encode("utf-16-le"), "wrong_shape", "names none of the features"),
    ],
)
def test_what_is_no_csv_of_instances_is_named(body: bytes, reason: str, words: str) -> None:
    with pytest.raises(BadRequest, match=words) as caught:
        read_csv(body, FEATURES, 5)
    assert caught.value.reason == reason


def test_no_error_quotes_a_cell() -> None:
    for body in (b"secret-1,7\nsecret-2,8\n", b"secret-1,secret-1\n", b'age,job\n1,"secret-1"x\n', b'age\n"secret-1'):
        with pytest.raises(BadRequest) as caught:
            read_csv(body, FEATURES)
        assert "secret" not in str(caught.value)


def test_long_names_above_many_rows_are_refused_before_they_are_repeated() -> None:
    began = time.process_time()
    with pytest.raises(
        BadRequest, match=r"the first line: 1 columns that no feature has .* 50,000 rows; leave them out"
    ):
        instances("age," + "x" * 8_000_000 + "\n" + "1,\n" * 50_000)
    with pytest.raises(BadRequest, match="99,999 columns that no feature has"):
        instances("age," + ",".join(map(str, range(99_999))) + "\n" + ("1" + "," * 99_999 + "\n") * 80)
    assert time.process_time() - began < 10
