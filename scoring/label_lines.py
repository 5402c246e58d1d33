"""From a body with labels to results and records, in one thread: decode, judge, look the instances up, write lines."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Literal

import msgspec

from audit.ids import new_id
from audit.records import VERSION, Record, encode_record, timestamp
from scoring.catalog import Served
from scoring.content_coding import decoded
from scoring.fields import usable_id
from scoring.labels import JudgedLabel, LabelJudge, decode_labels
from scoring.score import Arrival


class LabelResult(msgspec.Struct, frozen=True):
    """What became of one label; `id` is null if what was sent is no id. `unmatched` labels count once the instance
    comes, and those for instances older than the ids that this process looks back on count all the same."""

    id: str | None
    outcome: Literal["recorded", "unmatched", "rejected"]
    reasons: list[str]


class Labelled(msgspec.Struct, frozen=True):
    """Everything but the receipts."""

    request_id: str
    results: list[LabelResult]
    encoded: bytes  # the results as JSON
    lines: list[bytes]


def label_body(served: Served, arrival: Arrival, known: Callable[[str, list[str]], Collection[str]]) -> Labelled:
    """Judge every label in a body; raises `BadRequest` if it is no request, and what `known(model, ids)` raises."""
    request = decode_labels(decoded(arrival.content, arrival.max_body_bytes).body, arrival.max_instances)
    judge = LabelJudge(served.manifest)
    labels = [judge.judge(given) for given in request.labels]
    results = looked_up(served.name, labels, known)
    request_id = request.request_id or usable_id(arrival.request_id)
    lines = label_lines(served.name, request_id, timestamp(arrival.received_s), arrival.writer_id, labels, results)
    return Labelled(request_id, results, msgspec.json.encode(results), lines)


def looked_up(
    model: str, labels: Sequence[JudgedLabel], known: Callable[[str, list[str]], Collection[str]]
) -> list[LabelResult]:
    """Outcomes, once it was asked which instances of those that count are known; raises what `known` raises."""
    counting = [label.id for label in labels if label.id is not None and not label.reasons]
    return label_results(labels, known(model, counting))


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
