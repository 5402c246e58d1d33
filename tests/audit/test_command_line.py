"""What `python -m audit` and `python -m scoring` say of themselves, on any log: help, words that filter, patience."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable, Iterator, Sequence

import pytest
from rich.cells import cell_len

import audit.__main__ as audit_main
import scoring.__main__ as scoring_main
from audit.connect import Stores
from audit.memory_store import MemoryStore
from audit.record_words import OUTCOMES, OUTCOMES_OF, REASONS
from audit.records import encode_record
from audit.writer import LogWriter
from scoring.reasons import REASONS as OF_SCORING
from tests.audit.examples import appender, score

SETTINGS = {
    "HYPERPLANE_STORAGE": "UseDevelopmentStorage=true",
    "HYPERPLANE_GIVE_UP_SECONDS": "1.5",
    "HYPERPLANE_RESOLVE_SECONDS": "2.5",
}
AUDIT = ("show", "tail", "find", "sample", "export", "note", "verify", "digests", "public-key", "seal", "index")
SCORING = ("label", "redact", "replay")
LONG_ID, WIDE_ID = "0198f2c4-7b1e-7c3a-9d55-0123456789ab", "患者" * 30

type Done = tuple[int, str, str]


class Terminal(io.StringIO):
    """A standard output that is one."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def log() -> MemoryStore:
    store = MemoryStore()
    writer = appender(store)
    wide = score(WIDE_ID, y={"label": "gut 👍"}, outcome="abstained", reasons=["missing_required", "low_confidence"])
    writer.append([encode_record(score(LONG_ID)), encode_record(wide)])
    writer.leave()
    return store


@pytest.fixture
def run(log: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    monkeypatch.setattr(audit_main, "open_stores", lambda settings: Stores(log, MemoryStore()))

    def running(*arguments: str, terminal: int | None = None) -> Done:
        out, err = Terminal() if terminal else io.StringIO(), io.StringIO()
        monkeypatch.setenv("COLUMNS", str(terminal or 80))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = ended(audit_main.main, arguments)
        return code, out.getvalue(), err.getvalue()

    return running


def ended(main: Callable[..., int], arguments: Sequence[str]) -> int:
    try:
        return main(arguments, SETTINGS)
    except SystemExit as end:  # argparse
        return int(end.code or 0)


def helps() -> Iterator[tuple[Callable[..., int], str]]:
    yield from ((audit_main.main, name) for name in ("", *AUDIT))
    yield from ((scoring_main.main, name) for name in ("", *SCORING))


@pytest.mark.parametrize(("main", "name"), list(helps()))
def test_help_fits_a_terminal_shows_examples_and_explains_exit_codes(
    main: Callable[..., int], name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert ended(main, [*([name] if name else []), "--help"]) == 0
    shown = capsys.readouterr().out
    assert [line for line in shown.splitlines() if len(line) > 80] == []
    examples = shown.split("examples:\n")[1].split("\n\n")[0]
    package = main.__module__.partition(".")[0]
    assert f"python -m {package} {name}".strip() in examples
    assert "Exit codes: 0 " in shown


@pytest.mark.parametrize("main", [audit_main.main, scoring_main.main])
def test_without_a_command_there_is_the_whole_help_and_nothing_is_well(
    main: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(main, []) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "examples:" in err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--outcome", "refused"], "'refused': expected scored, abstained, rejected, failed, recorded or unmatched"),
        (["--kind", "foo"], "'foo': expected score, request_error, label or note"),
        (["--reason", "missing_requird"], "did you mean missing_required? Expected wrong_type, not_finite"),
        (["--outcome", "recorded", "--kind", "score"], "--outcome: a score is scored, abstained, rejected or failed"),
        (["--outcome", "rejected", "--kind", "note"], "--outcome: a note has none"),
        (["--role", "x"], "unrecognized arguments: --role x"),
    ],
)
@pytest.mark.parametrize("command", [["find"], ["sample", "3"], ["export", "{}/a.csv"]], ids=lambda words: words[0])
def test_a_filter_that_no_record_can_match_is_refused(
    run: Callable[..., Done], tmp_path: object, command: list[str], arguments: list[str], says: str
) -> None:
    code, out, err = run(*(word.format(tmp_path) for word in command), *arguments)
    assert (code, out) == (2, "")
    assert says in err


def test_the_words_that_filter_are_those_that_scoring_writes() -> None:
    assert set(REASONS) == set(OF_SCORING)
    assert set(OUTCOMES) == {word for words in OUTCOMES_OF.values() for word in words}


@pytest.mark.parametrize("command", [("tail",), ("find",), ("sample", "9", "--seed", "1")], ids=lambda words: words[0])
@pytest.mark.parametrize("width", [20, 60, 80, 120])
def test_a_terminal_gets_rows_of_its_width(run: Callable[..., Done], command: tuple[str, ...], width: int) -> None:
    code, out, _ = run(*command, terminal=width)
    assert code == 0
    shown = re.sub(r"\x1b\[[0-9;]*m", "", out).splitlines()
    assert len(shown) == 3
    assert all(cell_len(line) <= width for line in shown)
    assert any(line.endswith("…") or "… " in line for line in shown)


def test_a_pipe_gets_each_record_whole_in_one_line(run: Callable[..., Done], log: MemoryStore) -> None:
    code, out, _ = run("find")
    header, *rows = (line.split("\t") for line in out.splitlines())
    assert (code, header) == (0, ["time", "kind", "id", "model", "outcome", "reasons", "result"])
    by_id = {row[2]: row for row in rows}
    assert set(by_id) == {LONG_ID, WIDE_ID}
    assert by_id[WIDE_ID][4:] == ["abstained", "missing_required, low_confidence", '"gut 👍"']
    writer = appender(log, writer="w2")
    writer.append([encode_record(score("another", model="a-model-with-a-long-name"))])
    assert out.splitlines()[1] in run("find")[1].splitlines(), "a row does not depend on the others"
    shown = run("show", LONG_ID)[1].splitlines()
    assert ["id", LONG_ID] in [line.split("\t") for line in shown]
    assert not any("\t" not in line for line in shown)


def test_a_note_is_written_with_the_settings_patience(
    run: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, object] = {}

    class Patient(LogWriter):
        def __init__(self, *arguments: object, **options: object) -> None:
            given.update(options)
            super().__init__(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("audit.commands.note.LogWriter", Patient)
    assert run("note", LONG_ID, "--author", "A", "--verdict", "unclear")[0] == 0
    assert (given["give_up_s"], given["resolve_s"]) == (1.5, 2.5)


def test_one_of_anything_is_said_in_the_singular(run: Callable[..., Done], tmp_path: object) -> None:
    _, _, err = run("export", f"{tmp_path}/a.jsonl", "--outcome", "scored")
    assert "1 of 2 records exported" in err
    _, _, err = run("sample", "1", "--outcome", "scored")
    assert "1 of 1 matching record; draw it again with --seed" in err
    _, _, err = run("find", "--limit", "1")
    assert "shown: the newest 1 record, --limit 0 shows all" in err
