"""What came of a request's instances, as columns: the elements of each output tensor in row-major order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

from scoring.bundle import Label, class_key
from scoring.outcome import Answer
from scoring.protocols.protocol import Findings
from scoring.protocols.signature import NO_INT64, TensorType

_NONE: dict[str, Any] = {"FP64": None, "INT64": NO_INT64, "BYTES": ""}


def column(output: TensorType, findings: Findings) -> list[Any]:
    """The elements of one of the model's outputs, None where a float is missing."""
    if output.name == "predict":
        return _predictions(output.datatype, findings)
    if output.name == "predict_proba":
        return _probabilities(findings)
    if output.name == "score":
        return [None if answer is None else answer.get("score") for answer in _given(findings)]
    if output.name == "outcome":
        return [decision.outcome for decision in findings.decisions]
    if output.name == "reasons":
        return [",".join(decision.reasons) for decision in findings.decisions]
    return list(findings.ids)


def _predictions(datatype: str, findings: Findings) -> list[Any]:
    none = _NONE[datatype]
    if findings.manifest.task == "regression":
        return [none if answer is None else answer["value"] for answer in _given(findings)]
    written: Callable[[Label], Any] = class_key if datatype == "BYTES" else _number
    known = {(type(label), label): written(label) for label in findings.manifest.classes}
    labels = (None if answer is None else answer["label"] for answer in _given(findings))
    return [none if label is None else known[type(label), label] for label in labels]


def _probabilities(findings: Findings) -> list[float | None]:
    keys = [class_key(label) for label in findings.manifest.classes]
    pick = itemgetter(*keys) if len(keys) > 1 else lambda found: (found[keys[0]],)
    none: list[float | None] = [None] * len(keys)
    rows = (none if answer is None else pick(answer["probabilities"]) for answer in _given(findings))
    return [value for row in rows for value in row]


def _given(findings: Findings) -> Sequence[Answer | None]:
    """The answers that a client may see: those of scored instances."""
    return [decision.answer if decision.outcome == "scored" else None for decision in findings.decisions]


def _number(label: Label) -> Any:
    return int(label) if isinstance(label, bool) else label
