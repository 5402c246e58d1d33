"""In which bin each value of each judged instance lies: a column of positions by feature and by output.

Counted once and used twice: for the histograms, and for the instances that each bin keeps. Numbers of instances that
lack none of them are binned as one matrix; all others column by column.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.records import Record
from evaluation.bin_examples import NOT_THERE, Places
from evaluation.binning import doubles, places_of, places_of_numbers
from scoring.bundle import Histogram

_NUMBERS = frozenset({float, int})
PROBABILITY = "probability:"


def feature_places(judged: Sequence[Record], bins: Mapping[str, Histogram]) -> dict[str, Places]:
    """By feature; NOT_THERE where a record does not hold the value in clear."""
    hidden = {name for record in judged for name in record.redacted} & bins.keys()
    numbers = [name for name, own in bins.items() if own.edges is not None and name not in hidden]
    found = _number_places(judged, {name: bins[name] for name in numbers}) if numbers else {}
    others = [name for name in bins if name not in found]
    for name, values in zip(others, columns(judged, others), strict=True):
        found[name] = places_of(values, bins[name])
        if name in hidden:
            found[name][[name in record.redacted for record in judged]] = NOT_THERE
    return {name: found[name] for name in bins}


def columns(records: Sequence[Record], names: Sequence[str]) -> Iterator[list[Any]]:
    """The values of each feature, None where the record says that it is missing."""
    instances = [record.x if isinstance(record.x, dict) else {} for record in records]
    gone = [frozenset(texts(record.flags.get("missing"))) for record in records]
    for name in names:
        yield [None if name in absent else x.get(name) for x, absent in zip(instances, gone, strict=True)]


def outputs_of(judged: Sequence[Record], names: Sequence[str]) -> dict[str, list[Any]]:
    """The values of each output (`label`, `value`, `score`, `probability:<class>`) of instances with an answer."""
    answers = [record.y for record in judged if record.y]
    shares = [answer.get("probabilities") for answer in answers]
    tables = [share if isinstance(share, dict) else {} for share in shares]
    return {
        name: [table.get(name.removeprefix(PROBABILITY)) for table in tables]
        if name.startswith(PROBABILITY)
        else [answer.get(name) for answer in answers]
        for name in names
    }


def confidence_of(outputs: Mapping[str, Sequence[Any]], rows: int) -> NDArray[np.float64]:
    """The largest probability of each row; NaN where there is none."""
    largest = np.full(rows, np.nan)
    for name, values in outputs.items():
        if name.startswith(PROBABILITY):
            largest = np.fmax(largest, numbers_of(values))
    return largest


def numbers_of(values: Sequence[Any]) -> NDArray[np.float64]:
    """Numbers as doubles, NaN for anything else."""
    if _NUMBERS.issuperset(map(type, values)):
        return doubles(values)
    return doubles([value if type(value) in _NUMBERS else np.nan for value in values])


def texts(flag: Any) -> list[str]:
    """The texts in a list, nothing in anything else."""
    return [text for text in flag if isinstance(text, str)] if isinstance(flag, list) else []


def _number_places(judged: Sequence[Record], bins: Mapping[str, Histogram]) -> dict[str, Places]:
    names = list(bins)
    plain, odd = _split(judged, names)
    is_odd = np.zeros(len(judged), bool)
    is_odd[odd] = True
    matrix = _matrix(plain, len(names))
    rest = columns([judged[row] for row in odd], names)
    found = {}
    for place, (name, values) in enumerate(zip(names, rest, strict=True)):
        column = np.empty(len(judged), np.int32)
        column[~is_odd] = places_of_numbers(matrix[:, place], bins[name])
        if odd:
            column[is_odd] = places_of(values, bins[name])
        found[name] = column
    return found


def _split(judged: Sequence[Record], names: Sequence[str]) -> tuple[list[tuple[float, ...]], list[int]]:
    """The values of instances that hold a number for every name, and the positions of all others."""
    pick = operator.itemgetter(*names, names[0])  # one name more, so that it gives a tuple for a single feature too
    wanted = frozenset(names)
    plain, odd = [], []
    for row, record in enumerate(judged):
        try:
            values = pick(record.x)
        except (KeyError, TypeError, IndexError):
            odd.append(row)
            continue
        gone = texts(record.flags["missing"]) if "missing" in record.flags else ()
        if not _NUMBERS.issuperset(map(type, values)) or not wanted.isdisjoint(gone):
            odd.append(row)
        else:
            plain.append(values)
    return plain, odd


def _matrix(rows: Sequence[tuple[float, ...]], width: int) -> NDArray[np.float64]:
    """One row a tuple; the last of each tuple, which is the first again, is left out."""
    if not rows:
        return np.empty((0, width))
    try:
        return np.array(rows, np.float64)
    except OverflowError:
        return np.array([doubles(row) for row in rows])
