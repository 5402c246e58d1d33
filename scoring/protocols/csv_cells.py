"""A column of CSV cells to values, by the type of its feature, as pandas (and so MLflow's own server) reads them.

CSV has no types of its own: every cell is text. So the model's schema says what a cell may be:

| feature | cell | value |
|---|---|---|
| any | empty | null: missing |
| float | `1.5`, `-2e3`, `7`, `inf`, `1e400` | a number, the last two infinite |
| integer | `7`, `7.0` | a whole number; judging refuses `7.5` |
| boolean | `true`, `True`, `TRUE`, `1` and the same of false | true, false |
| float, integer, boolean | what pandas reads as NaN: `NA`, `N/A`, `NaN`, `null`, `None`, … | null: missing |
| string, or no feature | anything else | as it is; `NA` is a text like any other, unless it is a declared sentinel |

Spaces around a number or a boolean are skipped. Whatever does not parse stays text, so that judging refuses it as
`wrong_type` and the record shows what was sent; so does a text that the feature declares as a sentinel. Python's own
extras are none of ours: `1_000` and digits of other scripts are text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from scoring.bundle import Feature

Cell = str | float | bool | None

# pandas.read_csv's own list, https://pandas.pydata.org/docs/reference/api/pandas.read_csv.html (na_values)
_MISSING = frozenset(
    (
        *("", "NA", "N/A", "n/a", "NULL", "null", "None", "NaN", "nan", "-NaN", "-nan", "<NA>"),
        *("#N/A", "#N/A N/A", "#NA", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"),
    )
)
_BOOLEANS = dict.fromkeys(("true", "True", "TRUE", "1"), True) | dict.fromkeys(("false", "False", "FALSE", "0"), False)
_LONG = 310  # an integer with more digits is beyond the range of a double

_FLOATS: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[float | None])
_INTEGERS: msgspec.json.Decoder[list[Any]] = msgspec.json.Decoder(list[int | None])


def parse_column(cells: Sequence[str], feature: Feature | None) -> list[Cell]:
    """The values of a column's cells; `None` stands for a column that no feature has.

    >>> parse_column(["41", "", "forty"], Feature(name="age", type="integer"))
    [41, None, 'forty']
    >>> parse_column(["True", "no", "NA"], Feature(name="member", type="boolean"))
    [True, 'no', None]
    """
    if feature is None or feature.type == "string":
        return [cell or None for cell in cells]
    texts = {value for value in feature.sentinels if isinstance(value, str)}
    if feature.type == "boolean":
        return [_value(cell, _boolean, texts) for cell in cells]
    decoder = _INTEGERS if feature.type == "integer" else _FLOATS
    numbers = None if texts else _json_numbers(cells, decoder)
    if numbers is not None:
        return numbers
    return [_value(cell, _integer if feature.type == "integer" else _float, texts) for cell in cells]


def _json_numbers(cells: Sequence[str], decoder: msgspec.json.Decoder[list[Any]]) -> list[Cell] | None:
    """All cells at once if each is empty or a number as JSON has them, eight times as fast as one by one; else nothing.

    Every cell adds at least one value to the array, for two commas on end are no JSON: if there are as many values as
    cells, each cell is one.
    """
    try:
        numbers = decoder.decode(f"[{','.join([cell or 'null' for cell in cells])}]")
    except ValueError:  # msgspec's own errors, and Python's of an integer beyond 4,300 digits
        return None
    return numbers if len(numbers) == len(cells) else None


def _value(cell: str, parse: Callable[[str], Cell], sentinels: set[str]) -> Cell:
    if cell in sentinels:
        return cell
    trimmed = cell.strip()
    if trimmed in _MISSING:
        return None
    value = parse(trimmed)
    return cell if value is None else value


def _boolean(text: str) -> bool | None:
    return _BOOLEANS.get(text)


def _integer(text: str) -> float | None:
    """A whole number as one, any other as a double."""
    number = _float(text)
    if number is None or len(text) > _LONG:
        return number
    try:
        return int(text)
    except ValueError:
        return number


def _float(text: str) -> float | None:
    """A number that is none of Python's extras; NaN in an unusual spelling is none either."""
    if "_" in text or not text.isascii():
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    return None if math.isnan(number) else number
