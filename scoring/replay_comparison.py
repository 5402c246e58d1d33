"""Two answers to one instance, compared to the last bit.

A double and its shortest JSON text stand for each other, so the JSON of the two answers is compared: -0.0 differs from
0.0, and 1 from 1.0 and from true, as they do in the log.
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec

from audit.records import Record
from scoring.outcome import Decision
from scoring.replay_result import Answered, CannotReplay, Machine, Replay, cannot, recorded, replay_of


def compared(record: Record, decision: Decision, recorded_on: Machine, replayed_on: Machine) -> Replay:
    """The verdict on a record whose run was computed again."""
    then, now = recorded(record), Answered(decision.answer, decision.outcome, decision.reasons)
    size = record.run[2] if record.run is not None else 1
    facts: dict[str, Any] = {
        "recorded": then,
        "replayed": now,
        "recorded_on": recorded_on,
        "replayed_on": replayed_on,
        "difference": largest_difference(then.y, now.y),
    }
    if _bits(then) == _bits(now):
        return replay_of(record, "equal", f"The same to the last bit, in a run of {_rows(size)}.", **facts)
    how = _how(then, now, facts["difference"])
    same = recorded_on.computes_as(replayed_on)
    if same is None:
        sentence = f"{how}, and the log does not say on what it was computed."
        return cannot(record, CannotReplay("hardware_unknown", sentence), **facts)
    if same:
        return replay_of(record, "different", f"{how}, on the same processor and ONNX Runtime.", **facts)
    return replay_of(record, "other hardware", f"{how}, but computed on {_named(recorded_on)}.", **facts)


def largest_difference(then: Any, now: Any) -> float | None:
    """The largest absolute difference of the numbers that two answers both have; None if they have none. One beyond
    the range of a double is the largest double.

    >>> largest_difference({"label": 1, "probabilities": {"a": 0.25}}, {"label": 2, "probabilities": {"a": 0.5}})
    0.25
    >>> largest_difference({"label": 1}, {"label": 2}) is None
    True
    """
    ours, others = _numbers(then), _numbers(now)
    shared = [abs(number - others[name]) for name, number in ours.items() if name in others]
    return min(max(shared), sys.float_info.max) if shared else None


def _numbers(answer: dict[str, Any] | None) -> dict[str, float]:
    """An answer's outputs but for its label."""
    found = dict(answer or {})
    probabilities = found.pop("probabilities", {})
    outputs = {name: found.get(name) for name in ("value", "score")}
    if type(probabilities) is dict:
        outputs |= {f"probability {name}": number for name, number in probabilities.items()}
    return {name: number for name, number in outputs.items() if type(number) is float}


def _bits(answered: Answered) -> bytes:
    return msgspec.json.encode(answered, order="deterministic")


def _how(then: Answered, now: Answered, difference: float | None) -> str:
    if (then.outcome, then.reasons) != (now.outcome, now.reasons):
        return f"Recorded as {_ended(then)}, and now {_ended(now)}"
    if difference:
        return f"The answer differs by {difference:.3g}"
    return "The answer differs"


def _ended(answered: Answered) -> str:
    return f"{answered.outcome} ({', '.join(answered.reasons)})" if answered.reasons else f"{answered.outcome}"


def _named(machine: Machine) -> str:
    return f"{machine.cpu} with ONNX Runtime {machine.onnxruntime}"


def _rows(size: int) -> str:
    return f"{size} row{'' if size == 1 else 's'}"
