"""An auditor's note on an instance: who looked at it, what they found, and a comment. Pure: no storage, no clock.

    {"author": "R. Okafor", "verdict": "disputed", "comment": "The income was typed in twice."}

| field | what |
|---|---|
| `author` | required; 1 to 100 characters on one line. Nobody checks it: whoever has the key may give any name |
| `verdict` | required; `confirmed` the decision stands, `disputed` it does not, `unclear` the record does not tell |
| `comment` | optional; at most 4,000 characters, with line ends and tabs |

A note is a record of its own and changes none: one that was wrong is answered by another. Spaces around author and
comment are left out, and line ends become one newline each. Control characters, halves of surrogate pairs and, in a
name, what turns the direction of writing are refused: a note is read beside evidence and must not look like it.

A note belongs to an instance that the log has a record of; who writes it looks for that first.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from audit.errors import Refused
from audit.records import VERSION, Record

VERDICTS = {
    "confirmed": "the decision stands",
    "disputed": "the decision does not stand",
    "unclear": "the record does not tell",
}
FIELDS = ("author", "verdict", "comment")
AUTHOR_CHARACTERS = 100
COMMENT_CHARACTERS = 4_000
_UNFIT = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURNING = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True)
class Note:
    """A note that may be recorded."""

    author: str
    verdict: str
    comment: str = ""


def judged_note(given: Mapping[str, Any]) -> Note:
    """The note in these fields; raises `Refused` with a message that quotes nothing of them.

    >>> judged_note({"author": " R. Okafor ", "verdict": "confirmed", "comment": "seen\\r\\ntwice"})
    Note(author='R. Okafor', verdict='confirmed', comment='seen\\ntwice')
    """
    if not set(FIELDS).issuperset(given):
        raise Refused(f"a note has the fields {', '.join(FIELDS)} and no others")
    author = _text("author", given.get("author"), AUTHOR_CHARACTERS)
    if not author:
        raise Refused("author: missing; who looked at it, in 1 to 100 characters")
    verdict = given.get("verdict")
    if not isinstance(verdict, str) or verdict not in VERDICTS:
        raise Refused(f"verdict: expected one of {', '.join(VERDICTS)}")
    return Note(author, verdict, _text("comment", given.get("comment"), COMMENT_CHARACTERS))


def note_record(
    note: Note, instance_id: str, *, model: str, ts: str, writer: str, request: str | None = None
) -> Record:
    """The record of a note."""
    y = {"verdict": note.verdict, "author": note.author} | ({"comment": note.comment} if note.comment else {})
    return Record(v=VERSION, kind="note", id=instance_id, ts=ts, model=model, writer=writer, request=request, y=y)


def _text(field: str, given: Any, most: int) -> str:
    """A text without what no note may hold; the empty one for null."""
    if given is None:
        return ""
    if not isinstance(given, str):
        raise Refused(f"{field}: expected a string")
    lines = field == "comment"
    text = given.replace("\r\n", "\n").replace("\r", "\n") if lines else given
    if len(text) > most:
        raise Refused(f"{field}: {len(text):,} characters; the most is {most:,}")
    text = text.strip(" \n\t" if lines else " ")
    place = next((place for place, one in enumerate(text, 1) if _is_unfit(one, lines=lines)), None)
    if place is not None:
        raise Refused(f"{field}: character {place} is one that a note cannot hold, such as a control character")
    return text


def _is_unfit(character: str, *, lines: bool) -> bool:
    if lines and character in "\n\t":
        return False
    return unicodedata.category(character) in _UNFIT or (not lines and character in _TURNING)
