"""Parsed JSON values to one matrix of doubles, quickly for plain instances and exactly for all others.

A plain instance has every feature of the model and nothing else, each with a number, null, a boolean where the feature
is one, or a text that the model knows where it is a string. Plain instances become rows without a look at single
values but for texts, which are looked up; the others are read value by value with `scoring.feature_rule`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from audit.records import WHOLE_INSTANCE
from scoring.artifacts import KNOWN_DEFAULT, text_artifacts
from scoring.encoding import Matrix
from scoring.feature_rule import MISSING, FeatureRule
from scoring.storable import INSTANCE_LIMIT, STRING_LIMIT, escape_surrogates, too_large
from scoring.verdict import Verdict

_NUMBERS = frozenset((float, int, type(None)))
_NUMBERS_AND_BOOLEANS = _NUMBERS | {bool}
_MOST_NAMED = 10  # unknown keys of an instance that its answer names
_NAME_SHOWN = 64  # characters
_NUMBER_BYTES = 32  # of JSON, with what stands around it


class InstanceReader:
    """Reads the instances of one model; holds no state of a request."""

    def __init__(self, rules: Sequence[FeatureRule], *, ignores_extra: bool) -> None:
        self._rules = rules
        self._names = frozenset(rule.name for rule in rules)
        self._ignores_extra = ignores_extra
        self._values = _values_getter([rule.name for rule in rules], _codes(rules))
        self._kinds = [bool if rule.type == "boolean" else None for rule in rules]
        self._booleans = [i for i, rule in enumerate(rules) if rule.type == "boolean"]
        self._types = _NUMBERS_AND_BOOLEANS if self._booleans else _NUMBERS
        self._integers = np.array([rule.type == "integer" for rule in rules])
        self._any_integer = bool(self._integers.any())
        declared = [(i, number, False) for i, rule in enumerate(rules) for number in rule.numeric_sentinels]
        declared += [(i, number, True) for i, rule in enumerate(rules) for number in rule.default_numbers]
        self._declared_columns = np.array([column for column, _, _ in declared], dtype=np.intp)
        self._declared_numbers = np.array([number for _, number, _ in declared], dtype=np.float64)
        self._are_defaults = np.array([is_default for _, _, is_default in declared], dtype=np.bool_)

    def read(self, instances: Sequence[Any], verdicts: Sequence[Verdict]) -> Matrix:
        """A row for each instance, NaN where missing or of the wrong type; reasons go into the verdicts."""
        rows: list[Sequence[float | None]] = []
        for instance, verdict in zip(instances, verdicts, strict=True):
            row = self._plain(instance)
            rows.append(self._slow(instance, verdict) if row is None else row)
        try:
            matrix = np.array(rows, dtype=np.float64)
        except OverflowError:  # a plain row holds an integer beyond the range of a double
            matrix = np.array(self._all_slow(rows, instances, verdicts), dtype=np.float64)
        matrix = matrix.reshape(len(rows), len(self._rules))
        if len(self._declared_columns):
            self._find_declared(matrix, verdicts)
        if self._any_integer:
            self._refuse_fractions(matrix, verdicts)
        return matrix

    def _plain(self, instance: Any) -> Sequence[float | None] | None:
        if type(instance) is not dict or len(instance) != len(self._rules):
            return None
        try:
            row = self._values(instance)
        except (KeyError, TypeError):  # absent; no text that is known; a list in the place of a text
            return None
        if not self._types.issuperset(map(type, row)):
            return None
        if self._booleans and not self._booleans_in_place(row):
            return None
        return row

    def _booleans_in_place(self, row: Sequence[Any]) -> bool:
        kinds = [type(value) for value in row]
        return kinds.count(bool) == len(self._booleans) and all(kinds[i] is bool for i in self._booleans)

    def _slow(self, instance: Any, verdict: Verdict) -> list[float | None]:
        verdict.clean = False
        if type(instance) is not dict:
            verdict.because("wrong_type")
            verdict.unread = self._names
            if too_large(instance):
                verdict.because("too_long")
            return [MISSING] * len(self._rules)
        extra = instance.keys() - self._names
        if extra:
            self._judge_extra(extra, verdict)
        self._judge_length(instance, bool(extra), verdict)
        return [self._value(rule, instance.get(rule.name), verdict) for rule in self._rules]

    def _value(self, rule: FeatureRule, value: Any, verdict: Verdict) -> float:
        reading = rule.read(value)
        if reading.wrong_type:
            verdict.blame(rule.name, "wrong_type")
            verdict.unread |= {rule.name}
        if reading.artifacts:
            verdict.artifacts[rule.name] = list(reading.artifacts)
        return reading.number

    def _judge_extra(self, extra: set[str], verdict: Verdict) -> None:
        if not self._ignores_extra:
            for name in sorted(extra)[:_MOST_NAMED]:
                verdict.blame(escape_surrogates(name[:_NAME_SHOWN]), "unknown_feature")
        odd = {word for name in extra for word in text_artifacts(name)}
        if odd:
            verdict.artifacts[WHOLE_INSTANCE] = sorted(odd)

    def _judge_length(self, instance: dict[str, Any], has_extra: bool, verdict: Verdict) -> None:
        """Long text in a feature, or an instance too large for its record to keep whole."""
        odd = {name: value for name, value in instance.items() if isinstance(value, str | list | dict)}
        long_texts = [name for name, value in odd.items() if isinstance(value, str) and len(value) > STRING_LIMIT]
        for name in self._names.intersection(long_texts):
            verdict.blame(name, "too_long")
        of_others = long_texts and not self._ignores_extra
        if of_others or ((odd or has_extra) and too_large(instance)):
            verdict.because("too_long")

    def _find_declared(self, matrix: Matrix, verdicts: Sequence[Verdict]) -> None:
        """Sentinels become missing, known defaults are flagged; one comparison looks for all of them."""
        hits = matrix.take(self._declared_columns, axis=1) == self._declared_numbers
        if not hits.any():
            return
        rows, places = np.nonzero(hits & ~self._are_defaults)
        matrix[rows, self._declared_columns[places]] = MISSING
        for row, place in np.argwhere(hits & self._are_defaults).tolist():
            column = self._declared_columns[place]
            if not np.isnan(matrix[row, column]):
                verdicts[row].odd(self._rules[column].name, KNOWN_DEFAULT)

    def _all_slow(
        self, rows: Sequence[Sequence[float | None]], instances: Sequence[Any], verdicts: Sequence[Verdict]
    ) -> list[Sequence[float | None]]:
        """The rows again, those that were plain read value by value."""
        return [
            self._slow(instance, verdict) if verdict.clean else row
            for row, instance, verdict in zip(rows, instances, verdicts, strict=True)
        ]

    def _refuse_fractions(self, matrix: Matrix, verdicts: Sequence[Verdict]) -> None:
        """A number with a fraction where training had whole numbers is of the wrong type."""
        fractions = self._integers & np.isfinite(matrix) & (matrix != np.rint(matrix))
        if not fractions.any():
            return
        for row, column in np.argwhere(fractions).tolist():
            verdicts[row].blame(self._rules[column].name, "wrong_type")
            verdicts[row].unread |= {self._rules[column].name}
            matrix[row, column] = MISSING


def _codes(rules: Sequence[FeatureRule]) -> dict[int, dict[Any, float]]:
    """For each string feature, by position, what its texts become; nothing is known at once where a row of known texts
    could be too large for its record, so that each is measured."""
    codes = {i: rule.plain_codes() for i, rule in enumerate(rules) if rule.type == "string"}
    texts = sum(max(len(msgspec.json.encode(text)) for text in known) for known in codes.values())
    names = sum(len(msgspec.json.encode(rule.name)) + _NUMBER_BYTES for rule in rules)
    return codes if texts + names <= INSTANCE_LIMIT else {place: {} for place in codes}


def _values_getter(
    names: Sequence[str], codes: Mapping[int, Mapping[Any, float]]
) -> Callable[[dict[str, Any]], Sequence[Any]]:
    """A function from an instance to its values in manifest order; `KeyError` if one is absent or a text unknown."""
    pick = operator.itemgetter(*names) if len(names) > 1 else lambda instance: (instance[names[0]],)
    if not codes:
        return pick

    def picked(instance: dict[str, Any]) -> list[Any]:
        values = list(pick(instance))
        for place, known in codes.items():
            values[place] = known[values[place]]
        return values

    return picked
