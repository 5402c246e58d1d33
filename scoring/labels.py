"""Ground truth for earlier instances: what a label must be for the model it is for. Pure: no storage, no clock.

    {"labels": [{"id": "a-17", "label": "bad", "ts": "2026-11-23T14:05:06Z"}], "request_id": "optional"}

A classifier's `label` is one of its classes, as the JSON value itself or as the text that `probabilities` are keyed
by ("1" for 1); a regression's `value` is a finite number. `ts`, when the truth was known, is RFC 3339 with its offset.
A label that is none of this is rejected with its reasons, for itself alone, and is recorded all the same.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from audit.records import timestamp
from scoring.bundle import Label, Manifest, class_key
from scoring.fields import is_id, non_empty_list, object_fields, request_id_field
from scoring.json_body import read_json
from scoring.storable import storable

REASONS = (
    "wrong_type",  # not an object, or a label of another JSON type than the classes
    "malformed_id",
    "missing_label",  # no "label" (classifier) or no "value" (regression)
    "unknown_class",
    "not_finite",
    "malformed_ts",
    "unknown_field",
)

_FIELDS = frozenset(("labels", "request_id"))
_EXAMPLE = '{"labels": [{"id": "…", "label": …}]}'
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class LabelRequest:
    """A request whose shape is right; its labels may still be anything."""

    labels: list[Any]
    request_id: str | None


@dataclass(frozen=True, slots=True)
class JudgedLabel:
    """One label. `id` is None if it was no id; `y` is what the record holds; without reasons it counts."""

    id: str | None
    y: dict[str, Any] | None
    reasons: list[str] = field(default_factory=list)


def decode_labels(body: bytes, max_labels: int) -> LabelRequest:
    """The request in a body; raises `BadRequest`.

    >>> decode_labels(b'{"labels": [{"id": "a-17", "label": "bad"}]}', 10).labels
    [{'id': 'a-17', 'label': 'bad'}]
    """
    value, _ = read_json(body)
    fields = object_fields(value, _FIELDS, _EXAMPLE)
    labels = non_empty_list(fields, "labels", max_labels)
    return LabelRequest(labels, request_id_field(fields))


class LabelJudge:
    """Judges labels by the champion's task and classes.

    A judged label's `y` is what the record holds: the class itself and the time in UTC, or what was sent if it is
    rejected.
    """

    def __init__(self, manifest: Manifest) -> None:
        self._field = "value" if manifest.task == "regression" else "label"
        self._known = frozenset(("id", "ts", self._field))
        self._exact = {_typed(label): label for label in manifest.classes}
        self._by_key = {class_key(label): label for label in manifest.classes}
        self._kinds = {_typed(label)[0] for label in manifest.classes} | {"string"}

    def judge(self, given: Any) -> JudgedLabel:
        """What to record for one label; never raises."""
        if type(given) is not dict:
            return JudgedLabel(None, {self._field: storable(given)}, ["wrong_type"])
        truth, why_truth = self._truth(given.get(self._field))
        known_at, why_ts = _time(given.get("ts"))
        reasons = [] if is_id(given.get("id")) else ["malformed_id"]
        reasons += [why for why in (why_truth, why_ts) if why]
        if not self._known.issuperset(given):
            reasons.append("unknown_field")
        reasons.sort(key=REASONS.index)
        y = {self._field: truth, "ts": known_at}
        if reasons:
            y = {name: storable(given.get(name)) for name in y}
        return JudgedLabel(
            id=None if "malformed_id" in reasons else given["id"],
            y={name: value for name, value in y.items() if value is not None} or None,
            reasons=reasons,
        )

    def _truth(self, given: Any) -> tuple[Label | None, str | None]:
        """The class or value that is meant, and a reason if there is none."""
        if given is None:
            return None, "missing_label"
        return _finite(given) if self._field == "value" else self._class(given)

    def _class(self, given: Any) -> tuple[Label | None, str | None]:
        if not isinstance(given, str | int | float):
            return None, "wrong_type"
        exact = self._exact.get(_typed(given))
        if exact is not None:
            return exact, None
        if isinstance(given, str) and given in self._by_key:
            return self._by_key[given], None
        return None, "unknown_class" if _typed(given)[0] in self._kinds else "wrong_type"


def _typed(label: Label) -> tuple[str, Label]:
    """A key under which true, 1 and "1" differ, and 1 and 1.0 do not."""
    kind = "string" if isinstance(label, str) else "boolean" if isinstance(label, bool) else "number"
    return kind, label


def _finite(given: Any) -> tuple[float | None, str | None]:
    if isinstance(given, bool) or not isinstance(given, int | float):
        return None, "wrong_type"
    try:
        value = float(given)
    except OverflowError:
        return None, "not_finite"
    return (value, None) if math.isfinite(value) else (None, "not_finite")


def _time(given: Any) -> tuple[str | None, str | None]:
    """An RFC 3339 time in UTC as records write it, and a reason if it is none. A leap second is not taken."""
    if given is None:
        return None, None
    if not isinstance(given, str) or not _RFC3339.fullmatch(given):
        return None, "malformed_ts"
    try:
        return timestamp(datetime.fromisoformat(given.upper()).timestamp()), None
    except (ValueError, OverflowError):
        return None, "malformed_ts"
