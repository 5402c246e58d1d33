"""One feature's rule: which values it takes, which mean missing, and where the training range ends.

A rule reads one value slowly and exactly. Instances that hold nothing but their features' own types never come here:
`scoring.judge` reads them all at once.

| type | takes | refuses as `wrong_type` |
|---|---|---|
| float | any number | text, booleans, arrays, objects |
| integer | whole numbers, `3.0` too | the same, and numbers with a fraction |
| boolean | true, false | the same, and numbers, 0 and 1 too |
| string | any text | numbers, booleans, arrays, objects |

A declared sentinel means missing whatever its type; null, NaN and an absent key always do. A declared default is a
value like any other, of the feature's own type, and flagged. An integer beyond the range of a double counts as an
infinity. A text is known by its code points alone: nothing is trimmed, folded or
normalised, as nothing was in training.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from scoring.artifacts import KNOWN_DEFAULT, text_artifacts
from scoring.bundle import Feature, FeatureType, Label
from scoring.storable import STRING_LIMIT

MISSING = math.nan
UNKNOWN = -1.0  # a text that the pipeline cannot tell from any other that it does not know
WIDENED_BY = 0.05  # of the training range's width, on either side

Policy = Literal["impute", "abstain", "reject"]


class Reading(msgspec.Struct, frozen=True, gc=False):
    """A value as the model would see it, NaN if it is missing or of the wrong type."""

    number: float
    wrong_type: bool = False
    artifacts: tuple[str, ...] = ()


class FeatureRule:
    """How to judge the values of one feature.

    >>> rule = FeatureRule(Feature(name="age", type="integer", sentinels=[-999, "N/A"]), takes_missing=True)
    >>> rule.read(41).number, rule.read("N/A").number, rule.read("41").wrong_type
    (41.0, nan, True)
    >>> rule = FeatureRule(Feature(name="job", type="string", categories=["clerk", "cook"]), takes_missing=True)
    >>> rule.read("cook").number, rule.read("Cook").number, rule.side(-1.0)
    (1.0, -1.0, 'unseen')
    """

    def __init__(self, feature: Feature, *, takes_missing: bool) -> None:
        self.name = feature.name
        self.type = feature.type
        self.missing: Policy = _missing_policy(feature, takes_missing)
        self.abstains_outside = feature.outside == "abstain"
        self.low, self.high = _envelope(feature)
        self.numeric_sentinels = _numeric_sentinels(feature)
        self._sentinels = frozenset(typed(value) for value in feature.sentinels)
        self._codes = _codes(feature)
        self.default_numbers = _default_numbers(feature, self._codes)
        self._unknown_defaults = frozenset(text for text in feature.defaults if isinstance(text, str)) - set(
            self._codes
        )

    def plain_codes(self) -> dict[Any, float]:
        """What needs no reading of a string feature: its known texts and what means missing, with nothing to flag."""
        texts = [*self._codes, *(text for _, text in filter(None, self._sentinels) if isinstance(text, str))]
        plain = [text for text in texts if len(text) <= STRING_LIMIT and not text_artifacts(text)]
        return {None: MISSING} | {text: self.read(text).number for text in plain}

    def read(self, value: Any) -> Reading:
        """Judge a value that is present; never raises."""
        if value is None or value != value or (self._sentinels and typed(value) in self._sentinels):
            return _IS_MISSING
        if self.type == "string":
            return self._read_text(value) if type(value) is str else _IS_WRONG
        if self.type == "boolean":
            return Reading(1.0 if value else 0.0) if type(value) is bool else _refused(value)
        if not _is_number(value):
            return _refused(value)
        number = _double(value)
        if self.type == "integer" and math.isfinite(number) and not number.is_integer():
            return _IS_WRONG
        return Reading(number)

    def side(self, number: float) -> str:
        """Where a number outside the widened training range lies: `below` or `above`; `unseen` for other types."""
        if self.type in ("boolean", "string"):
            return "unseen"
        return "below" if number < self.low else "above"

    def _read_text(self, text: str) -> Reading:
        known_default = (KNOWN_DEFAULT,) if text in self._unknown_defaults else ()
        return Reading(self._codes.get(text, UNKNOWN), artifacts=text_artifacts(text) + known_default)


def typed(value: Any) -> tuple[str, Label] | None:
    """A key under which 1, true and "1" differ as JSON's types do, and 1 and 1.0 do not; none for NaN and the rest.

    >>> typed(1) == typed(1.0), typed(1) == typed(True), typed("1")
    (True, False, ('string', '1'))
    """
    if type(value) is str:
        return "string", value
    if type(value) is bool:
        return "boolean", value
    return ("number", value) if _is_number(value) and value == value else None


def takes(kind: FeatureType, value: Any) -> bool:
    """Whether a value is one that a feature of this type may have: neither missing nor refused.

    >>> takes("integer", 3.0), takes("integer", 3.5), takes("float", True), takes("string", "")
    (True, False, False, True)
    """
    return math.isfinite(FeatureRule(Feature(name="", type=kind), takes_missing=False).read(value).number)


_IS_MISSING = Reading(MISSING)
_IS_WRONG = Reading(MISSING, wrong_type=True)


def _missing_policy(feature: Feature, takes_missing: bool) -> Policy:
    if feature.missing != "default":
        return feature.missing
    return "impute" if takes_missing and feature.missing_in_training > 0 else "abstain"


def _envelope(feature: Feature) -> tuple[float, float]:
    """The training range widened by 5 % of its width; without bounds where the manifest has none."""
    if feature.type == "boolean":
        seen = [float(value) for value in feature.categories or [False, True] if isinstance(value, bool)]
        return min(seen, default=-math.inf), max(seen, default=math.inf)
    if feature.type == "string":
        return 0.0, len(feature.categories or []) - 1.0
    if feature.minimum is None or feature.maximum is None:
        low, high = feature.minimum, feature.maximum
        return (-math.inf if low is None else low), (math.inf if high is None else high)
    margin = WIDENED_BY * (feature.maximum - feature.minimum)
    return feature.minimum - margin, feature.maximum + margin


def _numeric_sentinels(feature: Feature) -> list[float]:
    """Numbers that mean missing among numbers; a boolean and a string are given to the graph as other numbers."""
    if feature.type in ("boolean", "string"):
        return []
    return [float(value) for value in feature.sentinels if _is_number(value)]


def defaults_problem(kind: FeatureType, sentinels: Sequence[Label], defaults: Sequence[Label]) -> str | None:
    """Why values cannot be a feature's declared defaults, none if they can.

    >>> defaults_problem("float", [-1], ["none"])
    "the default 'none' is no float; if it means missing, declare it as a sentinel"
    """
    for value in defaults:
        if typed(value) in map(typed, sentinels):
            return f"{value!r} is declared as a sentinel and as a default; it means missing, or it is a value"
        if not takes(kind, value):
            return f"the default {value!r} is no {kind}; if it means missing, declare it as a sentinel"
    return None


def _default_numbers(feature: Feature, codes: dict[str, float]) -> list[float]:
    """What the declared defaults are in the matrix; of texts that all have one number there, none."""
    if feature.type == "string":
        return [codes[text] for text in feature.defaults if isinstance(text, str) and text in codes]
    return [float(value) for value in feature.defaults if takes(feature.type, value)]


def _codes(feature: Feature) -> dict[str, float]:
    """Of a string feature, what the graph is given for each text."""
    if feature.type != "string":
        return {}
    texts = [*(feature.categories or []), *feature.known]
    return {str(text): float(place) for place, text in enumerate(texts)}


def _is_number(value: Any) -> bool:
    return type(value) is float or type(value) is int


def _double(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _refused(value: Any) -> Reading:
    return Reading(MISSING, wrong_type=True, artifacts=text_artifacts(value)) if type(value) is str else _IS_WRONG
