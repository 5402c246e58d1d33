"""One instance's audit trail: every record that has its id, in the order of the log.

For the person who is asked "why did the model say this?": what came in, how each value compares with the training
range, what was answered, how long it took, what the truth turned out to be, what auditors noted, where in the log the
evidence lies, how far a signed digest vouches for it, and, if asked, what the model answers to the same input today.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from audit.notes import AUTHOR_CHARACTERS, COMMENT_CHARACTERS, VERDICTS
from audit.records import WHOLE_INSTANCE
from evaluation.pages import numbers
from evaluation.pages.render import render
from evaluation.pages.text import LongText, listed, shown, text_of
from evaluation.pages.trail import Evidence, InstanceTrail
from evaluation.pages.vouching import commands_of, known_at, note_of, replay_of, sealed

FEATURES = 500  # rows of an instance's table
HASH = 12  # digits of a redacted value's keyed hash, enough to see which are equal
CUT = {"prefix", "length", "sha256"}  # what the log holds of something too long; see `scoring.storable`
REASONS = 20  # of a record; none of ours has so many
ENTRIES = 200  # records that are shown, half of them the oldest
STAGES = 10  # of a record's run times
MOST_US = 10**15  # thirty years; what says that it took longer is no run time
FACTS = ("version", "request", "row", "rows", "role", "cold", "policies")  # shown as they are


@dataclass(frozen=True)
class Input:
    """One value of the instance beside what the model expects."""

    name: str
    value: str
    expected: list[str]
    flags: list[str]


def instance_page(trail: InstanceTrail, *, code: str | None = None) -> str:
    """The trail as a page; an id without records says so."""
    shown_of = [*trail.evidence[: ENTRIES // 2], *trail.evidence[ENTRIES // 2 :][-ENTRIES // 2 :]]
    return render(
        "instance.html.j2",
        served=True,
        code=code,
        trail=trail,
        entries=[_entry(evidence, trail) for evidence in shown_of],
        records=len(trail.evidence) + trail.left_out,
        left_out=len(trail.evidence) + trail.left_out - len(shown_of),
        in_json=trail.left_out == 0,
        all_verified=all(evidence.verified for evidence in trail.evidence),
        scored=any(evidence.record.get("run") for evidence in trail.evidence),
        verdicts=VERDICTS,
        author_characters=AUTHOR_CHARACTERS,
        comment_characters=COMMENT_CHARACTERS,
        commands=commands_of(trail),
    )


def _entry(evidence: Evidence, trail: InstanceTrail) -> dict[str, Any]:
    record = evidence.record
    inputs, inputs_left_out = _inputs(record, trail.features) if record.get("kind") == "score" else ([], 0)
    return {
        "evidence": evidence,
        "record": {name: record.get(name) for name in FACTS},
        "when": numbers.when(text_of(record.get("ts")) or None),
        "kind": text_of(record.get("kind")),
        "outcome": text_of(record.get("outcome")),
        "reasons": [text_of(reason) for reason in _list(record.get("reasons"))[:REASONS]],
        "reasons_left_out": max(0, len(_list(record.get("reasons"))) - REASONS),
        "answer": answer_of(record.get("y"), trail.target_unit),
        "known_at": known_at(record),
        "note": note_of(record),
        "sealed": sealed(evidence.integrity),
        "replay": replay_of(evidence.replay),
        "probabilities": _probabilities(record.get("y")),
        "whole": _flags_of(_flags(record), WHOLE_INSTANCE),
        "sent": _no_object(record),
        "too_large": _too_large(record),
        "inputs": inputs,
        "inputs_left_out": inputs_left_out,
        "some_outside": any(flag.endswith((": above", ": below")) for each in inputs for flag in each.flags),
        "more_redacted": WHOLE_INSTANCE in _list(record.get("redacted")),
        "distance": _distance(_flags(record).get("distance")),
        "cluster": _flags(record).get("cluster"),
        "times": [(stage, numbers.milliseconds(us / 1000)) for stage, us in _times(record)],
        "json": LongText(json.dumps(record, indent=2, ensure_ascii=False, default=str)),
    }


def _inputs(record: dict[str, Any], features: list[dict[str, Any]]) -> tuple[list[Input], int]:
    """The manifest's features in its order, then keys that the model does not know; and how many are left out."""
    values, redacted = record.get("x"), dict.fromkeys(map(text_of, _list(record.get("redacted"))))
    if not isinstance(values, dict) or _is_cut(values, record):
        return [], 0
    known = {feature["name"]: feature for feature in features}
    further = dict.fromkeys([*values, *(name for name in redacted if name != WHOLE_INSTANCE)])
    flags, names = _flags(record), [*known, *(name for name in further if name not in known)]
    inputs = [
        Input(
            name,
            _redacted(values.get(name)) if name in redacted else _value(values, name, record),
            [] if name in redacted else _expected(known.get(name)),
            _flags_of(flags, name),
        )
        for name in names[:FEATURES]
    ]
    return inputs, len(names) - len(inputs)


