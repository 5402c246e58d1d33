"""What a note must be, what its record is, and the command that writes one."""

from __future__ import annotations

import contextlib
import io
import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import __main__ as audit_main
from audit import display
from audit.connect import Stores
from audit.errors import Refused
from audit.lookup import find
from audit.memory_store import MemoryStore
from audit.notes import (
    AUTHOR_CHARACTERS,
    COMMENT_CHARACTERS,
    VERDICTS,
    Note,
    judged_note,
    note_record,
)
from audit.reader import Position
from audit.records import decode_record, encode_record
from audit.verify import verify_blobs
from tests.audit.examples import NOON_S, appender, score

GOOD: dict[str, Any] = {"author": "R. Okafor", "verdict": "disputed", "comment": "typed in\ttwice\nby hand"}
SETTINGS = {"HYPERPLANE_STORAGE": "UseDevelopmentStorage=true"}


def test_a_good_note_is_kept_as_it_is() -> None:
    assert judged_note(GOOD) == Note("R. Okafor", "disputed", "typed in\ttwice\nby hand")
    assert judged_note({"author": "李雷", "verdict": "unclear"}) == Note("李雷", "unclear")
    assert judged_note(GOOD | {"comment": None}).comment == judged_note(GOOD | {"comment": " \n"}).comment == ""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"author": None}, "author: missing"),
        ({"author": "   "}, "author: missing"),
        ({"author": 17}, "author: expected a string"),
        ({"author": "x" * (AUTHOR_CHARACTERS + 1)}, "author: 101 characters; the most is 100"),
        ({"author": "two\nlines"}, "author: character 4"),
        ({"author": "gpj.\u202eexe"}, "author: character 5"),
        ({"author": "a\x1b[2J"}, "author: character 2"),
        ({"verdict": None}, "verdict: expected one of confirmed, disputed, unclear"),
        ({"verdict": "Confirmed"}, "verdict: expected one of"),
        ({"verdict": ["confirmed"]}, "verdict: expected one of"),
        ({"comment": {}}, "comment: expected a string"),
        ({"comment": "x" * (COMMENT_CHARACTERS + 1)}, "comment: 4,001 characters"),
        ({"comment": "a\x00"}, "comment: character 2"),
        ({"comment": "half \ud800"}, "comment: character 6"),
        ({"colour": "red"}, "a note has the fields author, verdict, comment and no others"),
    ],
)
def test_what_is_no_note_is_refused_with_the_field_and_without_quoting_it(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(Refused) as refused:
        judged_note(GOOD | changes)
    assert str(refused.value).startswith(words)
    assert "red" not in str(refused.value)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters(codec=None), max_size=50),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@given(
    st.fixed_dictionaries(
        {}, optional={"author": ANYTHING, "verdict": st.sampled_from([*VERDICTS, "x"]) | ANYTHING, "comment": ANYTHING}
    )
)
def test_whatever_is_given_is_a_note_of_visible_text_or_refused(fields: dict[str, Any]) -> None:
    try:
        note = judged_note(fields)
    except Refused:
        return
    assert note.author == note.author.strip(" ") != ""
    for text in (note.author, note.comment.replace("\n", "").replace("\t", "")):
        assert not [one for one in text if unicodedata.category(one) in {"Cc", "Cs"}]
    line = encode_record(note_record(note, "a", model="m", ts="t", writer="w"))
    assert b"\n" not in line
    assert decode_record(line).y == {"verdict": note.verdict, "author": note.author} | (
        {"comment": note.comment} if note.comment else {}
    )


def test_a_windows_forms_line_ends_become_newlines() -> None:
    assert judged_note(GOOD | {"comment": "\r\none\r\ntwo\rthree\r\n"}).comment == "one\ntwo\nthree"


@pytest.fixture
def log() -> MemoryStore:
    """Two models' records, one id in both."""
    store = MemoryStore()
    writer = appender(store)
    writer.append(
        [encode_record(score("a-17")), encode_record(score("both")), encode_record(score("both", "diabetes"))]
    )
    writer.leave()
    return store


def run(log: MemoryStore, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str, str]:
    """The command on a log in memory: exit code, standard output, standard error."""
    monkeypatch.setattr(audit_main, "open_stores", lambda settings: Stores(log, MemoryStore()))
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = audit_main.main(["note", *arguments], SETTINGS)
        except SystemExit as end:
            code = int(end.code or 0)
    return code, out.getvalue(), err.getvalue()


def test_the_command_writes_a_record_whose_blob_verifies(log: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    written = ("a-17", "--author", "R. Okafor", "--verdict", "confirmed", "--comment", "seen", "--json")
    code, out, _ = run(log, monkeypatch, *written)
    assert code == 0
    (_, _), (note, position) = find(log, "a-17")
    assert (note.kind, note.model, note.y) == (
        "note", "wine", {"verdict": "confirmed", "author": "R. Okafor", "comment": "seen"},
    )  # fmt: skip
    receipt = json.loads(out)
    assert (receipt["blob"], receipt["sequence"]) == (position.blob, position.sequence)
    assert verify_blobs(log) == []
    assert note.ts > score("x", at_s=NOON_S).ts


def test_the_command_notes_nothing_for_an_unknown_instance(log: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for which in (["nobody"], ["a-17", "--model", "diabetes"]):
        code, out, err = run(log, monkeypatch, *which, "--author", "A", "--verdict", "unclear")
        assert (code, out) == (1, "")
        assert "nothing was noted" in err
    assert len(list(log.list())) == 1


def test_a_table_of_records_shows_a_notes_verdict_and_author() -> None:
    note = note_record(Note("R. Okafor", "disputed"), "a", model="m", ts="t", writer="w")
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        display.print_table([(note, Position("b", 1, 0))])
    assert "disputed, R. Okafor" in out.getvalue()


def test_the_command_asks_which_model_if_several_have_the_id(log: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    code, _, err = run(log, monkeypatch, "both", "--author", "A", "--verdict", "unclear")
    assert code == 2
    assert "--model: diabetes, wine" in err
    assert run(log, monkeypatch, "both", "--author", "A", "--verdict", "unclear", "--model", "wine")[0] == 0
    assert [record.model for record, _ in find(log, "both") if record.kind == "note"] == ["wine"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--author", "A", "--verdict", "fine"], "'fine': expected confirmed, disputed or unclear"),
        (["--author", " ", "--verdict", "unclear"], "audit: author: missing"),
        (["--author", "A", "--verdict", "unclear", "--comment", "x\x07"], "audit: comment: character 2"),
        (["--verdict", "unclear"], "--author"),
    ],
)
def test_the_command_refuses_what_is_no_note(
    log: MemoryStore, monkeypatch: pytest.MonkeyPatch, options: list[str], words: str
) -> None:
    code, _, err = run(log, monkeypatch, "a-17", *options)
    assert code == 2
    assert words in err
    assert len(list(log.list())) == 1
