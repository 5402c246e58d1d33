"""An auditor's note as it comes in: JSON from a program, or the form on an instance's page.

    {"author": "R. Okafor", "verdict": "disputed", "comment": "…", "request_id": "optional"}
    author=R.+Okafor&verdict=disputed&comment=…

What a note must be says `audit.notes`. A body that is no note is not recorded: it was no call of the model.

A key in a header or an address is nothing that a browser adds by itself, so no other site's page can write a note
without knowing the key. But a proxy in front of the service may add it for whoever is signed in, and with `AUTH=off`
there is none. So what a browser sends for another site's page is refused, whatever its content type: it says so itself
(`Sec-Fetch-Site`, https://www.w3.org/TR/fetch-metadata/; to https addresses and localhost). `Origin` would not tell: of
our own form it is "null", since our pages send no referrer. Programs send neither.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from audit.notes import FIELDS, Note, judged_note, note_record
from audit.records import encode_record
from scoring.content import Content
from scoring.content_coding import decoded
from scoring.errors import BadRequest, FromElsewhere, InflatedTooLarge, NoteTooLarge
from scoring.fields import object_fields, request_id_field, usable_id
from scoring.json_body import read_json

NOTE_BYTES = 64 * 1024  # four thousand characters of any script, escaped as JSON or as a form, and some room
FORM = "application/x-www-form-urlencoded"
_KNOWN = frozenset((*FIELDS, "request_id"))
_EXAMPLE = '{"author": "…", "verdict": "…", "comment": "…"}'
_OBJECT = re.compile(rb"\s*\{")
_ELSEWHERE = ("cross-site", "same-site")


class SentNote(msgspec.Struct, frozen=True):
    """A note that may be recorded, and how it came."""

    note: Note
    request_id: str | None
    is_form: bool


class NoteLine(msgspec.Struct, frozen=True):
    """A note's line of the log, and what its sender is told of it beside the receipt."""

    request_id: str
    answer: dict[str, Any]
    line: bytes


def is_form(content: Content) -> bool:
    """Whether a browser's form was sent. `curl -d` says so of JSON too, which no form begins as."""
    return content.kind.partition(";")[0].strip().lower() == FORM and not _OBJECT.match(content.body)


def check_site(fetch_site: str | None) -> None:
    """`FromElsewhere` if a browser's `Sec-Fetch-Site` header says that another site's page sent it.

    >>> check_site(None), check_site("same-origin"), check_site("none")
    (None, None, None)
    """
    if fetch_site is not None and fetch_site.strip().lower() in _ELSEWHERE:
        raise FromElsewhere


def read_note(content: Content) -> SentNote:
    """The note in a body; raises `BadRequest`, `Refused` or `NoteTooLarge`."""
    if len(content.body) > NOTE_BYTES:
        raise NoteTooLarge(NOTE_BYTES)
    try:
        plain = decoded(content, NOTE_BYTES)
    except InflatedTooLarge:
        raise NoteTooLarge(NOTE_BYTES) from None
    form = is_form(plain)
    if form:
        return SentNote(judged_note(_form_fields(plain.body)), None, is_form=True)
    fields = object_fields(read_json(plain.body)[0], _KNOWN, _EXAMPLE)
    note = judged_note({name: value for name, value in fields.items() if name in FIELDS})
    return SentNote(note, request_id_field(fields), is_form=False)


def note_line(
    sent: SentNote, instance_id: str, *, model: str, ts: str, writer: str, request_id: str | None
) -> NoteLine:
    """What is recorded of a note, and what its sender is told. `request_id` is the one of the header."""
    request = sent.request_id or usable_id(request_id)
    record = note_record(sent.note, instance_id, model=model, ts=ts, writer=writer, request=request)
    answer = {"model": model, "id": instance_id, "request_id": request, "note": {"ts": ts, **(record.y or {})}}
    return NoteLine(request, answer, encode_record(record))


def _form_fields(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=len(FIELDS))
    except UnicodeError:
        raise BadRequest("the body: expected a form in UTF-8, percent-encoded") from None
    except ValueError:
        raise BadRequest(f"the body: expected the fields {', '.join(FIELDS)}, each once") from None
    if len(dict(pairs)) != len(pairs):
        raise BadRequest(f"the body: expected the fields {', '.join(FIELDS)}, each once")
    return dict(pairs)
