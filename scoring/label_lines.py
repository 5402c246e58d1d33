"""The records of a label request as lines of the log, and what the client is told about each label."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal

import msgspec

from audit.ids import new_id
from audit.records import VERSION, Record, encode_record
from scoring.labels import JudgedLabel


class LabelResult(msgspec.Struct, frozen=True):
    """What became of one label; `id` is null if what was sent is no id. `unmatched` labels count once the instance
    comes, and those for instances older than the ids that this process looks back on count all the same."""

    id: str | None
    outcome: Literal["recorded", "unmatched", "rejected"]
    reasons: list[str]


def label_results(labels: Sequence[JudgedLabel], known: Collection[str]) -> list[LabelResult]:
    """Outcomes, in the order of the request; `known` are the ids of instances seen before.

    >>> [each.outcome for each in label_results([JudgedLabel("a", None), JudgedLabel("b", None)], {"a"})]
    ['recorded', 'unmatched']
    """
    return [LabelResult(label.id, _outcome(label, known), label.reasons) for label in labels]


def label_lines(
    model: str, request_id: str, ts: str, writer: str, labels: Sequence[JudgedLabel], results: Sequence[LabelResult]
) -> list[bytes]:
    """A line for each label; one without an id is recorded under an id of its own."""
    return [
        encode_record(
            Record(
                v=VERSION,
                kind="label",
                id=label.id or new_id(),
                ts=ts,
                model=model,
                writer=writer,
                request=request_id,
                row=row,
                rows=len(labels),
                outcome=result.outcome,
                reasons=label.reasons,
                y=label.y,
            )
        )
        for row, (label, result) in enumerate(zip(labels, results, strict=True))
    ]


def _outcome(label: JudgedLabel, known: Collection[str]) -> Literal["recorded", "unmatched", "rejected"]:
    if label.reasons:
        return "rejected"
    return "recorded" if label.id in known else "unmatched"