def _no_object(record: dict[str, Any]) -> LongText | None:
    """What was sent in place of an instance, if it was no object."""
    sent = record.get("x")
    if record.get("kind") != "score" or sent is None or isinstance(sent, dict):
        return None
    return LongText(json.dumps(sent, ensure_ascii=False, default=str))


def _too_large(record: dict[str, Any]) -> LongText | None:
    """The beginning of an instance that was too large for the log, and its size."""
    sent: Any = record.get("x")
    if record.get("kind") != "score" or not _is_cut(sent, record):
        return None
    return LongText(f"{shown(text_of(sent['prefix'])[:64])}… ({sent['length']:,} bytes)")


def _is_cut(value: Any, record: dict[str, Any]) -> bool:
    """Whether this stands in the place of something too long."""
    return (
        isinstance(value, dict)
        and set(value) == CUT
        and isinstance(value["length"], int)
        and "too_long" in _list(record.get("reasons"))
    )


def _value(values: dict[str, Any], name: str, record: dict[str, Any]) -> str:
    if name not in values:
        return "not sent"
    value = values[name]
    if _is_cut(value, record):
        return f"{text_of(value['prefix'])}… ({value['length']:,} characters)"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _redacted(kept: Any) -> str:
    """What the log holds in the place of a value."""
    if isinstance(kept, dict) and isinstance(kept.get("hmac"), str):
        return f"redacted, keyed hash {kept['hmac'][:HASH]}…"
    return "redacted"


def _expected(feature: dict[str, Any] | None) -> list[str]:
    """What training had: a range, a type, or categories; of a redacted feature nothing, as of its values."""
    if feature is None or feature.get("redaction", "none") != "none":
        return []
    unit = f" {feature['unit']}" if feature.get("unit") else ""
    if feature.get("minimum") is not None and feature.get("maximum") is not None:
        return [f"{numbers.number(feature['minimum'])} to {numbers.number(feature['maximum'])}{unit}"]
    if feature.get("categories"):
        return listed(_list(feature["categories"]))
    return [f"{feature.get('type', '')}{unit}"]


def _flags_of(flags: dict[str, Any], name: str) -> list[str]:
    found = []
    for kind in ("missing", "artifacts", "outside"):
        flagged = flags.get(kind)
        if isinstance(flagged, dict) and name in flagged:
            detail = flagged[name]
            words = ", ".join(map(str, detail)) if isinstance(detail, list) else str(detail)
            found.append(f"{kind.removesuffix('s')}: {words.replace('_', ' ')}")
        elif isinstance(flagged, list) and name in flagged:
            found.append(kind.removesuffix("s"))
    faults = flags.get("faults")
    return found + [text_of(word).replace("_", " ") for word in _list(isinstance(faults, dict) and faults.get(name))]


def answer_of(y: Any, unit: str | None = None) -> str | None:
    """The label or value of a score or of a label, as a page writes it; None if there is none."""
    if not isinstance(y, dict):
        return None
    if "label" in y:
        return text_of(y["label"])
    if "value" not in y:
        return None
    value = y["value"]
    text = numbers.number(value) if isinstance(value, int | float) and not isinstance(value, bool) else text_of(value)
    return f"{text} {unit}" if unit else text


def _probabilities(y: Any) -> list[tuple[str, float]]:
    found = y.get("probabilities") if isinstance(y, dict) else None
    pairs = [(str(name), float(p)) for name, p in found.items() if _is_share(p)] if isinstance(found, dict) else []
    return sorted(pairs, key=lambda pair: -pair[1])[:12]


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value <= 1


def _distance(value: Any) -> str | None:
    return numbers.number(value) if isinstance(value, int | float) else None


def _times(record: dict[str, Any]) -> list[tuple[str, float]]:
    times = record.get("us")
    pairs = times.items() if isinstance(times, dict) else ()
    return [(str(stage), us) for stage, us in pairs if isinstance(us, int | float) and abs(us) <= MOST_US][:STAGES]


def _flags(record: dict[str, Any]) -> dict[str, Any]:
    flags = record.get("flags")
    return flags if isinstance(flags, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
