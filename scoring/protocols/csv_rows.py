r"""Instances as CSV: a line that names the features, then one line for each instance (RFC 4180, with quotes).

    age,income,job\r\n
    41,23000,clerk\r\n
    ,18000,"cook, night shift"\r\n

Lines end in CRLF, LF or CR; blank ones are skipped, and so is a byte order mark. Columns may come in any order. Names
are exact: nothing is trimmed. A column that no feature has is judged like any extra key. A first column without a name
is the index that `DataFrame.to_csv()` writes by default, and is not read. Cells become values by the schema, see
`scoring.protocols.csv_cells`.

A line with more or fewer cells than the first is no instance: it stays an array of its cells, which judging refuses as
`wrong_type`, and its neighbours are scored. The whole body is refused when it could be read in two ways: a header that
names no feature or one twice, a quote that is not closed, bytes that are not UTF-8.

Texts of errors quote no cell: a body without a header line has values where the names should be.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from scoring.bundle import Feature
from scoring.errors import BadRequest
from scoring.protocols.columns import refuse_extra, repeated
from scoring.protocols.csv_cells import parse_column

_INDEX = ""  # the name of pandas' index column
_SHOWN = 5  # features that an error names

# The module's own limit is 128 KiB a cell. A long text is one instance's fault, judged `too_long`, and the body's size
# has its own limit; what is set here holds for the process.
csv.field_size_limit(2**31 - 1)


def read_csv(body: bytes, features: Sequence[Feature], max_instances: int = 50_000) -> tuple[list[Any], bool]:
    r"""The instances in a body, objects but for lines of another length than the header, and whether they are plain:
    no infinity in them. Raises `BadRequest`.

    >>> read_csv(b"age,job\n41,clerk\n17\n", [Feature(name="age", type="integer"), Feature(name="job", type="string")])
    ([{'age': 41, 'job': 'clerk'}, ['17']], True)
    """
    lines = _lines(_text(body), max_instances)
    names = next(lines, None)
    if names is None:
        raise BadRequest(f"the body is empty; send a line with the features' names ({_some(features)}), then values")
    _check_names(names, features)
    rows = list(islice(lines, max_instances + 1))
    if not rows:
        raise BadRequest("the body ends after the line of names; send at least one line of values", "no_instances")
    if len(rows) > max_instances:
        raise BadRequest(
            f"the body has more than {max_instances:,} instances; send them in parts", "too_many_instances"
        )
    refuse_extra("the first line", names, [feature.name for feature in features], len(rows))
    return _instances(names, rows, features)


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise BadRequest(
            f"the body is not UTF-8: byte {problem.start} cannot be read; save it as UTF-8", "not_csv"
        ) from None


def _lines(text: str, most_blank: int) -> Iterator[list[str]]:
    """The cells of each line that has any."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    begins, blank = 1, 0
    try:
        for cells in reader:
            if cells:
                yield cells
            else:
                blank += 1
            if blank > most_blank:
                raise BadRequest(f"the body has more than {most_blank:,} blank lines; leave them out", "not_csv")
            begins = reader.line_num + 1
    except csv.Error as problem:
        unclosed = "unexpected end" in str(problem)
        fault = "its quote is never closed" if unclosed else "after a closing quote a comma or the line's end must come"
        raise BadRequest(f'line {begins}: {fault}; inside a quoted cell write a quote as ""', "not_csv") from None


def _check_names(names: Sequence[str], features: Sequence[Feature]) -> None:
    if not {feature.name for feature in features}.intersection(names):
        raise BadRequest(
            f"the first line names none of the features ({_some(features)}): send their names, separated by commas"
        )
    twice = repeated(names)
    if twice is not None:
        first, second = twice
        raise BadRequest(f"the first line: columns {first + 1} and {second + 1} have one name; leave one of them out")


def _some(features: Sequence[Feature]) -> str:
    names = [feature.name for feature in features]
    return ", ".join(names[:_SHOWN] + ["…"] * (len(names) > _SHOWN))


def _instances(names: Sequence[str], rows: Sequence[list[str]], features: Sequence[Feature]) -> tuple[list[Any], bool]:
    """An object for each row as long as the header, any other row as it is; and whether all numbers are finite."""
    by_name = {feature.name: feature for feature in features}
    columns = zip(names, zip(*(row for row in rows if len(row) == len(names)), strict=True), strict=False)
    kept = {
        name: parse_column(cells, by_name.get(name))
        for place, (name, cells) in enumerate(columns)
        if place or name != _INDEX or name in by_name
    }
    objects = (dict(zip(kept, values, strict=True)) for values in zip(*kept.values(), strict=True))
    instances = [next(objects) if len(row) == len(names) else row for row in rows]
    return instances, not any(math.inf in column or -math.inf in column for column in kept.values())
