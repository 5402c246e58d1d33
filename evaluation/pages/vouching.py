"""What vouches for a record, in a page's words: its seal, a replay, auditors' notes, and commands to check it.

All of it may hold strangers' text; the template escapes it.
"""

from __future__ import annotations

import json
import shlex
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from audit.layout import HOUR_S, hour_start_s, parse_name
from audit.notes import VERDICTS
from evaluation.pages import numbers
from evaluation.pages.reports import Command
from evaluation.pages.text import LongText, text_of
from evaluation.pages.trail import InstanceTrail, Replayed

if TYPE_CHECKING:
    from audit.integrity import Integrity


def note_of(record: dict[str, Any]) -> dict[str, Any] | None:
    """Verdict, author and comment of an auditor's note."""
    y = record.get("y")
    if record.get("kind") != "note" or not isinstance(y, dict):
        return None
    verdict = text_of(y.get("verdict"))
    return {
        "verdict": verdict,
        "level": {"confirmed": "ok", "disputed": "alert"}.get(verdict, "none"),
        "meaning": VERDICTS.get(verdict),
        "author": text_of(y.get("author")),
        "comment": LongText(text_of(y.get("comment"))),
    }


def known_at(record: dict[str, Any]) -> str | None:
    """When a label's sender says that the truth was known."""
    y = record.get("y")
    told = y.get("ts") if record.get("kind") == "label" and isinstance(y, dict) else None
    return numbers.when(told) if isinstance(told, str) else None


def sealed(integrity: Integrity | None) -> tuple[str, str, str] | None:
    """A level, its words and a sentence on what the digests say of a record's blob."""
    if integrity is None:
        return None
    if integrity.signature == "invalid":
        return "alert", "Wrong signature", integrity.sentence
    if integrity.state != "sealed":
        return "none", "Not sealed yet", integrity.sentence
    words = {"valid": ("ok", "Sealed and signed"), "unknown key": ("warn", "Sealed, by an unknown key")}
    return *words.get(integrity.signature, ("none", "Sealed, signature not checked")), integrity.sentence


def replay_of(replay: Replayed | None) -> dict[str, Any] | None:
    if replay is None:
        return None
    levels = {"equal": ("ok", "Equal"), "different": ("alert", "Different")}
    level, words = levels.get(replay.verdict, ("none", replay.verdict.capitalize()))
    both = [(name, _answered(side)) for name, side in (("Recorded", replay.recorded), ("Replayed", replay.replayed))]
    return {
        "level": level,
        "words": words,
        "sentence": LongText(replay.sentence),
        "both": [pair for pair in both if pair[1]],
    }


def _answered(side: Any) -> LongText | None:
    """One side of a replay with all its digits, since one bit is what it may be about."""
    if not isinstance(side, dict):
        return None
    y = json.dumps(side.get("y"), ensure_ascii=False, default=str)
    parts = [text_of(side.get("outcome")), *map(text_of, _list(side.get("reasons"))), y if side.get("y") else ""]
    return LongText(" · ".join(part for part in parts if part))


def commands_of(trail: InstanceTrail) -> list[Command]:
    """How to check all of it without this service."""
    if not trail.evidence:
        return []
    which = f"{shlex.quote(trail.id)} --model {shlex.quote(trail.model)}"
    if trail.id.startswith("-"):  # would be taken for an option
        which = f"--model {shlex.quote(trail.model)} -- {shlex.quote(trail.id)}"
    hours = sorted({name.hour for one in trail.evidence if (name := parse_name(one.blob))})
    within = f" --since {_time_of(hours[0], 0)} --until {_time_of(hours[-1], 1)}" if hours else ""
    found = [
        Command(f"python -m audit show {which}", "shows these records as they are in the log"),
        Command(f"python -m audit verify{within}", "reads every byte of the log of that time, and its signed digests"),
    ]
    if any(evidence.record.get("run") for evidence in trail.evidence):
        found.append(Command(f"python -m scoring replay {which}", "runs the recorded models on the recorded input"))
    return found


def _time_of(hour: str, more: int) -> str:
    """An hour of the log, or one so many later, as commands take it.

    >>> _time_of("2026/11/23/23", 1)
    '2026-11-24T00:00'
    """
    start_s = hour_start_s(hour)
    assert start_s is not None, "the name of a blob has an hour that is one"
    return f"{datetime.fromtimestamp(start_s + more * HOUR_S, UTC):%Y-%m-%dT%H:%M}"


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
