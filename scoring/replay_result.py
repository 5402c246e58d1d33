"""What a replay says of one record: whether the recorded bundle gives the recorded answer again, bit for bit.

| verdict | what it means |
|---|---|
| `equal` | the same answer, outcome and reasons, to the last bit; on whatever hardware |
| `different` | another one on the same processor and ONNX Runtime: both are told |
| `other hardware` | another one, but on another processor or ONNX Runtime than recorded: both are told |
| `cannot` | there is nothing to compare, and `reason` is the word of `REASONS` for why |

A replay never guesses: what the log does not hold is `cannot`, not an assumption.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from audit.records import Record

Verdict = Literal["equal", "different", "other hardware", "cannot"]

REASONS = {
    "not_run": "the model was never run on this instance: it was refused before, or there was no time",
    "run_ended": "the recorded run was ended at its limit, so there is no answer to compare with",
    "redacted": "the log does not hold features that the model saw",
    "bundle_gone": "no bundle in the models folder has the recorded hash",
    "bundle_of_another": "the recorded hash is that of another model's or version's bundle",
    "bundle_altered": "the bundle is there, but is not what it was exported as",
    "policies_gone": "the log does not hold, in a form that can be used, the policies by which it was judged",
    "run_incomplete": "records of the same run are not in the log, and a row's bits depend on the others",
    "run_unclear": "the log holds contradicting records of the same run",
    "run_too_large": "the records of the run are more than a replay holds at once",
    "input_cut": "a record of the run does not hold the whole instance",
    "judged_otherwise": "the recorded instances are judged otherwise by this code than they were",
    "model_error": "the model cannot be loaded or run here",
    "no_time": "the time that one request may take for replays was over before",
    "timeout": "the run took longer here than it may",
    "hardware_unknown": "the bits differ, and the log does not say on what they were computed",
}

SENTENCE = 2_000  # characters; it may quote names, and those of a record can be as long as its writer likes


class Machine(msgspec.Struct, frozen=True, omit_defaults=True):
    """What computed an answer, as far as the log says: the `about` of a blob's `open` frame."""

    cpu: str | None = None
    onnxruntime: str | None = None
    code: str | None = None

    @classmethod
    def of(cls, about: Mapping[str, str]) -> Machine:
        """The machine that a process says it runs on."""
        return cls(about.get("cpu"), about.get("onnxruntime"), about.get("code"))

    def computes_as(self, other: Machine) -> bool | None:
        """Whether the same bits are to be expected; None if that is not known."""
        if None in (self.cpu, self.onnxruntime, other.cpu, other.onnxruntime):
            return None
        return (self.cpu, self.onnxruntime) == (other.cpu, other.onnxruntime)


class Answered(msgspec.Struct, frozen=True):
    """What is compared: the model's answer, kept from the client or not, and what became of the instance."""

    y: dict[str, Any] | None
    outcome: str | None
    reasons: list[str]


class Replay(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of replaying one record; absent fields are not known."""

    id: str
    ts: str
    model: str
    version: str | None
    role: str | None
    run: tuple[str, int, int] | None
    verdict: Verdict
    reason: str | None = None  # of `cannot`: a word of `REASONS`
    sentence: str  # for people
    fields: list[str] = []  # what is redacted
    recorded: Answered | None = None
    replayed: Answered | None = None
    difference: float | None = None  # the largest, absolute, of the numbers that both answers have
    recorded_on: Machine | None = None
    replayed_on: Machine | None = None


class CannotReplay(Exception):
    """Why a record, or a whole run, cannot be replayed: a word of `REASONS`, and a sentence for people."""

    def __init__(self, reason: str, sentence: str, fields: Sequence[str] = ()) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence
        self.fields = list(fields)


def cannot(record: Record, problem: CannotReplay, **known: Any) -> Replay:
    """The replay of a record that cannot be replayed; `known` are other fields."""
    return replay_of(
        record, "cannot", problem.sentence, reason=problem.reason, fields=problem.fields,
        **{"recorded": recorded(record)} | known,
    )  # fmt: skip


def replay_of(record: Record, verdict: Verdict, sentence: str, **more: Any) -> Replay:
    """A replay of this record; a long sentence is cut."""
    sentence = sentence if len(sentence) <= SENTENCE else f"{sentence[:SENTENCE]}…"
    return Replay(
        id=record.id,
        ts=record.ts,
        model=record.model,
        version=record.version,
        role=record.role,
        run=record.run,
        verdict=verdict,
        sentence=sentence,
        **more,
    )


def recorded(record: Record) -> Answered:
    """What the record says."""
    return Answered(record.y, record.outcome, record.reasons)
